"""Events from the engine's thread reach the event loop; what nobody waits for any more is canceled."""

import asyncio
import threading

import pytest

pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")

from helpers.serving.errors import ServiceError
from helpers.serving.exchange import Exchange
from helpers.serving.middleware import Record
from helpers.serving.requests import Event, Full, Request
from tests.serving.stub_engine import StubEngine, Ticket


def request():
    return Request(history=["Hi there"])


async def never():
    await asyncio.Event().wait()


def run(engine, number=1, receive=never):
    """Return (exchange, [(choice, text, finish), …], the error that ended it or None)."""

    async def exchanged():
        exchange, pieces = Exchange(engine, Record("/", "POST"), receive), []
        try:
            await exchange.submit([request()] * number)
            async for choice, piece in exchange.pieces():
                pieces.append((choice, piece.text, piece.finish))
        except (ServiceError, RuntimeError) as error:
            return exchange, pieces, error
        finally:
            exchange.close()
        return exchange, pieces, None

    done = asyncio.run(asyncio.wait_for(exchanged(), 10))
    engine.close()
    return done


def test_pieces_come_in_order_and_are_counted():
    exchange, pieces, error = run(StubEngine())
    assert pieces == [(0, "Hello", None), (0, " there", None), (0, "!", None), (0, "", "stop")] and error is None
    assert (exchange.usage.read, exchange.usage.written) == (2, 3) and exchange.ends == ["stop"]
    assert exchange.first > 0


def test_several_replies_share_a_prompt():
    exchange, pieces, _ = run(StubEngine(), number=3)
    for number in range(3):
        assert "".join(text for choice, text, _ in pieces if choice == number) == "Hello there!"
    assert (exchange.usage.read, exchange.usage.written) == (2, 9) and exchange.ends == ["stop"] * 3


@pytest.mark.parametrize(
    ("finish", "status"),
    [("deadline", 504), ("closed", 503), ("canceled", 503), ("error", 500), ("something new", 500)],
)
def test_a_reply_that_cannot_be_finished_is_an_error(finish, status):
    engine = StubEngine(finish=finish)
    exchange, pieces, error = run(engine)
    assert error.status == status and len(pieces) == 3 and exchange.usage.written == 3


def test_an_error_of_the_bot_is_noted_without_its_words():
    engine = StubEngine()

    def submit(request, on_event):
        on_event(Event(finish="error", error=ValueError("secret")))
        return Ticket(engine, request, on_event)

    engine.submit = submit
    exchange, _, error = run(engine)
    assert error.status == 500 and exchange.record.more == {"error": "ValueError"}


def test_one_that_fails_stops_the_others():
    engine = StubEngine(hold=True)
    real, first = engine.submit, []

    def submit(request, on_event):  # the second one fails at once
        if first:
            on_event(Event(finish="error"))
        first.append(1)
        return real(request, on_event if len(first) == 1 else lambda event: None)

    engine.submit = submit
    _, _, error = run(engine, number=2)
    assert error.status == 500 and all(ticket.canceled.is_set() for ticket in engine.tickets) and engine.running == 0


def test_all_or_none_are_accepted():
    engine = StubEngine(hold=True, room=2)

    async def submit():
        exchange = Exchange(engine, Record("/", "POST"), never)
        with pytest.raises(Full):
            await exchange.submit([request()] * 3)

    asyncio.run(submit())
    for thread in engine.threads:
        thread.join(5)
    assert (
        len(engine.tickets) == 2 and all(ticket.canceled.is_set() for ticket in engine.tickets) and engine.running == 0
    )


def test_a_client_that_leaves_stops_its_replies():
    engine, gone = StubEngine(hold=True), threading.Event()

    async def receive():
        while not engine.running:  # it leaves only once something runs
            await asyncio.sleep(0.001)
        gone.set()
        return {"type": "http.disconnect"}

    exchange, _, error = run(engine, number=2, receive=receive)
    assert gone.is_set() and error.status == 499 == exchange.record.outcome
    assert all(ticket.canceled.is_set() for ticket in engine.tickets) and engine.running == 0


def test_a_rest_of_the_body_is_no_farewell():
    engine, messages = StubEngine(hold=True), [{"type": "http.request"}] * 3

    async def receive():
        if messages:
            return messages.pop()
        engine.go.set()  # only now does the reply go on
        return await never()

    assert run(engine, receive=receive)[2] is None


def test_an_engine_that_still_speaks_when_everyone_has_left_hears_no_error():
    engine = StubEngine(hold=True)

    async def leave():
        await Exchange(engine, Record("/", "POST"), never).submit([request()])

    asyncio.run(leave())
    failures = []
    threading.excepthook, hook = failures.append, threading.excepthook
    engine.close()
    threading.excepthook = hook
    assert failures == [] and engine.running == 0


def test_long_conversations_are_read_in_a_thread_of_their_own():
    engine, threads = StubEngine(), []
    real = engine.submit
    engine.submit = lambda *arguments: threads.append(threading.current_thread()) or real(*arguments)
    run(engine)
    assert threads[0] is not threading.main_thread()
