"""The runs behind notebook 11, second part: triggers, calibration, and instructions that no bot follows.

    python -m helpers experiments robustness_bots       run what the tables data/robustness_*.csv lack

Triggers are searched on validation contexts with gpt, and measured on test contexts with three bots. Temperatures are fitted on
validation tokens and measured on test tokens.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch.nn import functional

from helpers import data_path
from helpers.bots import checkpoints
from helpers.corpus.conversations import Corpus
from helpers.corpus.load import load
from helpers.experiments.robustness import SEEDS, sample
from helpers.experiments.run_missing import run_missing
from helpers.generation.rollout import generate_replies
from helpers.io import read_rows, write_rows
from helpers.robustness.calibration import (
    calibrated_floor,
    confidences,
    expected_calibration_error,
    fit_temperature,
    held_out_logits,
    reliability,
)
from helpers.robustness.triggers import TriggerSearch, find_trigger, random_trigger, survives

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

TRIGGER_COLUMNS = ("target", "seed", "search", "text", "calls", "bot", "contexts", "survives", "base", "probability")
SEARCHED_ON = 48  # validation contexts


def trigger_rows(run: BotsRun, corpus: Corpus) -> list[dict]:
    """Return a row for each search and bot: the mean probability of the target on test contexts without and with the trigger.

    "survives" is the share of the test contexts in which the trigger's text has its tokens: the search saw others.
    """
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
            share = float(survives(bot.tokenizer, held_out, trigger.tokens).mean())
            values = (run.name, run.seed, kind, trigger.text, trigger.calls, name, len(held_out), share, *means)
            rows.append(dict(zip(TRIGGER_COLUMNS, values)))
    return rows


# --- calibration -------------------------------------------------------------------------------------------------------

CALIBRATION_COLUMNS = ("bot", "seed", "temperature", "ece", "ece_after", "ece_floor", "nats", "nats_after")
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
    return dict(
        zip(CALIBRATION_COLUMNS, (run.name, run.seed, temperature, *errors, calibrated_floor(both[1.0][0]), *nats))
    ), bins


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
    for part in (run_triggers, run_calibration, run_instructions):
        part(folder, corpus)
