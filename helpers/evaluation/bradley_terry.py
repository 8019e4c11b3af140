"""Bradley–Terry: one strength per contestant from who beat whom (Zermelo 1929; Bradley & Terry 1952; notebook 15).

    P(i beats j) = π_i / (π_i + π_j)

``wins`` is float64 [N, N] everywhere: how often i beat j, a tie as half a win for each. Strengths π are positive, with a
geometric mean of 1: multiplying all of them by one number changes no probability. Elo points are 400 · log10 π.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from helpers.evaluation.rating_newton import log_strengths

if TYPE_CHECKING:
    import numpy as np

POINTS = 400.0  # a contestant who is 400 points stronger wins ten times as often as it loses (Elo 1978)


class Published(NamedTuple):
    """A published table: contestants' ``names``, ``wins`` [N, N], and the log ``abilities`` [N], the first of them 0."""

    names: list[str]
    wins: np.ndarray
    abilities: np.ndarray


def stigler() -> Published:
    """Return how often four journals of statistics cite each other (Stigler 1994), and their published abilities.

    A journal "wins" where another cites it: ``wins[i, j]`` counts citations of i in j; those of a journal in itself are left
    out. (*Citation Patterns in the Journals of Statistics and Probability*, Statistical Science 9, 94–108; the abilities are
    the output of Turner and Firth's R package BradleyTerry2, Journal of Statistical Software 48(9), 2012.)
    """
    import numpy as np

    names = ["Biometrika", "Communications in Statistics", "JASA", "JRSS-B"]
    wins = np.array([[0, 730, 498, 221], [33, 0, 68, 17], [320, 813, 0, 142], [284, 276, 325, 0]], dtype=float)
    return Published(names, wins, np.array([0.0, -2.9490725, -0.4795698, 0.2689541]))


# --- probabilities and points ------------------------------------------------------------------------------------------


def win_probability(strengths) -> np.ndarray:
    """Return P(i beats j) for all pairs, float64 [N, N], from strengths [N]."""
    strengths = _strengths(strengths)
    return strengths[:, None] / (strengths[:, None] + strengths)


def log_likelihood(wins, strengths) -> float:
    """Return the log-likelihood of the votes under these strengths, in nats: Σ_ij w_ij · log P(i beats j)."""
    import numpy as np

    return float((_wins(wins) * np.log(win_probability(strengths))).sum())


def to_elo(strengths, mean: float = 0.0) -> np.ndarray:
    """Return Elo points [N] of strengths [N], with this mean: 400 points are odds of ten to one."""
    import numpy as np

    points = POINTS * np.log10(_strengths(strengths))
    return points - points.mean() + mean


def from_elo(points) -> np.ndarray:
    """Return strengths [N], with a geometric mean of 1, of Elo points [N]."""
    import numpy as np

    points = np.asarray(points, dtype=float)
    return 10 ** ((points - points.mean()) / POINTS)


# --- fitting -----------------------------------------------------------------------------------------------------------


def mm_step(wins, strengths) -> np.ndarray:
    """Return the strengths [N] after one step of the MM algorithm (Hunter 2004, equation 3), with a geometric mean of 1.

        π_i ← W_i / Σ_j n_ij / (π_i + π_j)

    W_i are the wins of i, n_ij the votes between i and j.
    """
    wins, strengths = _wins(wins), _strengths(strengths)
    return _centered(wins.sum(1) / ((wins + wins.T) / (strengths[:, None] + strengths)).sum(1))


def bradley_terry(
    wins, names: Sequence[str] | None = None, prior: float = 0.0, tolerance: float = 1e-11, max_steps: int = 1000
) -> np.ndarray:
    """Return the strengths [N] that make the votes ``wins`` [N, N] most likely: MM steps until no log π moves any more.

    ``names`` [N] are for the errors only. ``prior`` invents that many tied votes for everyone, against a contestant of strength
    1: with any prior above 0 the answer is finite, and pulled toward equal strengths. With a prior, or where ``max_steps`` of MM
    are too few, Newton's method ends at the same answer. Raises ValueError for a prior below 0, and without a prior where the
    most likely strengths are not finite (see ``check_connected``).
    """
    import numpy as np

    wins = _wins(wins)
    if prior < 0:
        raise ValueError(f"a prior of {prior} votes is less than none: 0 or more")
    if not prior:
        check_connected(wins, names)
        strengths = np.ones(len(wins))
        for _ in range(max_steps):
            before, strengths = strengths, mm_step(wins, strengths)
            if np.abs(np.log(strengths / before)).max() < tolerance:
                return strengths
    return np.exp(log_strengths(wins[None], prior)[0])


