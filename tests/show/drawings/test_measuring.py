"""The bucket drawn is the bucket that counts; the quantile drawn is the one that is computed."""

import math

import pytest

from helpers.serving.histogram import quantile
from helpers.serving.token_bucket import TokenBucket
from helpers.show.drawings.measuring import histogram_quantile, token_bucket

BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]


def test_who_passes_is_what_the_bucket_says(legible):
    words = legible(token_bucket())
    assert "Of 9 requests 7 pass; refused at 0.6, 0.8 seconds." in words
    bucket, times = TokenBucket(2, 4), [0.1 * i for i in range(30)]
    passed = sum(bucket.take(time) == 0.0 for time in times)
    assert f"Of 30 requests {passed} pass" in legible(token_bucket(times, 2, 4))


@pytest.mark.parametrize(
    ("times", "rate", "burst"), [([0], 0.5, 1), ([0, 30], 1, 5.5), ([0] * 12, 0.1, 10), ([3, 3.5], 100, 50)]
)
def test_any_bucket_is_legible(times, rate, burst, legible):
    legible(token_bucket(times, rate, burst))


@pytest.mark.parametrize("times", [[], [0] * 31, [-1, 0], [2, 1]])
def test_times_that_cannot_be_drawn_are_refused(times):
    with pytest.raises(ValueError, match="give"):
        token_bucket(times)
    with pytest.raises(ValueError, match="admits nothing"):
        token_bucket([0], 1, 0.5)


@pytest.mark.parametrize("q", [0.0, 0.5, 0.95, 0.99, 1.0])
@pytest.mark.parametrize("counts", [[12, 40, 31, 10, 5, 2, 0, 0], [0, 0, 3, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 9]])
def test_the_quantile_is_the_one_that_is_computed(q, counts, legible):
    words, value = legible(histogram_quantile(BOUNDS, counts, q)), quantile(q, BOUNDS, counts)
    if "cannot say how far" in words:
        assert value == BOUNDS[-1] and counts[-1]
    else:
        assert f"= {value:.3g} s." in words


def test_the_arithmetic_is_said(legible):
    words = legible(histogram_quantile(BOUNDS, [12, 40, 31, 10, 5, 2, 0, 0]))
    assert "the value of rank 95 lies in the bucket from 0.5 to 1: 0.5 + (95 − 93) / 5 · (1 − 0.5) = 0.7 s." in words


def test_nothing_and_too_much_are_refused():
    assert math.isnan(quantile(0.5, [1], [0, 0]))
    with pytest.raises(ValueError, match="nothing was counted"):
        histogram_quantile([1], [0, 0])
    with pytest.raises(ValueError, match="15 bounds"):
        histogram_quantile(range(1, 16), [1] * 16)
    with pytest.raises(ValueError, match="one count for each bucket"):
        histogram_quantile([1], [3])
