"""Sentiment: who is high and who is low, pairs of one length, folds without a leak, and classifiers that can learn."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from helpers import data_path
from helpers.bots.bot import Bot
from helpers.experiments import sentiment
from helpers.experiments.sentiment import (
    FOLDS,
    SentimentRun,
    bag_of_words,
    balanced_set,
    classifier,
    cross_validated,
    linear,
    main,
    majority,
    matched_set,
    rated,
    row_of,
    token_rows,
    tuned,
    words_of,
)
from helpers.io import read_rows
from tests import factories

RATINGS = [1, 7, 10, 10, 5, 8, 9, None]


def talks(ratings, turns=lambda number: 4):
    """Conversations of some turns: the low ones talk about fog, the high ones about sun; nothing else tells them apart."""
    result = []
    for number, rating in enumerate(ratings):
        word = "sun" if rating == 10 else "fog"
        texts = [f"I see the {word} again", f"yes the {word} is here"] * (turns(number) // 2)
        (talk,) = factories.conversations(1, texts)
        meta = {"ratings": {} if rating is None else {"upbeat": rating}}
        result.append(replace(talk, id=f"talk-{number}", meta=meta))
    return result


@pytest.fixture
def bot(tokenizer):
    return Bot(factories.gpt(len(tokenizer), n_layer=1, context=128, std=0.2), tokenizer, "gpt")


def test_the_default_is_left_out_and_the_middle_is_no_class():
    everyone = talks(RATINGS)
    assert [talk.meta["ratings"]["upbeat"] for talk in rated(everyone)] == [1, 7, 10, 10, 8, 9]
    data = balanced_set(everyone)
    upbeat = [talk.meta["ratings"]["upbeat"] for talk in data.talks]
    assert sorted(upbeat) == [1, 7, 10, 10] and data.labels.tolist() == [int(rating == 10) for rating in upbeat]
    with pytest.raises(ValueError, match="no conversation is rated 10"):
        balanced_set(talks([1, 2, 5]))


def test_the_classes_are_of_one_size():
    data = balanced_set(talks([1] * 3 + [10] * 9))
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1] and len({talk.id for talk in data.talks}) == 6
    assert {talk.id for talk in balanced_set(talks([1] * 3 + [10] * 9), seed=1).talks} != {talk.id for talk in data.talks}


def test_matched_pairs_are_of_one_length(tokenizer):
    lengths = [4, 20, 40, 4, 20, 30, 90, 90]
    everyone = talks([1, 1, 1, 10, 10, 10, 10, 10], turns=lambda number: lengths[number])
    data = matched_set(everyone, tokenizer)
    pairs = {tuple(len(talk.turns) for talk in np.array(data.talks, object)[data.groups == g]) for g in set(data.groups)}
    assert pairs == {(4, 4), (20, 20)}  # the one of 40 turns has no partner
    with pytest.raises(ValueError, match="the same length"):
        matched_set(talks([1, 10], turns=lambda number: 4 + 60 * number), tokenizer)


def test_pairs_are_never_divided_between_folds(tokenizer):
    data = matched_set(talks([1] * 20 + [10] * 20), tokenizer)
    folds = data.folds()
    assert all(len(set(folds[data.groups == group])) == 1 for group in set(data.groups.tolist()))
    assert sorted(set(folds.tolist())) == list(range(FOLDS)) and max(np.bincount(folds)) - min(np.bincount(folds)) <= 2


def test_the_words_are_without_speakers_and_the_end_is_what_the_gpt_reads(tokenizer):
    everyone = talks([10])
    (text,) = words_of(everyone, tokenizer)
    assert text == " ".join(turn.text for turn in everyone[0].turns)
    (end,) = words_of(everyone, tokenizer, 12)
    (row,) = token_rows(everyone, tokenizer, 12)
    assert len(row) == 12 and row[0] == tokenizer.end and text.replace(" ", "").endswith(end.replace(" ", ""))


def test_each_classifier_finds_a_real_difference(bot):
    data = balanced_set(talks([1] * 18 + [10] * 18))
    for method, most, least in (("words", 1.0, 1.0), ("frozen gpt", 1.0, 0.9), ("tuned gpt", 1.0, 0.6), ("majority", 0.55, 0.2)):
        right, _ = cross_validated(method, data, bot)
        assert right.shape == (36,) and least <= right.mean() <= most, method
    with pytest.raises(ValueError, match="known are majority, length"):
        classifier("tarot", data.talks, bot)


def test_what_is_held_out_was_not_seen_in_training(bot, monkeypatch):
    data, seen = balanced_set(talks([1] * 9 + [10] * 9)), []

    def predict(train, labels, held_out):
        seen.append((set(train), set(held_out)))
        assert [data.labels[item] for item in train] == labels.tolist()
        return labels, np.zeros(len(held_out), int)

    monkeypatch.setattr(sentiment, "classifier", lambda method, talks, bot: (range(18), predict))
    right, known = cross_validated("by heart", data, bot)
    assert all(train | held_out == set(range(18)) and not train & held_out for train, held_out in seen)
    assert sorted(item for _, held_out in seen for item in held_out) == list(range(18))
    assert known == 1.0 and right.tolist() == (data.labels == 0).tolist()


def test_majority_and_linear_predict_both_sides():
    labels = np.array([0, 1, 1, 1, 0, 1, 1, 0])
    assert [part.tolist() for part in majority(np.zeros((8, 1)), labels, [0, 0])] == [[1] * 8, [1, 1]]
    features = labels[:, None] + np.random.default_rng(0).normal(0, 0.01, (8, 1))
    # Four parts of the training data choose the penalty: each class needs as many.
    twice, both = np.tile(labels, 2), np.tile(features, (2, 1))
    assert linear(both, twice, [[0.0], [1.0]])[1].tolist() == [0, 1]
    assert bag_of_words(["sun"] * 8 + ["fog"] * 8, np.repeat([1, 0], 8), ["fog", "sun"])[1].tolist() == [0, 1]


def test_the_tuned_gpt_is_the_same_for_the_same_seed(bot):
    data = balanced_set(talks([1] * 6 + [10] * 6))
    rows = token_rows(data.talks, bot.tokenizer)
    first, again = (tuned(rows, data.labels, rows, bot=bot, seed=1, passes=1) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, again)) and (first[0] == first[1]).all()


def test_a_row_has_intervals_around_its_numbers(bot):
    data = balanced_set(talks([1] * 18 + [10] * 18))
    row = row_of(SentimentRun("balanced", "words"), data, bot)
    assert row["accuracy"] == row["high"] == 1.0 and row["conversations"] == 36
    assert row["over_low"] <= row["over_length"] <= row["over_high"] and row["over_length"] > 0.2
    same = row_of(SentimentRun("balanced", "length"), data, bot)
    assert same["over_length"] == same["over_low"] == same["over_high"] == 0 and same["low"] < same["accuracy"] < same["high"]


def test_the_command_runs_what_the_table_lacks(bot, tmp_path, monkeypatch):
    runs = (SentimentRun("balanced", "majority"), SentimentRun("matched", "words"))
    monkeypatch.setattr(sentiment, "RUNS", runs)
    monkeypatch.setattr(sentiment.checkpoints, "load", lambda name: bot)
    monkeypatch.setattr(sentiment, "load", lambda: factories.corpus(talks([1] * 12), talks([10] * 9), talks([10] * 9)))
    path = tmp_path / "sentiment.csv"
    main(path)
    assert [(row["set"], row["method"]) for row in read_rows(path)] == [tuple(run) for run in runs]
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    main(path)
    assert path.read_text(encoding="utf-8") == "".join(lines)


def test_the_stored_table_has_every_run():
    with data_path("sentiment.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == sentiment.COLUMNS
    assert {(row["set"], row["method"]) for row in rows} == set(map(tuple, sentiment.RUNS))
