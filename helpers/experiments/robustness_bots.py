"""The runs behind notebook 11, second half: triggers, calibration, dirty data, ensembles, and instructions nobody follows.

    python -m helpers experiments robustness_bots       run what the tables data/robustness_*.csv lack

Triggers are searched on validation contexts with gpt, and measured on test contexts with three bots. Temperatures are fitted on
validation tokens and measured on test tokens. For the data, one small GPT is trained for the same number of steps on other
versions of the training conversations: half of them are clean throughout, the other half is what the row says.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from helpers import data_path
from helpers.bots import checkpoints
from helpers.corpus.batches.token_stream import WindowBatches, stream
from helpers.corpus.conversations import Conversation, Corpus
from helpers.corpus.load import load
from helpers.evaluation.likelihood import bits_per_byte_on
from helpers.experiments.robustness import SEEDS, sample
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.generation.rollout import generate_replies
from helpers.io import read_rows, write_rows
from helpers.models.gpt import GPT, GPTConfig
from helpers.robustness.calibration import (
    confidences,
    expected_calibration_error,
    fit_temperature,
    held_out_logits,
    reliability,
)
from helpers.robustness.ensembles import Ensemble
from helpers.robustness.noise import keyboard_typos, noisy, upper_case
from helpers.robustness.normalization import normalize_input
from helpers.robustness.triggers import TriggerSearch, find_trigger, random_trigger
from helpers.runtime import seed_everything
from helpers.training.loop import fit

READERS = ("gpt", "gpt-chat", "dpo")  # they share one tokenizer


class BotsRun(NamedTuple):
    """One run of a table: what it is of, and its seed."""

    column: str
    name: str
    seed: int

    @property
    def key(self) -> dict:
        return {self.column: self.name, "seed": self.seed}


def runs(column: str, names, seeds=SEEDS) -> tuple[BotsRun, ...]:
    return tuple(BotsRun(column, name, seed) for seed in seeds for name in names)


# --- triggers ----------------------------------------------------------------------------------------------------------

TRIGGER_COLUMNS = ("target", "seed", "search", "text", "calls", "bot", "contexts", "base", "probability")
SEARCHED_ON = 48  # validation contexts


def trigger_rows(run: BotsRun, corpus: Corpus) -> list[dict]:
    """Return a row for each search and bot: the mean probability of the target on test contexts without and with the trigger."""
    bots = {name: checkpoints.load(name) for name in READERS}
    gpt, rows = bots["gpt"], []
    target = gpt.tokenizer.encode(run.name)[0]
    contexts = sample(gpt, corpus.val, run.seed, 1).contexts[:SEARCHED_ON]
    held_out = sample(gpt, corpus.test, run.seed, 2).contexts
    search = TriggerSearch(gpt.model, gpt.tokenizer, contexts, target)
    found = find_trigger(search)
    for kind, trigger in (("gradient", found), ("random", random_trigger(search, found.calls, run.seed))):
        for name, bot in bots.items():
            other = TriggerSearch(bot.model, bot.tokenizer, held_out, target)
            means = [float(other.probabilities(tokens).mean()) for tokens in ([], trigger.tokens)]
            values = (run.name, run.seed, kind, trigger.text, trigger.calls, name, len(held_out), *means)
            rows.append(dict(zip(TRIGGER_COLUMNS, values)))
    return rows


# --- calibration -------------------------------------------------------------------------------------------------------

CALIBRATION_COLUMNS = ("bot", "seed", "temperature", "ece", "ece_after", "nats", "nats_after")
BIN_COLUMNS = ("bot", "temperature", "low", "high", "count", "confidence", "accuracy")
TOKENS = {"val": 6000, "test": 8000}


def calibration_row(run: BotsRun, corpus: Corpus) -> tuple[dict, list[dict]]:
    """Return the row of a bot and its bins: the temperature of validation tokens, and what it does on test tokens."""
    bot = checkpoints.load(run.name)
    temperature = fit_temperature(*held_out_logits(bot, corpus.val, TOKENS["val"], run.seed))
    logits, targets = held_out_logits(bot, corpus.test, TOKENS["test"], run.seed)
    both = {t: confidences(logits, targets, t) for t in (1.0, temperature)}
    errors = [expected_calibration_error(*pair) for pair in both.values()]
    nats = [float(functional.cross_entropy(logits / t, targets)) for t in both]
    bins = [dict(zip(BIN_COLUMNS, (run.name, t, *part))) for t, pair in both.items() for part in reliability(*pair)]
    return dict(zip(CALIBRATION_COLUMNS, (run.name, run.seed, temperature, *errors, *nats))), bins


# --- data, and ensembles of the models trained on it ----------------------------------------------------------------------

DATA_COLUMNS = ("data", "seed", "steps", "bits_per_byte")
ENSEMBLE_COLUMNS = ("models", "mean_of", "bits_per_byte")
SIZES = {"n_embd": 96, "n_layer": 2, "n_head": 4, "context": 64}
DATA_STEPS, DATA_BATCH, DATA_RATE, MEASURED_ON = 400, 16, 0.03, 60
ENSEMBLE_SEEDS = (0, 1, 2, 3)


def _each(change):
    return lambda talks, rng: [noisy(talk, change, rng) for talk in talks]


def markup(text: str, rng: np.random.Generator) -> str:
    """Return ``text`` as a page's source has it: tags around it, and its quotes as entities."""
    return f'<div class="msg"><p>{text.replace("&", "&amp;").replace(chr(39), "&#39;")}</p></div><br/>'


