"""The recipes of notebook 06: each differs from the one before in one thing, and every run becomes a row, once."""

import dataclasses
import re
from itertools import pairwise

import pytest
import torch

from helpers.experiments import recipes
from helpers.experiments.recipes import CHANGES, RECIPES, RUNS, SIZES, TIMED, Recipe
from helpers.io import read_rows, write_rows
from helpers.models.gpt_config import GPTConfig
from tests.notebooks import books

BASE = RECIPES[0]
TINY = (BASE, BASE.changed("alone", "Muon", CHANGES["Muon"]), BASE.changed("alone", "SwiGLU", CHANGES["SwiGLU"]))


def differences(one: Recipe, other: Recipe) -> set[str]:
    """Return the settings, of the network and of the training, in which two recipes differ."""
    ours, theirs = (
        dataclasses.asdict(GPTConfig.gpt2(9, **SIZES, **dict(recipe.fields))) | recipe._asdict() for recipe in (one, other)
    )
    return {name for name in ours if ours[name] != theirs[name]} - {"group", "name", "fields"}


def expected(change: dict) -> set[str]:
    return {*change, *(("learning_rate",) if "optimizer" in change else ())}


def test_each_change_alone_differs_from_the_base_in_that_change():
    alone = {recipe.name: recipe for recipe in RECIPES if recipe.group == "alone"}
    assert {name: differences(BASE, recipe) for name, recipe in alone.items()} == {
        name: expected(change) for name, change in CHANGES.items()
    }


def test_each_rung_of_the_ladder_differs_from_the_one_below_in_one_change():
    ladder = [BASE, *(recipe for recipe in RECIPES if recipe.group == "ladder")]
    for (below, rung), change in zip(pairwise(ladder), CHANGES.values(), strict=True):
        assert differences(below, rung) == expected(change)
    top = next(recipe for recipe in ladder if recipe.name == "+ trapezoid")
    modern = GPTConfig.modern(9, bigram_rows=8191, **SIZES)
    assert GPTConfig.gpt2(9, **SIZES, **dict(top.fields)) == modern  # there the ladder has reached the course's own recipe


def test_the_optimizers_learning_rates_are_among_those_tried_and_the_best_of_them():
    rows = [row for row in read_rows(recipes.data_path("recipes.csv")) if row["group"] == "learning rate"]
    for optimizer, rates in recipes.GRID.items():
        means = {rate: mean_of(rows, f"{optimizer} {rate:g}") for rate in rates}
        assert min(means, key=means.get) == recipes.LEARNING_RATES[optimizer] not in (rates[0], rates[-1])


def test_the_notebooks_two_learning_rates_are_the_best_of_their_grids():
    rows = [row for row in read_rows(recipes.data_path("recipes.csv")) if row["group"] == "live"]
    (path,) = books.paths(["06"])
    code = "\n".join(cell.source for cell in books.read(path).cells if cell.cell_type == "code")
    rates = re.findall(r"steps=320, .*?learning_rate=([0-9.e-]+)", code)
    assert len(rates) == 2
    for what, rate, optimizer in zip(("GPT-2", "newer"), map(float, rates), recipes.GRID):
        means = {each: mean_of(rows, f"{what} {each:g}") for each in recipes.GRID[optimizer]}
        assert min(means, key=means.get) == rate


def mean_of(rows, recipe: str) -> float:
    losses = [row["loss"] for row in rows if row["recipe"] == recipe]
    assert len(losses) == 3
    return sum(losses) / 3


def test_the_stored_runs_are_those_of_the_list():
    rows = read_rows(recipes.data_path("recipes.csv"))
    assert list(rows[0]) == list(recipes.COLUMNS)
    stored = [tuple(row[name] for name in RUNS[0].key) for row in rows]
    assert sorted(stored) == sorted(tuple(run.key.values()) for run in RUNS)
    base = {row["seed"]: row for row in rows if row["group"] == "base" and row["budget"] == "steps"}
    for row in rows:
        assert row["steps"] == (recipes.STEPS if row["budget"] == "steps" else recipes.steps_of(row["relative_time"]))
        assert 0.5 < row["loss"] / base[row["seed"]]["loss"] < 2
    times = read_rows(recipes.data_path("recipe_times.csv"))
    assert list(times[0]) == list(recipes.TIMES) and [(row["group"], row["recipe"]) for row in times] == [r[:2] for r in TIMED]


@pytest.mark.parametrize(("relative", "steps"), [(1.0, 300), (1.019, 300), (0.985, 300), (1.5, 200), (0.5, 600)])
def test_what_takes_longer_makes_fewer_steps_in_the_same_time(relative, steps):
    assert recipes.steps_of(relative) == steps


@pytest.fixture
def folder(tmp_path, monkeypatch):
    stream = torch.randint(0, 9, (9000,), dtype=torch.int16, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(recipes, "load_texts", lambda: (stream, stream, 9, 2.0))
    monkeypatch.setattr(recipes, "data_path", lambda: tmp_path)
    monkeypatch.setattr(recipes, "STEPS", 2)
    monkeypatch.setattr(recipes, "TIMED", TINY)
    runs = [recipes.RecipeRun(recipe, budget, 0) for recipe in TINY for budget in ("steps", "time")]
    monkeypatch.setattr(recipes, "RUNS", runs)
    recipes.result.cache_clear()
    return tmp_path


def test_every_run_becomes_a_row_and_no_clock_runs_twice(folder, monkeypatch):
    times = [{"group": r.group, "recipe": r.name, "milliseconds": 9.0, "relative_time": t} for r, t in zip(TINY, (1, 2, 1.01))]
    write_rows(folder / "recipe_times.csv", recipes.TIMES, times)
    recipes.main()
    rows = read_rows(folder / "recipes.csv")
    assert [(row["recipe"], row["budget"], row["steps"]) for row in rows] == [
        ("GPT-2", "steps", 2), ("GPT-2", "time", 2), ("Muon", "steps", 2), ("Muon", "time", 1), ("SwiGLU", "steps", 2),
        ("SwiGLU", "time", 2),
    ]  # fmt: skip
    assert all(1 < row["loss"] < 4 and row["bits_per_byte"] == pytest.approx(row["loss"] / 1.3863, abs=1e-3) for row in rows)
    assert rows[1]["loss"] == rows[0]["loss"] != rows[3]["loss"]
    monkeypatch.setattr(recipes, "result", None)
    recipes.main()  # everything is there


def test_times_are_compared_with_the_base_of_the_same_round(folder):
    rows = recipes.measure_times(rounds=1, steps=4)
    assert [(row["group"], row["recipe"]) for row in rows] == [recipe[:2] for recipe in TINY]
    assert rows[0]["relative_time"] == 1.0 and all(row["milliseconds"] > 0 for row in rows)
