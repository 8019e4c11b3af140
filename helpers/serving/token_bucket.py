"""A limit on how often: the token bucket, with the clock as an argument (built in notebook 14).

The bucket fills at a steady rate up to its brim, and each request takes out what it costs. So a short burst is allowed, and
in the long run no more than the rate. Known from networks (Turner 1986, "leaky bucket"); the finished service counts with
the package ``limits`` in its place (``helpers.serving.limiting``).
"""

import math


class TokenBucket:
    """A bucket of ``burst`` tokens, full at first, into which ``rate`` tokens flow each second.

    Raises ValueError for a rate or a burst that is not above 0.
    """

    def __init__(self, rate: float, burst: float):
        if not (0 < rate < math.inf and 0 < burst < math.inf):
            raise ValueError(f"rate is {rate} and burst {burst}: give both above 0 (tokens per second, and tokens)")
        self.rate, self.burst = rate, burst
        self.level = burst  # tokens in the bucket at the time ``self.now``
        self.now = -math.inf

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take ``cost`` tokens at the time ``now`` (seconds of any clock); return 0.0, or the seconds to wait.

        A request that has to wait takes nothing. A clock that goes back counts as one that stands still. Raises ValueError for
        a cost below 0 and for one above the burst, which no waiting would make possible.
        """
        if not 0 <= cost <= self.burst:
            raise ValueError(f"cost is {cost}: it must be from 0 to the burst, {self.burst}")
        if now > self.now:
            self.level = min(self.burst, self.level + (now - self.now) * self.rate)
            self.now = now
        if cost <= self.level:
            self.level -= cost
            return 0.0
        return (cost - self.level) / self.rate
