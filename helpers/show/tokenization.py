"""Merge by merge: the same text, cut by more and more merges. Built in notebook 05.

The question is why a model does not see letters: below every token stands its number, and the numbers are all it reads.
"""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.display import CONTROL
from helpers.show.explore import Explore
from helpers.show.svg import MARGIN, TITLE_HEIGHT, Drawing, blank, key, monospaced, reword, seen, write
from helpers.show.theme import BLUE, ORANGE, SOFT, amount, listing, number, only_first, xml
from helpers.show.tokens_and_bars import MOST_TOKENS, place_tokens

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
        head = f"{amount(count, 'merge')}: {amount(len(pieces), 'token')}"
        body.append(write(MARGIN, y + 14, head, f'fill="{SOFT}" font-size="13"'))
        drawn, y = _boxes(ids, pieces, inside, y + 22)
        body.append(drawn)
        y += 12
    notice = only_first(MOST_TOKENS, max(len(pieces) for _, _, pieces, _ in rows), "tokens")
    framed = f"framed: part of “{word}”. " if word else ""
    body.append(key(y + 8, f"Darker: a longer token; {framed}Below: its number. {notice}"))
    words, title = _summary(rows, text, word)
    return Drawing("".join(body), f"{words} {notice}".strip(), title, y + 22)


def explore_merges(tokenizer, text: str) -> Explore:
    """`merge_by_merge` with a slider for the number of merges, each step about one and a half times the one before.

    In the line below you can write a text of your own.
    """
    import ipywidgets

    options = [(f"{count:,}", count) for count in _steps(len(tokenizer.merges))]
    slider = ipywidgets.SelectionSlider(options=options, continuous_update=False, **CONTROL)

    def draw(merges, text):
        if not text:
            return blank("Nothing to cut yet", "There is no text yet: write a sentence of your own.")
        drawing = merge_by_merge(tokenizer, text[:LONGEST], merges)
        return reword(drawing, f"{drawing.words} {only_first(LONGEST, len(text), 'characters', 'read')}".strip())

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
    end, at, inside = start + len(word.encode("utf-8", "replace")), 0, []
    for size in (len(cutter.bytes[token]) for token in ids):
        inside.append(at < end and at + size > start)
        at += size
    return count, ids, [cutter.tokens[token] for token in ids], inside


def _boxes(ids, pieces, inside, top: float) -> tuple[str, float]:
    """Draw the tokens of a cut, the number of each below it; return the SVG and where it ends."""
    places, bottom = place_tokens(pieces[:MOST_TOKENS], ROW, top, least=[6.4 * len(str(token)) + 2 for token in ids])
    parts = []
    for token, piece, framed, (x, y, width) in zip(ids, pieces, inside, places):
        part = min((len(piece) - 1) / (FULL - 1), 1.0) if not piece.startswith("\\x") else 0.0
        frame = f' stroke="{BLUE}" stroke-width="1.5"' if framed else ""
        letters = "" if piece == " " else write(x + 2, y + 16, seen(piece))
        parts.append(
            f'<g tabindex="0"><title>{xml(seen(piece, space=True))} number {token}</title>'
            f'<rect x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="22" fill="{ORANGE}" '
            f'fill-opacity="{0.07 + 0.55 * part:.2f}"{frame}/>{letters}'
            + write(x + width / 2, y + 35, token, f'font-size="10" text-anchor="middle" fill="{SOFT}"')
            + "</g>"
        )
    return monospaced(parts), bottom


def _summary(rows, text: str, word: str) -> tuple[str, str]:
    """Return the finding in words, and the title."""
    counts = [len(pieces) for _, _, pieces, _ in rows]
    size = amount(len(text), "character")
    if len(rows) > 1:
        title = f"From {number(rows[0][0])} to {number(rows[-1][0])} merges, "
        title += f"{size} go from {number(counts[0])} to {amount(counts[-1], 'token')}"
    else:
        title = f"After {amount(rows[0][0], 'merge')}, {size} {'is' if len(text) == 1 else 'are'} "
        title += amount(counts[0], "token")
    sentences = [f"{title}."]
    for count, _, pieces, inside in rows:
        parts = [seen(piece, space=True) for piece, part in zip(pieces, inside) if part]
        if word:
            named = listing(f"“{part}”" for part in parts[:12]) + (" and so on" if len(parts) > 12 else "")
            cut = f"“{seen(word)}” is {amount(len(parts), 'token')}"
            sentences.append(f"With {amount(count, 'merge')}, {cut}: {named}.")
    return " ".join(sentences), title


def _words(text: str) -> list[str]:
    cleaned = "".join(c if c.isalnum() else " " for c in text)
    return cleaned.split()
