"""Confidence intervals: for shares (used in notebook 08), and for means of values that come in groups (notebook 09)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

CONFIDENCE = 1.96  # standard errors to both sides: 95 %


def wilson_interval(wins: float, votes: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of the true share, if ``wins`` of ``votes`` were won (Wilson 1927).

    (0, 1) without a vote: nothing is known. Raises ValueError for more wins than votes.
    """
    if not 0 <= wins <= votes:
        raise ValueError(f"{wins} of {votes} votes cannot be won")
    if not votes:
        return 0.0, 1.0
    share, weight = wins / votes, CONFIDENCE**2 / votes
    middle = (share + weight / 2) / (1 + weight)
    margin = math.sqrt(weight * (share * (1 - share) + weight / 4)) / (1 + weight)
    return max(0.0, middle - margin), min(1.0, middle + margin)


def bootstrap_interval(values, groups, rng: np.random.Generator, resamples: int = 1000) -> tuple[float, float]:
    """Return the 95 % interval of the mean of ``values`` [N], by a bootstrap over groups (Efron 1979; Field & Welsh 2007).

    ``groups`` [N] says which values belong together, such as the preference pairs of one conversation: these are not
    independent, so whole groups are resampled with replacement, as many as there are. The ends are the 2.5th and the 97.5th
    percentile of the resampled means. Raises ValueError for no values, and where the lengths differ.
    """
    import numpy as np

    values, (_, groups) = np.asarray(values, dtype=float), np.unique(np.asarray(groups), return_inverse=True)
    if not len(values) or len(values) != len(groups):
        raise ValueError(
            f"{len(values)} values in {len(groups)} groups: give each value the number of its group, one at least"
        )
    sums, sizes = np.bincount(groups, values), np.bincount(groups)
    chosen = rng.integers(len(sums), size=(resamples, len(sums)))
    low, high = np.percentile(sums[chosen].sum(1) / sizes[chosen].sum(1), [2.5, 97.5])
    return float(low), float(high)
