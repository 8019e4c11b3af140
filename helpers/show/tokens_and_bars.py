"""A text colored by one number per token, and a few numbers as bars. Built for notebook 00, used by all."""

from __future__ import annotations

import math

from helpers.show.svg import CELL, MARGIN, TITLE_HEIGHT, WIDTH, Drawing, cells, key, monospaced, quoted, seen, write
from helpers.show.theme import BLUE, MONO, ORANGE, RULE, SOFT, amount, listing, number, only_first, xml

LINE = 58  # from one line of tokens to the next
MOST_TOKENS = 200
MOST_BARS = 40


def place_tokens(tokens, pitch: float, top: float = TITLE_HEIGHT, breaks=(), least=()) -> tuple[list, float]:
    """Lay tokens out as text; return (x, y, width) of each, and the height `pitch` below the last line.

    A new line begins where the drawing ends, after a line break, and before the tokens whose indices are in `breaks`.
    `least` are widths in pixels that the tokens have at least.
    """
    places, x, y = [], float(MARGIN), float(top)
    for i, token in enumerate(tokens):
        width = max(max(cells(seen(token)), 1) * CELL + 4, least[i] if least else 0)
        if x > MARGIN and (x + width > WIDTH - MARGIN or i in breaks):
            x, y = float(MARGIN), y + pitch
        places.append((x, y, width))
        x += width + 1.5
        if token.endswith("\n"):
            x, y = float(MARGIN), y + pitch
    return places, y + pitch * (x > MARGIN)


def _numbers(names, values, what: str) -> list:
    """Check the lengths and turn None into NaN, so that one kind of "no value" is left; counts stay whole."""
    values = [math.nan if v is None else v if isinstance(v, int) else float(v) for v in values]
    if not values or len(names) != len(values):
        got = f"{len(names)} {what}s and {len(values)} numbers"
        raise ValueError(f"give one number per {what}, at least one: got {got}")
    return values


class Tokens(Drawing):
    """A text, token by token: the larger a token's number, the darker its paper and the taller its bar.

    `tokens` are strings, `values` numbers (None or NaN: no value, e.g. nothing precedes the first token).
    `title` says what is measured, `unit` in what ("bits"). `top` fixes the scale's end so that several
    drawings can be compared; `position` (from 0) frames one token and begins the words with it. More than
    200 tokens are cut with a notice. Raises ValueError when the lengths differ or nothing is given.
    """

    def __init__(self, tokens, values, title: str, unit: str = "bits", top=None, position=None):
        tokens = [str(token) for token in tokens]
        values, total = _numbers(tokens, values, "token"), len(tokens)
        tokens, values = tokens[:MOST_TOKENS], values[:MOST_TOKENS]
        notice = only_first(MOST_TOKENS, total, "tokens")
        top = top or max((abs(v) for v in values if math.isfinite(v)), default=0) or 1.0
        order = sorted((i for i, v in enumerate(values) if v == v), key=lambda i: (-values[i], i))
        places, y = place_tokens(tokens, LINE)
        parts = []
        for i, (token, value) in enumerate(zip(tokens, values, strict=True)):
            part = min(abs(value) / top, 1.0) if value == value else None
            written = f"{number(value)} {unit}".strip() if part is not None else "no value"
            parts.append(token_box(token, written, part, places[i], i in order[:3], i == position))
        legend = f"Darker and taller: more {unit or 'of it'}; a bar of full height: {number(top)}. {notice}"
        words = _token_words(tokens, values, order, title, unit, position)
        super().__init__(monospaced(parts) + key(y + 14, legend), f"{words} {notice}".strip(), title, y + 28)


def token_box(token, written: str, part: float | None, place, named: bool = False, framed: bool = False) -> str:
    """One token as SVG, in about 250 bytes: a bar of up to 18 pixels stands on a box with the text.

    `part` of the bar and of the color are there, none for None; `named` writes the number above it.
    """
    text, (x, y, width) = seen(token), place
    parts = [f'<g tabindex="0"><title>{xml(text)} {xml(written)}</title>']
    if part:
        bar = f"M{x:.1f} {y + 30:g}v-{18 * part:.1f}h{width:.1f}v{18 * part:.1f}z"
        parts.append(f'<path d="{bar}" fill="{ORANGE}"/>')
    if named and part is not None:
        style = f'font-size="10.5" text-anchor="middle" fill="{SOFT}"'
        parts.append(write(x + width / 2, y + 26 - 18 * part, _briefly(written), style))
    paper = f'fill="{ORANGE}" fill-opacity="{0.08 + 0.77 * part:.2f}"' if part is not None else 'fill="none"'
    frame = f' data-here="" stroke="{BLUE}" stroke-width="2.5"' if framed else ""
    parts.append(f'<rect x="{x:.1f}" y="{y + 30:g}" width="{width:.1f}" height="22" {paper}{frame}/>')
    if text != "␣":  # the gap between two words needs no sign, its box shows it
        parts.append(write(x + 2, y + 46, text))
    return "".join([*parts, "</g>"])


