"""One thread that answers everyone: requests wait in a bounded queue, share a bot's steps, and leave when they are done.

Continuous batching (Yu et al. 2022, Orca): a request joins between any two tokens, so nobody waits for the longest reply of a
batch. Built in notebook 14; no web in it, see ``helpers.serving.app`` for that.

>>> with Engine(checkpoints.load("gpt-chat")) as engine:
...     engine.replies([Request(["Hello!"]), Request(["How are you?"])])
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import torch

from helpers.models.gpt import GPT
from helpers.models.utils import evaluating
from helpers.serving.continuous_batch import ContinuousBatch, OneAtATime
from helpers.serving.requests import Closed, Event, Full, Request
from helpers.serving.ticket import Ticket

SHORTEST = 4  # tokens that a model must see at once for a batch: half of them are a prompt, of two tokens at least


class Engine:
    """The requests to one bot. ``submit`` is for any thread, the model is called by the engine's own alone.

    Up to ``batch_size`` requests to a GPT share each step; other bots answer one request at a time. ``max_waiting`` more may
    wait, first come, first served. What a request samples depends on its seed, not on who shares the batch; the logits of
    rows that are computed together may differ in their last bits from those of one computed alone.
    """

    def __init__(self, bot, batch_size: int = 8, max_waiting: int = 32):
        for name, value, least in (("batch_size", batch_size, 1), ("max_waiting", max_waiting, 0)):
            if value < least:
                raise ValueError(f"{name} is {value}: give {least} or more")
        self.bot, self.max_waiting = bot, max_waiting
        together = isinstance(bot.model, GPT) and bot.model.context >= SHORTEST
        self._batch = ContinuousBatch(bot.model, batch_size) if together else OneAtATime(bot.model)
        self._queue: deque[Ticket] = deque()
        self._changed = threading.Condition()
        self._closing = self._draining = False
        self._thread = threading.Thread(target=self._work, name=f"engine of {bot.name}", daemon=True)
        self._thread.start()

    def submit(self, request: Request, on_event: Callable[[Event], None]) -> Ticket:
        """Put a request in the queue; return its ticket: ``cancel()``, ``prompt_tokens``.

        ``on_event`` is called from the engine's thread with each Event, exactly one of which, the last, has a ``finish``.
        Raises Full when no more may wait, Closed after ``close``, ValueError or TypeError for a request that makes no sense.
        """
        with self._changed:
            self._check_room()  # before its text is cut into tokens: a request that is refused must cost nothing
        ticket = Ticket(self.bot, request, on_event, self._wake)
        with self._changed:
            self._check_room()
            self._queue.append(ticket)
            self._changed.notify()
        return ticket

    def replies(self, requests: Sequence[Request]) -> list[str]:
        """Submit requests, wait, and return their texts. Raises what ``submit`` raises (then none is answered), and the error
        of the first that did not come to its end.
        """
        texts, ends, left = [""] * len(requests), [None] * len(requests), threading.Semaphore(0)

        def hear(number: int, event: Event) -> None:
            texts[number] += event.text
            if event.finish is not None:
                ends[number] = event
                left.release()

        tickets = []
        try:
            for number, request in enumerate(requests):
                tickets.append(self.submit(request, lambda event, number=number: hear(number, event)))
        except Exception:
            for ticket in tickets:  # nobody will read what they say
                ticket.cancel()
            raise
        for _ in requests:
            left.acquire()
        for event in ends:
            if event.finish not in ("stop", "length"):
                raise event.error or RuntimeError(f"a reply was not finished: {event.finish}")
        return texts

    @property
    def waiting(self) -> int:
        """How many requests wait to be let in."""
        return len(self._queue)

    @property
    def running(self) -> int:
        """How many requests share the steps now."""
        return sum(request.finish is None for request in self._batch.running)

    def close(self, timeout: float = 10.0, drain: bool = False) -> None:
        """Take no more requests and end the thread: at once, or, with ``drain``, when all that were accepted are answered.

        What is not answered within ``timeout`` seconds ends with "closed". May be called twice.
        """
        with self._changed:
            self._draining = True
            self._closing = self._closing or not drain
            self._changed.notify()
        self._thread.join(timeout)
        if self._thread.is_alive():
            with self._changed:
                self._closing = True
                self._changed.notify()
            self._thread.join(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def _check_room(self) -> None:
        if self._closing or self._draining:
            raise Closed("this engine takes no more requests")
        free = self._batch.size - self.running  # one that has just ended needs its place no more
        if len(self._queue) >= self.max_waiting + max(0, free):
            raise Full(f"{len(self._queue)} requests are waiting already")

    # --- the engine's own thread -------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    @torch.no_grad()
    def _work(self) -> None:
        with evaluating(self.bot.model):
            while self._wait():
                try:
                    self._step()
                except (
                    Exception
                ) as error:  # the model's, for all whose rows it computed; the next request finds it alive
                    self._end_all(self._batch.running, "error", error)
        self._end_all([*self._batch.running, *self._queue], "closed")
        self._queue.clear()

    def _wait(self) -> bool:
        """Wait until there is something to do; return False when the engine is to end."""
        with self._changed:
            while not (self._closing or self._queue or self._batch.running):
                if self._draining:
                    return False
                self._changed.wait()
        return not self._closing

    def _step(self) -> None:
        """Let go of those nobody waits for, let in who fits, and give each one more token."""
        batch, now = self._batch, time.monotonic()
        with self._changed:
            everyone = [*batch.running, *self._queue]
        for request in everyone:
            if reason := request.over(now):
                request.end(reason)
        with self._changed:  # those have left the queue, too: they must not take the room of others
            self._queue = deque(request for request in self._queue if request.finish is None)
        full = [request for request in batch.running if request.full and request.finish is None]
        batch.leave()
        for request in full:  # they keep their turn
            request.move_on()
            self._join(request)
        while len(batch.running) < batch.size and (request := self._next()):
            self._join(request)
        batch.advance()

    def _next(self) -> Ticket | None:
        with self._changed:
            return self._queue.popleft() if self._queue else None

    def _join(self, request: Ticket) -> None:
        try:
            self._batch.join(request)
        except Exception as error:  # its own: the others' rows are as they were
            request.end("error", error=error)

    def _end_all(self, requests: Sequence[Ticket], finish: str, error: Exception | None = None) -> None:
        for request in list(requests):
            request.end(finish, error=error)
        self._batch.leave()
