"""The bubble is counted, not painted; a killed training does the right steps again."""

import pytest

from helpers.show.drawings.pipelines import pipeline_schedule, restart_timeline, scatter_gather
from helpers.training.pipeline import gpipe_schedule


@pytest.mark.parametrize(
    ("stages", "micro_batches", "share"),
    [(4, 4, "43 %"), (2, 1, "50 %"), (4, 16, "16 %"), (1, 3, "0 %"), (8, 14, "33 %")],
)
def test_the_bubble_is_counted(stages, micro_batches, share, legible):
    drawing = pipeline_schedule(gpipe_schedule(stages, micro_batches))
    assert f"{share}: the bubble." in legible(drawing) and f">idle: {share}<" in drawing.svg


def test_any_rows_can_be_drawn(legible):
    words = legible(pipeline_schedule([["F0", "F1", "B1", "B0"], ["", "F0", "B0", ""]]))
    assert words.startswith(
        "A pipeline of 2 stages and 2 micro-batches: 4 ticks, in which 2 of 8 slots are idle, 25 %"
    )


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "0 stages cannot be drawn"),
        ([[]], "1 to 8 rows with ticks"),
        ([["F0"], ["F0", "B0"]], "different lengths"),
        ([["F0"] * 45], "45 ticks"),
        ([["X0"]], '"X0" is no entry'),
        ([["F"]], '"F" is no entry'),
    ],
)
def test_rows_that_are_no_schedule_are_refused(rows, sentence):
    with pytest.raises(ValueError, match=sentence):
        pipeline_schedule(rows)


@pytest.mark.parametrize(
    ("every", "kill", "steps", "read", "again"), [(5, 13, 20, 10, "3 steps"), (7, 29, 30, 28, "1 step")]
)
def test_a_killed_training_goes_on_from_its_last_file(every, kill, steps, read, again, legible):
    words = legible(restart_timeline(every, kill, steps))
    assert f"reads the file of step {read} and does {again} again" in words


def test_a_kill_that_cannot_be_drawn_is_said(legible):
    assert "does 0 steps again" in legible(restart_timeline(5, 10, 20))
    for arguments in ((5, 20, 20), (5, 3, 20), (0, 3, 20), (5, 13, 31)):
        with pytest.raises(ValueError, match="1 ≤ every"):
            restart_timeline(*arguments)


def test_months_are_scattered_and_parts_gathered(legible):
    assert "each of 3 months" in legible(scatter_gather()) and "one of 4 partitions" in scatter_gather().words
    drawing = scatter_gather([f"2015-0{i}" for i in range(1, 7)], 6)
    legible(drawing)
    assert "2015-06" in drawing.svg and "⌊crc32(link_id) · 6 / 2³²⌋" in drawing.svg
    legible(scatter_gather(2, 5))
    with pytest.raises(ValueError, match="7 months cannot"):
        scatter_gather(7)
    with pytest.raises(ValueError, match="1 partition cannot"):
        scatter_gather(3, 1)
