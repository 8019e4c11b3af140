"""The runs behind the vocabularies of notebook 05: equal multiplications, samples by seed, and only what is missing."""

import pytest

from helpers.experiments import vocabulary
from helpers.io import read_rows
from helpers.models.rnn import CharRNN
from tests.factories import conversation, corpus


def test_every_lstm_costs_the_same_number_of_multiplications():
    inside = CharRNN(1, kind="lstm", hidden_size=vocabulary.WIDTH).parameter_count()
    assert vocabulary.INSIDE == pytest.approx(inside, rel=0.02)
    for budget in vocabulary.BUDGETS:
        costs = [
            vocabulary.steps_for(size, budget) * (vocabulary.INSIDE + size * vocabulary.WIDTH)
            for size in (261, 1024, vocabulary.LARGEST)
        ]
        assert costs == pytest.approx([costs[-1]] * 3, rel=0.01)
        assert vocabulary.steps_for(vocabulary.LARGEST, budget) == budget


def test_only_what_is_missing_is_measured(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(vocabulary, "data_path", lambda: tmp_path)
    monkeypatch.setattr(vocabulary, "load", lambda: "the corpus")
    monkeypatch.setattr(vocabulary, "SAMPLES", (vocabulary.SampleRun(20, 0), vocabulary.SampleRun(20, 1)))
    monkeypatch.setattr(vocabulary, "LSTMS", (vocabulary.LSTMRun(1, 261, 0),))
    for name in ("count_sample", "train_lstm"):
        monkeypatch.setattr(
            vocabulary, name, lambda corpus, run: done.append(run) or [{**run.key, "vocabulary": 512, "bits per byte": 2.5}]
        )
    vocabulary.main()
    assert len(done) == 3 and len(read_rows(tmp_path / "vocabulary.csv")) == 2
    vocabulary.main()
    assert len([run for run in done if isinstance(run, vocabulary.SampleRun)]) == 2


def test_a_sample_depends_on_its_seed_alone(monkeypatch):
    monkeypatch.setattr(vocabulary, "SIZES", (262, 264, 8192))
    talks = [conversation(*(f"soup {number} soup {word}" for word in ("one", "two")), name=str(number)) for number in range(30)]
    first, again, other = (
        vocabulary.count_sample(corpus(train=talks, val=talks[:3]), vocabulary.SampleRun(10, seed)) for seed in (0, 0, 1)
    )
    assert first == again != other
    assert [row["vocabulary"] for row in first] == [262, 264]  # there are not enough pairs for the largest


def test_an_lstm_becomes_a_row():
    texts = [f"soup {word}" for word in ("one", "two") * 40]
    talks = [conversation(*texts, name=str(number)) for number in range(30)]
    (row,) = vocabulary.train_lstm(corpus(train=talks, val=talks[:3]), vocabulary.LSTMRun(1, 261, 0))
    assert row["steps"] == vocabulary.steps_for(261, 1) > 1 and row["bytes"] > 0 and 0 < row["bits per byte"] < 9
