"""From the recipe of GPT-2 to today's, change by change, on one clock: the runs behind the recipe ladder of notebook 06.

    python -m helpers experiments recipes       run what data/recipes.csv lacks (all: about half an hour on one core)

A GPT of two layers of 128 numbers reads the conversations in word pieces. The base is GPT-2's recipe: AdamW, a cosine, learned
positions, LayerNorm, GELU. Every recipe is run with three seeds, which choose the initial weights and the batches, with two
budgets: "steps", as many as the base makes, and "time", as many as fit into the time the base needs. How long a step takes was
measured once (data/recipe_times.csv), all recipes in turns on one core: a run that is timed while it trains depends on what
else the computer does. The learning rates are the best of the grids in the group "learning rate"; those of the two recipes
that the notebook trains live, on batches of 16 rows, are the best of the group "live".
"""

from collections.abc import Iterator
from functools import cache
from statistics import quantiles
from typing import NamedTuple

import torch

from helpers import data_path
from helpers.bots import checkpoints
from helpers.corpus.batches.token_stream import WindowBatches, stream
from helpers.corpus.load import load
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.models.gpt import GPT
from helpers.models.gpt_config import GPTConfig
from helpers.runtime import seed_everything
from helpers.training import fit, mean_loss, next_token_loss

STEPS, BATCH, CONTEXT, SEEDS = 300, 8, 64, range(3)
SIZES = {"n_embd": 128, "n_layer": 2, "n_head": 4, "context": CONTEXT}
WARMUP = 0.05
LEARNING_RATES = {"adamw": 0.001, "muon": 0.02}  # the best of GRID, by the mean loss at equal time
GRID = {"adamw": (0.0005, 0.001, 0.002, 0.004, 0.008), "muon": (0.01, 0.02, 0.04, 0.08)}
LIVE_BATCH = 16  # rows in a batch of the two training runs that notebook 06 runs live
SAME = 0.02  # a step that is so little slower or faster, as a share, counts as equally long
COLUMNS = ("group", "recipe", "budget", "seed", "steps", "batch_size", "learning_rate", "relative_time", "parameters",
           "loss", "bits_per_byte")  # fmt: skip
TIMES = ("group", "recipe", "milliseconds", "relative_time")

# Each change to the base: what the notebook calls it -> the settings that differ.
CHANGES = {
    "RMSNorm, no biases": {"norm": "rms", "bias": False},
    "rotary positions": {"positions": "rotary"},
    "QK-norm": {"qk_norm": True},
    "ReLU²": {"activation": "relu2"},
    "zero initialization": {"zero_output": True},
    "bigram embedding": {"bigram_rows": 8191},
    "soft-capped logits": {"logit_cap": 15.0},
    "Muon": {"optimizer": "muon"},
    "trapezoid": {"schedule": "trapezoid"},
    "SwiGLU": {"activation": "swiglu"},  # takes the place of ReLU²
    "grouped-query attention": {"n_kv_head": 2},  # two query heads share a head of keys and values
}


class Recipe(NamedTuple):
    """One way to train the small GPT; ``fields`` are those of GPTConfig that differ from GPT-2's, as (name, value) pairs."""

    group: str
    name: str
    fields: tuple = ()
    optimizer: str = "adamw"
    learning_rate: float = LEARNING_RATES["adamw"]
    schedule: str = "cosine"
    batch_size: int = BATCH

    def changed(self, group: str, name: str, change: dict) -> "Recipe":
        """Return this recipe with a change of ``CHANGES``; another optimizer comes with its own learning rate."""
        settings = {name: value for name, value in change.items() if name in Recipe._fields}
        if "optimizer" in change:
            settings["learning_rate"] = LEARNING_RATES[change["optimizer"]]
        fields = dict(self.fields) | {name: value for name, value in change.items() if name not in Recipe._fields}
        return self._replace(group=group, name=name, fields=tuple(fields.items()), **settings)


def _recipes() -> Iterator[Recipe]:
    base = Recipe("base", "GPT-2")
    yield base
    for optimizer, rates in GRID.items():
        for rate in rates:
            recipe = base.changed("learning rate", f"{optimizer} {rate:g}", {"optimizer": optimizer})
            yield recipe._replace(learning_rate=rate)
    for name, change in CHANGES.items():
        yield base.changed("alone", name, change)
    step = base
    for name, change in CHANGES.items():
        step = step.changed("ladder", f"+ {name}", change)
        yield step
    for schedule in ("constant", "linear", "cosine", "trapezoid"):
        yield base.changed("schedule", schedule, {"schedule": schedule})
    for size in (4, 8, 16, 32):  # a batch k times as large: a rate √k times as high
        rate = base.learning_rate * (size / BATCH) ** 0.5
        yield base._replace(group="batch size", name=f"{size} rows", batch_size=size, learning_rate=rate)
    newer = {"optimizer": "muon", "schedule": "trapezoid", "zero_output": True}
    for what, change, optimizer in (("GPT-2", {}, "adamw"), ("newer", newer, "muon")):
        for rate in GRID[optimizer]:
            recipe = base.changed("live", f"{what} {rate:g}", change)
            yield recipe._replace(learning_rate=rate, batch_size=LIVE_BATCH)


RECIPES = tuple(_recipes())