def shuffled_turns(talks: list[Conversation], rng: np.random.Generator) -> list[Conversation]:
    """Return conversations whose turns were exchanged with those of others: every reply answers something else."""
    texts = iter(rng.permutation([turn.text for talk in talks for turn in talk.turns]).tolist())
    return [replace(talk, turns=tuple(replace(turn, text=next(texts)) for turn in talk.turns)) for talk in talks]


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


# --- instructions --------------------------------------------------------------------------------------------------------

INSTRUCTION_COLUMNS = ("instruction", "bot", "seed", "replies", "questions", "error")
INSTRUCTIONS = {
    "none": "",
    "never ask": "Never ask a question. ",
    "always ask": "Always ask a question. ",
    "other words": "The weather is nice. ",
}


def instruction_rows(run: BotsRun, corpus: Corpus) -> list[dict]:
    """Return for gpt-chat and dpo the share of replies with a question mark, when the last message begins with an instruction."""
    rows = []
    for name in READERS[1:]:
        bot = checkpoints.load(name)
        contexts = sample(bot, corpus.test, run.seed, 2).contexts
        told = [[*context[:-1], INSTRUCTIONS[run.name] + context[-1]] for context in contexts]
        prompts = [bot.prompt(context) for context in told]
        replies = generate_replies(bot.model, bot.tokenizer, prompts, max_tokens=30, seed=run.seed)
        asks = np.array(["?" in bot.tokenizer.decode([int(t) for t in each[0].reply]) for each in replies])
        values = (run.name, name, run.seed, len(asks), float(asks.mean()), float(asks.std(ddof=1) / len(asks) ** 0.5))
        rows.append(dict(zip(INSTRUCTION_COLUMNS, values)))
    return rows


# --- the tables ----------------------------------------------------------------------------------------------------------


def run_triggers(folder: Path, corpus: Corpus) -> None:
    path = folder / "robustness_triggers.csv"
    missing = runs("target", ("No", "I"))
    run_missing(
        missing, read_rows(path), lambda run: trigger_rows(run, corpus), partial(write_rows, path, TRIGGER_COLUMNS)
    )


def run_calibration(folder: Path, corpus: Corpus) -> None:
    path, table = folder / "robustness_calibration.csv", folder / "robustness_bins.csv"

    def execute(run: BotsRun) -> list[dict]:
        row, bins = calibration_row(run, corpus)
        if run.seed == 0:
            write_rows(table, BIN_COLUMNS, [old for old in read_rows(table) if old["bot"] != run.name] + bins)
        return [row]

    run_missing(runs("bot", READERS), read_rows(path), execute, partial(write_rows, path, CALIBRATION_COLUMNS))


def run_data(folder: Path, corpus: Corpus) -> None:
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


def run_instructions(folder: Path, corpus: Corpus) -> None:
    path = folder / "robustness_instructions.csv"
    missing = runs("instruction", INSTRUCTIONS)
    run_missing(
        missing,
        read_rows(path),
        lambda run: instruction_rows(run, corpus),
        partial(write_rows, path, INSTRUCTION_COLUMNS),
    )


def main(folder: Path | None = None) -> None:
    """Execute every run that the tables lack."""
    folder, corpus = folder or data_path(), load()
    for part in (run_triggers, run_calibration, run_instructions, run_data):
        part(folder, corpus)
