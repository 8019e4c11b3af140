"""Histograms: counts by bucket, and quantiles from them as Prometheus computes them."""

import math

import pytest

from helpers.serving.histogram import Histogram, quantile

BOUNDS = (0.1, 0.5, 1.0, 4.0)


@pytest.mark.parametrize(
    ("q", "expected"),
    [(0.05, 0.05), (0.1, 0.1), (0.5, 0.5 + 0.5 * 20 / 60), (0.9, 1.0), (0.95, 2.875), (0.99, 4.0), (1.0, 4.0)],
)
def test_a_quantile_by_hand(q, expected):
    assert quantile(q, BOUNDS, [10, 20, 60, 8, 2]) == pytest.approx(expected)


def test_of_nothing_there_is_no_quantile_and_no_mean():
    empty = Histogram(BOUNDS)
    assert math.isnan(empty.quantile(0.5)) and math.isnan(empty.mean)


def test_empty_buckets_hold_no_quantile():
    assert quantile(0.0, BOUNDS, [0, 0, 4, 0, 0]) == 0.5


def test_a_value_at_a_bound_belongs_below_it():
    seen = Histogram(BOUNDS)
    for value in (0.1, 0.11, 4.0, 4.1):
        seen.observe(value)
    assert seen.counts == [1, 1, 0, 1, 1] and seen.sum == pytest.approx(8.31) and seen.mean == pytest.approx(8.31 / 4)


def test_two_histograms_add_up_and_other_buckets_do_not():
    one, other = Histogram(BOUNDS), Histogram(BOUNDS)
    one.observe(0.3)
    other.observe(9)
    assert (one + other).counts == [0, 1, 0, 0, 1] and (one + other).sum == pytest.approx(9.3)
    with pytest.raises(ValueError, match="different bounds"):
        one + Histogram((1.0,))


def test_what_prometheus_reads_is_cumulative():
    seen = Histogram((0.5, 1))
    for value in (0.25, 0.75, 3):
        seen.observe(value)
    assert seen.exposition("x").splitlines() == [
        "# TYPE x histogram",
        'x_bucket{le="0.5"} 1',
        'x_bucket{le="1"} 2',
        'x_bucket{le="+Inf"} 3',
        "x_sum 4",
        "x_count 3",
    ]


@pytest.mark.parametrize("bounds", [(), (0.0, 1.0), (1.0, 1.0), (2.0, 1.0)])
def test_bounds_that_make_no_sense(bounds):
    with pytest.raises(ValueError, match="give one number at least"):
        Histogram(bounds)


def test_settings_that_make_no_sense():
    with pytest.raises(ValueError, match="give a share from 0 to 1"):
        quantile(95, BOUNDS, [1] * 5)
    with pytest.raises(ValueError, match="one count for each bucket"):
        quantile(0.5, BOUNDS, [1] * 4)
