"""The student's runs: equal time is a number of steps, each run becomes a row, and what the table has is not run again."""

import pytest
import torch

from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.bots.recipes import RECIPES, DistilledRecipe
from helpers.compression.distillation import student_config
from helpers.experiments import distillation
from helpers.experiments.distillation import RUNS, DistillationRun, Material
from helpers.io import read_rows
from helpers.models.gpt import GPT
from tests.factories import bot, checkpoint_folder, conversation, gpt, tokenizer  # noqa: F401


@pytest.fixture
def folder(tmp_path, monkeypatch, tokenizer, checkpoint_folder):  # noqa: F811
    size = len(tokenizer)
    checkpoints.save(Bot(GPT(student_config(size, 16)), tokenizer, "gpt-small"), {}, {})
    small = DistilledRecipe(context=16, batch_size=2, steps=2)
    monkeypatch.setitem(RECIPES, "gpt-small", small)
    runs = (
        DistillationRun("short", "text, equal steps", 1.0, 0.0, 0, 2),
        DistillationRun("short", "teacher, T = 1", 1.0, 1.0, 1, 2),
        DistillationRun("long", "teacher, T = 1", 1.0, 1.0, 0, 2),
    )
    monkeypatch.setattr(distillation, "RUNS", runs)
    monkeypatch.setattr(distillation, "data_path", lambda: tmp_path)
    ids = torch.randint(6, size, (400,), dtype=torch.int16, generator=torch.Generator().manual_seed(0))
    material = Material(ids, gpt(size, std=0.3), tokenizer, [conversation("How is the soup?", "It is fine.")])
    monkeypatch.setattr(distillation, "load_material", lambda: material)
    return tmp_path


def test_equal_time_is_a_number_of_steps():
    times = {run.student: round(run.relative_time) for run in RUNS if run.series == "short"}
    assert times.pop("text, equal steps") == 200 and set(times.values()) == {480}
    assert {run.seed for run in RUNS if run.series == "short"} == {0, 1}


def test_each_run_becomes_a_row_and_the_checkpoint_is_one(folder, monkeypatch):
    distillation.main()
    rows = read_rows(folder / "distillation.csv")
    assert [(row["series"], row["student"], row["steps"], row["relative time"]) for row in rows] == [
        ("short", "text, equal steps", 2, 2), ("short", "teacher, T = 1", 2, 5), ("long", "teacher, T = 1", 2, 5)
    ]  # fmt: skip
    assert all(0 < row["bits per byte"] < 20 for row in rows) and len({row["bits per byte"] for row in rows}) == 3
    text = (folder / "distillation.csv").read_text(encoding="utf-8")
    monkeypatch.setattr(distillation, "train_one", lambda *arguments: pytest.fail("nothing is missing"))
    distillation.main()
    assert (folder / "distillation.csv").read_text(encoding="utf-8") == text


def test_the_recipe_and_the_experiment_train_the_same_student():
    recipe = RECIPES["gpt-small"]
    config = student_config(2_048, recipe.context)
    for name in ("n_embd", "n_layer", "n_head", "context", "bigram_rows"):
        assert getattr(recipe, name) == getattr(config, name)
    assert (recipe.base, recipe.temperature, recipe.soft) == ("gpt", 1.0, 1.0)


def test_the_stored_table_says_what_the_notebook_says():
    rows = read_rows(distillation.data_path() / "distillation.csv")
    keys = [{name: row[name] for name in RUNS[0].key} for row in rows]
    assert all(run.key in keys for run in RUNS) and set(rows[0]) == set(distillation.COLUMNS)
    bits = {}
    for row in rows:
        bits.setdefault((row["series"], row["student"]), []).append(row["bits per byte"])
    taught, mixed = bits["short", "teacher, T = 1"], bits["short", "teacher and text, T = 2"]
    assert max(taught) < min(bits["short", "text, equal steps"]) - 0.1 and max(taught) < min(mixed)  # in every seed
    assert abs(sum(taught) - sum(bits["short", "text, equal time"])) / 2 < 0.01  # with more steps on the text: a tie
