"""The runs behind notebook 11, first part: what a changed context costs, and what protects a classifier of letters.

    python -m helpers experiments robustness        run what the tables data/robustness_*.csv lack

robustness_costs.csv: bits per byte of the same replies of test conversations after changed contexts. Of gpt, of gpt-chat, and of
gpt tuned for 60 steps on replies after capitals, and for as many on the same replies after unchanged contexts: the control.
robustness_defences.csv: the classifier of letters trained in six ways for the same number of steps, and attacked. More in
``helpers.experiments.robustness_bots`` and ``robustness_data``.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers import data_path
from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.corpus.batches.reply_only_labels import ReplyBatches, Row
from helpers.corpus.conversations import Corpus
from helpers.corpus.load import load
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.robustness.adversarial_training import HotFlipLoss, PerturbedLoss, accuracy_after_step
from helpers.robustness.context_cost import (
    ReplySet,
    changed_contexts,
    context_bits,
    cost,
    fits,
    reply_set,
    strangers_contexts,
)
from helpers.robustness.hotflip import under_attack
from helpers.robustness.letter_classifier import STEPS, accuracy, train_classifier
from helpers.robustness.noise import NOISES, keyboard_typos, random_letters, texting_style, upper_case
from helpers.robustness.normalization import lower_capitals, normalize_input
from helpers.robustness.questions import question_examples
from helpers.runtime import seed_everything
from helpers.training.loop import fit

SEEDS = (0, 1, 2)
PER_CONVERSATION, TURNS = 3, 4
TUNING_STEPS, TUNING_BATCH, TUNING_RATE, TUNING_REPLIES = 60, 16, 3e-4, 2000


def _then(change):
    return lambda text, rng: normalize_input(change(text, rng))


CHANGES = {
    **NOISES,
    "typos, 20 %": partial(keyboard_typos, share=0.2),
    "lower case": lambda text, rng: text.lower(),
    "letters of each word reversed": lambda text, rng: " ".join(word[::-1] for word in text.split()),
    "upper case, then lower case": lambda text, rng: text.upper().lower(),
    "upper case, capitals lowered": lambda text, rng: lower_capitals(text.upper()),
    "texting style, normalized": _then(texting_style),
    "unchanged, normalized": _then(lambda text, rng: text),
}
CONTROLS = ("unchanged", "stranger's", "none", "last turn only")
COST_COLUMNS = ("bot", "change", "seed", "replies", "conversations", "bits_per_byte", "cost", "error")


class CostRun(NamedTuple):
    """All changes of the contexts of one sample of replies, read by one bot."""

    bot: str
    seed: int

    @property
    def key(self) -> dict:
        return self._asdict()


TUNED = {"gpt, tuned on capitals": upper_case, "gpt, tuned on clean contexts": None}
COST_RUNS = (
    *(CostRun("gpt", seed) for seed in SEEDS),
    *(CostRun(bot, seed) for seed in SEEDS[:2] for bot in TUNED),
    CostRun("gpt-chat", 0),
)


def sample(bot, conversations, seed: int, per_conversation: int = PER_CONVERSATION) -> ReplySet:
    """Return replies of ``conversations`` that the bot can see with their contexts, also when these are in capitals."""
    data = reply_set(conversations, per_conversation, TURNS, np.random.default_rng(seed))
    kept = [n for n, (reply, context) in enumerate(zip(data.replies, data.contexts)) if fits(bot, reply, context)]
    return ReplySet([data.replies[n] for n in kept], [data.contexts[n] for n in kept], data.groups[kept])


def contexts_of(change: str, data: ReplySet, seed: int) -> list[list[str]]:
    """Return the contexts of ``data`` after a change of CHANGES, or those of one of CONTROLS."""
    rng = np.random.default_rng(seed)
    if change in CHANGES:
        return changed_contexts(data.contexts, CHANGES[change], rng)
    last = {"unchanged": None, "none": 0, "last turn only": 1}
    if change == "stranger's":
        return strangers_contexts(data, rng)
    return [context if last[change] is None else context[len(context) - last[change] :] for context in data.contexts]


def tune(bot: Bot, conversations, noise, seed: int, steps: int = TUNING_STEPS) -> Bot:
    """Return the bot trained on replies; of half of them, at random, the contexts are changed by ``noise`` (None: of none)."""
    rng, tokenizer = np.random.default_rng(seed), bot.tokenizer
    order = rng.permutation(len(conversations))
    data = sample(bot, [conversations[place] for place in order[: TUNING_REPLIES // PER_CONVERSATION]], seed)
    changed, rows = rng.random(len(data.replies)) < 0.5, []
    for reply, context, change in zip(data.replies, data.contexts, changed):
        ids = [tokenizer.end]
        for place, text in enumerate(context):
            text = noise(text, rng) if noise and change else text
            ids += [tokenizer.speaker("AB"[place % 2]), *tokenizer.encode(text)]
        whole = [*ids, tokenizer.speaker("AB"[len(context) % 2]), *tokenizer.encode(reply)]
        rows.append(Row(np.array(whole, dtype=np.int32), np.arange(len(whole)) > len(ids)))
    seed_everything(seed)
    batches = ReplyBatches(rows, TUNING_BATCH, seed, pad=tokenizer.pad)
    check_finished(fit(bot.model, batches, steps=steps, learning_rate=TUNING_RATE, progress=False))
    return bot


def cost_rows(run: CostRun, corpus: Corpus) -> list[dict]:
    """Return a row for each control and change: bits per byte, and what it is above gpt's own on unchanged contexts."""
    bot = checkpoints.load("gpt" if run.bot in TUNED else run.bot)
    data, rows = sample(bot, corpus.test, run.seed), []
    base = context_bits(checkpoints.load("gpt") if run.bot in TUNED else bot, data.replies, data.contexts)
    if run.bot in TUNED:
        tune(bot, corpus.train, TUNED[run.bot], run.seed)
    size = sum(len(reply.encode("utf-8")) for reply in data.replies)
    few = ("unchanged", "upper case", "texting style", "typos", "reversed words", "upper case, capitals lowered")
    for change in few if run.bot in TUNED else (*CONTROLS, *CHANGES):
        bits = context_bits(bot, data.replies, contexts_of(change, data, run.seed))
        more = cost(bits, base, data.replies, data.groups)
        values = (change, run.seed, len(bits), len(set(data.groups.tolist())), float(bits.sum()) / size, *more)
        rows.append(dict(zip(COST_COLUMNS, (run.bot, *values))))
    return rows


