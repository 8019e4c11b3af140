"""Stopping in order: nothing new, what runs is finished, not for ever."""

import asyncio

import pytest

pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")

from tests.serving.asgi import ask
from tests.serving.stub_engine import StubEngine

BODY = {"model": "gpt", "messages": [{"role": "user", "content": "Hi"}]}


def test_while_it_stops_what_runs_is_finished_and_what_comes_is_refused(place):
    some = place(StubEngine(hold=True), notice=0.0)

    async def stop():
        first = asyncio.create_task(ask(some.app, "POST", "/v1/chat/completions", BODY))
        while not some.engine.running:
            await asyncio.sleep(0.001)
        some.service.drain()
        assert not some.service.drained()
        second = await ask(some.app, "POST", "/v1/chat/completions", BODY)
        some.engine.go.set()
        return await first, second

    first, second = asyncio.run(asyncio.wait_for(stop(), 10))
    assert first.status == 200 and first.json()["choices"][0]["message"]["content"] == "Hello there!"
    assert second.status == 503 and second.json()["error"]["code"] == "stopping" and "retry-after" in second.headers
    assert some.service.drained()


def test_it_is_not_drained_before_it_is_told_to(place):
    assert not place(notice=0.0).service.drained()


def test_it_stays_long_enough_to_be_noticed(place, monkeypatch):
    some, now = place(notice=2.0, grace=5.0), [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    some.service.drain()
    assert not some.service.drained()
    now[0] = 101.0
    some.service.drain()  # a second word does not begin it again
    now[0] = 102.5
    assert some.service.drained()
    some.service.active = 1
    assert not some.service.drained()
    now[0] = 105.5  # and not for ever
    assert some.service.drained()


def test_closing_stops_the_engines_and_comes_twice_without_harm(place, tmp_path):
    some = place(log=tmp_path / "log")
    some.chat()
    some.service.close()
    some.service.close()
    assert some.engine.closed and not some.service.ready and (tmp_path / "log").read_text().count("\n") == 1
    assert some.metric("chat_ready") == 0


def test_an_engine_that_closes_first_is_503(place):
    some = place()
    some.engine.close()
    answer = some.chat()
    assert answer.status == 503 and answer.json()["error"]["code"] == "stopping"


def test_requests_that_fail_leave_nothing_behind(place):
    some = place()
    for body in (b"{", b"[]", b"{}"):
        assert some.ask("POST", "/v1/chat/completions", body).status == 400
    some.ask(path="/nowhere")
    assert some.service.active == 0
