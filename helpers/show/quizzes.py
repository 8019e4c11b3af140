"""A question with lettered options; its key is computed from the notebook's own variables. Built for 00, used by all."""

from __future__ import annotations

import base64
import json
import math
import zlib

from helpers.show import theme
from helpers.show.display import WIDE, Widget, spoken
from helpers.show.theme import xml


class Quiz(Widget):
    """What `quiz` returns: radio buttons, a button to check, and feedback in words.

    What is recorded of it, its ``repr``, is question and options, never the key.
    """

    def __init__(self, question: str, options, answer, why: str = ""):
        import ipywidgets

        hints = options if isinstance(options, dict) else {}
        self.question, self.options, self.why = str(question), list(options), why
        self.hints = [hints.get(option) or "" for option in self.options]
        shown = [str(option) for option in self.options]
        if len(shown) < 2 or len(set(shown)) < len(shown):
            raise ValueError("a quiz needs at least two options, each different from the others")
        matches = [i for i, option in enumerate(self.options) if _same(option, answer)]
        if len(matches) != 1:
            known = f"the answer {answer!r} is not one of the options ({', '.join(shown)})"
            raise ValueError(f"{known}: compare the expression for the answer with what the options say")
        self._right = matches[0]
        self.labels = [f"{chr(ord('a') + i)}) {option}" for i, option in enumerate(shown)]
        # value=None: nothing is chosen beforehand, so that the first option is no suggestion.
        self.buttons = ipywidgets.RadioButtons(
            options=[(label, i) for i, label in enumerate(self.labels)], value=None, layout=WIDE
        )
        # A button of its own: arrow keys move through the options, and moving is not answering.
        self.check = ipywidgets.Button(description="Check my answer")
        self._spoken = ipywidgets.HTML(layout=WIDE)
        style = "max-width:820px;font-weight:600;line-height:1.5"
        title = ipywidgets.HTML(f'<div style="{style}">{xml(self.question)}</div>')
        self.widget = ipywidgets.VBox([title, self.buttons, self.check, self._spoken])
        self.check.on_click(self._checked)
        self.buttons.observe(self._moved, names="value")
        self.say("")

    def say(self, words: str) -> None:
        """Put feedback below the options, where a screen reader announces it."""
        self.feedback = words
        self._spoken.value = spoken(words) if words else ""

    def _moved(self, change) -> None:
        self.say("")

    def _checked(self, button=None) -> None:
        chosen = self.buttons.value
        if chosen is None:
            self.say("Choose one of the options first.")
        elif chosen == self._right:
            self.say(f"✔ Right: {self.labels[chosen]}. {self.why}".strip())
        else:
            hint = self.hints[chosen] or "Look again at what was printed above, then choose another."
            self.say(f"Not {self.labels[chosen]}. {hint}")

    def choose(self, option) -> str:
        """Choose `option` (its value or its letter) and check it, as a learner would; return the feedback."""
        letters = {label[0]: i for i, label in enumerate(self.labels)}
        indices = [i for i, known in enumerate(self.options) if _same(known, option)]
        self.buttons.value = indices[0] if indices else letters[option]
        self._checked()
        return self.feedback

    def __repr__(self) -> str:
        return "\n".join([theme.wrap(self.question), *(theme.wrap(f"  {label}") for label in self.labels)])


def quiz(question: str, options, answer, why: str = "") -> Quiz:
    """Ask `question`; `answer` is an expression over the notebook's variables that equals one of `options`.

    `options` is a list, or a dict from option to the hint shown when it is chosen wrongly; `why` is added to the praise.

    >>> quiz("How many turns has the chain?", [2, 3, 4], answer=len(chain), why="A deleted reply ends it.")

    Raises ValueError when the answer equals none of the options, or fewer than two different options are given.
    """
    return Quiz(question, options, answer, why)


def seal(expressions: dict[str, str]) -> str:
    """Pack the source of a quiz's arguments, {name: expression}, so that a student's copy shows no answer in plain sight."""
    return base64.b85encode(zlib.compress(json.dumps(expressions).encode("utf-8"), 9)).decode("ascii")


def unseal(text: str, names: dict) -> dict:
    """Return {name: value} of the expressions that `seal` packed; `names` are the notebook's variables, ``globals()``.

    >>> quiz("How many turns has the chain?", **unseal(text, globals()))

    Raises ValueError for a text that is not whole.
    """
    try:
        expressions = json.loads(zlib.decompress(base64.b85decode(text)))
    except (ValueError, zlib.error) as error:
        raise ValueError("the packed answer is not whole: take the cell from a fresh copy of the notebook") from error
    return {name: eval(expression, names) for name, expression in expressions.items()}


def _same(option, answer) -> bool:
    """Whether the computed answer is this option: numpy's numbers count as numbers, True is not 1."""
    option, answer = (value.item() if hasattr(value, "item") else value for value in (option, answer))
    if isinstance(option, bool) or isinstance(answer, bool):
        return option is answer
    if isinstance(option, (int, float)) and isinstance(answer, (int, float)):
        return math.isclose(option, answer, rel_tol=1e-9)
    return str(option) == str(answer)
