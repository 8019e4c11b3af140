"""The routes: the API's shapes, what the engine is asked, what is told and what is counted."""

import asyncio

import pytest

pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")

from tests.serving.asgi import ask
from tests.serving.stub_engine import StubEngine


def test_a_chat(place):
    some = place()
    answer = some.chat()
    body = answer.json()
    assert answer.status == 200 and body["object"] == "chat.completion" and body["model"] == "gpt"
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "Hello there!", "refusal": None}
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}


def test_what_the_engine_is_asked(place):
    some = place()
    settings = {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 5,
        "repetition_penalty": 1.1,
        "seed": 7,
        "stop": "x",
        "max_tokens": 9,
    }
    some.chat(**settings, logprobs=True, top_logprobs=2)
    (request,) = some.engine.requests
    assert list(request.history) == ["Hi there"] and request.prompt is None
    assert {name: getattr(request, name) for name in settings} == settings | {"stop": ("x",)}
    assert request.logprobs == 2 and 59 < request.deadline <= 60
    some.chat()
    assert some.engine.requests[1].temperature == 0.7 and some.engine.requests[1].seed is None


def test_zero_is_a_temperature_and_not_nothing(place):
    some = place()
    some.chat(temperature=0, seed=0, top_k=0)
    assert (some.engine.requests[0].temperature, some.engine.requests[0].seed, some.engine.requests[0].top_k) == (
        0,
        0,
        0,
    )


def test_several_replies_have_seeds_of_their_own(place):
    some = place()
    assert len(some.chat(n=3, seed=5).json()["choices"]) == 3
    assert [request.seed for request in some.engine.requests] == [5, 6, 7]
    some.chat(n=2)
    assert [request.seed for request in some.engine.requests[3:]] == [None, None]


def test_a_system_message_is_left_out_and_the_answer_says_so(place):
    some = place()
    messages = [{"role": "system", "content": "You are a pirate."}, {"role": "user", "content": "Hi"}]
    answer = some.ask("POST", "/v1/chat/completions", {"model": "gpt", "messages": messages})
    assert answer.headers["x-left-out"] == "system" and list(some.engine.requests[0].history) == ["Hi"]
    stream = some.ask("POST", "/v1/chat/completions", {"model": "gpt", "messages": messages, "stream": True})
    assert stream.headers["x-left-out"] == "system"
    assert "x-left-out" not in some.chat().headers


def test_a_completion(place):
    some = place()
    body = some.ask("POST", "/v1/completions", {"model": "gpt", "prompt": "Once upon a time"}).json()
    assert body["choices"][0]["text"] == "Hello there!" and body["usage"]["prompt_tokens"] == 4
    assert some.engine.requests[0].prompt == "Once upon a time" and some.engine.requests[0].history is None


def test_models(place):
    some = place()
    listed = some.ask(path="/v1/models").json()
    assert listed["object"] == "list" and [model["id"] for model in listed["data"]] == ["gpt"]
    assert some.ask(path="/v1/models/gpt").json() == listed["data"][0]
    assert some.ask(path="/v1/models/other").status == 404


def test_an_unknown_model_is_404_and_not_repeated(place):
    some = place()
    answer = some.chat(model="gpt-5-secret")
    error = answer.json()["error"]
    assert answer.status == 404 and error["code"] == "model_not_found" and error["param"] == "model"
    assert "secret" not in answer.body.decode() + some.written and "gpt" in error["message"]


def test_a_million_messages(place):
    body = b'{"model": "gpt", "messages": [' + b",".join([b"{}"] * 1_000_000) + b"]}"
    assert place().ask("POST", "/v1/chat/completions", body).status == 413
    some = place(max_body=10_000_000)
    error = some.ask("POST", "/v1/chat/completions", body).json()["error"]
    assert error["param"] == "messages" and "1,000,000 messages are too many" in error["message"]
    assert not some.engine.requests


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", None])
def test_only_json_is_read(place, kind):
    assert place().chat(headers={"content-type": kind}).status == 415


def test_json_may_say_its_letters(place):
    assert place().chat(headers={"content-type": "Application/JSON; charset=utf-8"}).status == 200


def test_wrong_addresses_and_methods_have_the_shape_of_errors(place):
    some = place()
    for method, path, status in [
        ("GET", "/v2", 404),
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
    ]:
        answer = some.ask(method, path)
        assert answer.status == status and answer.json()["error"]["type"] == "invalid_request_error"
    assert [some.ask(path=path).status for path in ("/docs", "/redoc", "/openapi.json")] == [404] * 3


