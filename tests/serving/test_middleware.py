"""The doors: an id and a line for every request, own hosts and pages only, keys, and a body of bounded bytes and seconds."""

import asyncio
import json

import pytest

pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")

from helpers.serving import middleware
from helpers.serving.errors import ServiceError
from helpers.serving.keys import digest
from helpers.serving.middleware import Body, SameSite, header, send_error, where
from tests.serving.asgi import ask

KEYS = {"anna": digest("sk-anna"), "ben": digest("sk-ben")}
ANNA = {"authorization": "Bearer sk-anna"}


# --- the journal --------------------------------------------------------------------------------------------------------


def test_every_answer_has_an_id_that_is_in_the_log(place):
    some = place()
    answers = [some.ask(), some.ask(path="/nowhere"), some.ask("POST", "/v1/chat/completions", b"{"), some.chat()]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == 4 and all(name.startswith("req_") for name in ids)
    assert [(line["id"], line["status"]) for line in some.log] == [
        (name, answer.status) for name, answer in zip(ids, answers)
    ]


def test_the_route_is_the_template(place):
    some = place()
    for name in ("a", "b", "sk-secret"):
        some.ask(path=f"/v1/models/{name}")
        some.ask(path=f"/{name}")
    assert {line["route"] for line in some.log} == {"/v1/models/{model}", "unmatched"}
    assert some.metric("chat_requests_total", route="/v1/models/{model}", method="GET", status="404") == 3
    assert some.metric("chat_requests_total", route="unmatched", method="GET", status="404") == 3
    assert "secret" not in some.written


def test_a_mistake_of_ours_is_a_500_and_its_words_stay_secret(place):
    some = place()

    def fail(request, on_event):
        raise KeyError("what anna said")

    some.engine.submit = fail
    answer = some.chat()
    assert answer.status == 500 and answer.json()["error"]["type"] == "server_error"
    assert "anna" not in some.written + answer.body.decode()
    line = fail.__code__.co_firstlineno + 1
    assert some.log[0]["status"] == 500 and some.log[0]["error"] == f"KeyError in test_middleware.py:{line}"


def test_where_an_error_happened():
    assert where(ValueError("x")) == "ValueError"


def lingering(pieces):
    """Return (messages that were sent, pieces left unread) of a refusal whose client goes on sending ``pieces``."""
    sent, left = [], list(pieces)

    async def receive():
        if not left:
            await asyncio.Event().wait()
        if len(sent) < 2:
            raise AssertionError("the client must have its answer first")
        return left.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(asyncio.wait_for(send_error(ServiceError(413, "x"), send, receive), 10))
    return sent, len(left)


def test_who_is_still_sending_is_heard_out(monkeypatch):
    piece = {"type": "http.request", "body": b"12345", "more_body": True}
    last, gone = {**piece, "more_body": False}, {"type": "http.disconnect"}
    sent, left = lingering([piece, piece, last, piece])
    assert left == 1 and [message.get("more_body", False) for message in sent] == [False, True, False]
    assert lingering([piece, gone, piece])[1] == 1
    monkeypatch.setattr(middleware, "MOST", 12)
    assert lingering([piece] * 10)[1] == 7  # but not for ever: neither in bytes
    monkeypatch.setattr(middleware, "LINGER", 0.02)
    assert lingering([piece])[0][-1] == {"type": "http.response.body", "body": b""}  # nor in seconds


# --- hosts and pages ------------------------------------------------------------------------------------------------------


def entered(method="POST", path="/v1/chat/completions", hosts=("localhost", "127.0.0.1", "[::1]"), **headers):
    """Return 200, or the status with which a request with these headers is refused."""
    headers = {"host": "localhost:8000", **headers}
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items() if value is not None]
    try:
        SameSite(None, hosts).check({"type": "http", "method": method, "path": path, "headers": pairs})
    except ServiceError as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "LOCALHOST:1", "127.0.0.1:8000", "[::1]:8000", "[::1]"]
)
def test_own_names_come_in(host):
    assert entered(host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example:80", "", None,
        "localhost:8000:1", "localhost:", "127.1",
    ],
)  # fmt: skip
def test_a_name_that_points_to_us_does_not(host):
    assert entered(host=host) == 421


def test_a_name_can_be_allowed():
    assert entered(host="Bots.Example:443", hosts=("bots.example",)) == 200
    assert entered(host="anything", hosts=("*",)) == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # curl, the openai client
        ({"origin": "http://localhost:8000"}, 200),  # our own page
        ({"origin": "http://localhost:8000", "sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "none"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://localhost:3000"}, 403),  # another page on this computer
        ({"origin": "http://localhost"}, 403),
        ({"origin": "null"}, 403),  # a page in a sandbox, or from a file
        ({"origin": ""}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
    ],
)
def test_only_our_own_page_may_send(headers, status):
    assert entered(**headers) == status
    assert entered("GET", "/metrics", **headers) == status


def test_a_link_to_our_page_works_from_anywhere():
    assert entered("GET", "/", sec_fetch_site="cross-site") == 200
    assert entered("POST", "/", sec_fetch_site="cross-site") == 403


def test_a_header_that_comes_twice_counts_as_none():
    scope = {"headers": [(b"host", b"localhost"), (b"host", b"evil.example"), (b"a", b"b")]}
    assert header(scope, b"host") is None and header(scope, b"a") == "b" and header(scope, b"c") is None


