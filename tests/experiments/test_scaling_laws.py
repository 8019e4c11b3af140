"""The training runs behind the scaling law: what is missing is measured, once, and what is there is left alone."""

import pytest
import torch

from helpers.experiments import scaling_laws
from helpers.io import read_rows
from helpers.models.gpt import GPT, GPTConfig


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(scaling_laws, "data_path", lambda: tmp_path)
    monkeypatch.setattr(
        scaling_laws, "RUNS", (scaling_laws.ScalingRun("parameters", 8, 1), scaling_laws.ScalingRun("tokens", 8, 2, 1))
    )
    stream = torch.randint(0, 9, (9000,), dtype=torch.int16, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(scaling_laws, "load_texts", lambda: (stream, stream, 9))
    return tmp_path


def test_layers_hold_twelve_times_the_square_of_the_width():
    model = GPT(GPTConfig.modern(9, n_embd=16, n_layer=2, n_head=2))
    assert scaling_laws.layer_parameters(16) == sum(weights.numel() for weights in model.blocks.parameters())


def test_every_run_becomes_a_row(folder):
    scaling_laws.main()
    rows = read_rows(folder / "scaling.csv")
    assert [(row["series"], row["width"], row["tokens"], row["seed"]) for row in rows] == [
        ("parameters", 8, scaling_laws.TOKENS_A_STEP, 0),
        ("tokens", 8, 2 * scaling_laws.TOKENS_A_STEP, 1),
    ]
    assert all(0 < row["loss"] < 9 for row in rows)


def test_only_what_is_missing_is_measured(folder, monkeypatch):
    scaling_laws.main()
    path = folder / "scaling.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(text.splitlines()[:2]) + "\n", encoding="utf-8")
    trained = []
    monkeypatch.setattr(scaling_laws, "train_one", lambda *arguments: trained.append(arguments[-3:]) or 1.5)
    scaling_laws.main()
    assert trained == [(8, 2, 1)]
    assert path.read_text(encoding="utf-8").splitlines()[:2] == text.splitlines()[:2]
    scaling_laws.main()
    assert len(trained) == 1
