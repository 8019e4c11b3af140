"""Quality at equal diversity: lines between measured points, nothing beyond them, and maximum likelihood against itself."""

import pytest

from helpers.experiments.dialogue_gan_verdict import (
    at_equal_diversity,
    curve,
    difference,
    differences,
    seeds_of,
    verdict,
)


def bot(start, run, seed, shift=0.0):
    """A curve on which a diversity d has (10 d + shift) nats, from .2 at temperature .5 to 1 at 2.5; not in order."""
    points = ((1.5, 0.6), (0.5, 0.2), (2.5, 1.0))
    key = {"start": start, "run": run, "seed": seed}
    return [key | {"temperature": t, "distinct-2": d, "nats": 10 * d + shift, "self-bleu-2": 1 - d} for t, d in points]


ROWS = [
    {"start": 0, "run": "people", "seed": 0, "temperature": None, "distinct-2": 0.9, "nats": 3.0},
    *bot(1, "MLE", 0, -0.1), *bot(1, "MLE", 1, 0.0), *bot(1, "MLE", 2, 0.4), *bot(1, "gan", 0, 1.1),
    *bot(2, "MLE", 0, 0.0), *bot(2, "MLE", 1, 0.2), *bot(2, "gan", 0, 2.1), *bot(3, "gan", 0, 5.0),
]  # fmt: skip


def test_a_curve_is_one_bots_rows_in_order_of_temperature():
    assert [row["temperature"] for row in curve(ROWS, 1, "MLE", 2)] == [0.5, 1.5, 2.5]
    assert seeds_of(ROWS, 1, "MLE") == [0, 1, 2] and seeds_of(ROWS, 3, "MLE") == []


def test_between_points_a_straight_line_and_beyond_them_nothing():
    points = curve(ROWS, 1, "gan")
    assert at_equal_diversity(points, 0.5) == pytest.approx(6.1)
    assert at_equal_diversity(points, 0.2) == pytest.approx(3.1)
    assert at_equal_diversity(points, 0.19) is None and at_equal_diversity(points, 1.01) is None
    assert at_equal_diversity(points, 0.5, diversity="self-bleu-2") == pytest.approx(6.1)
    assert at_equal_diversity([], 0.5) is None
    unmeasured = [row | {"distinct-2": None} if row["temperature"] == 0.5 else row for row in points]
    assert at_equal_diversity(unmeasured, 0.5) is None


def test_a_run_is_compared_with_the_mean_of_all_seeds_of_its_own_start():
    assert difference(ROWS, 1, "gan", 0.5) == pytest.approx(1.1 - 0.1)
    assert difference(ROWS, 2, "gan", 0.5) == pytest.approx(2.1 - 0.1)
    assert difference(ROWS, 3, "gan", 0.5) is None  # no maximum likelihood from there
    assert difference(ROWS, 1, "gan", 0.1) is None


def test_a_seed_of_maximum_likelihood_is_compared_with_the_others_only():
    assert difference(ROWS, 1, "MLE", 0.5, 2) == pytest.approx(0.4 - (-0.1 + 0.0) / 2)
    assert difference(ROWS, 2, "MLE", 0.5, 0) == pytest.approx(-0.2)


def test_the_verdict_is_over_starts_and_its_null_over_starts_and_seeds():
    assert differences(ROWS, "gan", (0.3, 0.5)) == {(1, 0): pytest.approx(1.0), (2, 0): pytest.approx(2.0)}
    assert differences(ROWS, "gan", (0.1, 0.5)) == {}
    gan, null, none = verdict(ROWS, ("gan", "MLE", "no such run"), (0.3, 0.5))
    assert (gan["mean"], gan["sd"], gan["number"]) == (pytest.approx(1.5), pytest.approx(0.5**0.5), 2)
    assert null["number"] == 5 and null["mean"] == pytest.approx(0.0) and null["sd"] > 0.2
    assert none == {"run": "no such run", "mean": None, "sd": None, "number": 0}
