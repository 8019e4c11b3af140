"""The training runs behind the bottleneck of notebook 03: the task, its score, and a table that fills only what is missing."""

import pytest
import torch

from helpers.experiments import bottleneck
from helpers.experiments.bottleneck import LETTERS, BottleneckRun, RepeatBatches, letters_right
from helpers.io import read_rows


class Oracle:
    """A model that knows the first letters of every word, and guesses the letter a from there on."""

    def __init__(self, known):
        self.known = known

    def read(self, batch):
        guess = batch.targets.clone()
        guess[:, self.known :] = LETTERS.end
        return torch.nn.functional.one_hot(guess, len(LETTERS)).float()


def test_b_repeats_what_a_says():
    context, inputs, targets, first = RepeatBatches(batch_size=3)[5]
    word = LETTERS.decode(context[0, 2:])
    assert LETTERS.decode(context[0], special=True) == f"<end><A>{word}"
    assert LETTERS.decode(inputs[0], special=True) == f"<B>{word}"
    assert LETTERS.decode(targets[0], special=True) == f"{word}<end>" and first and len(context) == 3


def test_reversed_b_says_it_backwards():
    context, inputs, targets, _ = RepeatBatches(reverse=True)[3]
    assert LETTERS.decode(targets[7, :-1]) == LETTERS.decode(context[7, 2:])[::-1] == LETTERS.decode(inputs[7, 1:])


def test_batches_are_the_same_for_a_seed_and_new_at_each_step():
    first, again, other = RepeatBatches(1), RepeatBatches(1), RepeatBatches(2)
    assert all(torch.equal(a, b) for a, b in zip(first[4][:3], again[4][:3]))
    words = {LETTERS.decode(batches[t].context[0, 2:]) for batches in (first, other) for t in range(20)}
    assert len(words) > 35
    lengths = {first[t].context.shape[1] - 2 for t in range(200)}
    assert lengths == set(range(1, 17))


def test_the_score_counts_letters():
    assert letters_right(Oracle(3), 8) == pytest.approx(3)
    assert letters_right(Oracle(9), 8) == 8  # the token that closes the word does not count
    assert letters_right(Oracle(2), 5, reverse=True) == pytest.approx(2)


def test_with_attention_and_without_a_width_learns_at_the_same_rate():
    assert bottleneck.learning_rate(64) == pytest.approx(0.01)
    widths = {(run.hidden_size, run.attention) for run in bottleneck.RUNS}
    with_attention, one_vector = ({width for width, kind in widths if kind == name} for name in ("learned", "none"))
    assert with_attention < one_vector
    assert {
        width for width, kind in widths if kind == "ends"
    } == with_attention  # the control stands beside each of them
    assert len(set(bottleneck.RUNS)) == len(bottleneck.RUNS)


def test_only_what_is_missing_is_run(tmp_path, monkeypatch):
    monkeypatch.setattr(bottleneck, "data_path", lambda: tmp_path)
    runs = (BottleneckRun(4, "none", 1, 0), BottleneckRun(4, "ends", 1, 0), BottleneckRun(4, "learned", 1, 0))
    monkeypatch.setattr(bottleneck, "RUNS", runs[:1])
    bottleneck.main()
    monkeypatch.setattr(bottleneck, "RUNS", runs)
    trained = []
    train_one = bottleneck.train_one
    monkeypatch.setattr(bottleneck, "train_one", lambda run: trained.append(run) or train_one(run))
    bottleneck.main()
    rows = read_rows(tmp_path / "bottleneck.csv")
    assert trained == [*runs[1:]] and tuple(rows[0]) == bottleneck.COLUMNS
    assert [(row["attention"], row["length"]) for row in rows] == [
        (run.attention, n) for run in runs for n in bottleneck.LENGTHS
    ]
    assert all(0 <= row["letters"] <= row["length"] for row in rows)


def test_the_stored_table_is_that_of_the_runs():
    from helpers import data_path

    rows = read_rows(data_path("bottleneck.csv"))
    assert len(rows) == len(bottleneck.RUNS) * len(bottleneck.LENGTHS)
    assert all(any(run.key.items() <= row.items() for row in rows) for run in bottleneck.RUNS)
