"""A streamed answer: every piece at once, the usage when asked for, an end that can be told from a broken line."""

import asyncio
import json

import pytest

pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")

from helpers.serving import streaming
from tests.serving.asgi import ask
from tests.serving.stub_engine import StubEngine


def texts(chunks, number=0):
    """Return the text of one choice."""
    choices = [choice for chunk in chunks for choice in chunk["choices"] if choice["index"] == number]
    return "".join(choice["delta"].get("content", "") if "delta" in choice else choice["text"] for choice in choices)


def test_a_chat_in_pieces(place):
    some = place()
    answer = some.chat(stream=True)
    chunks = answer.chunks()
    assert (
        answer.headers["content-type"] == "text/event-stream; charset=utf-8" and "content-length" not in answer.headers
    )
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks[1:]] == ["Hello", " there", "!", None]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * 4 + ["stop"]
    assert len({chunk["id"] for chunk in chunks}) == 1 and not any("usage" in chunk for chunk in chunks)


def test_whole_and_streamed_are_equal(place):
    some = place()
    whole = some.chat(n=2, logprobs=True).json()
    chunks = some.chat(n=2, logprobs=True, stream=True).chunks()
    for number in range(2):
        assert texts(chunks, number) == whole["choices"][number]["message"]["content"]
        scored = [
            token
            for chunk in chunks
            for choice in chunk["choices"]
            if choice["index"] == number and choice["logprobs"]
            for token in choice["logprobs"]["content"]
        ]
        assert scored == whole["choices"][number]["logprobs"]["content"]


def test_usage_comes_last_and_is_null_before(place):
    chunks = place().chat(stream=True, stream_options={"include_usage": True}).chunks()
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * 5
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}


def test_a_completion_in_pieces(place):
    body = {"model": "gpt", "prompt": "Once upon a time", "stream": True}
    chunks = place().ask("POST", "/v1/completions", body).chunks()
    assert texts(chunks) == "Hello there!" and chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert all(chunk["object"] == "text_completion" for chunk in chunks)


def test_a_piece_is_sent_before_the_next_is_written(place):
    some = place(StubEngine(hold=True))

    def until(answer):  # when the first word has arrived, the engine may go on
        if b"Hello" in answer.body:
            some.engine.go.set()
        return False

    body = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    answer = asyncio.run(asyncio.wait_for(ask(some.app, "POST", "/v1/chat/completions", body, until=until), 10))
    assert texts(answer.chunks()) == "Hello there!"


def test_empty_pieces_are_not_sent(place):
    chunks = place(StubEngine(["", "é", ""])).chat(stream=True).chunks()  # a character that took two tokens
    assert [chunk["choices"][0]["delta"] for chunk in chunks[1:]] == [{"content": "é"}, {}]


def test_a_failure_before_the_first_word_has_its_status(place):
    some = place(StubEngine([], finish="deadline"))
    answer = some.chat(stream=True)
    assert answer.status == 504 and answer.json()["error"]["code"] == "deadline_passed" and some.log[0]["status"] == 504


def test_a_failure_later_is_an_event_and_no_done(place):
    some = place(StubEngine(finish="deadline"))
    answer = some.chat(stream=True)
    assert answer.status == 200 and answer.complete
    last = json.loads(answer.events()[-1])
    assert last["error"]["code"] == "deadline_passed" and "[DONE]" not in answer.events()
    assert some.log[0]["status"] == 504 and some.log[0]["tokens_written"] == 3
    assert some.metric("chat_requests_total", route="/v1/chat/completions", method="POST", status="504") == 1


def test_a_client_that_leaves_stops_the_bot(place):
    some = place(StubEngine(hold=True))
    ran = []

    def until(answer):
        if b"Hello" in answer.body:
            ran.append(some.engine.running)
            return True
        return False

    body = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    answer = asyncio.run(asyncio.wait_for(ask(some.app, "POST", "/v1/chat/completions", body, until=until), 10))
    assert ran[0] == 1  # else the test would pass with nothing running
    some.engine.threads[0].join(5)
    assert some.engine.running == 0 and some.engine.tickets[0].canceled.is_set() and b"[DONE]" not in answer.body
    assert some.log[0]["status"] == 499 and some.log[0]["tokens_written"] == 1


def test_a_client_that_does_not_read_is_cut_off(place, monkeypatch):
    monkeypatch.setattr(streaming, "SLACK", 0.0)
    monkeypatch.setattr("helpers.serving.routes.SLACK", -59.9)  # of a deadline of 60 s
    some = place(StubEngine(hold=True))

    async def run():
        sent = []

        async def send(message):
            sent.append(message)
            await asyncio.Event().wait()

        async def receive():
            if not sent:
                return {"type": "http.request", "body": body, "more_body": False}
            await asyncio.Event().wait()

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers}
        await some.app({**scope, "query_string": b"", "root_path": ""}, receive, send)

    body = json.dumps({"model": "gpt", "messages": [{"role": "user", "content": "Hi"}], "stream": True}).encode()
    asyncio.run(asyncio.wait_for(run(), 10))
    some.engine.threads[0].join(5)
    assert some.engine.running == 0 and some.log[0]["status"] == 499


def test_a_mistake_of_ours_in_the_middle_ends_the_answer_and_is_500_in_the_log(place, monkeypatch):
    some = place()
    monkeypatch.setattr("helpers.serving.answers.Shape.piece", lambda *arguments: [][1])
    answer = some.chat(stream=True)
    assert not answer.complete and some.log[0]["status"] == 500 and some.log[0]["error"].startswith("IndexError")
    some.engine.threads[0].join(5)
    assert some.engine.running == 0