class RecipeRun(NamedTuple):
    """One training of a recipe: for as many "steps" as the base, or for as long, "time"."""

    recipe: Recipe
    budget: str
    seed: int

    @property
    def key(self) -> dict:
        return {"group": self.recipe.group, "recipe": self.recipe.name, "budget": self.budget, "seed": self.seed}


# What the notebook compares comes first, so that a table that was cut short is of use.
RUNS = tuple(
    RecipeRun(recipe, budget, seed)
    for budget in ("time", "steps")
    for recipe in RECIPES
    if recipe.group not in {"time": ("live",), "steps": ("batch size", "learning rate")}[budget]
    for seed in SEEDS
)
TIMED = tuple(dict.fromkeys(run.recipe for run in RUNS if run.budget == "time"))


@cache
def load_texts() -> tuple[torch.Tensor, torch.Tensor, int, float]:
    """Return the training and the validation stream in word pieces, how many pieces there are, and bytes per token."""
    corpus, tokenizer = load(), checkpoints.load("gpt").tokenizer
    ids = stream(corpus.val, tokenizer)
    size = sum(len(turn.text.encode()) for talk in corpus.val for turn in talk.turns)
    return stream(corpus.train, tokenizer), ids, len(tokenizer), size / len(ids)


def build(recipe: Recipe, vocab_size: int, seed: int = 0) -> GPT:
    """Return an untrained GPT of that recipe."""
    seed_everything(seed)
    return GPT(GPTConfig.gpt2(vocab_size, **SIZES | dict(recipe.fields)))


def train(model: GPT, recipe: Recipe, ids: torch.Tensor, steps: int, seed: int = 0):
    """Train ``model`` by that recipe on the stream ``ids`` and return the History."""
    batches = WindowBatches(ids, recipe.batch_size, CONTEXT, seed)
    rule = {"optimizer": recipe.optimizer, "learning_rate": recipe.learning_rate, "schedule": recipe.schedule}
    return fit(model, batches, steps=steps, warmup=WARMUP, progress=False, **rule)


@cache
def result(recipe: Recipe, steps: int, seed: int) -> tuple[float, int]:
    """Train a recipe for so many steps; return its loss on the validation conversations, nats per token, and its parameters."""
    ids, held_out, vocab_size, _ = load_texts()
    model = build(recipe, vocab_size, seed)
    check_finished(train(model, recipe, ids, steps, seed))
    return mean_loss(model, WindowBatches(held_out, 32, CONTEXT), 20, loss=next_token_loss), model.parameter_count()


def measure_times(rounds: int = 20, steps: int = 6) -> list[dict]:
    """Return how long a step of each recipe takes, and how many times as long as the base's: rows with the columns TIMES.

    All take turns: in each round a recipe makes ``steps`` steps, the first two of which do not count, nor does the first
    round. What stays is the lowest decile of its steps: what else the computer does makes steps slower, never faster.
    """
    ids, _, vocab_size, _ = load_texts()
    distinct = {_costs(recipe): recipe for recipe in TIMED}
    models = {cost: build(recipe, vocab_size) for cost, recipe in distinct.items()}
    seconds: dict = {cost: [] for cost in distinct}
    for number in range(rounds + 1):
        for cost, recipe in distinct.items():
            ends = [row[2] for row in train(models[cost], recipe, ids, steps).rows]
            if number:
                seconds[cost] += [after - before for before, after in zip(ends[1:], ends[2:])]
    fast = {cost: quantiles(own, n=10)[0] for cost, own in seconds.items()}
    base, rows = fast[_costs(TIMED[0])], []
    for recipe in TIMED:
        own = fast[_costs(recipe)]
        measured = {"milliseconds": round(1000 * own, 1), "relative_time": round(own / base, 3)}
        rows.append({"group": recipe.group, "recipe": recipe.name, **measured})
    return rows


def _costs(recipe: Recipe) -> tuple:
    """Return what decides how long a step takes: two recipes with the same are timed once."""
    fields = tuple(pair for pair in recipe.fields if pair[0] != "zero_output")  # first weights of 0 take as long as others
    return fields, recipe.optimizer, recipe.batch_size


def steps_of(relative_time: float) -> int:
    """Return how many steps fit into the time in which the base makes STEPS."""
    return STEPS if abs(relative_time - 1) <= SAME else round(STEPS / relative_time)


def main() -> None:
    """Measure the times, if that was not done yet, and execute every run that the file lacks."""
    path, clock = data_path() / "recipes.csv", data_path() / "recipe_times.csv"
    times = read_rows(clock)
    if {(row["group"], row["recipe"]) for row in times} != {recipe[:2] for recipe in TIMED}:
        times = measure_times()
        write_rows(clock, TIMES, times)
    relative = {(row["group"], row["recipe"]): row["relative_time"] for row in times}

    def execute(run: RecipeRun) -> list[dict]:
        recipe, time = run.recipe, relative.get(run.recipe[:2], "")
        steps = STEPS if run.budget == "steps" else steps_of(time)
        loss, parameters = result(recipe._replace(group="", name=""), steps, run.seed)
        bits = loss / torch.tensor(2.0).log().item() / load_texts()[3]
        settings = {"steps": steps, "batch_size": recipe.batch_size, "learning_rate": recipe.learning_rate}
        measured = {"relative_time": time, "parameters": parameters, "loss": loss, "bits_per_byte": bits}
        return [run.key | settings | measured]

    run_missing(RUNS, read_rows(path), execute, lambda rows: write_rows(path, COLUMNS, rows))
