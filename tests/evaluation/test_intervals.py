"""Confidence intervals of shares, against published values."""

import pytest

from helpers.evaluation.intervals import wilson_interval


@pytest.mark.parametrize(
    ("wins", "votes", "low", "high"),
    [(0, 0, 0.0, 1.0), (5, 10, 0.2366, 0.7634), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (60, 100, 0.5020, 0.6906)],
)
def test_the_interval_is_wilsons(wins, votes, low, high):
    assert wilson_interval(wins, votes) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(("wins", "votes"), [(-1, 5), (6, 5), (1, 0)])
def test_more_wins_than_votes_are_refused(wins, votes):
    with pytest.raises(ValueError, match=f"{wins} of {votes} votes cannot be won"):
        wilson_interval(wins, votes)
