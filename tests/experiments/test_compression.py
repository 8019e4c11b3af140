"""The tables of notebook 12: every series gives a row, only what is missing is run, and the figures say what they should."""

import math

import pytest
import torch

from helpers import data_path
from helpers.compression.matrices import matrices, with_weights
from helpers.compression.quantization import quantize_parameters
from helpers.evaluation.likelihood import bits_per_byte_on
from helpers.experiments import compression
from helpers.experiments.compression import BITS_RUNS, RUNS, BitsRun, CompressionRun, Material, measure_on
from helpers.io import read_rows
from tests.factories import conversation, gpt


@pytest.fixture
def talks():
    return [conversation(*["soup " * number, "the soup is fine"] * 2, name=str(number)) for number in range(2, 6)]


@pytest.fixture
def material(tokenizer, talks, monkeypatch):
    model = gpt(len(tokenizer), std=0.3, bigram_rows=13)
    monkeypatch.setattr(compression, "CALIBRATION", 2)
    monkeypatch.setitem(compression.TUNING, "steps", 2)
    ids = torch.randint(6, len(tokenizer), (400,))
    return Material(model, ids, measure_on(model, tokenizer, talks))


def test_the_measure_is_that_of_the_scoreboard_beside_the_model_itself(material, tokenizer, talks):
    figures = material.measure(material.model)
    assert figures["change"] == figures["standard error"] == 0
    worse = with_weights(material.model, {"embed.weight": 0.5 * material.model.embed.weight})
    before, after = (bits_per_byte_on(model, tokenizer, talks) for model in (material.model, worse))
    figures = material.measure(worse)
    assert figures["bits per byte"] == pytest.approx(after, abs=1e-4)
    assert figures["change"] == pytest.approx(after - before, abs=1e-4) and 0 < figures["standard error"] < 1


def test_bits_of_every_width_and_group_are_asked_for_once():
    assert len(set(BITS_RUNS)) == len(BITS_RUNS) == 7 * 6 * 2 and len(set(RUNS)) == len(RUNS)
    assert {run.bits for run in BITS_RUNS} == set(range(2, 9))
    (control,) = {run.share for run in RUNS if run.variant == "not pruned"}
    assert control == 0 and {run.seed for run in RUNS if run.series == "GPTQ" and run.variant == "GPTQ"} == {0, 1, 2}


def test_a_row_of_bits_has_the_bytes_of_the_packed_matrices(material):
    (row,) = compression.measure_bits(BitsRun(4, 16, 0), material)
    small = quantize_parameters(material.model, 4, 16, False)
    assert row["bytes"] == sum(matrix.size for matrix in small.values()) and (row["group"], row["symmetric"]) == (16, 0)


@pytest.mark.parametrize("series", compression.SERIES)
def test_every_series_gives_rows(series, material, monkeypatch):
    for run in {run.variant: run for run in RUNS if run.series == series}.values():
        run = run._replace(rank=run.rank and 4)
        (row,) = compression.measure_one(run, material)
        assert run.key.items() <= row.items() and set(row) <= set(compression.COLUMNS)
        assert math.isfinite(row["change"]) and row["bytes"] > 0
    assert not any(part.hooked for part in material.model.modules() if hasattr(part, "hooked"))


def test_masks_that_are_not_kept_are_lost(material):
    kept, lost, control = (
        compression.measure_one(CompressionRun("tuning", variant, share=share, seed=0), material)[0]["sparsity"]
        for variant, share in (("magnitude", 0.7), ("mask not kept", 0.7), ("not pruned", 0.0))
    )
    assert kept == pytest.approx(0.7, abs=0.01) and lost < 0.1 and control < 0.01


def test_the_model_stays_as_it_is(material):
    before = {name: weight.clone() for name, weight in matrices(material.model).items()}
    for run in (RUNS[0], RUNS[-1], CompressionRun("tuning", "magnitude", share=0.5, seed=0)):
        compression.measure_one(run, material)
    assert all(weight.equal(before[name]) for name, weight in matrices(material.model).items())


def test_only_what_is_missing_is_run(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(compression, "data_path", lambda: tmp_path)
    monkeypatch.setattr(compression, "load_material", lambda: None)
    for name in ("measure_bits", "measure_one"):
        monkeypatch.setattr(compression, name, lambda run, material: done.append(run) or [{**run.key, "change": 0.5}])
    compression.main()
    assert len(done) == len(BITS_RUNS) + len(RUNS)
    table = read_rows(tmp_path / "how_few_bits.csv")
    assert [tuple(row[name] for name in ("bits", "group", "symmetric")) for row in table] == list(BITS_RUNS)
    text = (tmp_path / "compression.csv").read_text().splitlines()
    (tmp_path / "compression.csv").write_text("\n".join([text[0], *text[3:]]) + "\n")
    compression.main()
    assert done[-2:] == list(RUNS[:2]) and (tmp_path / "compression.csv").read_text().splitlines() == text


def test_the_stored_tables_have_every_run_and_show_what_notebook_12_tells():
    """Each claim beside its control, with room for another computer's digits."""
    bits, rows = (read_rows(data_path() / name) for name in ("how_few_bits.csv", "compression.csv"))
    assert [{column: row[column] for column in run.key} for row, run in zip(bits, BITS_RUNS)] == [
        run.key for run in BITS_RUNS
    ]
    assert len(bits) == len(BITS_RUNS) and set(rows[0]) == set(compression.COLUMNS)
    assert all(any(run.key.items() <= row.items() for row in rows) for run in RUNS) and len(rows) == len(RUNS)
    change = {(row["bits"], row["group"], row["symmetric"]): row["change"] for row in bits}
    assert (
        change[4, "tensor", 1] > 4 * change[4, "row", 1] > 4 * change[4, 32, 0] / 2 > 0
        and abs(change[8, "row", 1]) < 1e-3
    )

    def found(series, variant, **which):
        return [
            row["change"]
            for row in rows
            if (row["series"], row["variant"]) == (series, variant) and which.items() <= row.items()
        ]

    for few in (3, 2):
        assert max(found("GPTQ", "GPTQ", bits=few)) < 0.75 * found("GPTQ", "nearest", bits=few)[0]
    assert min(found("pruning", "random", share=0.5)) > 10 * found("pruning", "magnitude", share=0.5)[0]
    assert found("cache", "per tensor", bits=4)[0] > 2 * found("cache", "per token", bits=4)[0]
    kept = [row["sparsity"] for row in rows if row["series"] == "tuning" and row["share"] == 0.7]
    assert min(kept[:2]) > 0.69 and kept[-1] < 0.1
