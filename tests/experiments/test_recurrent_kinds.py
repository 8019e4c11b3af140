"""RNN, GRU and LSTM for equally long: equal time is a number of steps, and what is missing is measured, once."""

import pytest
import torch

from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.experiments import recurrent_kinds
from helpers.experiments.recurrent_kinds import KINDS, SECONDS, RecurrentRun
from helpers.io import read_rows
from helpers.models.rnn import CharRNN
from tests.factories import conversation

TOKENIZER = CharTokenizer("ab ")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    ids = torch.randint(3, 9, (9000,), dtype=torch.int16, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(recurrent_kinds, "data_path", lambda: tmp_path)
    monkeypatch.setattr(recurrent_kinds, "RUNS", (RecurrentRun("RNN", 0), RecurrentRun("LSTM", 1)))
    monkeypatch.setattr(recurrent_kinds, "SECONDS", (0.01, 0.03))
    monkeypatch.setattr(recurrent_kinds, "load_texts", lambda: (ids, [conversation("ab", "b a")], TOKENIZER))
    return tmp_path


def test_equal_time_is_a_number_of_steps():
    for kind in KINDS.values():
        assert kind.steps(max(SECONDS)) * kind.seconds_per_step == pytest.approx(max(SECONDS), rel=0.01)


def test_the_wide_network_has_about_as_many_parameters_as_the_lstm():
    sizes = {name: CharRNN(98, kind.kind, kind.hidden_size).parameter_count() for name, kind in KINDS.items()}
    assert sizes["wide RNN"] == pytest.approx(sizes["LSTM"], rel=0.2)
    assert sizes["RNN"] < 0.5 * sizes["LSTM"]


def test_each_run_becomes_a_row_for_each_time(folder):
    recurrent_kinds.main()
    rows = read_rows(folder / "recurrent_kinds.csv")
    assert [(row["model"], row["seed"], row["steps"]) for row in rows] == [
        ("RNN", 0, 1), ("RNN", 0, 4), ("LSTM", 1, 1), ("LSTM", 1, 3)
    ]  # fmt: skip
    assert all(0 < row["bits per byte"] < 20 for row in rows)


def test_only_what_is_missing_is_measured(folder, monkeypatch):
    recurrent_kinds.main()
    path = folder / "recurrent_kinds.csv"
    text = path.read_text(encoding="utf-8")
    monkeypatch.setattr(recurrent_kinds, "train_one", lambda *arguments: pytest.fail("nothing is missing"))
    recurrent_kinds.main()
    assert path.read_text(encoding="utf-8") == text
