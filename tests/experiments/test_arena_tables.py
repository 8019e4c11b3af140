"""The arena's tables: a planted vanity is found, no bot is on its own jury, and what was measured is measured once."""

import math

import numpy as np

from helpers.bots.judges import JUDGES
from helpers.experiments import arena_tables
from helpers.io import read_rows, write_rows
from tests.experiments.test_arena_ratings import BOTS, rated, score_rows


def test_each_judge_has_a_row_with_its_biases():
    scores, found = rated(score_rows(60, vanity=1.5))
    rows = {row["judge"]: row for row in arena_tables.judge_rows(scores, found)}
    assert set(rows) == {"gpt", "gpt-chat", "gold"} and set(rows["gpt"]) <= set(arena_tables.JUDGE_COLUMNS)
    gpt = rows["gpt"]
    assert gpt["self_preference"] > 120 and gpt["self_low"] > 0 and gpt["self_controlled"] > 120
    assert rows["gpt-chat"]["self_preference"] < 60 and "self_preference" not in rows["gold"]
    assert gpt["people_low"] < gpt["people_over_elsewhere"] < gpt["people_high"] and gpt["people_over_elsewhere"] > 0.6
    assert all(0.4 < row["agreement"] < 0.8 and 1 <= row["people_rank"] <= 5 for row in rows.values())
    assert arena_tables.agreement(scores, "gpt", "gpt") == 1.0


def test_no_bot_is_on_its_own_jury():
    scores, found = rated(score_rows(30, vanity=3.0))
    points, samples = arena_tables.jury(scores.names, found)
    assert points[0] == found["gpt-chat"].points[0] and points[1] == found["gpt"].points[1]
    assert math.isclose(points[2], (found["gpt-chat"].points[2] + found["gpt"].points[2]) / 2)
    assert samples.shape == (12, 5) and np.allclose(samples[:, 1], found["gpt"].samples[:, 1])


def test_the_tables_are_written_and_bits_are_measured_once(preference_course, tmp_path, monkeypatch):
    monkeypatch.setattr(arena_tables, "resampled", lambda prompts, seed=0, number=5: np.ones((5, prompts)))
    write_rows(tmp_path / "arena_scores.csv", ["prompt", "seed", "contestant", "words", *JUDGES], score_rows(20))
    arena_tables.write_ratings(tmp_path, preference_course.test)
    ratings, judges, board = (read_rows(tmp_path / f"arena_{name}.csv") for name in ("ratings", "judges", "scoreboard"))
    assert len(ratings) == len(JUDGES) * 5 and list(ratings[0]) == list(arena_tables.RATING_COLUMNS)
    assert [row["judge"] for row in judges] == list(JUDGES) and [row["bot"] for row in board] == list(BOTS)
    assert all(row["parameters"] > 0 and row["bits_low"] <= row["bits_high"] for row in board)
    monkeypatch.setattr(arena_tables, "bits_interval", None)
    before = (tmp_path / "arena_scoreboard.csv").read_bytes()
    arena_tables.write_ratings(tmp_path, preference_course.test)
    assert (tmp_path / "arena_scoreboard.csv").read_bytes() == before


def test_bits_of_a_bot_have_an_interval_by_conversations(preference_course):
    from helpers.bots import checkpoints
    from helpers.evaluation.likelihood import bits_per_byte_on

    bot, talks = checkpoints.load("gpt"), preference_course.test
    low, high = arena_tables.bits_interval("gpt", talks)
    assert low < bits_per_byte_on(bot.model, bot.tokenizer, talks) < high