def _briefly(written: str) -> str:
    """A number without its unit, short enough to stand above one character: "under 1 %" as "<1"."""
    first, _, rest = written.partition(" ")
    return {"under": "<", "over": ">"}[first] + rest.split()[0] if first in ("under", "over") else first


def _token_words(tokens, values, order, title, unit, position) -> str:
    def named(i):
        return f"{quoted(tokens[i])} {number(values[i])}"

    measured = f", in {unit}: " if unit else ": "
    placed = position is not None and 0 <= position < len(tokens)
    if placed:  # three facts, three sentences
        value = f"{number(values[position])} {unit}".strip() if position in order else "no value"
        words = f"Token {position + 1} of {len(tokens)}, {quoted(tokens[position])}: {value}. {title}."
        if not order or order == [position]:
            return words if order else f"{words} No token has a value."
        words += f" Highest{measured}{listing(map(named, order[:3]))}"
    elif not order:
        return f"{title}{measured}no token has a value."
    else:
        words = f"{title}{measured}highest {listing(map(named, order[:3]))}"
    if len(order) > 3:
        words += f"{'; ' if placed else ', '}lowest {named(order[-1])}"
    finite = [values[i] for i in order if math.isfinite(values[i])]
    mean = f"; mean {number(sum(finite) / len(finite))}" if finite else ""
    return f"{words}{mean} over {amount(len(order), 'token')}."


class Bars(Drawing):
    """A few labeled numbers as horizontal bars, e.g. the likeliest next tokens; each can be focused.

    `labels` are strings (tokens), `values` numbers from zero up, `unit` follows each number, `top` fixes
    the scale's end. More than 40 are cut with a notice. Raises ValueError when the lengths differ or
    nothing is given.
    """

    def __init__(self, labels, values, title: str, unit: str = "", top=None):
        labels = [seen(label) for label in labels]
        values, total = _numbers(labels, values, "bar"), len(labels)
        labels, values = labels[:MOST_BARS], values[:MOST_BARS]
        notice = only_first(MOST_BARS, total, "bars")
        top = top or max((v for v in values if math.isfinite(v)), default=0) or 1.0
        left = MARGIN + min(max(cells(label) for label in labels), 40) * CELL + 12
        written = [f"{number(value)} {unit}".strip() for value in values]
        room = WIDTH - MARGIN - left - 10 - 8 * max(map(len, written))
        lengths = [room * min(max(value, 0) / top, 1) if value == value else 0 for value in values]
        body, y = labeled_bars(labels, lengths, written, left)
        if notice:
            y += 18
            body += key(y, notice)
        named = [f"{quoted(label)} {text}" for label, text in zip(labels, written, strict=True)]
        if len(named) > 10:
            named = [*named[:10], f"{len(labels) - 10} more"]
        super().__init__(body, f"{title}: {listing(named)}. {notice}".strip(), title, y + 12)


def labeled_bars(labels, lengths, written, left: float) -> tuple[str, float]:
    """Bars of `lengths` in pixels that begin at `left`, a label before and a text behind each; return SVG and height."""
    parts, y = [], TITLE_HEIGHT
    for label, length, text in zip(labels, lengths, written, strict=True):
        parts.append(
            f'<g tabindex="0"><title>{xml(label)} {xml(text)}</title>'
            + write(left - 10, y + 17, label, f'text-anchor="end" font-family="{MONO}"')
            + f'<rect x="{left:.1f}" y="{y + 3}" width="{length:.1f}" height="18" fill="{BLUE}"/>'
            + write(left + length + 7, y + 17, text, f'fill="{SOFT}"')
            + "</g>"
        )
        y += 26
    parts.append(f'<path d="M{left:.1f} {TITLE_HEIGHT}V{y}" stroke="{RULE}"/>')
    return "".join(parts), y
