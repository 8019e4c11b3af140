"""One way to write a text: capitals, full-width letters, invisible characters and spelled-out words (notebook 11).

What a model has never seen written so, it cannot read; a rule that writes it as the training texts do costs no training. Each
step is a function of a text, and so is ``normalize_input``, which is all of them. Unicode's forms: Davis & Whistler, UAX #15.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence

_SPELLED = re.compile(r"(?<!\w)[^\W\d_]([ .\-_*·])(?:[^\W\d_]\1)+[^\W\d_](?!\w)")
_SENTENCE = re.compile(r"(^|[.!?]\s+|\n)(\w)")
_I = re.compile(r"\bi\b(?!\.)")
MOST_CAPITALS = 0.5  # a text with a larger share of capitals among its letters is shouted


def lower_capitals(text: str) -> str:
    """Return a shouted text in lower case, with capitals where a sentence begins and for "I"; any other as it is.

    A text is shouted when more than half of its letters, and two at least, are capitals. So "OK" becomes "Ok", and names lose
    their capital: the rule knows no names.
    """
    letters = [letter for letter in text if letter.isalpha()]
    capitals = sum(letter.isupper() for letter in letters)
    if capitals < 2 or capitals <= MOST_CAPITALS * len(letters):
        return text
    lower = _I.sub("I", text.lower())
    return _SENTENCE.sub(lambda found: found[1] + found[2].upper(), lower)


def fold_width(text: str) -> str:
    """Return ``text`` in Unicode's form NFKC: full-width letters, ligatures and circled letters become plain ones."""
    return unicodedata.normalize("NFKC", text)


def drop_invisible(text: str) -> str:
    """Return ``text`` without zero-width and control characters; line breaks stay, tabs become spaces.

    An emoji that several were joined to by such a character (a family) falls into its parts.
    """
    return "".join(c for c in text.replace("\t", " ") if c == "\n" or unicodedata.category(c) not in ("Cf", "Cc"))


def join_spelled(text: str) -> str:
    """Return ``text`` with words that are spelled out, three letters or more, joined: "b.a.d", "b-a-d", "b a d" → "bad".

    The separator must be the same throughout. "e.g." and "a.m." have two letters and stay.
    """
    return _SPELLED.sub(lambda found: found[0].replace(found[1], ""), text)


STEPS: tuple[Callable[[str], str], ...] = (fold_width, drop_invisible, join_spelled, lower_capitals)


def normalize_input(text: str, steps: Sequence[Callable[[str], str]] = STEPS) -> str:
    """Return ``text`` after all ``steps``, repeated until nothing changes: normalizing twice is normalizing once.

    Raises TypeError when ``text`` is no string.
    """
    if not isinstance(text, str):
        raise TypeError(f"give one text, not {type(text).__name__}: for many, normalize each")
    while (after := _once(text, steps)) != text:
        text = after
    return text


def _once(text: str, steps) -> str:
    for step in steps:
        text = step(text)
    return text
