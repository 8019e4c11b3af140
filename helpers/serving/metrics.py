"""What can be watched from outside: counters, histograms and gauges for Prometheus (notebook 14).

Each app has its own registry, so two apps in one process do not add up. Labels have few values: the route's template and never
the path, a bot's name, a status; who asked is in the log alone. Names and units follow Prometheus' rules: base units (seconds),
``_total`` at the end of a counter (https://prometheus.io/docs/practices/naming).
"""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")


class Metrics:
    """The metrics of one app. ``engines`` maps a bot's name to what has the numbers ``waiting`` and ``running``."""

    def __init__(self, engines: Mapping[str, object], ready: Callable[[], bool]):
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "chat_requests", "Requests answered, by route template, method and status.",
            ["route", "method", "status"], registry=registry,
        )  # fmt: skip
        by_model = {"labelnames": ["model"], "registry": registry}
        self._read = Counter("chat_tokens_read", "Tokens of prompts that were read.", **by_model)
        self._written = Counter("chat_tokens_written", "Tokens of replies that were written.", **by_model)
        first = "Seconds from a request's arrival to its first token."
        self._first = Histogram("chat_first_token_seconds", first, buckets=SECONDS, **by_model)
        whole = "Seconds from a request's arrival to its last token."
        self._whole = Histogram("chat_answer_seconds", whole, buckets=SECONDS, **by_model)
        waiting = Gauge("chat_requests_waiting", "Requests that wait for a place in the batch.", **by_model)
        running = Gauge("chat_requests_running", "Requests that are being computed.", **by_model)
        for name, engine in engines.items():
            # Every series is there from the first scrape on, at 0: an alert must tell "nothing yet" from "gone".
            for metric in (self._read, self._written, self._first, self._whole):
                metric.labels(name)
            waiting.labels(name).set_function(lambda engine=engine: engine.waiting)
            running.labels(name).set_function(lambda engine=engine: engine.running)
        Gauge("chat_ready", "1 while new requests are taken, else 0.", registry=registry).set_function(
            lambda: float(ready())
        )

    def request(self, route: str, method: str, status: int) -> None:
        """Count a request that has been answered."""
        self._requests.labels(route, method if method in METHODS else "other", str(status)).inc()

    def tokens(self, model: str, read: int, written: int) -> None:
        """Count the tokens of a request."""
        self._read.labels(model).inc(read)
        self._written.labels(model).inc(written)

    def seconds(self, model: str, first: float | None, whole: float | None) -> None:
        """Note how long a request took to its first and to its last token; None is not noted."""
        for metric, value in ((self._first, first), (self._whole, whole)):
            if value is not None:
                metric.labels(model).observe(value)

    def exposition(self) -> tuple[bytes, str]:
        """Return all metrics as Prometheus reads them, and the content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
