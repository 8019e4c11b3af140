"""The table of notebook 16: what it holds keeps the promises, every run becomes rows once, the checkpoint is no bot."""

from dataclasses import replace

import pytest
import torch

from helpers import data_path
from helpers.bots import checkpoints
from helpers.corpus.pictures import CAPTIONS, Pictures
from helpers.experiments import pictures, pictures_controls, pictures_gpt
from helpers.io import read_rows

TINY = replace(pictures.RECIPE, n_embd=16, n_layer=1, n_head=2, steps=2)


def column(rows, measure, **where):
    """Return the values of a measure, a seed each."""
    chosen = [row for row in rows if row["measure"] == measure and where.items() <= row.items()]
    return [row["value"] for row in chosen]


@pytest.fixture(scope="module")
def table():
    return read_rows(data_path("pictures.csv"))


def test_the_table_has_every_run(table):
    ran = {tuple(row[name] for name in pictures.COLUMNS[:3]) for row in table}
    assert ran == {tuple(run) for run in pictures.RUNS}
    assert all(row["value"] >= 0 and row["count"] >= 10 for row in table)


def test_what_the_course_promises_holds_for_every_seed(table):
    both, mixed = ({"task": "gpt", "variant": name} for name in ("both orders", "shuffled captions"))
    assert min(column(table, "written digit", **both)) >= 0.90 and len(column(table, "written digit", **both)) == 3
    assert max(column(table, "written digit", **mixed)) <= 0.15
    assert min(column(table, "drawn digit", **both, guidance=1, temperature=0.5)) >= 0.85
    assert min(column(table, "drawn digit", **both, guidance=4, temperature=1)) >= 0.85
    assert min(column(table, "drawn spread", **both, guidance=4, temperature=1)) >= 0.97  # unguided: 1.0
    assert max(column(table, "drawn spread", **both, guidance=1, temperature=0.5)) < 0.95
    assert max(column(table, "drawn digit", **mixed)) <= 0.15
    for variant in ("batch 64", "no doubles"):
        assert min(column(table, "nearest digit", task="towers", variant=variant)) >= 0.95


def test_the_checkpoint_is_small_and_is_no_bot():
    bot = checkpoints.load("gpt-pictures")
    assert "gpt-pictures" not in checkpoints.names()
    assert checkpoints.size("gpt-pictures") < 700_000
    place = pictures_gpt.world(0)
    assert bot.tokenizer.tokens == place.tokenizer.tokens
    assert torch.allclose(bot.tokenizer.codes, place.tokenizer.codes, atol=1e-4)
    rows = pictures_gpt.reading_rows(bot.model, place)
    metrics = checkpoints.card("gpt-pictures")["metrics"]
    assert [row["value"] for row in rows] == pytest.approx([metrics[row["measure"]] for row in rows], abs=0.01)


def test_every_run_becomes_rows_once(tmp_path, checkpoint_folder, monkeypatch):
    monkeypatch.setattr(pictures, "RECIPE", TINY)
    monkeypatch.setattr(pictures, "RUNS", [run for run in pictures.RUNS if run.seed == 0 and run.task != "towers"])
    place = pictures_gpt.world(0)
    some = Pictures(*(part[:60] for part in place.test))
    small = place._replace(test=some, test_codes=place.test_codes[:60])
    monkeypatch.setattr(pictures, "world", lambda seed, codes: small)
    domain = [{"measure": "bits per byte of wine", "value": 3.0, "count": 9}]
    monkeypatch.setattr(pictures, "domain_rows", lambda variant, seed: domain)
    monkeypatch.setattr(pictures_gpt, "SETTINGS", ((1, 1), (3, 1)))
    monkeypatch.setattr(pictures_gpt, "DRAWN", 1)
    for name, value in {"VOWEL_STEPS": 2, "VOWEL_NUMBER": 100, "TOWERS": {"batch 64": (2, 64, False)}}.items():
        monkeypatch.setattr(pictures_controls, name, value)
    path = tmp_path / "pictures.csv"
    pictures.main(path)
    rows = read_rows(path)
    assert {row["variant"] for row in rows} == {run.variant for run in pictures.RUNS}
    assert checkpoints.names() == [] and checkpoints.card("gpt-pictures")["recipe"]["steps"] == 2
    steps = {"64 codes": 0, "before": 0, "tuned on medicine": 20, "tuned on wine": 20}
    assert all(row["steps"] == steps.get(row["variant"], 2) for row in rows)
    monkeypatch.setattr(pictures, "execute", lambda run: pytest.fail("run twice"))
    pictures.main(path)
    (checkpoints.folder() / "gpt-pictures" / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(checkpoints.DamagedCheckpoint, match="python -m helpers experiments pictures"):
        checkpoints.load("gpt-pictures")


def test_shuffled_captions_are_the_same_ones():
    some = list(CAPTIONS)
    mixed = pictures_gpt.shuffled(some, seed=1)
    assert sorted(mixed) == sorted(some) and mixed != some == list(CAPTIONS)
    assert mixed == pictures_gpt.shuffled(some, seed=1) != pictures_gpt.shuffled(some, seed=2)


def test_captions_left_out_are_in_no_training_row(monkeypatch):
    out = pictures_controls.LEFT_OUT
    assert len(out) == 10 and len({text.split()[2] for text in out}) == 10
    assert len({tuple(text.split()[:2]) for text in out}) == 9  # nearly every pair of adjectives
    place = pictures_gpt.world(0)
    tables = _rows_of_training(place, out, monkeypatch)
    words = place.tokenizer.captions(out).tolist()
    assert len(tables) == 2 and 1200 < len(tables[0]) < 1300
    assert not [row for row in tables[0][:, 1:4].tolist() if row in words]
    assert not [row for row in tables[1][:, -4:-1].tolist() if row in words]


def _rows_of_training(place, out, monkeypatch):
    tables = []
    batches = pictures_gpt.RowBatches

    def noted(*rows, **settings):
        tables.extend(rows)
        return batches(*rows, **settings)

    monkeypatch.setattr(pictures_gpt, "RowBatches", noted)
    kept = torch.tensor([text not in out for text in place.train.captions])
    pictures_gpt.train_pictures(place, TINY, kept=kept)
    return tables
