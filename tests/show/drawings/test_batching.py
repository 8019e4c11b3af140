"""Who is in which row when is computed by the rule; padding and positions add up."""

import pytest

from helpers.show.drawings.batching import batch_schedules, batching_schedule, left_padding, places

LENGTHS = [3, 9, 4, 6, 2, 7, 5, 3, 8, 2]


def test_a_batch_ends_with_its_longest_reply():
    assert places([3, 5, 2, 4], 2, "static") == [(0, 0, 3), (1, 0, 5), (0, 5, 2), (1, 5, 4)]


def test_a_free_row_is_taken_at_once():
    assert places([3, 5, 2, 4], 2, "continuous") == [(0, 0, 3), (1, 0, 5), (0, 3, 2), (0, 5, 4)]


def test_steps_and_idle_rows_are_said(legible):
    words = legible(batching_schedule(LENGTHS, 4, "static"))  # 9 + 7 + 8 steps; 4 · 24 − 49 idle
    assert (
        words.startswith("Static batching: 10 replies in 4 rows: 24 steps of the model instead of 49")
        and "49 %" in words
    )
    words = legible(batching_schedule(LENGTHS))
    assert words.startswith("Continuous batching: 10 replies in 4 rows: 17 steps") and "28 % of the rows" in words


def test_both_kinds_are_drawn_on_one_scale(legible):
    words = legible(batch_schedules(LENGTHS))
    assert "24 steps" in words and "17 steps" in words
    assert batch_schedules(LENGTHS, size=2).words == batch_schedules(LENGTHS, 2).words != words


@pytest.mark.parametrize(
    ("lengths", "size"), [([1], 1), ([80] * 64, 16), ([1] * 63 + [80], 16), ([1, 80], 5), ([2] * 7, 7)]
)
def test_any_batch_is_legible(lengths, size, legible):
    drawing = batch_schedules(lengths, size)
    legible(drawing)
    assert len(drawing.svg) < 100_000


def test_caches_are_padded_on_the_left_and_keep_their_positions(legible):
    drawing = left_padding((9, 5, 12))
    words = legible(drawing)
    assert "padded on the left to 12, by 3, 7, 0." in words and "at the positions 9, 5, 12." in words
    assert "padding = [3, 7, 0]" in drawing.svg
    legible(left_padding((1, 24, 3, 7, 2, 24)))
    legible(left_padding((1, 1)))


def test_what_cannot_be_drawn_is_said():
    for lengths, size in (([], 4), ([0, 3], 4), ([1] * 65, 4)):
        with pytest.raises(ValueError, match="1 to 64 replies"):
            batch_schedules(lengths, size)
    with pytest.raises(ValueError, match="17 rows"):
        batching_schedule([3], 17)
    with pytest.raises(ValueError, match='kind "dynamic"'):
        batching_schedule([3], 1, "dynamic")
    with pytest.raises(ValueError, match="1 cache cannot"):
        left_padding((3,))
    with pytest.raises(ValueError, match="1 to 24 tokens"):
        left_padding((3, 25))
