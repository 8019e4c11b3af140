"""Adversarial success of every bot: can an evaluator tell its replies from people's? (notebook 08)

    python -m helpers.chat.zoo judge       all bots; it needs gpt and seq2seq, with whose eyes the evaluator reads

What stands on the scoreboard is the success against the evaluator with both pairs of eyes. ``adversarial_success.csv``
holds the success against evaluators with fewer eyes as well: a bot that reads gives away its own kind.
"""

import warnings
from pathlib import Path
from typing import NamedTuple

from .. import data_path
from . import zoo
from .measuring import TEMPERATURE
from .runs import read_rows, write_rows

READERS = ("gpt", "seq2seq")  # different from one another, and one better than most of the bots that are judged
PLACES = (3, 9, 15)  # so many turns of a test conversation are read, and the next one is replied to
PIECES = 24  # of every reply the first so many word pieces are looked at: length alone should not tell
FILE = "adversarial_success.csv"
COLUMN = "adversarial success"  # on the scoreboard
EYES = {"no reader": (), "seq2seq": (1,), "gpt": (0,), COLUMN: (0, 1)}  # column -> numbers of READERS


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
    """Return an Evaluator with the eyes of READERS. Raises ValueError, with the known names, when one is not there."""
    from ..evaluation.judging import Evaluator

    readers = [zoo.load(name, device) for name in READERS]
    return Evaluator([reader.model for reader in readers], readers[0].tokenizer)


class Examiner:
    """Has seen what people replied, has passed the evaluator's tests, and judges one bot after the other.

    ``test`` is a list of Conversations. Raises ValueError when a reader is missing, when there are too few replies, and
    when the evaluator fails its tests.
    """

    def __init__(self, test, device="cpu"):
        from ..evaluation.judging import sanity

        self.questions, self.evaluator = questions(test), evaluator(device)
        self._prompt = zoo.load(READERS[0]).prompt
        people = [self.pair(question, question.reply) for question in self.questions]
        self.people = self.evaluator.see(people)
        self.tested = sanity(self.evaluator, people, self.people)

    def pair(self, question: Question, reply: str):
        """Return a reply as the evaluator reads it: a person's or a bot's, in the same pieces, closed in the same way."""
        from ..corpus.pairs import Pair

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a long conversation the end is read, by the evaluator as by the bots
            *context, speaker = self._prompt(question.turns)
        tokenizer = self.evaluator.tokenizer
        closing = tokenizer.speaker("BA"[len(question.turns) % 2])
        return Pair(context, [speaker, *[*tokenizer.encode(reply.strip()), closing][:PIECES]])

    def success(self, bot) -> dict[str, float]:
        """Return a bot's adversarial success against the evaluators named by EYES, at temperature 0.7."""
        from ..evaluation.judging import adversarial_success

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = [
                self.pair(question, bot.reply(question.turns, temperature=TEMPERATURE, seed=seed))
                for seed, question in enumerate(self.questions)
            ]
        seen = self.evaluator.see(said)
        return {
            column: adversarial_success(
                self.evaluator, self.people.seen_by(readers), seen.seen_by(readers), self.tested
            )
            for column, readers in EYES.items()
        }


def judge(names: list[str] | None = None, test=None) -> None:
    """Judge trained bots (all, if none is named); on their cards and rows this figure alone is rewritten.

    ``test`` is a list of Conversations, those of the course if it is left out. Raises ValueError for an unknown bot, and as
    Examiner does.
    """
    from ..corpus import conversations
    from ..evaluation import scoreboard

    cards = {name: zoo.card(name) for name in names or zoo.names()}
    examiner = Examiner(conversations.load().test if test is None else test)
    for name, card in cards.items():
        found = examiner.success(zoo.load(name))
        write({name: found})
        figures = card["metrics"] | {COLUMN: found[COLUMN]}
        zoo.note_metrics(name, figures)
        scoreboard.write(name, figures)
        print(f"{name}: adversarial success {found[COLUMN]:.3f}")


def judge_if_possible(names: list[str] | None, test) -> None:
    """Judge what was measured, and every bot when one of the evaluator's readers is new; say so where it cannot be done."""
    changed = not names or set(names) & set(READERS)
    try:
        judge(None if changed else names, test)
    except ValueError as reason:
        print(f"Not judged yet, so the scoreboard has no adversarial success of these bots: {reason}")


# --- the file ----------------------------------------------------------------------------------------------------------


def rows(folder: Path | None = None) -> dict[str, dict[str, float]]:
    """Return the file's numbers, {bot: {column of EYES: adversarial success}}; no file is no row."""
    return {row.pop("bot"): row for row in read_rows((folder or data_path()) / FILE)}


def write(found: dict[str, dict[str, float]], folder: Path | None = None) -> None:
    """Add bots' rows to the file, or replace those they have; the others stay."""
    from ..evaluation.scoreboard import ENTRIES

    folder = folder or data_path()
    table = rows(folder) | found
    ordered = [{"bot": entry.name, **table[entry.name]} for entry in ENTRIES if entry.name in table]
    write_rows(folder / FILE, ["bot", *EYES], ordered)