def davidson(wins, ties, tolerance: float = 1e-11, max_steps: int = 20_000) -> tuple[np.ndarray, float]:
    """Fit ties with a parameter ν of their own (Davidson 1970); return strengths [N] and ν.

        P(i beats j) = π_i / s,   P(tie) = ν · √(π_i π_j) / s,   s = π_i + π_j + ν · √(π_i π_j)

    ``wins`` [N, N] counts decided votes only, ``ties`` [N, N] is symmetric. MM steps, as in Hunter 2004. Raises ValueError for
    ``ties`` that are not symmetric, for no tie, and where ``bradley_terry`` does.
    """
    import numpy as np

    wins, ties = _wins(wins), _wins(ties)
    if wins.shape != ties.shape or not np.array_equal(ties, ties.T):
        raise ValueError("ties must be symmetric and as large as wins: i tied with j as often as j with i")
    if not ties.any():
        raise ValueError("there is no tie, so ν is 0: use bradley_terry")
    check_connected(wins + ties / 2)
    votes, won, tied = wins + wins.T + ties, (wins + ties / 2).sum(1), ties.sum() / 2
    strengths, nu = np.ones(len(wins)), 1.0
    for _ in range(max_steps):
        before = np.append(strengths, nu)
        root = np.sqrt(strengths[:, None] * strengths)
        total = strengths[:, None] + strengths + nu * root
        strengths = _centered(won / (votes * (1 + nu / 2 * root / strengths[:, None]) / total).sum(1))
        root = np.sqrt(strengths[:, None] * strengths)
        nu = tied / ((votes * root / (strengths[:, None] + strengths + nu * root)).sum() / 2)
        if np.abs(np.log(np.append(strengths, nu) / before)).max() < tolerance:
            return strengths, float(nu)
    raise ValueError(f"the strengths still move after {max_steps} steps: collect more votes")


# --- is there an answer? -----------------------------------------------------------------------------------------------


def check_connected(wins, names: Sequence[str] | None = None) -> None:
    """Raise ValueError, naming who is the cause, unless the most likely strengths are finite (Ford 1957).

    They are where the contestants cannot be parted in two groups so that the one never beat the other: a group that never met
    the other has no rating relative to it, and an unbeaten one gains from every step, without end.
    """
    import numpy as np

    wins = _wins(wins)
    names = [f"contestant {number}" for number in range(len(wins))] if names is None else list(names)
    if len(names) != len(wins):
        raise ValueError(f"{len(names)} names for {len(wins)} contestants: give each of them one")
    met = _reachable((wins + wins.T) > 0)[0]
    if not met.all():
        raise ValueError(
            f"{_list(names, met)} never met {_list(names, ~met)}: their ratings cannot be compared. "
            "Add votes between the two groups, or rate each group alone"
        )
    beats = _reachable(wins > 0)  # [i, j]: i beat j, or beat one that beat j, …
    if beats.all():
        return
    unbeaten = beats[:, np.argmax(beats.sum(1))]  # whom none outside the group beat, by any path
    did, group = ("never won", ~unbeaten) if (~unbeaten).sum() < unbeaten.sum() else ("never lost", unbeaten)
    against = "" if group.sum() == 1 else " against the others"
    raise ValueError(
        f"{_list(names, group)} {did}{against}, so the most likely rating is infinite. "
        "Collect more votes, or give a prior, such as prior=1"
    )


def _reachable(arrows) -> np.ndarray:
    """Return which contestant leads to which along the arrows, bool [N, N], each to itself."""
    import numpy as np

    reached = np.asarray(arrows) | np.eye(len(arrows), dtype=bool)
    while True:
        further = (reached.astype(np.float32) @ reached.astype(np.float32)) > 0
        if (further == reached).all():
            return reached
        reached = further


def _list(names: Sequence[str], chosen, most: int = 4) -> str:
    chosen = [name for name, wanted in zip(names, chosen) if wanted]
    return ", ".join(chosen[:most]) + (f" and {len(chosen) - most} more" if len(chosen) > most else "")


def _centered(strengths) -> np.ndarray:
    import numpy as np

    with np.errstate(divide="ignore"):
        logs = np.log(strengths)
    return np.exp(logs - logs.mean()) if np.isfinite(logs).all() else strengths


def _wins(wins) -> np.ndarray:
    import numpy as np

    wins = np.asarray(wins, dtype=float)
    if wins.ndim != 2 or wins.shape[0] != wins.shape[1] or len(wins) < 2:
        raise ValueError(f"a table of wins is [N, N] for two contestants or more, not {list(wins.shape)}")
    if not (np.isfinite(wins).all() and (wins >= 0).all()) or np.diagonal(wins).any():
        raise ValueError("wins must be 0 or more, and 0 on the diagonal: no contestant meets itself")
    return wins


def _strengths(strengths) -> np.ndarray:
    import numpy as np

    strengths = np.asarray(strengths, dtype=float)
    if strengths.ndim != 1 or not (strengths > 0).all() or not np.isfinite(strengths).all():
        raise ValueError("strengths are one positive number per contestant; for ratings around 0 use from_elo or exp")
    return strengths
