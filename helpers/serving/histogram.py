"""A histogram as Prometheus keeps it: counts by buckets, from which quantiles are estimated (built in notebook 14).

The service itself counts with ``prometheus_client``; this is the same arithmetic in the open, as in PromQL's
``histogram_quantile`` (Prometheus documentation, "Query functions").
"""

import math
from collections.abc import Sequence


def quantile(q: float, bounds: Sequence[float], counts: Sequence[int]) -> float:
    """Estimate below which value a share ``q`` of all values lies, as if each bucket were evenly filled.

    ``bounds`` are the buckets' upper ends, above 0 and rising; the first bucket begins at 0. ``counts`` are the values in each
    bucket, one number more than bounds: the last bucket has no upper end, and where the quantile falls into it, the largest
    bound is returned. NaN when nothing was counted. Raises ValueError when q is not from 0 to 1, or the counts do not fit.
    """
    if not 0 <= q <= 1:
        raise ValueError(f"q is {q}: give a share from 0 to 1, as 0.95 for p95")
    if len(counts) != len(bounds) + 1:
        raise ValueError(
            f"{len(bounds)} bounds and {len(counts)} counts: give one count for each bucket, and one above them all"
        )
    if not sum(counts):
        return math.nan
    rank, below, lower = q * sum(counts), 0, 0.0
    for upper, count in zip(bounds, counts):
        if count and below + count >= rank:
            return lower + (upper - lower) * (rank - below) / count
        below, lower = below + count, upper
    return float(bounds[-1])


class Histogram:
    """How many values fell into each bucket, and their sum; no value itself is kept.

    ``bounds`` are the buckets' upper ends, in order, the same unit as the values (seconds); a value equal to a bound belongs
    below it, and what is above the last one falls into a further bucket without an end. Two histograms of the same bounds may
    be added. Raises ValueError when the bounds are missing, not above 0, or do not rise.
    """

    def __init__(self, bounds: Sequence[float]):
        self.bounds = tuple(float(bound) for bound in bounds)
        if not self.bounds or self.bounds[0] <= 0 or any(a >= b for a, b in zip(self.bounds, self.bounds[1:])):
            raise ValueError(
                f"the bounds are {list(bounds)}: give one number at least, above 0, each larger than the last"
            )
        self.counts = [0] * (len(self.bounds) + 1)  # a bucket each; the last one has no upper end
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        bucket = next((number for number, bound in enumerate(self.bounds) if value <= bound), len(self.bounds))
        self.counts[bucket] += 1
        self.sum += value

    def quantile(self, q: float) -> float:
        """Estimate below which value a share ``q`` of all values lies; see the function ``quantile``."""
        return quantile(q, self.bounds, self.counts)

    @property
    def mean(self) -> float:
        """The mean of all values; NaN when nothing was counted."""
        total = sum(self.counts)
        return self.sum / total if total else math.nan

    def __add__(self, other: "Histogram") -> "Histogram":
        if self.bounds != other.bounds:
            raise ValueError("the two histograms have different bounds: counts of other buckets cannot be added")
        both = Histogram(self.bounds)
        both.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts)]
        both.sum = self.sum + other.sum
        return both

    def exposition(self, name: str) -> str:
        """Return the lines in which Prometheus reads it: cumulative counts by upper end, the sum and the count."""
        lines, below = [f"# TYPE {name} histogram"], 0
        for bound, count in zip((*self.bounds, math.inf), self.counts):
            below += count
            lines.append(f'{name}_bucket{{le="{"+Inf" if bound == math.inf else f"{bound:g}"}"}} {below}')
        return "\n".join([*lines, f"{name}_sum {self.sum:g}", f"{name}_count {below}"]) + "\n"
