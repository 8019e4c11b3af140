"""Each key has its own minute."""

import pytest

pytest.importorskip("limits", reason="needs the extra [serve]: make extras")

from helpers.serving.errors import ServiceError
from helpers.serving.limiting import Limits
from helpers.serving.settings import Settings


@pytest.fixture
def clock(monkeypatch):
    """The clock that everyone reads, as a list of one number."""
    now = [1_800_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


def refused(limits, person="anna"):
    """Return the error of one request too many, None where it is admitted."""
    try:
        limits.admit(person)
    except ServiceError as error:
        return error
    return None


def test_without_limits_everything_passes():
    limits = Limits(Settings())
    assert not any(refused(limits) for _ in range(1_000))
    limits.charge("anna", 10**9)
    assert not refused(limits)


def test_requests_of_a_minute(clock):
    limits = Limits(Settings(requests_per_minute=3))
    for _ in range(3):
        assert not refused(limits)
        clock[0] += 10
    error = refused(limits)
    assert (error.status, error.code, error.headers()["retry-after"]) == (429, "rate_limit_exceeded", "30")
    assert not refused(limits, "ben")  # another key has its own minute
    clock[0] += 29
    assert refused(limits)
    clock[0] += 2  # the first is more than a minute ago; refused ones do not count
    assert not refused(limits) and refused(limits)


def test_no_minute_ever_has_more(clock):
    limits, times = Limits(Settings(requests_per_minute=5)), []
    for _ in range(400):
        clock[0] += 1
        if not refused(limits):
            times.append(clock[0])
    assert len(times) == 35
    assert all(sum(start <= time < start + 60 for time in times) <= 5 for start in times)


def test_tokens_of_a_minute(clock):
    limits = Limits(Settings(tokens_per_minute=100))
    assert not refused(limits)
    limits.charge("anna", 99)
    assert not refused(limits)
    limits.charge("anna", 50)  # the last one admitted may go beyond
    error = refused(limits)
    assert (
        error.status == 429
        and "100 tokens a minute" in error.message
        and 1 <= int(error.headers()["retry-after"]) <= 60
    )
    assert not refused(limits, "ben")
    clock[0] += 61
    assert not refused(limits)


def test_requests_and_tokens_are_counted_apart(clock):
    limits = Limits(Settings(requests_per_minute=5, tokens_per_minute=5))
    for _ in range(5):
        assert not refused(limits)
    assert "requests" in refused(limits).message
