"""Confidence intervals: of shares, against published values; by bootstrap, against what theory says."""

import math

import numpy as np
import pytest

from helpers.evaluation.intervals import bootstrap_interval, wilson_interval


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


@pytest.mark.parametrize("together", [1, 20])
def test_a_bootstrap_over_groups_is_as_wide_as_the_groups_are_few(together):
    values = np.repeat(np.random.default_rng(0).integers(0, 2, 400), together)
    groups = np.repeat(np.arange(400) * 3 + 7, together)  # any numbers
    low, high = bootstrap_interval(values, groups, np.random.default_rng(1), 4000)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(400), rel=0.05)


def test_larger_groups_weigh_more():
    low, high = bootstrap_interval([1.0] * 9 + [0.0], [0] * 9 + [1], np.random.default_rng(0))
    assert (low, high) == (0.0, 1.0)
    assert bootstrap_interval([2.0, 2.0], [0, 1], np.random.default_rng(0)) == (2.0, 2.0)


@pytest.mark.parametrize(("values", "groups"), [([], []), ([1.0], [0, 1])])
def test_a_bootstrap_of_nothing_is_refused(values, groups):
    with pytest.raises(ValueError, match="give each value the number of its group"):
        bootstrap_interval(values, groups, np.random.default_rng(0))
