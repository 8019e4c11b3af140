"""From scores to ratings: planted strengths, a planted taste for length, and a planted vanity are found again."""

import math

import numpy as np
import pytest

from helpers.bots.judges import JUDGES, in_file
from helpers.experiments import arena_ratings, arena_tables

BOTS = ("gpt", "gpt-chat")
OTHERS = ("people", "people elsewhere", "always fine")


def score_rows(prompts=40, taste=0.0, vanity=0.0, seeds=(0, 1)):
    """Scores with Gumbel noise: their differences are logistic, so that win probabilities are those of Bradley–Terry."""
    strength = {"gpt": 0.0, "gpt-chat": 0.5, "people": 1.0, "people elsewhere": 0.0, "always fine": -0.5}
    rng, rows = np.random.default_rng(0), []
    for name in (*BOTS, *OTHERS):
        for seed in seeds if name in BOTS else [None]:
            for prompt in range(prompts):
                words = int(rng.integers(2, 20)) + 10 * (name == "gpt")
                row = {"prompt": prompt, "seed": seed, "contestant": name, "words": words}
                for judge in JUDGES:
                    score = strength[name] + rng.gumbel() + taste * math.log(words) + vanity * (judge == name == "gpt")
                    row[judge] = in_file(judge, score)
                rows.append(row)
    return rows


def rated(rows, judges=("gpt", "gpt-chat", "gold")):
    scores = arena_ratings.Scores(rows)
    draws = arena_ratings.resampled(scores.words.shape[1], number=12)
    return scores, {judge: arena_ratings.Rated(scores, judge, draws) for judge in judges}


def test_planted_strengths_are_found_and_intervals_hold_them():
    scores, found = rated(score_rows(150), ("gold",))
    assert scores.names == [*BOTS, *OTHERS] and scores.seeds == [0, 1]
    truth = np.array([0.0, 0.5, 1.0, 0.0, -0.5]) * 400 / math.log(10)
    assert np.abs(found["gold"].points - (truth - truth.mean())).max() < 35
    low, high = arena_ratings.interval(found["gold"].samples)
    assert (low < found["gold"].points).all() and (found["gold"].points < high).all() and 20 < (high - low).mean() < 90
    assert found["gold"].spread.shape == (5,) and (found["gold"].spread > 0).all()


def test_a_taste_for_length_is_found_and_taken_out():
    scores, found = rated(score_rows(100, taste=2.0), ("gold",))
    _, plain = rated(score_rows(100), ("gold",))
    gold, gpt = found["gold"], scores.names.index("gpt")
    assert gold.length > 300 > 60 > abs(plain["gold"].length)  # Elo points
    assert (
        gold.points[gpt] - plain["gold"].points[gpt] > 100 > 60 > abs(gold.controlled[gpt] - plain["gold"].points[gpt])
    )
    assert arena_tables.longer_share(scores, "gold") > 0.65


def test_half_a_table_is_not_rated():
    with pytest.raises(ValueError, match="a reply has no score yet"):
        arena_ratings.Scores(score_rows(3)[:-1])
