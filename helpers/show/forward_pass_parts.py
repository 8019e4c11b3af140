"""What the pictures of one forward pass share: what is in focus, token chips, vectors as strips of bars, labeled bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from helpers.interpretability.forward_trace import BlockTrace, Trace
from helpers.show.forward_pass_list import TINTED
from helpers.show.svg import CELL, MARGIN, WIDTH, cells, quoted, seen, write
from helpers.show.theme import BLUE, INK, MONO, ORANGE, PAPER, RULE, SOFT, xml

LEFT, RIGHT = 226, WIDTH - MARGIN  # where the picture of a step begins and ends; the list of steps stands before it
MOST_NUMBERS = 1024  # of a vector that are drawn
SMALL = f'font-size="11.5" fill="{SOFT}"'
TOKEN = f'font-family="{MONO}" font-size="13"'
BOLD = ' font-weight="700"'


class View(NamedTuple):
    """What a step is drawn from: the trace, the tokens as texts, and which position, head and block are in focus."""

    trace: Trace
    tokenizer: object
    names: list[str]
    text: str
    sizes: dict  # of the model, {name: number}
    appended: int  # how many of the tokens the model generated itself
    position: int
    head: int
    number: int  # of the block

    @property
    def block(self) -> BlockTrace:
        return self.trace.blocks[self.number]

    @property
    def token(self) -> str:
        return quoted(self.names[self.position], 24)

    @property
    def here(self) -> str:
        return f"{self.token} (position {self.position})"

    @property
    def later(self) -> int:
        """How many tokens stand behind the position."""
        return len(self.names) - 1 - self.position


class Picture(NamedTuple):
    """A step as it is drawn: the finding in a line, all of it in words, the SVG and where it ends."""

    title: str
    words: str
    body: str
    end: float


def decimal(value) -> str:
    """A number of a vector, with two decimals: "−0.31"."""
    written = f"{float(value):.2f}"
    return (written if float(written) else "0.00").replace("-", "−")


def begins(vector) -> str:
    """The first numbers of a vector: "(0.12, −0.31, …)"."""
    return f"({', '.join(decimal(value) for value in vector[:2])}{', …' * (len(vector) > 2)})"


def length(vector) -> float:
    return math.sqrt(float((vector.double() ** 2).sum()))


def span(*vectors) -> tuple[float, float]:
    """Return the lowest and the highest number of some vectors, 0 included: the scale of their strips."""
    low = min(0.0, *(float(vector.min()) for vector in vectors))
    high = max(0.0, *(float(vector.max()) for vector in vectors))
    return (low, high) if high > low else (-1.0, 1.0)


def chips(names: Sequence[str], y: float, chosen: int, new: int = 0, ids=None, lines: int = 1) -> tuple[str, float]:
    """Draw tokens as chips from height ``y`` on, as many lines as allowed; return the SVG and where it ends.

    The chip ``chosen`` is filled; the last ``new`` ones were generated: orange frames. ``ids`` stand below the tokens. Where
    not all fit, those around the chosen one are drawn, and how many are left out before and behind is written.
    """
    texts = [seen(name, 16, space=True) for name in names]
    columns = [max(cells(text), len(f"{ids[i]}") if ids is not None else 1) for i, text in enumerate(texts)]
    widths = [max(column * CELL + 12, 24) for column in columns]
    first, behind = _window(widths, chosen, lines)
    x, parts, high = float(LEFT), [], 24 if ids is None else 40
    if first:
        parts.append(write(x, y + 17, f"{first} …", SMALL))
        x += 44
    for i in range(first, behind):
        if x + widths[i] > RIGHT + 0.5 and x > LEFT:
            x, y = float(LEFT), y + high + 8
        fill, ink = (BLUE, PAPER) if i == chosen else (PAPER, INK)
        generated = i >= len(names) - new
        frame = f'stroke="{ORANGE if generated else BLUE if i == chosen else RULE}" stroke-width="{2.5 if generated else 1.2}"'
        parts.append(f'<rect x="{x:.1f}" y="{y:g}" width="{widths[i]:.1f}" height="24" rx="5" fill="{fill}" {frame}/>')
        parts.append(write(x + 6, y + 17, texts[i], f'font-family="{MONO}" fill="{ink}"'))
        if ids is not None:
            parts.append(write(x + widths[i] / 2, y + 37, ids[i], f'text-anchor="middle" {SMALL}'))
        x += widths[i] + 4
    if behind < len(names):
        parts.append(write(min(x + 2, RIGHT - 40), y + 17, f"… {len(names) - behind}", SMALL))
    return "".join(parts), y + high


def _window(widths: Sequence[float], chosen: int, lines: int) -> tuple[int, int]:
    """Return the first chip that is drawn and the one behind the last: the chosen one and as many around it as fit."""
    room = lines * (RIGHT - LEFT + 4) - 96 * (lines - 1)  # a line breaks before a chip that does not fit
    if sum(widths) + 4 * len(widths) <= room:
        return 0, len(widths)
    first, behind, room = chosen, chosen + 1, room - 96 - widths[chosen]
    while True:
        before = first > 0 and widths[first - 1] + 4 <= room
        if before:  # what came before matters more than what comes later: two for one
            first -= 1
            room -= widths[first] + 4
        more = not before or chosen - first > 2 * (behind - chosen)
        later = more and behind < len(widths) and widths[behind] + 4 <= room
        if later:
            room -= widths[behind] + 4
            behind += 1
        if not before and not later:
            return first, behind


def strip(
    vector, y: float, label="", scale=None, x: float = LEFT, width: float = RIGHT - LEFT, height=26.0, least=0.0, beside=""
) -> tuple[str, float]:
    """Draw a vector as a strip: a bar for each number, up and blue for a positive, down and orange for a negative one.

    ``scale`` (lowest, highest) is shared by strips that are to be compared. ``label`` stands above, the first numbers (or
    ``beside``) to the right of it. A positive number is a bar of at least ``least`` pixels. Return the SVG and where it ends.
    A long vector goes on in further rows; of more than 1,024 numbers the first are drawn.
    """
    (low, high), values = scale or span(vector), [float(value) for value in vector[:MOST_NUMBERS]]
    cut = f" (the first {MOST_NUMBERS:,} drawn)" * (len(vector) > MOST_NUMBERS)
    first = ", ".join(decimal(value) for value in values[:4]) + ", …" * (len(vector) > 4)
    beside = beside or f"{len(vector):,} numbers{cut}: {first}"
    parts = [f"<g><title>{xml(f'{label} {beside}'.strip())}</title>"]
    if label:
        parts.append(write(x, y + 11, label, 'font-size="12.5"') + write(x + width, y + 11, beside, f'text-anchor="end" {SMALL}'))
        y += 16
    n_rows = 1 if len(values) <= 256 else 2 if len(values) <= 512 else 3
    per_row, height = math.ceil(len(values) / n_rows), height if n_rows == 1 else 20
    for start in range(0, len(values), per_row):
        row = [max(value, least * (high - low) / height) if value > 0 else value for value in values[start : start + per_row]]
        parts.append(_bars(row, x, y, width / per_row, height, low, high))
        y += height + 2
    return "".join(parts) + "</g>", y - 2


def _bars(row, x: float, y: float, pitch: float, height: float, low: float, high: float) -> str:
    unit = (height - 2) / (high - low)
    zero, paths = y + 1 + high * unit, {BLUE: [], ORANGE: []}
    for i, value in enumerate(row):
        up = min(max(value, low), high) * unit
        if abs(up) >= 0.25:  # less could not be seen
            paths[BLUE if up > 0 else ORANGE].append(f"M{x + (i + 0.5) * pitch:.1f} {zero:.1f}v{-up:.1f}")
    box = f'<rect x="{x:g}" y="{y:.1f}" width="{pitch * len(row):.1f}" height="{height:g}" fill="{TINTED}"/>'
    wide = pitch * 0.8 if pitch > 2.5 else pitch
    parts = [box, f'<path d="M{x:g} {zero:.1f}h{pitch * len(row):.1f}" stroke="{RULE}"/>']
    parts += [f'<path d="{"".join(d)}" stroke="{color}" stroke-width="{wide:.2f}"/>' for color, d in paths.items() if d]
    return "".join(parts)


def bar(x: float, y: float, long: float, height: float, color: str, faint: bool = False) -> str:
    """A horizontal bar from ``x`` to the right, to the left for a negative ``long``."""
    shape = f'x="{min(x, x + long):.1f}" y="{y:.1f}" width="{abs(long):.1f}" height="{height:g}"'
    return f'<rect {shape} fill="{color}" fill-opacity="{0.4 if faint else 1}"/>'


def line(x: float, top: float, bottom: float) -> str:
    """The vertical line at which bars begin."""
    return f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" stroke="{RULE}"/>'


def labeled(names, parts, written, y: float, faint: bool = False) -> str:
    """Draw bars below each other, 26 pixels each: a token before, a number behind; ``parts`` go from −1 to 1."""
    zero = LEFT + 120 + 160 * (min(parts) < 0)
    body, top = "", y
    for name, part, number in zip(names, parts, written):
        text, style = (name, SMALL) if faint else (seen(name, 12, space=True), TOKEN)
        long = part * (RIGHT - 80 - zero if part > 0 else 160)
        body += f'<g tabindex="0"><title>{xml(text)} {xml(number)}</title>'
        body += write(LEFT + 110, y + 16, text, f'{style} text-anchor="end"')
        body += bar(zero, y + 3, long, 17, BLUE if part > 0 else ORANGE, faint)
        body += write(zero + max(long, 0) + 6, y + 16, number, f'font-size="12.5" fill="{SOFT}"') + "</g>"
        y += 26
    return body + line(zero, top, y - 3)
