"""How much one key may ask for: requests and tokens a minute, counted by the package ``limits`` (notebook 14).

Requests are counted in a window that moves with the clock, so that no minute ever has more. Tokens are counted in fixed
minutes: how many a reply will have is known when it has ended, so a request is admitted while tokens are left, and those it
read and wrote are charged afterwards. The counts are in this process's memory: several processes need a shared store.
"""

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from helpers.serving.errors import ServiceError
from helpers.serving.settings import Settings


class Limits:
    """Counts the requests and tokens of each person; ``settings`` says how many a minute may have."""

    def __init__(self, settings: Settings):
        storage = MemoryStorage()
        self._requests = _item(settings.requests_per_minute, "requests")
        self._tokens = _item(settings.tokens_per_minute, "tokens")
        self._moving, self._fixed = MovingWindowRateLimiter(storage), FixedWindowRateLimiter(storage)

    def admit(self, person: str) -> None:
        """Count one request. Raises ServiceError (429, with Retry-After) when it is one too many; then it is not counted."""
        if self._tokens and not self._fixed.test(self._tokens, person):
            self._refuse(self._fixed, self._tokens, person, "tokens")
        if self._requests and not self._moving.hit(self._requests, person):
            self._refuse(self._moving, self._requests, person, "requests")

    def charge(self, person: str, tokens: int) -> None:
        """Count the tokens that a request has read and written, also beyond the limit: they have been computed."""
        if self._tokens and tokens > 0:
            self._fixed.hit(self._tokens, person, cost=tokens)

    def _refuse(self, strategy, item, person: str, what: str) -> None:
        wait = strategy.get_window_stats(item, person).reset_time - time.time()
        message = f"this key may use {item.amount:,} {what} a minute; try again in {max(1, round(wait))} s"
        raise ServiceError(429, message, code="rate_limit_exceeded", retry_after=max(1.0, wait))


def _item(amount: int | None, what: str):
    return None if amount is None else RateLimitItemPerMinute(amount, namespace=what)
