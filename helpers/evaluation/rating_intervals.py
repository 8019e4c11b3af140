"""How sure is a rating? Bootstrap intervals by prompts, by voters or by single votes (used in notebook 15).

Votes on one prompt are not independent: the same two replies, read by several people. So whole prompts are resampled (Efron
1979; Field & Welsh 2007; for language models Miller 2024, arXiv 2411.00640).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.evaluation.bradley_terry import POINTS, bradley_terry, to_elo
from helpers.evaluation.comparisons import check_votes, names_of, scores, sides
from helpers.evaluation.rating_newton import log_strengths

if TYPE_CHECKING:
    import numpy as np

UNITS = ("prompt", "voter", "vote")
_MOST_LEFT_OUT = 0.2  # of the resamples may have no finite answer; with more, the others would promise too much


@dataclass(frozen=True)
class Bootstrap:
    """Ratings [N] in Elo points, mean 0, of ``names``, and ``samples`` [R, N]: those of each resample.

    ``votes`` [N] are how many each took part in. ``left_out`` resamples had no finite ratings (an unbeaten contestant).
    """

    names: list[str]
    ratings: np.ndarray
    samples: np.ndarray
    votes: np.ndarray
    left_out: int

    @property
    def low(self) -> np.ndarray:
        """The lower ends of the 95 % intervals, float64 [N]: the 2.5th percentile of the resamples."""
        import numpy as np

        return np.percentile(self.samples, 2.5, axis=0)

    @property
    def high(self) -> np.ndarray:
        """The upper ends of the 95 % intervals, float64 [N]."""
        import numpy as np

        return np.percentile(self.samples, 97.5, axis=0)

    def rank(self) -> list[str]:
        """Return the names, the best first."""
        return [self.names[number] for number in (-self.ratings).argsort(kind="stable")]

    def interval(self, name: str) -> tuple[float, float]:
        """Return the 95 % interval of a contestant's rating."""
        number = self._number(name)
        return float(self.low[number]), float(self.high[number])

    def difference(self, a: str, b: str) -> tuple[float, float, float]:
        """Return how many points ``a`` stands above ``b``, and the 95 % interval of the difference.

        The difference is taken within each resample, where both have met the same votes: two intervals that overlap do not
        mean that this one holds 0.
        """
        import numpy as np

        first, second = self._number(a), self._number(b)
        low, high = np.percentile(self.samples[:, first] - self.samples[:, second], [2.5, 97.5])
        return float(self.ratings[first] - self.ratings[second]), float(low), float(high)

    def rows(self) -> list[dict]:
        """Return a dict for each contestant, the best first: name, rating, low, high, votes."""
        columns = zip(self.names, self.ratings, self.low, self.high, self.votes)
        rows = [dict(zip(("name", "rating", "low", "high", "votes"), (n, *map(float, rest)))) for n, *rest in columns]
        return sorted(rows, key=lambda row: -row["rating"])

    def _number(self, name: str) -> int:
        if name not in self.names:
            raise ValueError(f"{name!r} is not rated here; these are: {', '.join(self.names)}")
        return self.names.index(name)


def bootstrap_ratings(
    votes: Sequence[Sequence],
    by: str = "prompt",
    resamples: int = 200,
    seed: int = 0,
    names: Sequence[str] | None = None,
    rate: Callable | None = None,
    prior: float = 0.0,
    ties: str = "half",
) -> Bootstrap:
    """Rate all contestants, and again in ``resamples`` samples of whole prompts (or voters, or votes) with replacement.

    ``rate`` turns wins [N, N] into strengths [N]; by default it is ``bradley_terry``, with this ``prior``. A resample for which
    it raises ValueError is left out. Raises ValueError for fewer than two groups, for votes without a finite rating, and where
    more than a fifth of the resamples have none.
    """
    import numpy as np

    votes = check_votes(votes)
    names = names_of(votes) if names is None else list(names)
    groups = _groups(votes, by)
    (left, right), score = sides(votes, names), scores(votes, ties)
    counted = ~np.isnan(score)
    left, right, score, groups = left[counted], right[counted], score[counted], groups[counted]
    n, rng = len(names), np.random.default_rng(seed)

    def won(weights) -> np.ndarray:
        one = np.bincount(left * n + right, weights * score, n * n)
        other = np.bincount(right * n + left, weights * (1 - score), n * n)
        return (one + other).reshape(n, n)

    number = int(groups.max()) + 1
    chosen = [np.bincount(rng.integers(number, size=number), minlength=number)[groups] for _ in range(resamples)]
    ratings, samples = _rated(won(np.ones(len(score))), [won(weights) for weights in chosen], names, rate, prior)
    left_out = resamples - len(samples)
    if left_out > _MOST_LEFT_OUT * resamples:
        raise ValueError(
            f"in {left_out} of {resamples} resamples a rating is infinite (a contestant won or lost all it had there): "
            "too few votes for an interval. Collect more, or give a prior, such as prior=1"
        )
    took_part = np.bincount(left, minlength=n) + np.bincount(right, minlength=n)
    return Bootstrap(names, ratings, samples, took_part, left_out)


def resample(votes: Sequence[Sequence], rng: np.random.Generator, by: str = "prompt") -> list:
    """Return as many whole prompts (or voters, or votes) as there are, drawn with replacement: a list of votes.

    A prompt that is drawn twice brings all its votes twice.
    """
    import numpy as np

    groups = _groups(check_votes(votes), by)
    members = [np.flatnonzero(groups == group) for group in range(groups.max() + 1)]
    return [votes[vote] for group in rng.integers(len(members), size=len(members)) for vote in members[group]]


def _rated(wins, resampled, names, rate, prior) -> tuple[np.ndarray, np.ndarray]:
    """Return the ratings [N] from ``wins`` and those [R, N] of the resamples that have some."""
    import numpy as np

    if rate is None:
        ratings = to_elo(bradley_terry(wins, names, prior))
        samples = POINTS / np.log(10) * log_strengths(np.array(resampled), prior)
        return ratings, samples[np.isfinite(samples).all(1)]
    ratings, samples = to_elo(rate(wins)), []
    for table in resampled:
        try:
            samples.append(to_elo(rate(table)))
        except ValueError:  # an unbeaten contestant
            continue
    return ratings, np.array(samples)


def _groups(votes, by: str) -> np.ndarray:
    """Return the number of each vote's group, int64 [V]."""
    import numpy as np

    if by not in UNITS:
        raise ValueError(f"resample by one of {', '.join(UNITS)}, not {by!r}")
    keys = range(len(votes)) if by == "vote" else [getattr(vote, by) for vote in votes]
    known: dict = {}
    groups = np.array([known.setdefault(key, len(known)) for key in keys])
    if len(known) < 2:
        raise ValueError(f"all votes are of one {by}: an interval needs two at least, and means little below ten")
    return groups
