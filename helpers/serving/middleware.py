"""The doors a request comes through before any route sees it, the outermost first (notebook 14).

``Journal`` gives each request an id, and writes the line of the log and the count in the metrics when it has ended.
``SameSite`` lets in only what is meant for this host and comes from our own page. ``Keys`` asks who it is and how often they
came. ``Body`` reads the body, up to a number of bytes and seconds. They are plain ASGI: an answer that is streamed passes as it
comes (https://asgi.readthedocs.io/en/latest/specs/www.html).
"""

import json
import os
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import anyio

from helpers.serving.errors import ServiceError
from helpers.serving.keys import bearer, known_key

HIDDEN = "unmatched"  # the route of a path that is none of ours
ANYONE = "anyone"  # who asks a service without keys
GONE = 499  # the client left before the answer was complete: nginx' number, seen in the log and the metrics alone
LINGER, MOST = 1.0, 8_000_000  # seconds and bytes for which a body is read on whose answer is known already


@dataclass
class Record:
    """What is known about one request; routes add to it, the Journal writes it down."""

    route: str
    method: str
    id: str = field(default_factory=lambda: f"req_{secrets.token_hex(12)}")
    began: float = field(default_factory=time.monotonic)
    unread: bool = True  # may there be more of the body?
    status: int | None = None  # of the answer that was begun
    outcome: int | None = None  # what became of it, where that is something else: GONE, or 504 within a stream
    person: str | None = None
    more: dict = field(default_factory=dict)  # what else the log should say: never a text, never a header

    def seconds(self) -> float:
        """Return the time since the request came, in seconds."""
        return time.monotonic() - self.began


def header(scope, name: bytes) -> str | None:
    """Return a header of a request, None when it is not there exactly once."""
    values = [value for key, value in scope["headers"] if key == name]
    return values[0].decode("latin-1") if len(values) == 1 else None


class Journal:
    """Every request has an id, one line in the log and one count, however it ends; nothing gets past it as a traceback."""

    def __init__(self, app, service, templates: Sequence[tuple[str, re.Pattern]]):
        self.app, self.service, self.templates = app, service, templates

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        # The template, "/v1/models/{model}", and never what stands in its place.
        route = next((name for name, pattern in self.templates if pattern.match(scope["path"])), HIDDEN)
        record = scope["record"] = Record(route, scope["method"])

        async def inward():
            message = await receive()
            record.unread = message.get("more_body", False)
            return message

        async def outward(message):
            if message["type"] == "http.response.start":
                record.status = message["status"]
                own = [(b"x-request-id", record.id.encode()), (b"x-content-type-options", b"nosniff")]
                message = {**message, "headers": [*message.get("headers", []), *own]}
            await send(message)

        with self.service.request(record):
            try:
                await self.app(scope, inward, outward)
            except Exception as error:
                if not isinstance(error, ServiceError):
                    record.more["error"] = where(error)
                    error = ServiceError(500, "the service made a mistake; its log knows more, under the request's id")
                if record.status is None:
                    await send_error(error, outward, inward if record.unread else None)
                else:  # too late for a status: the connection ends, and the client sees half an answer
                    record.outcome = error.status


def where(error: Exception) -> str:
    """Return the kind of an error, and where in the code it happened. Its message stays out: it may hold what people wrote."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    code = last and last.tb_frame.f_code
    place = f" in {os.path.basename(code.co_filename)}:{last.tb_lineno}" if code else ""
    return f"{type(error).__name__}{place}"


async def send_error(error: ServiceError, send, receive=None) -> None:
    """Send an error as an answer. With ``receive``, what has not been read of the request's body is read and forgotten.

    Who is still sending would otherwise see a broken connection in place of the answer: a socket that is closed with unread
    bytes in it throws away what it has sent.
    """
    body = json.dumps(error.body()).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **error.headers()}
    if error.status in (408, 413):
        headers["connection"] = "close"
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body, "more_body": receive is not None})
    if receive is not None:
        left = MOST
        with anyio.move_on_after(LINGER):
            while left > 0 and (message := await receive()).get("more_body"):
                left -= len(message["body"])
        await send({"type": "http.response.body", "body": b""})


class SameSite:
    """Refuses what a page of another site sends through somebody's browser, and calls by a name that is not ours.

    A browser lets any page send requests to 127.0.0.1, though not read the answers; and a page whose own name points to
    127.0.0.1 (DNS rebinding) may read them, too. The first is known by Origin and Sec-Fetch-Site, which a page cannot forge,
    the second by Host. A link to our page from elsewhere stays possible.
    """

    def __init__(self, app, hosts: tuple[str, ...]):
        self.app, self.hosts = app, frozenset(host.lower() for host in hosts)

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            self.check(scope)
        return await self.app(scope, receive, send)

    def check(self, scope) -> None:
        """Raise ServiceError (421 or 403) for a request that may not come in."""
        host = (header(scope, b"host") or "").lower()
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if "*" not in self.hosts and name not in self.hosts:
            raise ServiceError(421, "this service is not known by that name (header Host)", code="wrong_host")
        origins = [value for key, value in scope["headers"] if key == b"origin"]
        foreign = any(urlsplit(value.decode("latin-1")).netloc.lower() != host for value in origins)
        site = header(scope, b"sec-fetch-site")
        page = scope["path"] == "/" and scope["method"] in ("GET", "HEAD")
        if foreign or site in ("cross-site", "same-site") and not page:
            raise ServiceError(403, "a page of another site may not use this service", code="cross_site")


class Keys:
    """Everything below /v1 needs a key, if there are any, and counts against its limit of requests.

    The key is read from the Authorization header alone: an address ends up in histories, in logs and on the sites that a page
    links to.
    """

    def __init__(self, app, service):
        self.app, self.service = app, service

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and (scope["path"] + "/").startswith("/v1/"):
            keys, person = self.service.settings.keys, ANYONE
            if keys:
                key = bearer(header(scope, b"authorization"))
                person = key and known_key(key, keys)
                if not person:
                    what = "this key is not known" if key else "a key is missing"
                    raise ServiceError(401, f"{what}: send yours in the header Authorization: Bearer …, nowhere else")
            scope["record"].person = person
            if scope["method"] == "POST":
                self.service.limits.admit(person)
        return await self.app(scope, receive, send)


class Body:
    """Reads the whole body before the app begins: at most ``most`` bytes, within ``seconds``.

    The bytes are counted as they come: a body without Content-Length (chunked) has no other measure, and one that lies about
    it is cut by the server. The answers pass untouched.
    """

    def __init__(self, app, most: int, seconds: float):
        self.app, self.most, self.seconds = app, most, seconds

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        length = header(scope, b"content-length") or "0"
        if not length.isdigit() or int(length[:20]) > self.most:
            self._too_large()
        body = None
        with anyio.move_on_after(self.seconds):
            body = await self._read(receive)
        if body is None:
            raise ServiceError(408, f"the body did not come within {self.seconds:g} s")
        unread = True

        async def replay():
            nonlocal unread
            if unread:
                unread = False
                return {"type": "http.request", "body": body, "more_body": False}
            return await receive()

        await self.app(scope, replay, send)

    async def _read(self, receive) -> bytes:
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ServiceError(GONE, "the client left")
            body += message.get("body", b"")
            if len(body) > self.most:
                self._too_large()
            more = message.get("more_body", False)
        return bytes(body)

    def _too_large(self):
        raise ServiceError(413, f"the body is larger than {self.most:,} bytes")
