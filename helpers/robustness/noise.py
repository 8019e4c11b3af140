"""Seeded noise: the same text as other people would type it, with typos, in capitals, without spaces (notebook 11).

Every noise is called as ``noise(text, rng)`` and returns a text; the same ``rng`` gives the same one. There are two generators
of typos, because a model that was trained on one must be tested on the other (Belinkov & Bisk 2018): otherwise it may have
learned the generator.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from helpers.corpus.conversations import Conversation
from helpers.corpus.texting_style import texting

Noise = Callable[[str, np.random.Generator], str]

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _neighbors() -> dict[str, str]:
    """Return the letters around each letter of an American keyboard: beside it, above it and below it."""
    places = {letter: (row, column) for row, keys in enumerate(_ROWS) for column, letter in enumerate(keys)}
    near: dict[str, str] = {}
    for letter, (row, column) in places.items():
        # A row stands half a key to the right of the one above it.
        around = ((0, -1), (0, 1), (-1, 0), (-1, 1), (1, -1), (1, 0))
        wanted = {(row + down, column + right) for down, right in around}
        near[letter] = "".join(other for other, place in places.items() if place in wanted)
    return near


NEIGHBORS = _neighbors()


def keyboard_typos(text: str, rng: np.random.Generator, share: float = 0.1) -> str:
    """Return ``text`` with typos: each letter is hit with probability ``share``.

    A hit letter becomes a neighbor on the keyboard, is left out, is doubled, or changes places with the next one, each as
    often. Only a–z are hit; capitals stay capitals. A text is never emptied. Raises ValueError for a share outside 0 to 1.
    """
    hits, kinds = _hits(text, rng, share), rng.integers(4, size=len(text))
    result, place = [], 0
    while place < len(text):
        letter = text[place]
        if not hits[place]:
            result.append(letter)
        elif kinds[place] == 0:
            near = NEIGHBORS[letter.lower()]
            result.append(_in_case(near[rng.integers(len(near))], letter))
        elif kinds[place] == 2:
            result.append(2 * letter)
        elif kinds[place] == 3 and place + 1 < len(text):
            result.append(text[place + 1] + letter)
            place += 1
        place += 1
    changed = "".join(result)
    return changed if changed.strip() else text


def random_letters(text: str, rng: np.random.Generator, share: float = 0.1) -> str:
    """Return ``text`` where each letter becomes another one, any of a–z, with probability ``share``.

    The second generator of typos: it knows no keyboard and leaves the length as it is. Raises ValueError as ``keyboard_typos``.
    """
    hits, steps = _hits(text, rng, share), rng.integers(1, len(LETTERS), size=len(text))
    return "".join(
        _in_case(LETTERS[(LETTERS.index(letter.lower()) + step) % len(LETTERS)], letter) if hit else letter
        for letter, hit, step in zip(text, hits, steps)
    )


def _hits(text: str, rng: np.random.Generator, share: float) -> np.ndarray:
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}: give the share of letters to hit, from 0 to 1, usually 0.05 to 0.2")
    letters = np.array([letter.lower() in NEIGHBORS for letter in text], dtype=bool)
    return letters & (rng.random(len(text)) < share)


def _in_case(letter: str, model: str) -> str:
    return letter.upper() if model.isupper() else letter


def upper_case(text: str, rng: np.random.Generator | None = None) -> str:
    """Return ``text`` in capitals."""
    return text.upper()


def texting_style(text: str, rng: np.random.Generator | None = None) -> str:
    """Return ``text`` as if typed with a thumb (``helpers.corpus.texting_style``)."""
    return texting(text)


def without_spaces(text: str, rng: np.random.Generator | None = None) -> str:
    """Return ``text`` without white space; a text of white space alone stays as it is."""
    return "".join(text.split()) or text


def reversed_words(text: str, rng: np.random.Generator | None = None) -> str:
    """Return ``text`` with the words of each line in the opposite order, punctuation where its word goes."""
    return "\n".join(" ".join(reversed(line.split())) for line in text.split("\n")) or text


NOISES: dict[str, Noise] = {
    "upper case": upper_case,
    "texting style": texting_style,
    "typos": keyboard_typos,
    "random letters": random_letters,
    "no spaces": without_spaces,
    "reversed words": reversed_words,
}


def noisy(
    conversation: Conversation, noise: Noise, rng: np.random.Generator, speaker: str | None = None
) -> Conversation:
    """Return the conversation with every turn, or those of ``speaker``, changed by ``noise``.

    Raises ValueError when that speaker says nothing.
    """
    if speaker is not None and not any(turn.speaker == speaker for turn in conversation.turns):
        raise ValueError(f"speaker {speaker!r} says nothing in conversation {conversation.id}: choose another")
    turns = [
        replace(turn, text=noise(turn.text, rng)) if speaker in (None, turn.speaker) else turn
        for turn in conversation.turns
    ]
    return replace(conversation, turns=tuple(turns))