# --- the classifier of letters -----------------------------------------------------------------------------------------

EPSILON, TEXTS = 0.5, 500  # size of a step on the embeddings; test sentences of each class
DEFENCE_COLUMNS = (
    "defence", "seed", "steps", "clean", "typos", "random_letters",
    "hotflip_1", "hotflip_2", "hotflip_3", "flipped_1", "flipped_2", "flipped_3", "random_1", "random_3",
    "step", "random_step",
)  # fmt: skip
DEFENCES = {
    "none": lambda: {"loss": PerturbedLoss(0.0, "none")},
    "typos": lambda: {"noise": keyboard_typos},
    "random letters": lambda: {"noise": random_letters},
    "gradient steps": lambda: {"loss": PerturbedLoss(EPSILON)},
    "random steps": lambda: {"loss": PerturbedLoss(EPSILON, "random")},
    "hotflip": lambda: {"loss": HotFlipLoss(1)},
}


class DefenceRun(NamedTuple):
    """One training of the classifier of letters."""

    defence: str
    seed: int

    @property
    def key(self) -> dict:
        return self._asdict()


DEFENCE_RUNS = tuple(DefenceRun(defence, seed) for seed in SEEDS for defence in DEFENCES)


def defence_row(run: DefenceRun, train, test, steps: int = STEPS) -> dict:
    """Return accuracies of a classifier after a training: on clean, noisy and attacked texts, and after steps of size ε."""
    model = train_classifier(train, steps=steps, seed=run.seed, **DEFENCES[run.defence]())
    noisy = [
        accuracy(model, test, [noise(text, np.random.default_rng(place)) for place, text in enumerate(test.texts)])
        for noise in (keyboard_typos, random_letters)
    ]
    attacks = [under_attack(model, test, flips) for flips in (1, 2, 3)]
    chance = [under_attack(model, test, flips, np.random.default_rng(run.seed)).attacked for flips in (1, 3)]
    after = [accuracy_after_step(model, test, EPSILON, direction) for direction in ("gradient", "random")]
    numbers = [attack.attacked for attack in attacks] + [attack.flipped for attack in attacks]
    values = (*run, steps, accuracy(model, test), *noisy, *numbers, *chance, *after)
    return dict(zip(DEFENCE_COLUMNS, values))


def main(folder: Path | None = None) -> None:
    """Execute every run that the tables lack."""
    folder, corpus = folder or data_path(), load()
    path = folder / "robustness_costs.csv"
    run_missing(
        COST_RUNS,
        read_rows(path),
        lambda run: cost_rows(run, corpus),
        lambda rows: write_rows(path, COST_COLUMNS, rows),
    )
    train, test = question_examples(corpus.train), question_examples(corpus.test, TEXTS)
    table = folder / "robustness_defences.csv"
    run_missing(
        DEFENCE_RUNS,
        read_rows(table),
        lambda run: [defence_row(run, train, test)],
        lambda rows: write_rows(table, DEFENCE_COLUMNS, rows),
    )
