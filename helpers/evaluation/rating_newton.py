"""Many Bradley–Terry fits at once by Newton's method, for the resamples of a bootstrap (used in notebook 15).

The log-likelihood is concave in the log strengths β, so Newton's steps, halved where they go too far, end at the same answer as
the MM algorithm of ``bradley_terry``: in ten steps instead of a hundred, also where a prior or a strong contestant makes MM slow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def log_strengths(wins, prior: float = 0.0, tolerance: float = 1e-11, max_steps: int = 100) -> np.ndarray:
    """Return the most likely log strengths, float64 [R, N] with mean 0, for each of R tables of wins [R, N, N].

    With a ``prior`` everyone has tied that many votes more with an invented contestant of strength 1. Without one, a table whose
    answer is not finite (see ``connected``) gives a row of nan.
    """
    import numpy as np

    wins = np.asarray(wins, dtype=float)
    if not prior:
        finite = connected(wins)
        if not finite.all():
            beta = np.full(wins.shape[:2], np.nan)
            if finite.any():
                beta[finite] = log_strengths(wins[finite], 0.0, tolerance, max_steps)
            return beta
    beta = np.zeros(wins.shape[:2])
    now = _log_likelihood(wins, beta, prior)
    for _ in range(max_steps):
        step = _newton_step(wins, beta, prior)
        scale, before = np.ones((len(beta), 1)), now
        for _ in range(40):
            now = _log_likelihood(wins, beta + scale * step, prior)
            worse = now < before - 1e-12 * np.abs(before)
            if not worse.any():
                break
            scale[worse] /= 2
        beta = beta + scale * step
        if np.abs(scale * step).max() < tolerance:
            break
    return beta - beta.mean(1, keepdims=True)


def connected(wins) -> np.ndarray:
    """Return, bool [R], in which of R tables of wins [R, N, N] everyone beat everyone else, if by way of others (Ford 1957)."""
    import numpy as np

    n = wins.shape[-1]
    reached = ((wins > 0) | np.eye(n, dtype=bool)).astype(np.float32)
    for _ in range(int(n).bit_length()):  # paths of 1, 2, 4, … wins
        reached = (reached @ reached > 0).astype(np.float32)
    return reached.all((1, 2))


def _log_likelihood(wins, beta, prior) -> np.ndarray:
    """Return the log-likelihood [R], the invented votes included."""
    import numpy as np

    total = -(wins * np.logaddexp(0, beta[:, None, :] - beta[:, :, None])).sum((1, 2))
    if prior:
        total -= prior / 2 * (np.logaddexp(0, -beta) + np.logaddexp(0, beta)).sum(1)
    return total


def _newton_step(wins, beta, prior) -> np.ndarray:
    """Return −H⁻¹ g, [R, N], of the gradient g and the Hessian H of the log-likelihood."""
    import numpy as np

    n, votes = wins.shape[1], wins + wins.transpose(0, 2, 1)
    p = 1 / (1 + np.exp(np.clip(beta[:, None, :] - beta[:, :, None], -700, 700)))  # i beats j
    own = 1 / (1 + np.exp(np.clip(-beta, -700, 700)))  # … beats the invented one
    gradient = (wins - votes * p).sum(2) + prior * (0.5 - own)
    weight = votes * p * (1 - p)
    hessian = np.eye(n) * (weight.sum(2) + prior * own * (1 - own) + 1e-12)[:, :, None] - weight
    if not prior:
        hessian += 1 / n  # only differences of β count: this holds their mean
    return np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
