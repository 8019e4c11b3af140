"""One request's replies, from the engine's thread into the event loop that serves all clients (notebook 14)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

import anyio

from helpers.serving.answers import Reply, Scored, Usage
from helpers.serving.errors import ServiceError
from helpers.serving.middleware import GONE, Record, where

COMPLETE = ("stop", "length")  # how a reply ends that is as long as it was to be


class Exchange:
    """The ``n`` replies to one request: submitted to an engine, read as they come, canceled when nobody waits any more.

    An engine calls back from its own thread; the events wait in a queue of this event loop. A client that leaves is seen
    while the replies are being written, whether they are streamed or not: somebody must listen for it, and does.
    """

    def __init__(self, engine, record: Record, receive: Callable[[], Awaitable[dict]]):
        self.engine, self.record = engine, record
        self.usage = Usage()
        self.tickets: list = []
        self.first: float | None = None  # seconds from the request's arrival to its first token
        self.ends: list[str] = []  # how each reply ended
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue = asyncio.Queue()
        self._watcher: asyncio.Task | None = None

    async def submit(self, requests: Sequence) -> None:
        """Hand all requests to the engine, or none. Raises what ``engine.submit`` raises."""
        try:
            # In a thread of its own: cutting a long conversation into tokens must not keep the others waiting.
            await anyio.to_thread.run_sync(self._submit, requests)
        except BaseException:
            self.close()
            raise
        self._watcher = asyncio.create_task(self._watch())

    def _submit(self, requests: Sequence) -> None:
        for number, request in enumerate(requests):
            self.tickets.append(self.engine.submit(request, partial(self._hear, number)))
        self.usage.read = self.tickets[0].prompt_tokens  # all have the same prompt, which is counted once

    def _hear(self, number: int, event) -> None:
        try:
            self._loop.call_soon_threadsafe(self._events.put_nowait, (number, event))
        except RuntimeError:
            pass  # the event loop has ended, and every client with it

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._events.put_nowait((0, None))

    async def pieces(self) -> AsyncIterator[tuple[int, Reply]]:
        """Yield (choice, what it has more) until all have ended. Raises ServiceError when one cannot be finished."""
        while len(self.ends) < len(self.tickets):
            number, event = await self._events.get()
            if event is None:
                self.record.outcome = GONE
                raise ServiceError(GONE, "the client left")
            if self.first is None and event.tokens:
                self.first = self.record.seconds()
            self.usage.written += event.tokens
            if event.finish is not None:
                self.ends.append(event.finish)
            if event.finish not in (None, *COMPLETE):
                if event.error is not None:
                    self.record.more["error"] = where(event.error)
                raise _failure(event)
            yield number, Reply(event.text, [Scored(*token) for token in event.scored], event.finish)

    def close(self) -> None:
        """Stop what still runs."""
        for ticket in self.tickets:
            ticket.cancel()
        if self._watcher is not None:
            self._watcher.cancel()


def _failure(event) -> ServiceError:
    if event.finish == "deadline":
        return ServiceError(504, "the reply was not complete when its time was over", retry_after=5)
    if event.finish in ("closed", "canceled"):
        return ServiceError(503, "the service is stopping", code="stopping", retry_after=5)
    return ServiceError(500, "the bot made a mistake; the service's log knows more, under the request's id")
