"""The runs behind notebook 16: one GPT over words and pictures, its controls, guidance, two towers, vowels, another domain.

    python -m helpers experiments pictures        run what data/pictures.csv lacks (20 minutes on one core)

Three seeds each: other codes, weights and batches. Measured on the 397 held-out pictures; what is drawn, by a reader that never
saw a code. The GPT with both orders and seed 0 is kept as the checkpoint "gpt-pictures". Budgets are steps.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

from helpers import data_path
from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.experiments import pictures_controls as controls
from helpers.experiments import pictures_gpt
from helpers.experiments.other_domain import STEPS, domain_rows
from helpers.experiments.other_domain import VARIANTS as DOMAINS
from helpers.experiments.pictures_gpt import ORDERS, PictureRecipe, train_pictures, world
from helpers.experiments.run_missing import run_missing
from helpers.io import read_rows, write_rows
from helpers.models.gpt import GPT
from helpers.runtime import describe, start

NAME = "gpt-pictures"
COLUMNS = ("task", "variant", "seed", "steps", "guidance", "temperature", "measure", "value", "count")
RECIPE, SEEDS = PictureRecipe(), range(3)
KEPT = ((1, 0.5), (3, 1))  # guidance and temperature: what the card and the control have of pictures drawn


class PictureRun(NamedTuple):
    """One training, or for the task "real pictures" none: what of, in which variant, with which seed."""

    task: str
    variant: str
    seed: int

    @property
    def key(self) -> dict:
        return dict(zip(COLUMNS, self))


VARIANTS = {
    "real pictures": ("64 codes",),
    "gpt": ("both orders", "shuffled captions"),
    "one direction": ("caption first", "picture first"),
    "left out": ("towers", "gpt"),
    "towers": tuple(controls.TOWERS),
    "vowels": tuple(controls.VOICES),
    "another domain": tuple(DOMAINS),
}
RUNS = tuple(
    PictureRun(task, variant, seed)
    for seed in SEEDS
    for task in VARIANTS
    for variant in VARIANTS[task]
    if variant != "before" or seed == 0
)


def trained(seed: int = 0) -> GPT:
    """Return the GPT with both orders; with seed 0 it is the checkpoint, which is trained and saved where it is missing."""
    recipe, place = replace(RECIPE, seed=seed), world(seed, RECIPE.codes)
    if seed == 0 and (checkpoints.folder() / NAME / "card.json").exists():
        return checkpoints.load(NAME).model
    model = train_pictures(place, recipe)
    if seed != 0:
        return model
    rows = pictures_gpt.reading_rows(model, place) + pictures_gpt.drawing_rows(model, place, KEPT)
    metrics = {"parameters": model.parameter_count(), "training pictures": len(place.train.captions)}
    metrics |= {_in_words(row): row["value"] for row in rows}
    metrics["device"] = describe("cpu")
    checkpoints.save(Bot(model, place.tokenizer, NAME), {"recipe": "PictureRecipe", **asdict(recipe)}, metrics)
    return checkpoints.load(NAME).model


def _in_words(row: dict) -> str:
    settings = f", guidance {row['guidance']}, temperature {row['temperature']}" if "guidance" in row else ""
    return f"{row['measure']}{settings}"


def execute(run: PictureRun) -> list[dict]:
    """Train and measure what the run says; return its rows."""
    recipe, place, steps = replace(RECIPE, seed=run.seed), world(run.seed, RECIPE.codes), RECIPE.steps
    if run.task == "real pictures":
        rows, steps = pictures_gpt.ceiling_rows(place), 0
    elif run.task == "towers":
        rows, steps = controls.tower_rows(place, run.variant, run.seed), controls.TOWERS[run.variant][0]
    elif run.task == "left out":
        rows = controls.unseen_rows(place, run.variant, recipe)
        steps = controls.TOWERS["batch 64"][0] if run.variant == "towers" else steps
    elif run.task == "another domain":
        rows, steps = domain_rows(run.variant, run.seed), STEPS if run.variant != "before" else 0
    elif run.task == "vowels":
        rows, steps = controls.vowel_rows(run.variant, run.seed), controls.VOWEL_STEPS
    else:
        rows = _gpt_rows(run, place, recipe)
    return [run.key | {"steps": steps} | row for row in rows]


def _gpt_rows(run: PictureRun, place, recipe: PictureRecipe) -> list[dict]:
    if run.variant == "shuffled captions":
        captions = pictures_gpt.shuffled(place.train.captions, run.seed)
        model = train_pictures(place, recipe, captions)
        return pictures_gpt.reading_rows(model, place) + pictures_gpt.drawing_rows(model, place, KEPT)
    if run.variant == "both orders":
        model = trained(run.seed)
        parts = (pictures_gpt.reading_rows, pictures_gpt.bayes_rows, pictures_gpt.drawing_rows)
        return [row for part in parts for row in part(model, place)]
    model = train_pictures(place, recipe, orders=run.variant)
    if ORDERS[run.variant] == ORDERS["picture first"]:
        return pictures_gpt.reading_rows(model, place)
    without_guidance = [pair for pair in pictures_gpt.SETTINGS if pair[0] == 1]
    return pictures_gpt.bayes_rows(model, place) + pictures_gpt.drawing_rows(model, place, without_guidance)


def main(path: Path | None = None) -> None:
    """Execute every run that the file lacks; train the checkpoint where it is missing."""
    path = path or data_path() / "pictures.csv"
    start(seed=0)
    run_missing(RUNS, read_rows(path), execute, lambda rows: write_rows(path, COLUMNS, rows))
    trained(0)
