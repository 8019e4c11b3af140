"""Alerts: pending from the first value above the limit, firing once it has held long enough."""

import math

import pytest

from helpers.serving.alert import alert_states


def states(times, values, above=1.0, hold=60.0):
    return "".join(state[0] for state in alert_states(times, values, above, hold))


def test_pending_then_firing_then_over():
    assert states(range(0, 160, 20), [0.5, 2, 2, 2, 2, 2, 0.5, 2]) == "ipppffip"


def test_hold_is_in_seconds_and_not_in_values():
    assert states([0, 10, 100, 110], [2, 2, 2, 2]) == "ppff"
    assert states([0, 20], [2, 2], hold=0) == "ff"


def test_equal_and_nan_are_not_above():
    assert states([0, 60, 120, 180], [1.0, math.nan, 2, 2]) == "iipf"


def test_series_that_make_no_sense():
    with pytest.raises(ValueError, match="one value for each time"):
        alert_states([0, 1], [1.0], 1, 1)
    with pytest.raises(ValueError, match="the times do not rise"):
        alert_states([0, 0], [1.0, 1.0], 1, 1)
