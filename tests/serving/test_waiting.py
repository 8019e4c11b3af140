"""Waits by hand, by the theory, and by Little's law."""

import random

import pytest

from helpers.serving.waiting import mean_wait, waits


def test_by_hand():
    assert waits([0, 1, 2, 9, 9.5], [3, 1, 2, 1, 4]) == [0, 2, 2, 0, 0.5]
    assert waits([], []) == []


def test_a_bounded_line_by_hand():
    arrivals, services = [0.0, 0.1, 0.2, 0.3, 5.0, 5.05], [2.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    found = waits(arrivals, services, 1)
    assert [wait is None for wait in found] == [False, False, True, True, False, False]
    assert [round(wait, 6) for wait in found if wait is not None] == [0.0, 1.9, 0.0, 0.95]
    assert [wait is None for wait in waits(arrivals, services, 0)] == [False, True, True, True, False, True]
    assert waits(arrivals, services, 10) == waits(arrivals, services)


@pytest.mark.parametrize(("utilization", "variation"), [(0.5, 1.0), (0.8, 1.0), (0.8, 0.0)])
def test_the_mean_is_that_of_the_theory(utilization, variation):
    rng, now, arrivals = random.Random(0), 0.0, []
    for _ in range(200_000):
        now += rng.expovariate(utilization)
        arrivals.append(now)
    services = [rng.expovariate(1.0) if variation else 1.0 for _ in arrivals]
    found = waits(arrivals, services)
    mean = sum(found) / len(found)
    assert mean == pytest.approx(mean_wait(utilization, variation=variation), rel=0.06)
    # Little: the mean number that waits is the arrivals a second times the mean wait; measured as the area under the line.
    busy = max(arrival + wait for arrival, wait in zip(arrivals, found))
    assert sum(found) / busy == pytest.approx(utilization * mean, rel=0.02)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="one service for each"):
        waits([0], [])
    with pytest.raises(ValueError, match="grows for ever"):
        mean_wait(1.0)
