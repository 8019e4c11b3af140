"""The load test's clients: they read whatever a service sends, and count it right."""

import asyncio
import json
import threading
from contextlib import contextmanager

import pytest

from helpers.serving import sse
from helpers.serving.load import Load, Outcome, arriving, ask, quantile, summary, together


def chunk(text=None, usage=None):
    choices = [] if text is None else [{"index": 0, "delta": {"content": text}, "finish_reason": None}]
    return sse.event({"choices": choices, "usage": usage})


WHOLE = [chunk(""), chunk("né"), chunk("!"), chunk(usage={"completion_tokens": 2}), sse.event(sse.DONE)]


@contextmanager
def service(pieces, status=200, chunked=True, most_at_once=None):
    """Serve ``pieces`` to everyone in a thread; the value is (address, the requests that came, gauge of how many at once)."""
    requests, gauge, loop = [], {"now": 0, "most": 0}, asyncio.new_event_loop()

    async def answer(reader, writer):
        gauge["now"] += 1
        gauge["most"] = max(gauge["most"], gauge["now"])
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        requests.append((head.decode(), json.loads(await reader.readexactly(length))))
        writer.write(f"HTTP/1.1 {status} X\r\n{'Transfer-Encoding: chunked' if chunked else 'X: y'}\r\n\r\n".encode())
        try:
            for number, piece in enumerate(pieces, 1):
                gauge["now"] -= number == len(pieces)  # the client may begin anew as soon as it has read the last
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                await writer.drain()
                await asyncio.sleep(0.002)
            writer.write(b"0\r\n\r\n" if chunked else b"")
            await writer.drain()
        except OSError:
            pass
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests, gauge
    finally:
        server.close()
        asyncio.run_coroutine_threadsafe(_end_all(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end_all():
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@pytest.mark.parametrize("chunked", [True, False])
def test_a_stream_is_read_to_its_end(chunked):
    with service(WHOLE, chunked=chunked) as (url, requests, _):
        outcome = asyncio.run(ask(Load(url, "gpt", max_tokens=7, key="sk-1"), 3))
    assert (outcome.status, outcome.text, outcome.tokens, outcome.complete) == (200, "né!", 2, True)
    assert 0 < outcome.first < outcome.whole
    head, body = requests[0]
    assert "Authorization: Bearer sk-1" in head and "sk-1" not in head.splitlines()[0]
    assert body["seed"] == 3 and body["max_tokens"] == 7 and body["stream"] is True


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        (WHOLE[:2], 200),
        ([*WHOLE[:2], sse.event({"error": {"message": "no"}})], 200),
        ([b"{}"], 503),
        ([b"data: {\n\n"], 200),
    ],
    ids=["cut off", "an error in the stream", "refused", "no JSON"],
)
def test_what_does_not_end_well_is_not_complete(pieces, status):
    with service(pieces, status) as (url, *_):
        outcome = asyncio.run(ask(Load(url, "gpt"), 0))
    assert outcome.status == status and not outcome.complete and outcome.whole is None


def test_nobody_there_and_nobody_answering_come_to_an_end():
    assert asyncio.run(ask(Load("http://127.0.0.1:9", "gpt", timeout=5), 0)) == Outcome()
    with service([chunk("a")] * 1_000) as (url, *_):
        outcome = asyncio.run(ask(Load(url, "gpt", timeout=0.1), 0))
    assert outcome.status == 200 and not outcome.complete


def test_a_client_leaves_after_so_many_pieces():
    with service([chunk("a")] * 1_000) as (url, *_):
        outcome = asyncio.run(ask(Load(url, "gpt"), 0, leave_after=3))
    assert outcome.left and outcome.text == "aaa" and not outcome.complete


def test_so_many_clients_ask_so_many_requests_once_each():
    with service(WHOLE) as (url, requests, gauge):
        outcomes, seconds = together(Load(url, "gpt"), clients=3, requests=10)
    assert sorted(body["seed"] for _, body in requests) == list(range(10)) and 2 <= gauge["most"] <= 3
    numbers = summary(outcomes, seconds)
    assert numbers["complete"] == 10 and numbers["refused"] == numbers["failed"] == numbers["left"] == 0
    assert numbers["tokens a second"] == pytest.approx(20 / seconds)


def test_a_share_of_them_leaves():
    with service([*[chunk("a")] * 8, *WHOLE]) as (url, *_):
        outcomes, seconds = together(Load(url, "gpt"), clients=4, requests=20, leaving=0.5)
    left = summary(outcomes, seconds)["left"]
    assert 4 <= left <= 16 and summary(outcomes, seconds)["complete"] == 20 - left


def test_arrivals_do_not_wait_for_answers():
    with service([chunk("a")] * 200) as (url, requests, gauge):
        outcomes, _ = arriving(Load(url, "gpt", timeout=1.0), rate=60, seconds=0.5)
    assert len(outcomes) == len(requests) == gauge["most"] and 12 <= len(outcomes) <= 50


def test_quantiles_by_hand():
    assert quantile([3, 1, 2], 0.5) == 2 and quantile([3, 1, 2, 4], 0.5) == 2
    assert quantile(range(1, 101), 0.95) == 95 and quantile([7], 0.95) == 7
    assert quantile([], 0.5) != quantile([], 0.5)


def test_a_summary_by_hand():
    outcomes = [
        Outcome(200, 0.1, 1.0, 10, "a", complete=True),
        Outcome(200, 0.3, 2.0, 20, "b", complete=True),
        Outcome(200, 0.2, None, 0, "c", left=True),
        Outcome(503),
        Outcome(429),
        Outcome(500),
        Outcome(0),
    ]
    numbers = summary(outcomes, 4.0)
    assert (numbers["complete"], numbers["refused"], numbers["left"], numbers["failed"]) == (2, 2, 1, 2)
    assert numbers["tokens a second"] == 7.5 and numbers["answers a second"] == 0.5
    assert numbers["first token, median"] == 0.2 and numbers["first token, p95"] == 0.3
