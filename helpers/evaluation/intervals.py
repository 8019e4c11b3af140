"""Confidence intervals for shares (used in notebook 08)."""

import math

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
