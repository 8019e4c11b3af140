"""Bradley–Terry with covariates: what the side, or the length, of a reply adds to its contestant's strength (notebook 15).

    log-odds(left wins) = β_left − β_right + Σ_k γ_k · x_k

The same model as a logistic regression; with a covariate for length it is the "style control" of the Chatbot Arena (Li,
Angelopoulos and Chiang, August 2024, https://blog.lmarena.ai/blog/2024/style-control/).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from helpers.evaluation.bradley_terry import POINTS, check_connected
from helpers.evaluation.comparisons import Vote, check_votes, names_of, scores, sides, win_matrix

if TYPE_CHECKING:
    import numpy as np

ELO = POINTS / math.log(10)  # Elo points per unit of log-odds: 173.7
_MOST_STEPS, _LARGEST = 50, 30.0  # Newton needs about 6 steps; odds of e^30 are those of a game never lost


class Fit(NamedTuple):
    """``ratings`` [N] in Elo points, mean 0, of ``names``; ``coefficients`` [K] in Elo points per unit of each covariate.

    ``standard_errors`` [K] of the coefficients treat all votes as independent, so they are too small where votes share prompts.
    """

    names: list[str]
    ratings: np.ndarray
    coefficients: np.ndarray
    standard_errors: np.ndarray


def position(votes: Sequence[Sequence]) -> np.ndarray:
    """Return ones, float64 [V]: as a covariate, its coefficient is what a reply gains by standing left."""
    import numpy as np

    return np.ones(len(check_votes(votes)))


def length_difference(votes: Sequence[Sequence], length: Callable[[Vote, str], float]) -> np.ndarray:
    """Return (a − b) / (a + b) for each vote, float64 [V] from −1 to 1, of the lengths a of its left and b of its right reply.

    ``length(vote, side)`` gives the length of the reply on the "left" or on the "right", in characters or any other unit.
    Two empty replies differ by 0. Raises ValueError for a length below 0.
    """
    import numpy as np

    pairs = np.array([[float(length(vote, side)) for side in ("left", "right")] for vote in check_votes(votes)])
    if not (pairs >= 0).all():
        raise ValueError("a length is 0 or more: length(vote, side) gave something else")
    total = pairs.sum(1)
    return np.divide(pairs[:, 0] - pairs[:, 1], total, out=np.zeros(len(pairs)), where=total > 0)


def fit_ratings(
    votes: Sequence[Sequence], covariates=None, names: Sequence[str] | None = None, ties: str = "half", weights=None
) -> Fit:
    """Fit ratings and the coefficients of covariates together, by Newton's method.

    ``covariates`` are [V, K], or {name: [V]}: numbers that speak for the left reply, such as ``length_difference(votes, …)``.
    ``weights`` [V] say how often each vote counts (once by default). Raises ValueError where ``bradley_terry`` does, where a
    covariate says nothing that the contestants' names do not say (a length that is always the same for a contestant), and
    where it decides every vote.
    """
    import numpy as np

    votes = check_votes(votes)
    names = names_of(votes) if names is None else list(names)
    check_connected(win_matrix(votes, names, ties)[1], names)
    score, n = scores(votes, ties), len(names)
    weights = np.ones(len(votes)) if weights is None else np.asarray(weights, dtype=float)
    theta, errors = _fit(
        design_matrix(votes, names, covariates), np.nan_to_num(score), weights * ~np.isnan(score), full=True
    )
    return Fit(names, ELO * theta[:n], ELO * theta[n:], ELO * errors[n:])


def design_matrix(votes: Sequence[Sequence], names: Sequence[str], covariates=None) -> np.ndarray:
    """Return X, float64 [V, N + K]: in each row 1 for the left contestant, −1 for the right one, then the covariates [V, K].

    X @ (β, γ) are the log-odds that the left side wins.
    """
    import numpy as np

    (left, right), extra = sides(votes, names), _columns(covariates, len(votes))
    rows, columns = np.arange(len(votes)), np.zeros((len(votes), len(names)))
    columns[rows, left], columns[rows, right] = 1, -1
    return np.hstack([columns, extra])


def fit_logistic(X, y, weights=None) -> np.ndarray:
    """Return the most likely coefficients θ [D], in log-odds, of a logistic regression without an intercept, by Newton's method.

    ``X`` [V, D], ``y`` [V] from 0 to 1 (a tie is 0.5), ``weights`` [V] say how often a row counts. Where many θ fit equally
    well, as only differences of ratings count, the one of least length is returned: ratings then have the mean 0. Raises
    ValueError for other shapes, and where the coefficients grow without end.
    """
    return _fit(X, y, weights)[0]


def _fit(X, y, weights, full: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return θ [D] and its standard errors [D]; with ``full``, refuse columns that say nothing of their own."""
    import numpy as np

    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    weights = np.ones(len(X)) if weights is None else np.asarray(weights, dtype=float)
    if X.ndim != 2 or not len(X) or y.shape != (len(X),) or weights.shape != y.shape or not ((y >= 0) & (y <= 1)).all():
        raise ValueError(
            f"X is [V, D], y [V] from 0 to 1 and weights [V]; not {X.shape}, {y.shape} and {weights.shape}"
        )
    counted = X * np.sqrt(weights)[:, None]
    if full and np.linalg.matrix_rank(counted) < X.shape[1] - 1:  # one is lost to the ratings' mean
        raise ValueError(
            "a covariate can be worked out from who is compared with whom (or from another covariate), so the votes cannot "
            "tell them apart: leave it out, or measure something that varies within a contestant"
        )
    theta = np.zeros(X.shape[1])
    for _ in range(_MOST_STEPS):
        p = 1 / (1 + np.exp(-X @ theta))
        inverse = np.linalg.pinv((X * (weights * p * (1 - p))[:, None]).T @ X, rcond=1e-12, hermitian=True)
        step = inverse @ (X.T @ (weights * (y - p)))
        theta = theta + step
        if np.abs(X @ theta).max() > _LARGEST:
            break
        if np.abs(step).max() < 1e-10:
            return theta, np.sqrt(np.diagonal(inverse))
    raise ValueError(
        "the coefficients grow without end: a covariate (with the ratings) decides every vote. Leave it out, or collect more"
    )


def _columns(covariates, votes: int) -> np.ndarray:
    import numpy as np

    if covariates is None:
        return np.zeros((votes, 0))
    if isinstance(covariates, Mapping):
        covariates = np.column_stack(list(covariates.values())) if covariates else np.zeros((votes, 0))
    columns = np.asarray(covariates, dtype=float)
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.ndim != 2 or len(columns) != votes or not np.isfinite(columns).all():
        raise ValueError(f"covariates are finite numbers, one row for each of {votes} votes, not {list(columns.shape)}")
    return columns
