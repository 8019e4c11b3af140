"""The induction experiment: models as the table names them, rows along the training, and heads that are really taken away."""

import csv

import pytest
import torch

from helpers import data_path
from helpers.corpus.batches.repeated_sequences import repeated_ids
from helpers.experiments import induction
from helpers.experiments.induction import (
    COLUMNS,
    RUNS,
    VARIANTS,
    InductionRun,
    main,
    measure,
    new_model,
    train_one,
    without_heads,
)
from helpers.io import read_rows


def test_the_models_are_those_of_the_variants():
    for variant, (n_layer, _, changes) in VARIANTS.items():
        model = new_model(n_layer, **changes)
        assert len(model.blocks) == n_layer == (1 if "one" in variant else 2)
        assert model.settings.qk_norm == ("QK-norm" in variant) and not model.settings.bigram_rows
    assert torch.equal(new_model(seed=1).embed.weight, new_model(seed=1).embed.weight)
    assert {run.seed for run in RUNS} == {0, 1, 2} and len(RUNS) == 3 * len(VARIANTS)


def test_a_training_has_rows_along_the_way(monkeypatch):
    monkeypatch.setattr(induction, "EVERY", 2)
    rows = train_one(InductionRun("one layer, period 24", 1), steps=4)
    assert [row["step"] for row in rows] == [0, 2, 4] and {row["seed"] for row in rows} == {1}
    assert all(3.8 < row["nats_24"] < 4.6 and 0 < row["induction"] < 0.2 for row in rows)
    assert "without_previous" in rows[-1] and "without_previous" not in rows[0]
    assert set().union(*rows) == set(COLUMNS)


def test_a_head_is_replaced_by_its_mean_alone():
    model = new_model()
    for block in model.blocks:
        torch.nn.init.normal_(block.attention.output.weight, std=0.5)
        torch.nn.init.normal_(block.attention.qkv.weight, std=0.5)
    model.embed.weight.data *= 30  # the table scores as well: small numbers in it make every token equally likely
    clean, without = measure(model, 8)["nats_24"], without_heads(model, 8)
    assert all(abs(loss - clean) > 1e-3 for loss in without.values())
    torch.nn.init.zeros_(model.blocks[0].attention.output.weight)
    torch.nn.init.zeros_(model.blocks[1].attention.output.weight)
    silent = measure(model, 8)["nats_24"]
    assert all(loss == pytest.approx(silent, abs=1e-5) for loss in without_heads(model, 8).values())


def test_the_command_runs_what_the_table_lacks(tmp_path, monkeypatch):
    monkeypatch.setattr(induction, "data_path", lambda: tmp_path)
    monkeypatch.setattr(induction, "RUNS", (InductionRun("one layer", 0), InductionRun("two layers", 0)))
    monkeypatch.setattr(induction, "EVERY", 1)
    ran = []

    def train(run, steps=1, train_one=train_one):
        ran.append(run.variant)
        return train_one(run, steps)

    monkeypatch.setattr(induction, "train_one", train)
    main()
    main()
    assert ran == ["one layer", "two layers"]
    assert [row["step"] for row in read_rows(tmp_path / "induction.csv")] == [0, 1, 0, 1]


def test_the_table_says_what_the_notebook_says():
    with (data_path() / "induction.csv").open(encoding="utf-8", newline="") as file:
        assert tuple(next(csv.reader(file))) == COLUMNS
    rows = read_rows(data_path() / "induction.csv")
    last = {(row["variant"], row["seed"]): row for row in rows if row["step"] == induction.STEPS}
    for seed in (0, 1, 2):
        grown = last["two layers", seed]
        assert grown["nats_24"] < 0.2 and grown["nats_16"] < 0.2 and min(grown["previous"], grown["induction"]) > 0.8
        assert grown["without_previous"] > 3  # without the first head there is nothing to copy with
        assert last["one layer", seed]["nats_24"] > 3 and last["one layer", seed]["induction"] < 0.2
        trap = last["one layer, period 24", seed]
        assert trap["nats_24"] < 1 and trap["nats_16"] > 5  # it copies over its own distance only
        assert trap["induction"] > 0.9 and trap["induction_16"] < 0.1  # and at that distance the score is fooled


def test_rows_of_the_test_are_no_rows_of_the_training():
    seen = {tuple(row[:8].tolist()) for row in induction.RepeatedSequences(seed=0)[0].inputs}
    assert not seen & {tuple(row[:8].tolist()) for row in repeated_ids()}
