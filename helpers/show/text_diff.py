"""What a rule did to a text: the removed characters struck out, the new ones underlined. Built for notebook 01."""

from __future__ import annotations

import difflib
import re

from helpers.show.svg import CELL, MARGIN, TITLE_HEIGHT, WIDTH, Drawing, cells, key, monospaced, write
from helpers.show.theme import BLUE, ORANGE, listing, only_first, readable, shorten, signs

LINE = 24
LONGEST = 1200  # characters of a text that are drawn
LOOKS = {
    "same": "",
    "removed": f'fill="{readable(ORANGE)}" text-decoration="line-through"',
    "added": f'fill="{BLUE}" font-weight="700" text-decoration="underline"',
}


class Changes(Drawing):
    """A text before and after, drawn as one: what went is struck out, what came is bold and underlined.

    `title` says what was done. The words tell the changes and the text as it is now. Texts over 1,200 characters are cut
    with a notice.
    """

    def __init__(self, before: str, after: str, title: str):
        notice = only_first(LONGEST, max(len(before), len(after)), "characters")
        before, after = before[:LONGEST], after[:LONGEST]
        pieces = list(_pieces(before, after))
        body, height = _lines(pieces)
        words = f"{title}. {_summary(pieces)} The text now: “{shorten(after, 300)}” {notice}".strip()
        super().__init__(body, words, title, height)


def _pieces(before: str, after: str):
    """Yield (kind, text) in reading order; kind is "same", "removed" or "added"."""
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            yield "same", before[a:b]
            continue
        if b > a:
            yield "removed", before[a:b]
        if d > c:
            yield "added", after[c:d]


def _lines(pieces) -> tuple[str, float]:
    parts, x, y = [], float(MARGIN), float(TITLE_HEIGHT + 16)
    for kind, text in pieces:
        for word in _words(text):
            sign = signs(word)
            if kind == "same" and word == "\n":
                sign = ""  # a line break that stays is seen as one; one that changes needs its sign
            width = cells(sign) * CELL
            if x + width > WIDTH - MARGIN and x > MARGIN:
                x, y = float(MARGIN), y + LINE
            if sign.strip() or kind != "same":
                parts.append(write(x, y, sign.replace(" ", "\N{NO-BREAK SPACE}"), LOOKS[kind]))
            x += width
            if word == "\n" and kind != "removed":
                x, y = float(MARGIN), y + LINE
    return monospaced(parts) + key(y + LINE + 6, "Struck out: removed. Underlined: new."), y + LINE + 20


def _words(text: str) -> list[str]:
    """Cut a text where a line may be broken: after a space, and around each line break."""
    return re.findall(r"\n|[^\n ]* |[^\n ]+", text)


def _summary(pieces) -> str:
    changes = []
    for kind in ("removed", "added"):
        texts = [f"“{_piece(text)}”" for piece, text in pieces if piece == kind]
        if texts:
            more = [f"{len(texts) - 3} more"] if len(texts) > 3 else []
            changes.append(f"{kind.capitalize()}: {listing(texts[:3] + more)}.")
    return " ".join(changes) or "Nothing changed."


def _piece(text: str) -> str:
    """A changed piece inside a sentence: invisible characters as signs, long pieces cut."""
    if text.isspace() and "\n" not in text:
        return "␣" * len(text)
    return shorten(signs(text), 40)
