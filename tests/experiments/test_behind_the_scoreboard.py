"""The measurements behind notebook 00: a model without a context saves no bits, and the distances add up to the score."""

import numpy as np
import pytest

from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.bots.recipes import PairRecipe
from helpers.evaluation.likelihood import bits_per_byte_on
from helpers.experiments import behind_the_scoreboard as behind
from helpers.io import read_rows
from tests import factories

TEXTS = ("Hello there, my friend!", "Hello to you too.", "How is the soup?", "It is fine, and you?", "Ok!")
TALKS = factories.conversations(6, TEXTS)


def test_a_model_that_reads_nothing_saves_nothing(tokenizer):
    bot = Bot(factories.ngram(len(tokenizer), order=1), tokenizer, "unigram")
    (row,) = behind.context_bits(bot, TALKS)
    assert row["case"] == "6 replies" and row["value"] == pytest.approx(0, abs=1e-9)


def test_the_distances_add_up_to_the_score(bot):
    *inside, closing = behind.turn_bits(bot, TALKS)
    assert [row["case"] for row in inside] == ["0–9", "10–49", "50–199", "200 and more"]
    assert sum(row["share"] for row in inside) == pytest.approx(1, abs=1e-3) and closing["value"] > 0
    text = sum(row["share"] * row["value"] for row in inside if row["share"])
    score = bits_per_byte_on(bot.model, bot.tokenizer, TALKS)
    assert text + closing["value"] == pytest.approx(score, rel=1e-3)


def test_the_error_of_a_ratio_is_that_of_resampling():
    rng = np.random.default_rng(0)
    size = rng.integers(5, 40, 200)
    bits = 1.7 * size + rng.normal(0, 5, 200)
    again = [bits[rows].sum() / size[rows].sum() for rows in rng.integers(0, 200, (2000, 200))]
    assert behind._ratio(bits, size)["error"] == pytest.approx(np.std(again), rel=0.1)


def test_more_training_is_a_row(checkpoint_folder, tokenizer, monkeypatch):
    recipe = PairRecipe("Transformer", sizes=(), batch_size=4, context_tokens=12, reply_tokens=8)
    monkeypatch.setattr(behind, "RECIPES", {"transformer": recipe})
    checkpoints.save(Bot(factories.transformer(len(tokenizer)), tokenizer, "transformer"), {}, {})
    monkeypatch.setattr(behind, "MORE_STEPS", 3)
    run = behind.ScoreboardRun("training", "transformer", 1)
    (row,) = behind.train_more(run, factories.corpus(TALKS, TALKS, TALKS))
    assert row["case"] == "3 steps more, 0.40 passes" and 0 < row["value"] < 20


def test_the_stored_table_has_every_run():
    rows = read_rows(behind.data_path() / "behind_the_scoreboard.csv")
    keys = [{name: row[name] for name in ("series", "bot", "seed")} for row in rows]
    assert all(run.key in keys for run in behind.RUNS) and set(rows[0]) == set(behind.COLUMNS)
