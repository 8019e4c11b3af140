"""Merge by merge: the same text, cut by more and more merges. Built in notebook 05.

The question is why a model does not see letters: below every token stands its number, and the numbers are all it reads.
"""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.explore import Explore
from helpers.show.svg import CELL, MARGIN, MOST_TOKENS, TITLE_HEIGHT, WIDTH, Drawing, cells, seen, write
from helpers.show.theme import BLUE, MONO, ORANGE, SOFT, listing, number, xml

LONGEST = 500  # characters of a text typed into the control that are read
ROW = 44  # pixels from one line of tokens to the next
FULL = 8  # bytes of a token that is drawn as dark as it gets


def merge_by_merge(tokenizer, text: str, merges: int | Sequence[int] | None = None, word: str | None = None) -> Drawing:
    """Draw how `text` is cut by the first `merges` merges of a `BPETokenizer`; a list draws one cut below the other.

    The longer a token, the darker its paper; the number that the model reads instead of it stands below. The words say
    how many tokens the text is, and how `word` is cut (the longest of the text, if it is not given). Up to 200 tokens of
    a cut are drawn. Without `merges` all of them are used. Raises ValueError for an empty text, for a word that is not
    in the text, and for more merges than the tokenizer has.
    """
    if not text:
        raise ValueError("the text is empty: give at least one character")
    word = max(_words(text), key=len, default="") if word is None else word
    if word not in text:
        raise ValueError(f"{word!r} does not stand in the text")
    known = len(tokenizer.merges)
    wanted = [known if merges is None else merges] if merges is None or isinstance(merges, int) else list(merges)
    if not wanted or not all(0 <= count <= known for count in wanted):
        raise ValueError(f"merges are whole numbers from 0 to {known:,}, one at least; got {merges}")
    rows = [_cut(tokenizer, text, count, word) for count in wanted]
    body, y = [], float(TITLE_HEIGHT)
    for count, ids, pieces, inside in rows:
        head = f"{number(count)} merge{'s' * (count != 1)}: {number(len(pieces))} token{'s' * (len(pieces) != 1)}"
        body.append(write(MARGIN, y + 14, head, f'fill="{SOFT}" font-size="13"'))
        drawn, y = _boxes(ids, pieces, inside, y + 22)
        body.append(drawn)
        y += 12
    notice = _notice(max(len(pieces) for _, _, pieces, _ in rows))
    key = f"Darker: a longer token; framed: part of “{word}”. Below: its number. {notice}".replace(
        "framed: part of “”. ", ""
    )
    body.append(write(MARGIN, y + 8, key.strip(), f'font-size="11.5" fill="{SOFT}"'))
    words, title = _told(rows, text, word)
    return Drawing("".join(body), f"{words} {notice}".strip(), title, y + 22)


def explore_merges(tokenizer, text: str) -> Explore:
    """`merge_by_merge` with a slider for the number of merges, each step about one and a half times the one before.

    In the line below you can write a text of your own.
    """
    import ipywidgets

    slider = ipywidgets.SelectionSlider(
        options=[(f"{count:,}", count) for count in _steps(len(tokenizer.merges))],
        continuous_update=False,
        style={"description_width": "initial"},
        layout={"width": "min(480px, 98%)"},
    )

    def draw(merges, text):
        if not text:
            words = "There is no text yet: write a sentence of your own."
            return Drawing(write(MARGIN, TITLE_HEIGHT + 17, words), words, "Nothing to cut yet", TITLE_HEIGHT + 34)
        drawing = merge_by_merge(tokenizer, text[:LONGEST], merges)
        if len(text) > LONGEST:
            drawing.words += f" Only the first {LONGEST} of {len(text):,} characters are read."
        return drawing

    return Explore(draw, merges=slider, text=text)


def _steps(most: int) -> list[int]:
    """0, 1, 2, 3, 4, 6, 8, 12, 16, … and `most`: powers of two and what lies between."""
    steps = {0, most}
    for power in range(most.bit_length()):
        steps |= {2**power, 3 * 2**power // 2}
    return sorted(step for step in steps if step <= most)


def _cut(tokenizer, text: str, count: int, word: str) -> tuple[int, list[int], list[str], list[bool]]:
    """Return the number of merges, the tokens' numbers, how they look, and whether each is part of the word."""
    cutter = type(tokenizer)(tokenizer.merges[:count])
    ids = cutter.encode(text)
    start = len(text[: text.index(word)].encode("utf-8", "replace"))
    end, place, inside = start + len(word.encode("utf-8", "replace")), 0, []
    for size in (len(cutter.bytes[token]) for token in ids):
        inside.append(place < end and place + size > start)
        place += size
    return count, ids, [cutter.tokens[token] for token in ids], inside


def _boxes(ids, pieces, inside, y: float) -> tuple[str, float]:
    parts, x, left = [], float(MARGIN), float(MARGIN)
    for token, piece, framed in list(zip(ids, pieces, inside))[:MOST_TOKENS]:
        width = max(cells(seen(piece)), 1) * CELL + 4
        below = str(token)
        width = max(width, 6.4 * len(below) + 2)
        if x + width > WIDTH - MARGIN and x > left:
            x, y = left, y + ROW
        share = min((len(piece) - 1) / (FULL - 1), 1.0) if not piece.startswith("\\x") else 0.0
        frame = f' stroke="{BLUE}" stroke-width="1.5"' if framed else ""
        letters = "" if piece == " " else write(x + 2, y + 16, seen(piece))
        parts.append(
            f'<g tabindex="0"><title>{xml(_shown(piece))} number {token}</title>'
            f'<rect x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="22" fill="{ORANGE}" '
            f'fill-opacity="{0.07 + 0.55 * share:.2f}"{frame}/>{letters}'
            + write(x + width / 2, y + 35, below, f'font-size="10" text-anchor="middle" fill="{SOFT}"')
            + "</g>"
        )
        x += width + 2.5
    return f'<g font-family="{MONO}">{"".join(parts)}</g>', y + ROW


def _told(rows, text: str, word: str) -> tuple[str, str]:
    """Return the finding in words, and the title."""
    counts = [len(pieces) for _, _, pieces, _ in rows]
    words = f"{_amount(len(text), 'character')}"
    if len(rows) > 1:
        title = f"From {number(rows[0][0])} to {number(rows[-1][0])} merges, "
        title += f"{words} go from {number(counts[0])} to {_amount(counts[-1], 'token')}"
    else:
        title = f"After {_amount(rows[0][0], 'merge')}, {words} {'is' if len(text) == 1 else 'are'} "
        title += _amount(counts[0], "token")
    sentences = [f"{title}."]
    for count, _, pieces, inside in rows:
        parts = [_shown(piece) for piece, part in zip(pieces, inside) if part]
        if word:
            named = listing(f"“{part}”" for part in parts[:12]) + (" and so on" if len(parts) > 12 else "")
            sentences.append(
                f"With {_amount(count, 'merge')}, “{seen(word)}” is {_amount(len(parts), 'token')}: {named}."
            )
    return " ".join(sentences), title


def _words(text: str) -> list[str]:
    cleaned = "".join(c if c.isalnum() else " " for c in text)
    return cleaned.split()


def _amount(count: int, what: str) -> str:
    return f"{number(count)} {what}{'s' * (count != 1)}"


def _shown(piece: str) -> str:
    """A token inside a sentence: the space before a word is seen."""
    return f"␣{seen(piece[1:])}" if piece[:1] == " " and piece.strip() else seen(piece)


def _notice(most: int) -> str:
    return f"Only the first {MOST_TOKENS} of {most:,} tokens are drawn." if most > MOST_TOKENS else ""
