"""Word filters, and how they leak: substrings, words, disguises (built in notebook 11).

A filter by substring finds "ass" in "class"; a filter by word lets "a.s.s" pass. Normalization closes some holes and leaves
others, so a filter is judged by two numbers: what it misses, and what it hits by mistake.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from helpers.robustness.normalization import normalize_input

Find = Callable[[str, Sequence[str]], list[str]]


def contains_substring(text: str, words: Sequence[str]) -> list[str]:
    """Return the ``words`` that stand anywhere in ``text``, letter for letter: the naive filter."""
    return [word for word in _checked(words) if word in text]


def contains_word(text: str, words: Sequence[str], normalize: Callable[[str], str] = normalize_input) -> list[str]:
    """Return the ``words`` that are words of ``text`` after ``normalize``, in whatever case.

    A word is bounded by what is no letter, digit or underscore. Give ``normalize=str`` for the text as it is.
    """
    found = set(map(str.lower, _pattern(tuple(_checked(words))).findall(normalize(text))))
    return [word for word in words if word.lower() in found]


@lru_cache(maxsize=16)
def _pattern(words: tuple[str, ...]) -> re.Pattern:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b", re.IGNORECASE)


def _checked(words: Sequence[str]) -> Sequence[str]:
    if isinstance(words, str):
        raise TypeError(f"words is one text: put it into a list, [{words[:20]!r}]")
    if not words or not all(words):
        raise ValueError("an empty word stands in every text: give one word at least, and none that is empty")
    return words


_FULL_WIDTH = {code: code + 0xFEE0 for code in range(ord("!"), ord("~") + 1)}
_DIGITS = str.maketrans("aeiost", "431057")
_FOREIGN = str.maketrans("aeopcx", "аеорсх")  # Cyrillic letters that look the same


def disguises(word: str) -> dict[str, str]:
    """Return ``word`` as people write it to get past a filter, {name: text}. Raises ValueError for less than three letters."""
    if len(word) < 3 or not word.isalpha():
        raise ValueError(f"{word!r} cannot be disguised: give a word of three letters or more")
    middle = len(word) // 2
    return {
        "as it is": word,
        "capitals": word.upper(),
        "dots": ".".join(word),
        "spaces": " ".join(word),
        "zero-width space": word[:middle] + "\u200b" + word[middle:],
        "full-width letters": word.translate(_FULL_WIDTH),
        "doubled letter": word[:middle] + word[middle] + word[middle:],
        "digits for letters": word.translate(_DIGITS),
        "foreign letters": word.translate(_FOREIGN),
        "suffix": word + "ish",
    }


def caught(words: Sequence[str], find: Find) -> dict[str, float]:
    """Return for each kind of disguise the share of ``words`` that ``find`` still finds in a sentence, {name: share}.

    ``find`` is called as ``find(text, words)``. Words that a disguise leaves as they are do not count for it.
    """
    hits: dict[str, list[bool]] = {}
    for word in _checked(words):
        for name, text in disguises(word).items():
            if name == "as it is" or text != word:
                hits.setdefault(name, []).append(word in find(f"you are {text} today", words))
    return {name: sum(each) / len(each) for name, each in hits.items()}


class FilterReport(NamedTuple):
    """What a filter does on texts: how many it stops, and how many of these had one of the words as a word of its own."""

    texts: int
    stopped: int
    real: int


def filter_report(texts: Sequence[str], words: Sequence[str], find: Find) -> FilterReport:
    """Return how many of ``texts`` the filter ``find`` stops, and how many of them rightly, as ``contains_word`` sees it."""
    stopped = [text for text in texts if find(text, words)]
    return FilterReport(len(texts), len(stopped), sum(bool(contains_word(text, words)) for text in stopped))
