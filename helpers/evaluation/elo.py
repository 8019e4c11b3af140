"""Elo's rule, game by game: the ratings of chess and of the first arenas depend on the order of the games (notebook 15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from helpers.evaluation.bradley_terry import POINTS
from helpers.evaluation.comparisons import names_of, scores, sides

if TYPE_CHECKING:
    import numpy as np


def elo_in_order(
    votes: Sequence[Sequence], names: Sequence[str] | None = None, k: float = 32.0, start: float = 0.0
) -> tuple[list[str], np.ndarray]:
    """Return the names and Elo ratings [N] after all votes, in the order they stand in (Elo 1978).

        r_i ← r_i + K · (score − P(i beats j)),   P = 1 / (1 + 10^((r_j − r_i) / 400))

    Everyone begins at ``start``; a tie scores 0.5. A larger ``k`` forgets faster; with any, another order gives other ratings.
    """
    import numpy as np

    names = names_of(votes) if names is None else list(names)
    ratings = np.full(len(names), float(start))
    for left, right, score in zip(*sides(votes, names), scores(votes)):
        gain = k * (score - 1 / (1 + 10 ** ((ratings[right] - ratings[left]) / POINTS)))
        ratings[left] += gain
        ratings[right] -= gain
    return names, ratings
