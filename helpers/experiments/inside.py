"""What else can be read off a GPT, and would be read off one that knows nothing? (notebook 10)

    python -m helpers experiments inside       run what data/inside.csv lacks (all: fifteen minutes on one core)

Parts: which attribution finds the tokens a prediction depends on (deletion, beside random tokens); what a probe reads off each
layer, beside its control task; what a direction added to the stream does to replies, beside a random one; what a sparse
autoencoder recovers and how its features look; and an explanation of a head in words, scored. Each is measured with the
trained weights and, where it can be, with shuffled ones (``helpers.interpretability.controls``). A row is one number: ``item``
says of what, ``measure`` which; ``spread`` is a standard error over ``count`` texts, replies or features.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from helpers import data_path
from helpers.bots import checkpoints
from helpers.corpus.load import load
from helpers.experiments.inside_features import explanation_rows, feature_rows
from helpers.experiments.inside_parts import attribution_rows, probe_rows, steering_rows
from helpers.experiments.run_missing import run_missing
from helpers.interpretability.controls import shuffled_weights
from helpers.io import read_rows, write_rows

TRAIN = 100  # conversations that a probe or an autoencoder is trained on, another sample for each seed
EACH = 8  # every eighth of the held-out conversations is read; all of them where that costs little
COLUMNS = ("part", "bot", "weights", "seed", "item", "measure", "value", "spread", "count")
PARTS: dict[str, Callable] = {
    "attribution": attribution_rows,
    "probes": probe_rows,
    "steering": steering_rows,
    "features": feature_rows,
    "explanation": explanation_rows,
}


class InsideRun(NamedTuple):
    """One part of the table for one model; the seed is that of the sample, the training, and the shuffled weights."""

    part: str
    bot: str
    weights: str  # "trained" or "shuffled"
    seed: int

    @property
    def key(self) -> dict:
        return self._asdict()


RUNS = (
    *(InsideRun("explanation", bot, "trained", 0) for bot in ("gpt", "gpt-chat", "dpo")),
    *(InsideRun(part, "gpt", "trained", seed) for part in ("probes", "features", "steering") for seed in (0, 1, 2)),
    *(InsideRun(part, "gpt", "shuffled", seed) for part in ("explanation", "features", "probes") for seed in (0, 1)),
    *(InsideRun("attribution", "gpt", weights, 0) for weights in ("trained", "shuffled")),
)


def rows_of(run: InsideRun, bot, corpus) -> list[dict]:
    """Return the rows of one run."""
    model = bot.model if run.weights == "trained" else shuffled_weights(bot.model, run.seed)
    chosen = np.random.default_rng(run.seed).permutation(len(corpus.train))[:TRAIN]
    train = [corpus.train[index] for index in chosen]
    held_out = [*corpus.test, *corpus.val][:: 1 if run.part in ("explanation", "attribution") else EACH]
    rows = PARTS[run.part](model, bot.tokenizer, train, held_out, run.seed)
    return [{**run.key, **row} for row in rows]


def main() -> None:
    """Execute every run that the table lacks."""
    path, corpus = data_path() / "inside.csv", None

    def execute(run: InsideRun) -> list[dict]:
        nonlocal corpus
        corpus = corpus or load("chitchat")
        return rows_of(run, checkpoints.load(run.bot), corpus)

    run_missing(RUNS, read_rows(path), execute, lambda rows: write_rows(path, COLUMNS, rows))
