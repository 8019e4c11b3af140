"""Queue: the words are those of the simulation, every control works, and the learner's own waits fill the line of one row."""

import math

import pytest

from helpers.serving.queueing import simulate, traffic
from helpers.serving.waiting import waits
from helpers.show import explore_queue, queue
from tests.show.legible import problems


def test_the_words_of_the_defaults_are_recorded():
    assert queue().words == (
        "15 requests per second, replies of 30 tokens, room to wait: 32. 1 row: at most 19 replies per second. The first token "
        "comes after 160 ms (median) and 840 ms (p95); refused: 0 %; 83 % of the rows are in use; 480 tokens per second."
    )


def test_the_words_are_those_of_the_simulation():
    words = queue(120, 4, 100, 8, (0.01, 0.001)).words
    done = simulate(*traffic(120, 100, 1000), 4, 8, (0.01, 0.001))
    assert f"refused: {100 * done.refused:.0f} %" in words and "4 rows: at most 2.9 replies per second" in words
    assert f"{done.first(0.95):.1f} s (p95)" in words


def test_the_learners_waits_fill_the_line_of_one_row():
    assert queue(30, waits=waits).words == queue(30).words
    calls = []

    def none_waits(arrivals, services, room):
        calls.append((len(arrivals), room))
        return [0.0] * len(arrivals)

    assert "1.7 ms (median) and 1.7 ms (p95); refused: 0 %" in queue(30, waits=none_waits).words
    assert calls == [(1000, 32)]
    drawing = queue(30, waits=lambda arrivals, services, room: [None] * len(arrivals))
    assert drawing.words.endswith("All are refused.") and "all were refused" in drawing.svg


def test_every_setting_of_the_controls_draws(parse):
    explore = explore_queue()
    assert explore.settings == {"arrivals": 15, "rows": 1, "tokens": 30, "room": 32}
    assert explore.words == queue().words
    words, rest = {name: set() for name in explore.settings}, dict(explore.settings)
    for settings in explore.extremes():
        assert explore.error is None, (settings, explore.words)
        parse(explore._picture.value)
        assert problems(explore._picture.value) == []
        for name in words:
            if all(settings[other] == rest[other] for other in rest if other != name):
                words[name].add(explore.words)
    assert all(len(said) >= 3 for said in words.values()), words
    assert "no limit" in queue(120, 32, 100, math.inf).words


def test_rows_that_are_not_drawn_are_refused():
    with pytest.raises(ValueError, match="3 rows are not in this drawing: give one of 1, 2, 4, 8, 16, 32"):
        queue(rows=3)
