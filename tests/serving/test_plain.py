"""The route without a framework: whatever comes in, a status goes out."""

import json

import pytest

from helpers.serving.plain import failure, route, texts

CHAT = "/v1/chat/completions"
GOOD = {"model": "echo", "messages": [{"role": "user", "content": "Hi"}]}


def broken(request):
    raise RuntimeError("a path of ours")


MODELS = {"echo": lambda request: {"said": texts(request["messages"])}, "broken": broken}


def sent(**changes):
    return json.dumps(GOOD | changes).encode()


def test_a_good_request_is_answered_by_its_model():
    assert route("POST", CHAT, sent(), MODELS) == (200, {"said": ["Hi"]})
    assert route("GET", "/health/live", b"", MODELS) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("status", "param", "request_"),
    [
        (404, None, ("POST", "/v1/nothing", sent())),
        (405, None, ("GET", CHAT, b"")),
        (405, None, ("POST", "/health/live", b"")),
        (400, None, ("POST", CHAT, b"Hello!")),
        (400, None, ("POST", CHAT, b"\xff\xfe")),
        (400, None, ("POST", CHAT, b"[" * 200_000)),
        (400, None, ("POST", CHAT, b"[1]")),
        (404, "model", ("POST", CHAT, sent(model="gpt-9"))),
        (404, "model", ("POST", CHAT, sent(model=["echo"]))),
        (400, "messages", ("POST", CHAT, sent(messages=[]))),
        (400, "messages", ("POST", CHAT, sent(messages="Hi"))),
        (400, "messages", ("POST", CHAT, sent(messages=[{"content": 5}]))),
        (400, "messages", ("POST", CHAT, sent(messages=["Hi"]))),
        (500, None, ("POST", CHAT, sent(model="broken"))),
    ],
)
def test_everything_else_gets_its_status_and_a_message(status, param, request_):
    found, answer = route(*request_, MODELS)
    assert (found, answer["error"]["param"]) == (status, param)
    assert answer["error"]["message"] and "path of ours" not in answer["error"]["message"]


def test_an_error_has_the_shape_that_clients_know():
    assert failure("no", "model") == {
        "error": {"message": "no", "type": "invalid_request_error", "param": "model", "code": None}
    }
