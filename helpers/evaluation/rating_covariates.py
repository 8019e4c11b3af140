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
    (left, right), score = sides(votes, names), scores(votes, ties)
    extra = _columns(covariates, len(votes))
    weights = np.ones(len(votes)) if weights is None else np.asarray(weights, dtype=float)
    weights = np.where(np.isnan(score), 0.0, weights)
    n = len(names)
    design = np.zeros((len(votes), n + extra.shape[1]))
    design[np.arange(len(votes)), left] = 1
    design[np.arange(len(votes)), right] -= 1
    design[:, n:] = extra
    design = design[:, 1:]  # the first contestant's β is 0 for now: only differences count
    beta, information = _newton(design, np.nan_to_num(score), weights)
    errors = np.sqrt(np.diagonal(np.linalg.inv(information)))[n - 1 :]
    ratings = np.append(0.0, beta[: n - 1])
    return Fit(names, ELO * (ratings - ratings.mean()), ELO * beta[n - 1 :], ELO * errors)


def _newton(design, score, weights) -> tuple[np.ndarray, np.ndarray]:
    """Maximize the log-likelihood of a logistic regression without an intercept; return β [D] and the information [D, D]."""
    import numpy as np

    if np.linalg.matrix_rank(design * np.sqrt(weights)[:, None]) < design.shape[1]:
        raise ValueError(
            "a covariate can be worked out from who is compared with whom (or from another covariate), so the votes cannot "
            "tell them apart: leave it out, or measure something that varies within a contestant"
        )
    beta = np.zeros(design.shape[1])
    for _ in range(_MOST_STEPS):
        p = 1 / (1 + np.exp(-design @ beta))
        information = (design * (weights * p * (1 - p))[:, None]).T @ design
        step = np.linalg.lstsq(information, design.T @ (weights * (score - p)), rcond=None)[0]
        beta = beta + step
        if np.abs(design @ beta).max() > _LARGEST:
            break
        if np.abs(step).max() < 1e-10:
            return beta, information
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
