"""From the arena's scores to ratings with intervals, judge by judge (notebook 15).

Whole prompts are resampled for the intervals: what three seeds of a bot say to one prompt are not independent.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from helpers.bots.judges import JUDGES, in_file
from helpers.evaluation.bradley_terry import bradley_terry, to_elo
from helpers.evaluation.rating_covariates import ELO

RESAMPLES = 200
TIED = 1.0  # vote more between every two: whoever a judge always prefers has a finite rating in every resample
RIDGE = 0.1  # the same for the regression: far less than one vote


class Scores:
    """The scores of all judges as arrays [S, P, N]: seeds, prompts, contestants; ``words`` has the same shape."""

    def __init__(self, rows: Sequence[dict]):
        self.names = list(dict.fromkeys(row["contestant"] for row in rows if row["seed"] is not None))
        self.names += [name for name in dict.fromkeys(row["contestant"] for row in rows) if name not in self.names]
        self.seeds = sorted({row["seed"] for row in rows} - {None})
        prompts, number = sorted({row["prompt"] for row in rows}), {name: i for i, name in enumerate(self.names)}
        arrays = {
            column: np.full((len(self.seeds), len(prompts), len(number)), np.nan) for column in ("words", *JUDGES)
        }
        for row in rows:
            seed = slice(None) if row["seed"] is None else self.seeds.index(row["seed"])
            for column, array in arrays.items():
                array[seed, row["prompt"], number[row["contestant"]]] = np.nan if row[column] is None else row[column]
        self.words, self.of = arrays.pop("words"), {judge: in_file(judge, array) for judge, array in arrays.items()}
        if any(np.isnan(array).any() for array in (self.words, *self.of.values())):
            raise ValueError("a reply has no score yet: run python -m helpers experiments arena to its end")

    def wins(self, judge: str) -> np.ndarray:
        """Return how often each contestant beat each other, float64 [S, P, N, N]; equal scores are no vote."""
        score = self.of[judge]
        return (score[..., :, None] > score[..., None, :]).astype(float)

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        return np.triu_indices(len(self.names), 1)

    @cached_property
    def longer(self) -> np.ndarray:
        """The difference in length of every pair, from −1 to 1: (a − b) / (a + b), float64 [S, P, pairs]."""
        left, right = self.pairs
        a, b = self.words[..., left], self.words[..., right]
        return (a - b) / np.maximum(a + b, 1)


def resampled(prompts: int, seed: int = 0, number: int = RESAMPLES) -> np.ndarray:
    """Return how often each prompt is drawn in each resample, float64 [R, P]."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(prompts, np.full(prompts, 1 / prompts), size=number).astype(float)


def rate(wins: np.ndarray) -> np.ndarray:
    """Return Elo points [N], with mean 0, from wins [N, N]."""
    return to_elo(bradley_terry(wins + TIED / 2 * (1 - np.eye(len(wins))), tolerance=1e-6))


def rate_at_equal_length(scores: Scores, judge: str, weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Return Elo points [N] at equal length, and the points that a reply gains by being all of the words of a pair.

    Logistic regression with the difference in length as a covariate; ``weights`` [P] say how often each prompt counts.
    """
    (left, right), score = scores.pairs, scores.of[judge]
    voted = score[..., left] != score[..., right]
    design = np.zeros((len(left), len(scores.names)))
    design[np.arange(len(left)), left], design[np.arange(len(left)), right] = 1, -1
    rows = np.concatenate(
        [np.broadcast_to(design, (*voted.shape, len(scores.names))), scores.longer[..., None]], axis=-1
    )[voted]
    counts = np.broadcast_to(weights[None, :, None], voted.shape)[voted]
    kept = counts > 0
    points = ELO * _fit(rows[kept], (score[..., left] > score[..., right])[voted][kept].astype(float), counts[kept])
    return points[:-1] - points[:-1].mean(), float(points[-1])


def _fit(design: np.ndarray, won: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the coefficients [D] of a logistic regression without an intercept, by Newton's method.

    Only differences of ratings matter, so the information has no inverse: of all solutions the shortest step is taken. The
    small number on its diagonal keeps a contestant finite that never lost (``fit_ratings`` would refuse).
    """
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ beta))
        information = (design * (counts * p * (1 - p))[:, None]).T @ design + RIDGE * np.eye(len(beta))
        step = np.linalg.solve(information, design.T @ (counts * (won - p)) - RIDGE * beta)
        beta = beta + step
        if np.abs(step).max() < 1e-6:
            return beta
    raise ValueError("the ratings at equal length still move after 50 steps: there are too few votes")


def interval(samples) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the 95 % interval, from samples [R, …]."""
    return tuple(np.percentile(samples, [2.5, 97.5], axis=0))


class Rated:
    """All ratings of one judge: ``points`` [N] and their ``samples`` [R, N], the same at equal length, the ``length`` effect."""

    def __init__(self, scores: Scores, judge: str, draws: np.ndarray):
        wins = scores.wins(judge)
        by_prompt, once = wins.sum(0), np.ones(draws.shape[1])
        self.wins, self.points = by_prompt, rate(by_prompt.sum(0))
        self.samples = np.array([rate(np.tensordot(drawn, by_prompt, 1)) for drawn in draws])
        self.spread = np.std([rate(one.sum(0)) for one in wins], axis=0, ddof=1) if len(wins) > 1 else None
        self.controlled, self.length = rate_at_equal_length(scores, judge, once)
        both = [rate_at_equal_length(scores, judge, drawn) for drawn in draws]
        self.controlled_samples, self.length_samples = (np.array(part) for part in zip(*both))
