"""Bits by speaker against the package's own measure; what a table says, against what a hand computes."""

import math

import pandas
import pytest

from helpers.corpus.conversations import Conversation, Turn
from helpers.evaluation.likelihood import reply_bits_per_byte
from helpers.experiments.fine_tuning_tables import (
    best_by_validation,
    bits_by_speaker,
    forgetting_gaps,
    frontier_points,
    old_at,
)
from tests import factories


def conversations():
    return factories.conversations(3, factories.SMALL_TALK * 3)


@pytest.fixture
def model(tokenizer):
    return factories.gpt(len(tokenizer), seed=7, n_layer=1, context=64).eval()


def test_bits_by_speaker_are_those_of_one_speaker_at_a_time(model, tokenizer):
    bits = bits_by_speaker(model, tokenizer, conversations(), 64)
    for name, speaker in (("A", "A"), ("B", "B"), ("AB", None)):
        assert bits[name] == pytest.approx(
            reply_bits_per_byte(model, tokenizer, conversations(), speaker, 64), rel=1e-5
        )
    assert abs(bits["A"] - bits["B"]) > 1e-3


def test_one_who_talks_alone_is_refused(model, tokenizer):
    with pytest.raises(ValueError, match="A and B must both say something"):
        bits_by_speaker(model, tokenizer, [Conversation("x", "x", (Turn("A", "Hello!"), Turn("A", "Hello?")))], 64)


ROWS = pandas.DataFrame(
    [
        ("untouched", "full", 0.0, 0, 12, 0, 2.0, 2.0, 1.0),
        ("untouched", "full", 0.0, 0, 40, 0, 9.0, 9.0, 9.0),
        ("frontier", "full", 3e-4, 0, 12, 8, 1.5, 1.5, 1.5),
        ("frontier", "full", 3e-4, 0, 12, 4, 1.8, 1.8, 1.1),
        ("frontier", "full", 3e-4, 1, 12, 8, 1.7, 1.6, 1.6),
        ("frontier", "full", 1e-3, 0, 12, 8, 1.4, 1.7, 1.9),
        ("frontier", "lora-8", 1e-3, 0, 12, 8, 1.9, 1.75, 1.4),
        ("frontier", "lora-8", 1e-3, 1, 12, 8, 1.9, 1.75, 1.4),  # for this seed full has one rate alone: no curve
        ("frontier", "lora-1", 1e-3, 0, 12, 8, 1.3, 1.0, 1.0),
    ],
    columns=["series", "method", "rate", "seed", "tested", "steps", "val", "new", "old"],
).assign(old_a=0.0, old_b=0.0)  # fmt: skip


def test_old_text_at_equal_learning_lies_on_the_line_between_two_points():
    points = frontier_points(ROWS, "full", 0, 3e-4)
    assert list(points["steps"]) == [0, 4, 8] and points["new"].iloc[0] == 2.0
    assert old_at(points, 1.9) == pytest.approx(1.05) and old_at(points, 1.6) == pytest.approx(1.1 + 0.4 * 2 / 3)
    assert old_at(points, 1.9, "new") == pytest.approx(1.9)
    assert math.isnan(old_at(points, 1.4)) and math.isnan(old_at(points, 2.1))  # never so low; never so high


def test_the_first_time_counts():
    """Past its best a run comes by the same level again, with more forgotten: that is not the way there."""
    points = pandas.DataFrame({"steps": [0, 1, 2], "new": [2.0, 1.0, 1.8], "old": [1.0, 2.0, 3.0]})
    assert old_at(points, 1.5) == pytest.approx(1.5)


def test_without_a_rate_the_points_are_the_ends_of_all_rates():
    points = frontier_points(ROWS.iloc[::-1], "full", 0)
    assert list(points["rate"]) == [0.0, 3e-4, 1e-3] and list(points["steps"]) == [0, 8, 8]


def test_another_series_has_its_own_beginning():
    rows = ROWS.assign(series=ROWS["series"].replace("frontier", "long"), tested=ROWS["tested"].replace(12, 40))
    points = frontier_points(rows.drop(index=0), "full", 0, series="long")
    assert list(points["new"]) == [9.0, 1.5, 1.7] and frontier_points(rows, "full", 0).empty


def test_a_gap_is_what_the_method_lost_beyond_full_at_the_same_level():
    (gap,) = forgetting_gaps(ROWS, "lora-8").to_dict("records")
    assert (gap["rate"], gap["seed"], gap["new"], gap["old"]) == (1e-3, 0, 1.75, 1.4)
    assert math.isnan(gap["gap"])  # full's ends lie at 1.5 and 1.7, the one at the higher rate last
    lower = ROWS.assign(new=ROWS["new"].replace({1.5: 1.9, 1.75: 1.8}))
    (gap,) = forgetting_gaps(lower, "lora-8").to_dict("records")
    assert gap["full"] == pytest.approx(1.7) and gap["gap"] == pytest.approx(-0.3)  # halfway from 1.9, 1.5 to 1.7, 1.9
    (gap,) = forgetting_gaps(ROWS, "lora-1", column="old_a").to_dict("records")
    assert gap["old"] == 0.0 and math.isnan(gap["gap"])  # full was never so low


def test_the_rate_is_chosen_by_validation_not_by_the_test():
    best = best_by_validation(ROWS[(ROWS["series"] == "frontier") & (ROWS["steps"] == 8)])
    assert best.loc["full", "rate"] == 1e-3 and best.loc["full", "new"] == 1.7  # 1.4 is below the mean of 1.5 and 1.7
    assert best.loc["lora-1", "old"] == 1.0
