"""Adversarial success of every bot: can an evaluator tell its replies from people's? (notebook 08)

    python -m helpers bots judge       all bots; it needs gpt and seq2seq, whose likelihoods are the evaluator's features

The scoreboard has the success against the evaluator with both readers. ``adversarial_success.csv`` holds the success against
evaluators with one reader as well: each recognizes its own kind of model best. (With none, by words and lengths alone, the
evaluator does not pass its tests: it takes too many random words for people's.)
"""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.bots import checkpoints
from helpers.bots.measure import TEMPERATURE, record
from helpers.evaluation.scoreboard import BOTS
from helpers.io import read_rows, write_rows

READERS = ("gpt", "seq2seq")  # different from one another, and one better than most of the bots that are evaluated
TURNS = (3, 9, 15)  # so many turns of a test conversation are read, and the next one is replied to
TOKENS = 24  # only the first so many tokens of every reply are compared: length alone should not tell
FILE = "adversarial_success.csv"
COLUMN = "adversarial success"  # on the scoreboard
READER_SETS = {name: (READERS.index(name),) for name in ("seq2seq", "gpt")} | {COLUMN: (0, 1)}  # column -> numbers of READERS


class Question(NamedTuple):
    """The turns before, and the reply of a person."""

    turns: list[str]
    reply: str


def questions(test) -> list[Question]:
    """Return what all bots are asked, conversation by conversation: up to three questions of each."""
    return [
        Question([turn.text for turn in talk.turns[:number]], talk.turns[number].text)
        for talk in test
        for number in TURNS
        if len(talk.turns) > number
    ]


def evaluator(device="cpu"):
    """Return an Evaluator with the readers READERS.

    Raises ValueError, with the known names, when one is not there, and when they do not read the same word pieces.
    """
    from helpers.evaluation.human_or_bot_classifier import Evaluator

    readers = [checkpoints.load(name, device) for name in READERS]
    if len({tuple(reader.tokenizer.tokens) for reader in readers}) > 1:
        raise ValueError(f"{' and '.join(READERS)} read different word pieces: train them again")
    return Evaluator([reader.model for reader in readers], readers[0].tokenizer)


class AdversarialEvaluation:
    """Holds the features of people's replies and evaluators that passed their tests; evaluates one bot after the other.

    ``test`` is a list of Conversations. Raises ValueError when a reader is missing, when there are too few replies, and
    when an evaluator fails its tests.
    """

    def __init__(self, test, device="cpu"):
        from helpers.evaluation.human_or_bot_classifier import random_words, sanity_of_features

        self.questions, self.evaluator = questions(test), evaluator(device)
        self._prompt = checkpoints.load(READERS[0]).prompt
        people = [self.pair(question, question.reply) for question in self.questions]
        self.human = self.evaluator.featurize(people)
        noise = self.evaluator.featurize(random_words(self.evaluator.tokenizer, people, np.random.default_rng(0)))
        self.sanity = {
            column: sanity_of_features(self.evaluator, self.human.of_readers(readers), noise.of_readers(readers))
            for column, readers in READER_SETS.items()
        }
        if failed := [f"{column}: {sanity}" for column, sanity in self.sanity.items() if not sanity.passed]:
            raise ValueError(f"the evaluator says nothing about a bot. {failed[0]}")

    def pair(self, question: Question, reply: str):
        """Return a reply as the evaluator reads it: a person's or a bot's, in the same pieces, closed in the same way."""
        from helpers.corpus.batches.base import Pair

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a long conversation the end is read, by the evaluator as by the bots
            *context, speaker = self._prompt(question.turns)
        tokenizer = self.evaluator.tokenizer
        closing = tokenizer.speaker("BA"[len(question.turns) % 2])
        return Pair(context, [speaker, *[*tokenizer.encode(reply.strip()), closing][:TOKENS]])

    def success(self, bot) -> dict[str, float]:
        """Return a bot's adversarial success against the evaluators named by READER_SETS, at temperature 0.7."""
        from helpers.evaluation.human_or_bot_classifier import adversarial_success

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            replies = [
                self.pair(question, bot.reply(question.turns, temperature=TEMPERATURE, seed=seed))
                for seed, question in enumerate(self.questions)
            ]
        machine = self.evaluator.featurize(replies)
        return {
            column: adversarial_success(
                self.evaluator, self.human.of_readers(readers), machine.of_readers(readers), self.sanity[column]
            )
            for column, readers in READER_SETS.items()
        }


def evaluate(names: list[str] | None = None, test=None, required: bool = True) -> None:
    """Evaluate trained bots (all, if none is named); on their cards and rows this figure alone is rewritten.

    ``test`` is a list of Conversations, those of the course if it is left out. Raises ValueError for a bot that is unknown,
    has no row on the scoreboard or was not measured yet, and as AdversarialEvaluation does; then nothing was written. If
    the figure is not ``required``, a missing evaluator is reported in a sentence.
    """
    from helpers.corpus.load import load

    cards = _cards(names)
    try:
        evaluation = AdversarialEvaluation(load().test if test is None else test)
    except ValueError as reason:
        if required:
            raise
        return print(f"There is no adversarial success of {', '.join(cards)} yet: {reason}")
    for name, card in cards.items():
        success = evaluation.success(checkpoints.load(name))
        write_results(read_results() | {name: success})
        record(name, card["metrics"] | {COLUMN: success[COLUMN]})
        print(f"{name}: adversarial success {success[COLUMN]:.3f}")


def _cards(names) -> dict[str, dict]:
    known = [entry.name for entry in BOTS]
    if not names:  # all that can be evaluated
        cards = {name: checkpoints.card(name) for name in checkpoints.names() if name in known}
        return {name: card for name, card in cards.items() if "bits per byte" in card["metrics"]}
    cards = {name: checkpoints.card(name) for name in names}
    for name, card in cards.items():
        if name not in known:
            raise ValueError(f"{name!r} has no row on the scoreboard, which has: {', '.join(known)}")
        if "bits per byte" not in card["metrics"]:
            raise ValueError(f"{name!r} was not measured yet: python -m helpers bots train {name}")
    return cards


def forget(names: list[str]) -> None:
    """Take this figure of bots away everywhere: it was that of other weights, or given by other readers."""
    write_results({name: row for name, row in read_results().items() if name not in names})
    for name in names:
        if (metrics := checkpoints.card(name)["metrics"]).get(COLUMN) is not None:
            record(name, metrics | {COLUMN: None})


# --- the file ----------------------------------------------------------------------------------------------------------


def read_results() -> dict[str, dict[str, float]]:
    """Return the file's numbers, {bot: {column of READER_SETS: adversarial success}}; no file is no row."""
    return {row.pop("bot"): row for row in read_rows(_path())}


def write_results(results: dict[str, dict[str, float]]) -> None:
    """Write the file anew, in the order of the scoreboard."""
    rows = [{"bot": entry.name, **results[entry.name]} for entry in BOTS if entry.name in results]
    write_rows(_path(), ["bot", *READER_SETS], rows)


def _path() -> Path:
    return checkpoints.folder().parent / FILE  # beside the checkpoints that were evaluated
