"""Adversarial success of every bot: can an evaluator tell its replies from people's? (notebook 08)

    python -m helpers bots judge       all bots; it needs gpt and seq2seq, with whose eyes the evaluator reads

What stands on the scoreboard is the success against the evaluator with both pairs of eyes. ``adversarial_success.csv``
holds the success against evaluators with one pair of eyes as well: a bot that reads gives away its own kind. (With none,
by words and lengths alone, the evaluator does not pass its tests: it takes too many random words for people's.)
"""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.bots import checkpoints
from helpers.bots.measure import TEMPERATURE
from helpers.io import read_rows, write_rows

READERS = ("gpt", "seq2seq")  # different from one another, and one better than most of the bots that are judged
PLACES = (3, 9, 15)  # so many turns of a test conversation are read, and the next one is replied to
PIECES = 24  # of every reply the first so many word pieces are looked at: length alone should not tell
FILE = "adversarial_success.csv"
COLUMN = "adversarial success"  # on the scoreboard
READER_SETS = {name: (READERS.index(name),) for name in ("seq2seq", "gpt")} | {COLUMN: (0, 1)}  # column -> numbers of READERS


class Question(NamedTuple):
    """The turns before, and what a person replied to them."""

    turns: list[str]
    reply: str


def questions(test) -> list[Question]:
    """Return what is asked of all bots, conversation by conversation: up to three replies of each."""
    return [
        Question([turn.text for turn in talk.turns[:place]], talk.turns[place].text)
        for talk in test
        for place in PLACES
        if len(talk.turns) > place
    ]


def evaluator(device="cpu"):
    """Return an Evaluator with the eyes of READERS.

    Raises ValueError, with the known names, when one is not there, and when they do not read the same word pieces.
    """
    from helpers.evaluation.human_or_bot_classifier import Evaluator

    readers = [checkpoints.load(name, device) for name in READERS]
    if len({tuple(reader.tokenizer.tokens) for reader in readers}) > 1:
        raise ValueError(f"{' and '.join(READERS)} read different word pieces: train them again")
    return Evaluator([reader.model for reader in readers], readers[0].tokenizer)


class Examiner:
    """Has seen what people replied, has tested its evaluators, and judges one bot after the other.

    ``test`` is a list of Conversations. Raises ValueError when a reader is missing, when there are too few replies, and
    when an evaluator fails its tests.
    """

    def __init__(self, test, device="cpu"):
        from helpers.evaluation.human_or_bot_classifier import random_words, tested_on

        self.questions, self.evaluator = questions(test), evaluator(device)
        self._prompt = checkpoints.load(READERS[0]).prompt
        people = [self.pair(question, question.reply) for question in self.questions]
        self.people = self.evaluator.see(people)
        noise = self.evaluator.see(random_words(self.evaluator, people, np.random.default_rng(0)))
        self.tested = {
            column: tested_on(self.evaluator, self.people.seen_by(readers), noise.seen_by(readers))
            for column, readers in READER_SETS.items()
        }
        if failed := [f"{column}: {tested}" for column, tested in self.tested.items() if not tested.passed]:
            raise ValueError(f"the evaluator says nothing about a bot. {failed[0]}")

    def pair(self, question: Question, reply: str):
        """Return a reply as the evaluator reads it: a person's or a bot's, in the same pieces, closed in the same way."""
        from helpers.corpus.batches.context_reply_pairs import Pair

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a long conversation the end is read, by the evaluator as by the bots
            *context, speaker = self._prompt(question.turns)
        tokenizer = self.evaluator.tokenizer
        closing = tokenizer.speaker("BA"[len(question.turns) % 2])
        return Pair(context, [speaker, *[*tokenizer.encode(reply.strip()), closing][:PIECES]])

    def success(self, bot) -> dict[str, float]:
        """Return a bot's adversarial success against the evaluators named by EYES, at temperature 0.7."""
        from helpers.evaluation.human_or_bot_classifier import adversarial_success

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = [
                self.pair(question, bot.reply(question.turns, temperature=TEMPERATURE, seed=seed))
                for seed, question in enumerate(self.questions)
            ]
        seen = self.evaluator.see(said)
        return {
            column: adversarial_success(
                self.evaluator, self.people.seen_by(readers), seen.seen_by(readers), self.tested[column]
            )
            for column, readers in READER_SETS.items()
        }


def judge(names: list[str] | None = None, test=None) -> None:
    """Judge trained bots (all, if none is named); on their cards and rows this figure alone is rewritten.

    ``test`` is a list of Conversations, those of the course if it is left out. Raises ValueError for a bot that is unknown,
    has no row on the scoreboard or was not measured yet, and as Examiner does; then nothing was written.
    """
    from helpers.corpus.load import load

    cards = _cards(names)
    _judge(cards, Examiner(load().test if test is None else test))


def judge_if_possible(names: list[str], test) -> None:
    """Judge bots that were measured; where the evaluator cannot be had, say why, and that they have no such figure."""
    cards = _cards(names)
    try:
        examiner = Examiner(test)
    except ValueError as reason:
        print(f"Not judged, so there is no adversarial success of {', '.join(cards)} yet: {reason}")
        return
    _judge(cards, examiner)


def _cards(names) -> dict[str, dict]:
    from helpers.evaluation.scoreboard import ENTRIES

    known = [entry.name for entry in ENTRIES]
    if not names:  # all that can be judged
        cards = {name: checkpoints.card(name) for name in checkpoints.names() if name in known}
        return {name: card for name, card in cards.items() if "bits per byte" in card["metrics"]}
    cards = {name: checkpoints.card(name) for name in names}
    for name, card in cards.items():
        if name not in known:
            raise ValueError(f"{name!r} has no row on the scoreboard, which has: {', '.join(known)}")
        if "bits per byte" not in card["metrics"]:
            raise ValueError(f"{name!r} was not measured yet: python -m helpers bots train {name}")
    return cards


def _judge(cards: dict[str, dict], examiner: Examiner) -> None:
    for name, card in cards.items():
        found = examiner.success(checkpoints.load(name))
        write({name: found})
        _note(name, card, found[COLUMN])
        print(f"{name}: adversarial success {found[COLUMN]:.3f}")


def forget(names: list[str]) -> None:
    """Take this figure of bots away everywhere: it was that of other weights, or given by other readers."""
    write_rows(_path(), ["bot", *READER_SETS], [{"bot": bot} | row for bot, row in rows().items() if bot not in names])
    for name in names:
        if (card := checkpoints.card(name))["metrics"].get(COLUMN) is not None:
            _note(name, card, None)


def _note(name: str, card: dict, figure: float | None) -> None:
    from helpers.evaluation import scoreboard

    figures = card["metrics"] | {COLUMN: figure}
    checkpoints.note_metrics(name, figures)
    scoreboard.write(name, figures)


# --- the file ----------------------------------------------------------------------------------------------------------


def rows() -> dict[str, dict[str, float]]:
    """Return the file's numbers, {bot: {column of EYES: adversarial success}}; no file is no row."""
    return {row.pop("bot"): row for row in read_rows(_path())}


def write(found: dict[str, dict[str, float]]) -> None:
    """Add bots' rows to the file, or replace those they have; the others stay."""
    from helpers.evaluation.scoreboard import ENTRIES

    table = rows() | found
    write_rows(_path(), ["bot", *READER_SETS], [{"bot": e.name, **table[e.name]} for e in ENTRIES if e.name in table])


def _path() -> Path:
    return checkpoints.folder().parent / FILE  # beside the checkpoints that were judged
