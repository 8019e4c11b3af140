"""What a client hears when something is wrong: a status and a sentence, in the shape of OpenAI's API (notebook 14).

A sentence never repeats what people wrote: it ends up in the logs of others.
"""

from collections.abc import Mapping

_KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_CODES = {
    401: "invalid_api_key",
    408: "slow_body",
    413: "body_too_large",
    429: "rate_limit_exceeded",
    503: "overloaded",
    504: "deadline_passed",
}


class ServiceError(Exception):
    """An answer with an HTTP ``status`` (400 or more) and a ``message`` that says what to do.

    ``param`` names the wrong field of the request, ``code`` is for programs (the usual one of the status, if it has one), and
    ``retry_after`` is in how many seconds a new try makes sense (RFC 9110, section 10.2.3).
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ):
        super().__init__(message)
        self.status, self.message, self.param = status, message, param
        self.code = code or _CODES.get(status)
        self.retry_after = retry_after

    def body(self) -> dict:
        """Return {"error": {"message", "type", "param", "code"}}."""
        kind = _KINDS.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def headers(self) -> Mapping[str, str]:
        """Return the headers that belong to it: Retry-After in whole seconds, 1 or more; WWW-Authenticate with 401."""
        headers = {}
        if self.retry_after is not None:
            headers["retry-after"] = str(max(1, int(-(-self.retry_after // 1))))
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return headers


def wrong(param: str, message: str) -> ServiceError:
    """Return the error 400 about one field of the request."""
    return ServiceError(400, f"{param}: {message}", param=param)


def shown(name: str) -> str:
    """Return a field's name as it may be said: at most 40 characters, what is not printable ASCII as "?"."""
    return "".join(character if " " <= character <= "~" else "?" for character in name[:40])
