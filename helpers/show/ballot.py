"""Which is better? Two replies in random order, a vote, and what all votes say in sum. Built for notebook 08.

One widget for a Turing test (a person's reply or the bot's), for preferences and for bot against bot. Core ipywidgets only.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from helpers.evaluation.intervals import wilson_interval
from helpers.show.display import WIDE, Widget, html, spoken
from helpers.show.theme import BLUE, INK, amount, wrap, xml

CHOICES = ("left", "right", "neither")


class Question(NamedTuple):
    """The messages so far, and two replies: the first by the first of the ballot's ``names``, the second by the second."""

    context: Sequence[str]
    first: str
    second: str


class Ballot(Widget):
    """Ask which of two replies is better, question after question; which of them stands left is random.

    ``questions`` are `Question`s (or tuples like them), ``names`` says who wrote the first and the second replies. ``recorded``
    are votes cast before by ``voter``, for the first questions: 0 for the first name, 1 for the second, None for "can't say";
    they are reported until you vote yourself. Without a browser: ``ballot.vote("left")``, then read ``ballot.words``.
    ``ballot.votes`` holds your own, in the same form, and ``ballot.shares(votes)`` adds votes up. Raises ValueError for no
    question, an empty reply, names that are alike, or more recorded votes than questions.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        names: tuple[str, str] = ("a person", "the bot"),
        ask: str = "Which reply did a person write?",
        recorded: Sequence[int | None] = (),
        voter: str = "somebody before you",
        seed: int = 0,
    ):
        self.questions = [Question(list(context), *replies) for context, *replies in questions]
        _check(self.questions, names, recorded)
        self.names, self.ask, self.recorded, self.voter = tuple(names), ask, list(recorded), voter
        rng = random.Random(seed)
        self.swapped = [rng.random() < 0.5 for _ in self.questions]  # True: the first reply stands right
        self.votes: list[int | None] = []
        self._build()
        self._show("")

    def _build(self) -> None:
        import ipywidgets

        self.buttons = {
            choice: ipywidgets.Button(description=text) for choice, text in zip(CHOICES, ("Left", "Right", "Can't say"))
        }
        for choice, button in self.buttons.items():
            button.on_click(lambda _, choice=choice: self.vote(choice))
        self._question, self._spoken = ipywidgets.HTML(layout=WIDE), ipywidgets.HTML(layout=WIDE)
        row = ipywidgets.HBox(list(self.buttons.values()))
        self.widget = ipywidgets.VBox([self._question, row, self._spoken])

    # --- voting -----------------------------------------------------------------------------------------------------

    @property
    def at(self) -> int:
        """The number of the question that is shown, or that of questions when all are answered."""
        return len(self.votes)

    def sides(self, number: int) -> tuple[str, str]:
        """Return the replies of a question as they stand, left and right."""
        replies = self.questions[number][1:]
        return replies[::-1] if self.swapped[number] else replies

    def vote(self, choice: str) -> str:
        """Vote "left", "right" or "neither" on the question shown; return what the votes say now.

        Raises ValueError for another choice; with no question left the votes stay as they are.
        """
        if choice not in CHOICES:
            raise ValueError(f"vote one of {', '.join(CHOICES)}, not {choice!r}")
        answer = ""
        if self.at < len(self.questions):
            swapped = self.swapped[self.at]
            left, right = self.names[::-1] if swapped else self.names
            self.votes.append(None if choice == "neither" else int((choice == "right") != swapped))
            answer = f"Left was {left}, right was {right}."
        self._show(answer)
        return self.words

    def shares(self, votes: Sequence[int | None]) -> dict:
        """Add votes up: "first", "second" and "neither" votes, the "share" of the second name among those who chose,
        None if nobody did, and its 95 % Wilson "interval"."""
        first, second = (sum(vote == who for vote in votes if vote is not None) for who in (0, 1))
        share = second / (first + second) if first + second else None
        bounds = wilson_interval(second, first + second)
        return {"first": first, "second": second, "neither": votes.count(None), "share": share, "interval": bounds}

    # --- what is seen and read out --------------------------------------------------------------------------------------

    def summary(self, votes: Sequence[int | None]) -> str:
        """Say in a sentence what these votes show."""
        shares = self.shares(list(votes))
        first, second = self.names
        words = f"{first} {shares['first']}, {second} {shares['second']}, can't say {shares['neither']}."
        if shares["share"] is None:
            return words
        low, high = shares["interval"]
        chosen = f"{second[:1].upper()}{second[1:]} was chosen in {shares['share']:.0%}"
        return f"{words} {chosen} (95 % interval {low:.0%} to {high:.0%})."

    def _show(self, answer: str) -> None:
        if self.votes:
            tally = f"Your {amount(len(self.votes), 'vote')}: {self.summary(self.votes)}"
        elif self.recorded:
            tally = f"{len(self.recorded)} votes by {self.voter}: {self.summary(self.recorded)} Yours are not cast yet."
        else:
            tally = "No vote yet."
        if self.at >= len(self.questions):
            answer = f"{answer} That was the last question.".strip()
            for button in self.buttons.values():
                button.disabled = True
        self.words = f"{answer} {tally}".strip()
        self._question.value = self._question_html()
        self._spoken.value = spoken(self.words)

    def _question_html(self) -> str:
        if self.at >= len(self.questions):
            return ""
        box = f"flex:1;min-width:240px;padding:8px 12px;border:1px solid {BLUE};background:#fff;color:{INK};line-height:1.5"
        context = "<br>".join(html(text) for text in self.questions[self.at].context)
        replies = "".join(
            f'<div style="{box}"><b>{side}</b><br>{html(reply)}</div>'
            for side, reply in zip(("Left", "Right"), self.sides(self.at))
        )
        return (
            f'<div style="max-width:820px;line-height:1.5"><b>{self.at + 1} of {len(self.questions)}. {xml(self.ask)}</b>'
            f'<div style="padding:6px 12px">{context}</div><div style="display:flex;flex-wrap:wrap;gap:8px">{replies}</div></div>'
        )

    def __repr__(self) -> str:
        lines = []
        if self.at < len(self.questions):
            left, right = self.sides(self.at)
            lines.append(wrap(f"{self.at + 1} of {len(self.questions)}. {self.ask}"))
            lines += [wrap(f"  > {_line(text)}") for text in self.questions[self.at].context]
            lines += [wrap(f"  Left:  {_line(left)}"), wrap(f"  Right: {_line(right)}")]
        return "\n".join([*lines, wrap(self.words)])


def _check(questions, names, recorded) -> None:
    if not questions:
        raise ValueError(
            "there is nothing to vote on: give at least one question, (context, first reply, second reply)"
        )
    for number, question in enumerate(questions):
        if not (question.first.strip() and question.second.strip()):
            raise ValueError(f"question {number} has an empty reply: leave it out, anyone can tell it at a glance")
    if len(set(names)) != 2:
        raise ValueError(f"give two different names, for the first and the second replies, not {tuple(names)}")
    if len(recorded) > len(questions) or any(vote not in (0, 1, None) for vote in recorded):
        raise ValueError("recorded votes are 0, 1 or None, one for each of the first questions")


def _line(text: str) -> str:
    return " / ".join(text.split("\n"))
