"""Vote first, then see the names: questions about bots that are known by a letter only. Built for notebook 00."""

from __future__ import annotations

from helpers.show.display import CONTROL, WIDE, Widget, spoken
from helpers.show.theme import amount, listing, wrap

OPEN = "No vote yet. The names come after it."


class BlindVote(Widget):
    """A menu of letters for each question, and a button that shows the names once all questions are answered.

    ``names`` is a dict from letter to who is behind it. ``questions`` is a dict from a question to the letter that is right,
    or to None for a question of taste. Without a browser: ``vote.cast({question: letter, …})``, then read ``vote.words``;
    ``vote.votes`` holds what was chosen. What is recorded before the vote, its ``repr``, is the questions, never a name. Raises
    ValueError for fewer than two letters, no question, or a right answer that is no letter.
    """

    def __init__(self, names: dict[str, str], questions: dict[str, str | None]):
        import ipywidgets

        wrong = [right for right in questions.values() if right is not None and right not in names]
        if len(names) < 2 or not questions or wrong:
            raise ValueError(f"a vote needs two letters, a question, and right answers among the letters; got {wrong or names}")
        self.names, self.questions, self.votes = dict(names), dict(questions), {}
        self.menus = {
            question: ipywidgets.Dropdown(options=[("choose …", None), *zip(names, names)], description=question, **CONTROL)
            for question in questions
        }
        self.button = ipywidgets.Button(description="Vote, then show the names", layout={"width": "max-content"})
        self.button.on_click(self._clicked)
        self._spoken = ipywidgets.HTML(layout=WIDE)
        self.widget = ipywidgets.VBox([*self.menus.values(), self.button, self._spoken])
        self._say(OPEN)

    def cast(self, votes: dict[str, str]) -> str:
        """Choose a letter for questions, as a learner would with the menus, and vote; return what is said then."""
        for question, letter in votes.items():
            self.menus[question].value = letter
        self._clicked()
        return self.words

    def _clicked(self, button=None) -> None:
        chosen = {question: menu.value for question, menu in self.menus.items()}
        if missing := sum(letter is None for letter in chosen.values()):
            self._say(f"{amount(missing, 'question')} still open: choose a letter for each, then vote.")
            return
        if not self.votes:  # the first vote counts: after it the names are known
            self.votes = chosen
            for menu in self.menus.values():
                menu.disabled = True
            self.button.disabled = True
        self._say("\n".join([*(self._answer(*pair) for pair in self.votes.items()), self._all()]))

    def _answer(self, question: str, letter: str) -> str:
        right = self.questions[question]
        said = f"{question} You said {letter}, {self.names[letter]}."
        if right is None:
            return said
        return f"✔ {said}" if letter == right else f"{said} It is {right}, {self.names[right]}."

    def _all(self) -> str:
        return f"The names: {listing(f'{letter} {name}' for letter, name in self.names.items())}."

    def _say(self, words: str) -> None:
        self.words = words
        self._spoken.value = spoken(words)

    def __repr__(self) -> str:
        asked = [f"{question} {listing(self.names)}?" for question in self.questions]
        return wrap("\n".join([*(asked if not self.votes else []), self.words]))
