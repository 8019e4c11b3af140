"""The runs behind notebook 11, last part: dirty data at equal steps, and ensembles of what was trained on clean data.

    python -m helpers experiments robustness_data       run what the tables robustness_data.csv and _ensembles.csv lack

One small GPT is trained for the same number of steps on other versions of the training conversations: half of them are clean
throughout, the other half is what the row says. "the clean half alone" is the control: it lacks the other half, dirty or not.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from helpers import data_path
from helpers.bots import checkpoints
from helpers.corpus.batches.token_stream import WindowBatches, stream
from helpers.corpus.conversations import Conversation, Corpus
from helpers.corpus.load import load
from helpers.evaluation.likelihood import bits_per_byte_on
from helpers.experiments.robustness_bots import BotsRun, runs
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.models.gpt import GPT, GPTConfig
from helpers.robustness.ensembles import Ensemble
from helpers.robustness.noise import keyboard_typos, noisy, upper_case
from helpers.robustness.normalization import normalize_input
from helpers.runtime import seed_everything
from helpers.training.loop import fit

DATA_COLUMNS = ("data", "seed", "steps", "bits_per_byte")
ENSEMBLE_COLUMNS = ("models", "mean_of", "bits_per_byte")
SIZES = {"n_embd": 96, "n_layer": 2, "n_head": 4, "context": 64}
DATA_STEPS, DATA_BATCH, DATA_RATE, MEASURED_ON = 250, 16, 0.03, 40
ENSEMBLE_SEEDS = (0, 1, 2)


def _each(change):
    return lambda talks, rng: [noisy(talk, change, rng) for talk in talks]


def markup(text: str, rng: np.random.Generator) -> str:
    """Return ``text`` as a page's source has it: tags around it, and its quotes as entities."""
    return f'<div class="msg"><p>{text.replace("&", "&amp;").replace(chr(39), "&#39;")}</p></div><br/>'


def shuffled_turns(talks: list[Conversation], rng: np.random.Generator) -> list[Conversation]:
    """Return conversations whose turns were exchanged with those of others: every reply answers something else."""
    texts = [turn.text for talk in talks for turn in talk.turns]
    shuffled = (
        texts[place] for place in rng.permutation(len(texts))
    )  # an array of texts would give each the longest's room
    return [replace(talk, turns=tuple(replace(turn, text=next(shuffled)) for turn in talk.turns)) for talk in talks]


def copies(talks: list[Conversation], rng: np.random.Generator) -> list[Conversation]:
    """Return as many conversations, but all of them copies of one in a hundred."""
    few = [talks[index] for index in rng.permutation(len(talks))[: max(1, len(talks) // 100)]]
    return [few[index % len(few)] for index in range(len(talks))]


DIRT = {
    "clean": lambda talks, rng: talks,
    "the clean half alone": lambda talks, rng: [],
    "20 % typos": _each(partial(keyboard_typos, share=0.2)),
    "upper case": _each(upper_case),
    "upper case, normalized": _each(lambda text, rng: normalize_input(text.upper())),
    "markup": _each(markup),
    "shuffled turns": shuffled_turns,
    "copies": copies,
}


def train_small(talks, tokenizer, seed: int, steps: int = DATA_STEPS) -> GPT:
    """Return a small GPT after so many steps on the stream of ``talks``."""
    seed_everything(seed)
    model = GPT(GPTConfig.modern(len(tokenizer), **SIZES))
    batches = WindowBatches(stream(talks, tokenizer), DATA_BATCH, SIZES["context"], seed)
    check_finished(fit(model, batches, steps=steps, learning_rate=DATA_RATE, optimizer="muon", progress=False))
    return model


def data_row(run: BotsRun, corpus: Corpus, tokenizer, keep: dict | None = None) -> dict:
    """Return the row of one training; a model trained on clean data is kept in ``keep`` under its seed."""
    rng = np.random.default_rng(run.seed)
    order = rng.permutation(len(corpus.train))
    halves = [[corpus.train[index] for index in part] for part in np.array_split(order, 2)]
    talks = halves[0] + DIRT[run.name](halves[1], rng)
    model = train_small([talks[index] for index in rng.permutation(len(talks))], tokenizer, run.seed)
    if keep is not None and run.name == "clean":
        keep[run.seed] = model
    bits = bits_per_byte_on(model, tokenizer, corpus.val[:MEASURED_ON])
    return dict(zip(DATA_COLUMNS, (run.name, run.seed, DATA_STEPS, bits)))


class MeanOfParameters:
    """The control of an ensemble: the parameters are averaged, not the probabilities."""

    def __new__(cls, models: list[GPT]) -> GPT:
        mean = GPT(models[0].settings).eval()
        states = [model.state_dict() for model in models]
        mean.load_state_dict({name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]})
        return mean


def ensemble_rows(models: list[GPT], corpus: Corpus, tokenizer) -> list[dict]:
    """Return bits per byte of 1 to M models: the mean of one, of their probabilities, and of their parameters."""
    held_out, rows = corpus.val[:MEASURED_ON], []
    alone = [bits_per_byte_on(model, tokenizer, held_out) for model in models]
    rows += [dict(zip(ENSEMBLE_COLUMNS, (1, f"seed {seed}", bits))) for seed, bits in enumerate(alone)]
    for number in range(2, len(models) + 1):
        for name, joined in (("probabilities", Ensemble), ("parameters", MeanOfParameters)):
            bits = bits_per_byte_on(joined(models[:number]), tokenizer, held_out)
            rows.append(dict(zip(ENSEMBLE_COLUMNS, (number, name, bits))))
    return rows


def main(folder: Path | None = None) -> None:
    """Execute every run that the tables lack."""
    folder, corpus = folder or data_path(), load()
    path, tokenizer, models = folder / "robustness_data.csv", checkpoints.load("gpt").tokenizer, {}
    missing = runs("data", DIRT, (0, 1)) + runs("data", ("clean",), ENSEMBLE_SEEDS[2:])
    run_missing(
        missing,
        read_rows(path),
        lambda run: [data_row(run, corpus, tokenizer, models)],
        partial(write_rows, path, DATA_COLUMNS),
    )
    table = folder / "robustness_ensembles.csv"
    if not table.exists():
        for seed in set(ENSEMBLE_SEEDS) - set(models):  # trained in an earlier run of the command
            data_row(BotsRun("data", "clean", seed), corpus, tokenizer, models)
        write_rows(table, ENSEMBLE_COLUMNS, ensemble_rows([models[seed] for seed in ENSEMBLE_SEEDS], corpus, tokenizer))
