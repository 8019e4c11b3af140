"""Errors have the shape of OpenAI's API."""

import pytest

from helpers.serving.errors import ServiceError, wrong


def test_the_shape():
    error = wrong("temperature", "too hot")
    expected = {
        "message": "temperature: too hot",
        "type": "invalid_request_error",
        "param": "temperature",
        "code": None,
    }
    assert error.status == 400 and error.body() == {"error": expected} and error.headers() == {}


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, "authentication_error", "invalid_api_key"),
        (403, "permission_error", None),
        (413, "invalid_request_error", "body_too_large"),
        (429, "rate_limit_error", "rate_limit_exceeded"),
        (500, "server_error", None),
        (503, "server_error", "overloaded"),
    ],
)
def test_type_and_code_follow_the_status(status, kind, code):
    error = ServiceError(status, "x").body()["error"]
    assert (error["type"], error["code"]) == (kind, code)


@pytest.mark.parametrize(("seconds", "header"), [(0, "1"), (0.2, "1"), (1.0, "1"), (1.01, "2"), (59.5, "60")])
def test_retry_after_is_in_whole_seconds_rounded_up(seconds, header):
    assert ServiceError(429, "x", retry_after=seconds).headers() == {"retry-after": header}


def test_401_says_how():
    assert ServiceError(401, "x").headers() == {"www-authenticate": "Bearer"}