def test_a_full_queue_is_503_and_says_when(place):
    some = place(StubEngine(hold=True, room=1))

    async def both():
        body = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}]}
        first = asyncio.create_task(ask(some.app, "POST", "/v1/chat/completions", body))
        while not some.engine.running:
            await asyncio.sleep(0.001)
        second = await ask(some.app, "POST", "/v1/chat/completions", body)
        some.engine.go.set()
        return await first, second

    first, second = asyncio.run(asyncio.wait_for(both(), 10))
    assert first.status == 200
    assert (
        second.status == 503 and second.headers["retry-after"] == "1" and second.json()["error"]["code"] == "overloaded"
    )
    assert some.log[0]["status"] == 503 and "tokens_read" not in some.log[0]


def test_whole_answers_notice_a_client_that_left(place):
    some = place(StubEngine(hold=True))

    async def leave():
        body = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}]}
        left = asyncio.Event()
        asking = asyncio.create_task(_ask_until(some.app, body, left))
        while not some.engine.running:
            await asyncio.sleep(0.001)
        left.set()
        await asking

    asyncio.run(asyncio.wait_for(leave(), 10))
    some.engine.threads[0].join(5)
    assert some.engine.running == 0 and some.log[0]["status"] == 499 and some.service.active == 0


async def _ask_until(app, body, left):
    import json

    messages = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]

    async def receive():
        if messages:
            return messages.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers}
    await app({**scope, "query_string": b"", "root_path": ""}, receive, lambda message: asyncio.sleep(0))


@pytest.mark.parametrize(("finish", "status"), [("deadline", 504), ("closed", 503), ("error", 500)])
def test_a_reply_that_cannot_be_finished(place, finish, status):
    some = place(StubEngine(finish=finish))
    assert some.chat().status == status == some.log[0]["status"]
    assert some.metric("chat_answer_seconds_count", model="gpt") == 0
    assert some.metric("chat_tokens_written_total", model="gpt") == 3  # they have been computed


def test_what_is_counted(place):
    some = place(tokens_per_minute=9)
    some.chat(n=2)
    assert some.metric("chat_tokens_read_total", model="gpt") == 2
    assert some.metric("chat_tokens_written_total", model="gpt") == 6
    assert some.metric("chat_first_token_seconds_count", model="gpt") == 1
    assert some.metric("chat_answer_seconds_count", model="gpt") == 1
    assert some.metric("chat_requests_total", route="/v1/chat/completions", method="POST", status="200") == 1
    assert some.chat().status == 200  # 8 of 9 tokens are used
    assert some.chat().status == 429


def test_what_is_logged(place):
    some = place()
    some.chat("my number is 212-555-0187", n=2)
    (line,) = some.log
    assert line["model"] == "gpt" and line["tokens_read"] == 4 and line["tokens_written"] == 6
    assert line["finish"] == ["stop", "stop"] and line["prompt"]["characters"] == 25 and len(line["replies"]) == 2
    assert "number" not in some.written and "Hello" not in some.written


def test_texts_are_logged_redacted_where_that_is_asked_for(place):
    some = place(log_texts="redacted")
    some.chat("my number is 212-555-0187")
    assert (
        some.log[0]["prompt"]["text"] == "my number is [phone]" and some.log[0]["replies"][0]["text"] == "Hello there!"
    )


def test_health(place):
    some = place()
    assert some.ask(path="/health/live").json() == {"status": "ok"}
    answer = some.ask(path="/health/ready")
    assert answer.status == 200 and answer.json() == {"status": "ok", "models": {"gpt": {"waiting": 0, "running": 0}}}
    some.service.drain()
    answer = some.ask(path="/health/ready")
    assert answer.status == 503 and answer.json()["status"] == "stopping" and "retry-after" in answer.headers
    assert some.ask(path="/health/live").status == 200  # restarting it would not help


def test_metrics(place):
    some = place()
    some.chat()
    answer = some.ask(path="/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert b'chat_tokens_written_total{model="gpt"} 3.0' in answer.body


def test_the_page(place):
    from helpers.serving.routes import PAGE

    if not PAGE.exists():
        pytest.skip("the chat page is not there")
    answer = place().ask()
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
