"""A small task for attacks: is this sentence a question? Without its question mark, letters alone decide (notebook 11)."""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from helpers.corpus.conversations import Conversation

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]+")
_KEPT = re.compile("[^a-z0-9' ]+")
SHORTEST, LONGEST = 8, 64  # letters of a sentence: a shorter one is hard for people, too


class Examples(NamedTuple):
    """Sentences as ``plain_letters`` has them, and whether each ended with a question mark: 1, else 0."""

    texts: list[str]
    labels: np.ndarray  # int64 [N]


def plain_letters(text: str) -> str:
    """Return what of ``text`` the classifier can read: a–z in lower case, digits, the apostrophe, single spaces.

    Accents are dropped, any other character becomes a space: of a word in Greek letters nothing is left.
    """
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    bare = bare.replace("’", "'").replace("‘", "'").lower()
    return " ".join(_KEPT.sub(" ", bare).split())


def question_examples(conversations: Iterable[Conversation], per_class: int | None = None, seed: int = 0) -> Examples:
    """Return different sentences of ``conversations``, as many questions as others, in random order.

    A sentence ends with ".", "!" or "?" and has 8 to 64 letters; one that occurs as a question and as none is left out.
    Raises ValueError when one class is empty, or has less than ``per_class`` sentences.
    """
    marks: dict[str, set[bool]] = {}
    for conversation in conversations:
        for turn in conversation.turns:
            for sentence in _SENTENCE.findall(turn.text):
                if SHORTEST <= len(text := plain_letters(sentence)) <= LONGEST:
                    marks.setdefault(text, set()).add("?" in sentence[-3:])
    sides = [[text for text, found in marks.items() if found == {label}] for label in (False, True)]
    number = min(map(len, sides)) if per_class is None else per_class
    if not 0 < number <= min(map(len, sides)):
        raise ValueError(
            f"there are {len(sides[1])} questions and {len(sides[0])} other sentences: "
            f"{number} of each cannot be had; give more conversations, or a smaller per_class"
        )
    rng = np.random.default_rng(seed)
    chosen = [(side[index], label) for label, side in enumerate(sides) for index in rng.permutation(len(side))[:number]]
    order = rng.permutation(len(chosen))
    return Examples([chosen[index][0] for index in order], np.array([chosen[index][1] for index in order]))
