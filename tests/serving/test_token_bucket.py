"""The token bucket: a burst at once, and the rate in the long run."""

import pytest

from helpers.serving.token_bucket import TokenBucket


def test_it_begins_full_and_says_how_long_to_wait():
    bucket = TokenBucket(rate=2.0, burst=3.0)
    assert [bucket.take(100.0) for _ in range(3)] == [0.0] * 3
    assert bucket.take(100.0) == pytest.approx(0.5)
    assert bucket.take(100.25) == pytest.approx(0.25)  # a refused request has taken nothing
    assert bucket.take(100.5) == 0.0


def test_it_holds_no_more_than_its_burst():
    bucket = TokenBucket(1.0, 3.0)
    assert sum(bucket.take(now) == 0 for now in [0.0] * 5 + [1000.0] * 5) == 6


def test_in_the_long_run_the_rate_holds():
    bucket = TokenBucket(0.5, 1.0)
    assert sum(bucket.take(now / 10) == 0 for now in range(200)) == 10


def test_a_clock_that_goes_back_stands_still():
    bucket = TokenBucket(1.0, 1.0)
    assert bucket.take(10.0) == 0.0
    assert bucket.take(5.0) == pytest.approx(1.0)
    assert bucket.take(10.5) == pytest.approx(0.5)


def test_a_request_may_cost_more():
    bucket = TokenBucket(1.0, 4.0)
    assert bucket.take(0.0, cost=3.0) == 0.0
    assert bucket.take(0.0, cost=3.0) == pytest.approx(2.0)
    with pytest.raises(ValueError, match="from 0 to the burst"):
        bucket.take(0.0, cost=5.0)


@pytest.mark.parametrize("numbers", [(0, 1), (1, 0), (-1, 1), (float("inf"), 1)])
def test_numbers_that_make_no_sense(numbers):
    with pytest.raises(ValueError, match="above 0"):
        TokenBucket(*numbers)
