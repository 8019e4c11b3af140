"""What all requests share while the service runs: the bots, the limits, the log, the metrics, and whether it is stopping."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from helpers.serving.errors import ServiceError
from helpers.serving.limiting import Limits
from helpers.serving.metrics import Metrics
from helpers.serving.middleware import GONE, Record
from helpers.serving.request_log import Log
from helpers.serving.settings import Settings


class Service:
    """The state of one app. ``engines`` maps a bot's name to its engine: see ``helpers.serving.engine``."""

    def __init__(self, engines: Mapping[str, object], settings: Settings):
        self.engines, self.settings = dict(engines), settings
        self.started = int(time.time())
        self.limits = Limits(settings)
        self.log = Log(settings.log, settings.log_texts)
        self.metrics = Metrics(self.engines, lambda: self.ready)
        self.active = 0  # requests that have begun and not ended
        self.stopping: float | None = None  # since when, on the monotonic clock
        self._lock = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether new requests are taken."""
        return self.stopping is None

    def drain(self) -> None:
        """Take no more requests; those that have been accepted go on. May be called from any thread, also twice."""
        if self.stopping is None:
            self.stopping = time.monotonic()

    def drained(self) -> bool:
        """Whether the service may stop: it was told to, and nothing runs any more, or the grace is over.

        For ``settings.notice`` seconds it stays, so that who asks /health/ready sees that it is not.
        """
        if self.stopping is None:
            return False
        since = time.monotonic() - self.stopping
        return since >= self.settings.grace or (since >= self.settings.notice and self.active == 0)

    def close(self) -> None:
        """Stop the engines and close the log."""
        self.drain()
        for engine in self.engines.values():
            engine.close()
        self.log.close()

    def check_ready(self) -> None:
        """Raise ServiceError (503) while the service is stopping."""
        if not self.ready:
            raise ServiceError(503, "the service is stopping", code="stopping", retry_after=5)

    def engine(self, name: str):
        """Return the engine of the bot called ``name``. Raises ServiceError (404) for an unknown one, which is not repeated."""
        if name not in self.engines:
            known = ", ".join(self.engines)
            raise ServiceError(404, f"there is no such model; known are {known}", param="model", code="model_not_found")
        return self.engines[name]

    @contextmanager
    def request(self, record: Record) -> Iterator[None]:
        """Count a request as active; when it has ended, write its line in the log and count it in the metrics."""
        with self._lock:
            self.active += 1
        try:
            yield
        finally:
            with self._lock:
                self.active -= 1
            status = record.outcome or record.status or GONE  # no answer was begun: nobody was there to take it
            self.metrics.request(record.route, record.method, status)
            self.log.write(
                id=record.id,
                route=record.route,
                method=record.method,
                status=status,
                person=record.person,
                seconds=round(record.seconds(), 4),
                **record.more,
            )
