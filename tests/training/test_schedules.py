"""The learning rate by hand: up in a line, then down to a tenth."""

import math

import pytest

from helpers.training.schedules import SCHEDULES, learning_rate_at


@pytest.mark.parametrize(
    ("progress", "cosine", "linear", "constant"),
    [
        (0.0, 0.01, 0.01, 0.01),  # the very first step moves a little
        (0.1, 0.5, 0.5, 0.5),
        (0.2, 1.0, 1.0, 1.0),  # the end of the warm-up
        (0.4, 0.1 + 0.9 * (1 + math.sqrt(0.5)) / 2, 0.775, 1.0),  # a quarter of what follows
        (0.6, 0.55, 0.55, 1.0),
        (1.0, 0.1, 0.1, 1.0),
        (1.5, 0.1, 0.1, 1.0),  # a clock may end a little late
    ],
)
def test_three_schedules_by_hand(progress, cosine, linear, constant):
    for schedule, expected in zip(SCHEDULES, (cosine, linear, constant)):
        assert learning_rate_at(progress, 3.0, 0.2, schedule) == pytest.approx(3 * expected)


def test_without_a_warm_up_it_begins_at_the_peak():
    assert learning_rate_at(0.0, 3.0) == 3.0
    assert learning_rate_at(0.5, 3.0) == pytest.approx(1.65)


def test_a_training_of_nothing_but_warm_up():
    assert learning_rate_at(0.5, 2.0, warmup=1.0) == 1.0
    assert learning_rate_at(1.0, 2.0, warmup=1.0) == 2.0


def test_an_unknown_schedule_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'sine'; known are cosine, linear, constant, trapezoid"):
        learning_rate_at(0.5, 1.0, 0.0, "sine")


@pytest.mark.parametrize(
    ("progress", "expected"), [(0.05, 0.5), (0.1, 1.0), (0.4, 1.0), (0.7, 0.5), (0.85, 0.25), (1.0, 0.0), (1.2, 0.0)]
)
def test_a_trapezoid_by_hand(progress, expected):
    """Up in a tenth, level, and down to nothing in the last six tenths."""
    assert learning_rate_at(progress, 2.0, 0.1, "trapezoid") == pytest.approx(2 * expected)
