"""The stations of a text on its way to a model: characters, words, bytes, tokens, ids (built for notebook 05)."""

from __future__ import annotations

from itertools import accumulate

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import BLUE, INK, ORANGE, amount, listing

MOST = 24  # bytes of a text
NAMES = 96  # pixels for the names of the rows


def tokenizer_pipeline(tokenizer, text: str) -> Drawing:
    """Draw how a `BPETokenizer`, or a learner's own with its interface, turns a short text into ids, one row a station.

    Every row has the same width, a byte the same everywhere: so what stands above a token is what it was made of. Raises
    ValueError for an empty text and for one of more than 24 bytes.
    """
    from helpers.corpus.tokenizers.bpe import words as pretokenize

    data = text.encode("utf-8")
    need(0 < len(data) <= MOST, f"the text has {len(data)} bytes: give 1 to {MOST}")
    ids = tokenizer.encode(text)
    pieces = [tokenizer.bytes[number] for number in ids]
    rows = {
        "characters": [(len(character.encode("utf-8")), seen(character, space=True)) for character in text],
        "words": [(len(word), seen(word.decode("utf-8"), 20, space=True)) for word in pretokenize(text)],
        "bytes": [(1, str(byte)) for byte in data],
        "tokens": [(len(piece), _name(piece)) for piece in pieces],
        "ids": [(len(piece), f"{number:,}") for number, piece in zip(ids, pieces)],
    }
    figure = Diagram(f"{quoted(text)} on its way to a model: {amount(len(data), 'byte')}, {amount(len(ids), 'token')}")
    width, step = min(40, (RIGHT - LEFT - NAMES) / len(data)), 50
    looks = {"tokens": (tint(ORANGE, 0.28), ORANGE), "ids": (tint(BLUE, 0.16), BLUE)}
    for number, (name, parts) in enumerate(rows.items()):
        y = TITLE_HEIGHT + 10 + number * step
        figure.label(LEFT, y + 20, name, 13, "start", INK, bold=True)
        fill, edge = looks.get(name, ("#f4f6fa", "#9aa1b0"))
        ends = accumulate(size for size, _ in parts)
        for (size, letters), end in zip(parts, ends):
            x, wide = LEFT + NAMES + width * (end - size), width * size
            middle = x + wide / 2
            figure.rect(x + 1.5, y, wide - 3, 30, fill, edge, 1.3, 4)
            look = {"bold": True} if name == "ids" else {"mono": True}
            figure.label(middle, y + 20, letters, 13, color=INK, room=wide - 5, **look)
            if number:
                figure.line((middle, y - 15), (middle, y - 3), width=1, color="#9aa1b0")
    words = [
        amount(len(text), "character"),
        f"{amount(len(rows['words']), 'word')} after pre-tokenization",
        amount(len(data), "byte"),
        amount(len(ids), "token"),
    ]
    tokens = listing(f"“{name}” {number:,}" for (_, name), number in zip(rows["tokens"], ids))
    told = f"{quoted(text)} is {listing(words)}: {tokens}."
    return figure.finish(told, "Each column keeps its bytes from row to row. The model reads the last row alone.")


def _name(piece: bytes) -> str:
    try:
        return seen(piece.decode("utf-8"), 20, space=True)
    except UnicodeDecodeError:
        return " ".join(f"{byte:02x}" for byte in piece)
