"""The arena itself: two replies without names, a vote, and ratings that move with it. Built for notebook 15.

What the `Ballot` of notebook 08 was for two names, for any number of them. Core ipywidgets only; the votes stay on your computer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from helpers.show.display import CONTROL, WIDE, Widget, html, spoken
from helpers.show.rated_votes import Rated, draw_rated, rated_votes, remarks
from helpers.show.svg import Drawing
from helpers.show.theme import BLUE, INK, amount, listing, wrap

CHOICES = {"left": "Left is better", "right": "Right is better", "tie": "Tie", "both bad": "Both are bad"}


class Arena(Widget):
    """Show two replies to a prompt without names, take a vote, say who wrote them, and rate all contestants.

    ``prompts`` and ``replies`` are those of ``helpers.bots.arena`` (each prompt has ``turns``; a list of turns will do), with
    ``replies`` = {contestant: its reply to each prompt}; ``duels`` (prompt, left, right) say what is asked, in order (None:
    ``blind_pairs(replies, seed=seed)``). ``file`` is the path of your votes (None: they are forgotten); duels that you have
    decided in it are not asked again. ``recorded`` are votes (prompt, left, right, winner) cast by ``voter``, shown until you
    vote yourself. ``rate`` is your function wins [N, N] → strengths [N]. Without a browser: ``arena.vote("left")`` (or "right",
    "tie", "both bad"), then read ``arena.words``; ``arena.votes`` are yours, ``arena.ratings()`` the drawing, and
    ``arena.merge(folder)`` counts a class's files. Raises ValueError for duels that cannot be shown.
    """

    def __init__(
        self,
        prompts: Sequence,
        replies: Mapping[str, Sequence[str]],
        duels: Sequence | None = None,
        file: str | os.PathLike | None = None,
        recorded: Sequence = (),
        voter: str = "someone before you",
        rate: Callable | None = None,
        seed: int = 0,
        resamples: int = 200,
    ):
        from helpers.bots.arena import blind_pairs
        from helpers.bots.votes import VoteFile
        from helpers.evaluation.comparisons import check_votes

        self.prompts, self.replies = list(prompts), {name: list(texts) for name, texts in replies.items()}
        duels = [tuple(duel) for duel in (blind_pairs(replies, seed=seed) if duels is None else duels)]
        _check(self.prompts, self.replies, duels)
        self.recorded, self.voter = check_votes(recorded) if recorded else [], voter
        self.rate, self.resamples, self.merged, self._known = rate, resamples, None, {}
        self.file, self._kept = None if file is None else VoteFile(file), []
        decided = {_key(vote) for vote in self.votes}
        self.duels = [duel for duel in duels if _key((self._number(duel), *duel[1:])) not in decided]
        self.at = 0  # the duel that is shown
        self._build()
        self._show(self.file.report if self.file else "")

    def _build(self) -> None:
        import ipywidgets

        layout = {"width": "max-content"}
        self.buttons = {choice: ipywidgets.Button(description=text, layout=layout) for choice, text in CHOICES.items()}
        for choice, button in self.buttons.items():
            button.on_click(lambda _, choice=choice: self.vote(choice))
        self.source = ipywidgets.Dropdown(options=[("", "")], description="ratings from", **CONTROL)
        self._question, self._spoken, self._picture = (ipywidgets.HTML(layout=WIDE) for _ in range(3))
        row = ipywidgets.HBox(list(self.buttons.values()), layout={"flex_flow": "row wrap"})
        self.widget = ipywidgets.VBox([self._question, row, self._spoken, self.source, self._picture])
        self._last, self._quiet = "", False
        self.source.observe(lambda change: self._drawn(), names="value")

    # --- voting -----------------------------------------------------------------------------------------------------

    @property
    def votes(self) -> list:
        """Your own votes, oldest first: those of the file, or of this arena where there is none."""
        return self.file.votes() if self.file else list(self._kept)

    def vote(self, choice: str) -> str:
        """Vote on the duel shown; return who wrote what, and what your votes say now.

        Raises ValueError for another choice; with no duel left the votes stay as they are. Where the file cannot be written,
        the words say why, and the duel stays.
        """
        from helpers.evaluation.comparisons import Vote

        if choice not in CHOICES:
            raise ValueError(f"vote one of {', '.join(CHOICES)}, not {choice!r}")
        if self.at >= len(self.duels):
            return self._show("")
        prompt, left, right = self.duels[self.at]
        vote = Vote(self._number(self.duels[self.at]), left, right, choice)
        try:
            if self.file:
                self.file.add(*vote[:4])
            else:
                self._kept.append(vote)
        except OSError as error:
            return self._show(f"This vote could not be kept, and does not count: {error}.")
        self.at += 1
        return self._show(f"Left was {left}, right was {right}.", "yours")

    def merge(self, folder) -> str:
        """Count the votes of a class: all vote files of a folder (or a list of files), each vote once. Return what they say.

        Raises FileNotFoundError and ValueError as ``helpers.bots.votes.merge_votes`` does.
        """
        from helpers.bots.votes import merge_votes

        self.merged = merge_votes(folder)
        return self._show(self.merged.words, "class")

    def ratings(self, source: str | None = None) -> Drawing | None:
        """Return the drawing of the ratings: "recorded", "yours" or "class"; None where there are none."""
        votes = self._sources().get(source or self.source.value)
        found = self._rated(votes) if votes else ""
        return None if isinstance(found, str) else draw_rated(found, votes)

    def _rated(self, votes: Sequence) -> Rated | str:
        """Return the ratings, or why there are none; computed once, for the drawing and the words."""
        key = tuple(votes)
        if key not in self._known:
            try:
                found = rated_votes(votes, rate=self.rate, resamples=self.resamples)
            except ValueError as error:
                found = str(error)
            self._known = {key: found}
        return self._known[key]

    # --- what is seen and read out -------------------------------------------------------------------------------------

    def _number(self, duel: Sequence):
        """What a prompt is called in the votes: its own number, or its position."""
        return getattr(self.prompts[duel[0]], "number", duel[0])

    def _sources(self) -> dict[str, Sequence]:
        found = {"recorded": self.recorded, "yours": self.votes, "class": self.merged.votes if self.merged else ()}
        return {name: votes for name, votes in found.items() if votes}

    def _show(self, answer: str, source: str | None = None) -> str:
        if self.at >= len(self.duels):
            answer = f"{answer} That was the last pair.".strip()
            for button in self.buttons.values():
                button.disabled = True
        self._last, sources = answer, self._sources()
        whose = {"recorded": f"votes by {self.voter}", "yours": "your votes", "class": "the class's votes"}
        options = [(f"{whose[name]} ({len(votes)})", name) for name, votes in sources.items()] or [("no votes yet", "")]
        chosen = source if source in sources else "yours" if "yours" in sources else options[0][1]
        self._quiet = True  # else the menu's own change would draw a second time
        self.source.options, self.source.value = options, chosen
        self._quiet = False
        self._question.value = self._question_html()
        self._drawn()
        return self.words

    def _drawn(self) -> None:
        if self._quiet:
            return
        drawing = self.ratings()
        self._picture.value = drawing._repr_svg_() if drawing is not None else ""
        self.words = f"{self._last} {self._summary()}".strip()
        self._spoken.value = spoken(self.words)

    def _summary(self) -> str:
        source, sources = self.source.value, self._sources()
        if not sources:
            return "No vote yet."
        votes = sources[source]
        whose = {
            "recorded": f"{amount(len(votes), 'vote')} by {self.voter}",
            "yours": f"Your {amount(len(votes), 'vote')}",
        }
        begin = whose.get(source, f"The class's {amount(len(votes), 'vote')}")
        later = " Yours are not cast yet." if source == "recorded" and "yours" not in sources else ""
        found = self._rated(votes)
        if isinstance(found, str):
            return f"{begin}: no ratings yet: {found}.{later}"
        order = sorted(range(len(found.names)), key=lambda i: -found.values[i])
        write = lambda value: f"{round(value) + 0:,}".replace("-", "−")  # noqa: E731
        text = [
            f"{found.names[i]} {write(found.values[i])} ({write(found.low[i])} to {write(found.high[i])})"
            for i in order
        ]
        said = listing(text) if len(text) <= 4 else f"{', '.join(text[:3])}, … last {text[-1]}"
        return f"{begin}, in Elo with 95 % intervals: {said}. {remarks(found, votes)}{later}"

    def _question_html(self) -> str:
        if self.at >= len(self.duels):
            return ""
        prompt, *names = self.duels[self.at]
        box = f"flex:1;min-width:240px;padding:8px 12px;border:1px solid {BLUE};background:#fff;color:{INK};line-height:1.5"
        turns = "<br>".join(html(turn) for turn in _turns(self.prompts[prompt]))
        replies = "".join(
            f'<div style="{box}"><b>{side}</b><br>{html(self.replies[name][prompt])}</div>'
            for side, name in zip(("Left", "Right"), names)
        )
        return (
            f'<div style="max-width:796px;color:{INK};background:#f5f6f9;padding:8px 12px"><div>Pair {self.at + 1} of '
            f'{len(self.duels)}. Which reply is better?</div><div style="margin:6px 0;line-height:1.5">{turns}</div>'
            f'<div style="display:flex;flex-wrap:wrap;gap:8px">{replies}</div></div>'
        )

    def __repr__(self) -> str:
        if self.at >= len(self.duels):
            return wrap(self.words)
        prompt, left, right = self.duels[self.at]
        sides = [f"{side}: {_line(self.replies[name][prompt])}" for side, name in (("Left", left), ("Right", right))]
        turns = [f"    {_line(turn)}" for turn in _turns(self.prompts[prompt])]
        return wrap(
            "\n".join([f"Pair {self.at + 1} of {len(self.duels)}. Which reply is better?", *turns, *sides, self.words])
        )


def _turns(prompt) -> list[str]:
    """The turns of a prompt, with who speaks: the reply is by whoever did not speak last."""
    turns = list(getattr(prompt, "turns", prompt))
    return [f"{'AB'[(number + len(turns)) % 2]}: {turn}" for number, turn in enumerate(turns)]


def _line(text: str) -> str:
    return " / ".join(text.split("\n"))


def _key(vote: Sequence) -> tuple:
    return vote[0], frozenset(vote[1:3])


def _check(prompts: Sequence, replies: Mapping, duels: Sequence) -> None:
    if not duels:
        raise ValueError("there is no pair to vote on: give duels (prompt, left, right), at least one")
    for number, duel in enumerate(duels):
        if len(duel) != 3 or not isinstance(duel[0], int) or not 0 <= duel[0] < len(prompts):
            raise ValueError(
                f"pair {number} is {duel!r}: write (prompt, left, right), with a prompt from 0 to {len(prompts) - 1}"
            )
        prompt, left, right = duel
        for name in (left, right):
            if name not in replies or len(replies[name]) <= prompt:
                raise ValueError(f"pair {number} needs a reply of {name!r} to prompt {prompt}, and there is none")
        if replies[left][prompt].strip() == replies[right][prompt].strip():
            raise ValueError(f"in pair {number} both replies are the same text: leave it out, it decides nothing")
