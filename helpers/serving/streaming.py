"""An answer that is sent while it is being written: server-sent events, ended by [DONE] (notebook 14)."""

from collections.abc import AsyncIterator

import anyio
from starlette.responses import Response

from helpers.serving.answers import Reply, Shape
from helpers.serving.errors import ServiceError
from helpers.serving.exchange import Exchange
from helpers.serving.middleware import GONE
from helpers.serving.sse import DONE, event

HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy in front must not collect the pieces
)
SLACK = 5.0  # seconds beyond its deadline that a client has to read its answer; then the connection is closed


class Stream(Response):
    """The ASGI answer: the events of an exchange as they come. ``seconds`` bounds how long a client may take to read them.

    Made by ``begun``, which waits for the first event: a request that fails at once gets a status of its own, not a stream.
    """

    def __init__(
        self, exchange: Exchange, chunks: AsyncIterator[bytes], first: bytes, extra: dict, done, seconds: float
    ):
        self.exchange, self.chunks, self.first, self.done, self.seconds = exchange, chunks, first, done, seconds
        super().__init__()
        self.raw_headers = [*HEADERS, *((name.encode(), value.encode()) for name, value in extra.items())]

    async def __call__(self, scope, receive, send):
        read = False
        try:
            with anyio.move_on_after(self.seconds):
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await _send(send, self.first)
                async for chunk in self.chunks:
                    await _send(send, chunk)
                await send({"type": "http.response.body", "body": b""})
                read = True
            if not read:
                self.exchange.record.outcome = GONE  # a client that does not read is as good as one that left
        finally:
            self.done()


async def _send(send, chunk: bytes) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def begun(
    exchange: Exchange, shape: Shape, replies: list[Reply], usage: bool, extra: dict, done, seconds: float
) -> Stream:
    """Return the answer, once its first event is there. Raises ServiceError when the exchange fails before.

    ``replies`` are filled as the pieces come; ``usage`` asks for a last chunk with the number of tokens, ``extra`` are
    headers, and ``done`` is called when the answer has ended, however.
    """
    chunks = _chunks(exchange, shape, replies, usage)
    return Stream(exchange, chunks, await anext(chunks), extra, done, seconds)


async def _chunks(exchange: Exchange, shape: Shape, replies: list[Reply], usage: bool) -> AsyncIterator[bytes]:
    empty = {"usage": None} if usage else {}  # the API wants the field in every chunk then
    opened = False
    try:
        async for number, piece in exchange.pieces():
            reply = replies[number]
            new = reply.add(piece)
            if shape.chat and not opened:
                opened = True
                for place in range(len(replies)):
                    yield event(shape.opening(place) | empty)
            if new.text or new.scored:
                yield event(shape.piece(number, new) | empty)
            if piece.finish is not None:
                scored = None if reply.scored is None else []
                yield event(shape.piece(number, Reply("", scored, piece.finish)) | empty)
    except ServiceError as error:
        if not opened:
            raise
        exchange.record.outcome = error.status
        if error.status != GONE:
            yield event(error.body())
        return
    if usage:
        yield event(shape.totals(exchange.usage))
    yield event(DONE)