# --- keys -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"authorization": ""}, {"authorization": "Bearer "}, {"authorization": "Bearer sk-wrong"},
        {"authorization": "sk-anna"}, {"authorization": "Basic sk-anna"}, {"x-api-key": "sk-anna"}, {"api-key": "sk-anna"},
        {"authorization": f"Bearer {KEYS['anna']}"}, {"cookie": "key=sk-anna"},
    ],
)  # fmt: skip
def test_nobody_comes_in_without_a_known_key(place, headers):
    some = place(keys=KEYS)
    for answer in (some.chat(headers=headers), some.ask(path="/v1/models", headers=headers)):
        assert answer.status == 401 and answer.json()["error"]["code"] == "invalid_api_key"
        assert answer.headers["www-authenticate"] == "Bearer"
    assert not some.engine.requests and "sk-" not in some.written


def test_a_known_key_comes_in_under_its_name(place):
    some = place(keys=KEYS)
    assert some.chat(headers=ANNA).status == 200
    assert some.log[0]["person"] == "anna" and "sk-anna" not in some.written and KEYS["anna"] not in some.written


def test_what_is_not_below_v1_needs_no_key(place):
    some = place(keys=KEYS)
    assert [some.ask(path=path).status for path in ("/health/live", "/health/ready", "/metrics")] == [200, 200, 200]


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/x", "/v1/models"])
def test_all_below_v1_does(place, path):
    assert place(keys=KEYS).ask(path=path).status == 401


def test_each_key_has_its_own_limit(place):
    some = place(keys=KEYS, requests_per_minute=2)
    assert [some.chat(headers=ANNA).status for _ in range(3)] == [200, 200, 429]
    assert some.ask(path="/v1/models", headers=ANNA).status == 200  # only what computes is counted
    assert some.chat(headers={"authorization": "Bearer sk-ben"}).status == 200
    assert 1 <= int(some.chat(headers=ANNA).headers["retry-after"]) <= 60


def test_wrong_keys_use_up_nobodys_limit(place):
    some = place(keys=KEYS, requests_per_minute=1)
    for _ in range(3):
        assert some.chat(headers={"authorization": "Bearer sk-annb"}).status == 401
    assert some.chat(headers=ANNA).status == 200


# --- the body ---------------------------------------------------------------------------------------------------------------


async def echo(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def limited(pieces, most=10, seconds=5.0, headers=()):
    """Return what the app behind Body(10 bytes) has read, or the error."""
    try:
        return asyncio.run(ask(Body(echo, most, seconds), "POST", pieces=pieces, headers=headers)).body
    except ServiceError as error:
        return error.status


def test_a_body_of_just_the_limit_passes_in_any_pieces():
    for pieces in ([b"0123456789"], [b"01234", b"", b"56789"], [b"%d" % digit for digit in range(10)], [b""]):
        assert limited(pieces) == b"".join(pieces)


def test_one_byte_more_does_not():
    assert limited([b"0123456789", b"x"]) == 413
    assert limited([b"0123456789x"]) == 413


def test_no_more_is_read_than_needed_to_know():
    class Endless(list):  # as a client that sends for ever
        def pop(self, place):
            if len(taken) > 20:
                raise AssertionError("read on")
            taken.append(1)
            return b"x"

    taken = []
    assert asyncio.run(_status(Endless([b"x"]))) == 413 and len(taken) == 11


async def _status(pieces):
    messages = iter(lambda: {"type": "http.request", "body": pieces.pop(0), "more_body": True}, None)

    async def receive():
        return next(messages)

    try:
        await Body(echo, 10, 5.0)({"type": "http", "headers": []}, receive, None)
    except ServiceError as error:
        return error.status


@pytest.mark.parametrize("length", ["11", "100000000", "9" * 400, "-1", "ten", "1e3"])
def test_a_length_that_is_too_large_or_none_is_refused_before_a_byte_is_read(length):
    assert limited([None], headers={"content-length": length}) == 413


def test_a_length_that_lies_does_not_help():
    assert limited([b"0123456789", b"x"], headers={"content-length": "5"}) == 413


def test_a_slow_body_is_given_up():
    assert limited([b"0", None], seconds=0.02) == 408


def test_the_time_is_that_of_the_whole_body():
    async def receive():
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"", "more_body": True}  # a drop now and then

    with pytest.raises(ServiceError) as error:
        asyncio.run(Body(echo, 10, 0.1)({"type": "http", "headers": []}, receive, None))
    assert error.value.status == 408


def test_a_client_that_leaves_while_sending_is_499(place):
    some = place()

    async def receive():
        return {"type": "http.disconnect"}

    async def run():
        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": [(b"host", b"localhost")]}
        await some.app({**scope, "query_string": b"", "root_path": ""}, receive, lambda message: asyncio.sleep(0))

    asyncio.run(run())
    assert some.log[0]["status"] == 499 and some.service.active == 0


def test_answers_are_not_held_back():
    seen = []

    async def drips(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(3):
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": True})
            assert len(seen) == number + 2  # it is out before the next is made
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        seen.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(Body(drips, 10, 5.0)({"type": "http", "headers": []}, receive, send))
    assert len(seen) == 5


def test_refusals_of_bodies_have_the_right_shape_and_close_the_connection(place):
    some = place(max_body=100)
    answer = some.chat("x" * 200)
    assert answer.status == 413 and answer.headers["connection"] == "close"
    assert json.loads(answer.body)["error"]["code"] == "body_too_large" and some.log[0]["status"] == 413
