"""Drawings made in Python as SVG: no JavaScript, nothing to download, readable in print and by ear.

Built for notebook 00, used by all. A `Drawing` is a picture and the finding it shows in words; `Tokens`
colors a text by one number per token, `Bars` lists a few numbers. All draw on their own white paper, so
that a dark theme leaves them legible.
"""

from __future__ import annotations

import math
import unicodedata

from helpers.show import theme
from helpers.show.theme import BLUE, INK, MONO, ORANGE, PAPER, RULE, SANS, SOFT, listing, number, xml

WIDTH = 820  # of every drawing, in pixels; narrower pages scale it down
MARGIN = 16
TITLE_HEIGHT = 42
CELL = 8.43  # one monospaced character at 14 pixels
LINE = 58  # from one line of tokens to the next
MOST_TOKENS = 200
MOST_BARS = 40


class Drawing:
    """An SVG picture with its twin in words. Shows itself at the end of a cell; its ``repr`` is the words.

    `body` is the SVG inside the frame, `words` the finding; `label` is a shorter text for a screen reader's
    picture label where the words are a long list. Raises ValueError for empty words.
    """

    def __init__(self, body: str, words: str, title: str, height: float, label: str = ""):
        if not str(words).strip():
            raise ValueError("a drawing needs its finding in words")
        self.words, self.title = str(words), str(title)
        size = f'width="{WIDTH}" height="{height:g}"'
        self.svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" {size} role="img" '
            f'aria-label="{xml(label or words)}" class="oc" font-family="{SANS}" font-size="14" fill="{INK}" '
            f'style="max-width:100%;height:auto"><style>.oc g:focus{{outline:2px solid {BLUE}}}</style>'
            f'<rect {size} rx="6" fill="{PAPER}"/>'
            + write(MARGIN, 27, title, f'font-size="{_title_size(title):g}" font-weight="700"')
            + f"{body}</svg>"
        )

    def __repr__(self) -> str:
        return theme.wrap(self.words)

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    def show(self) -> None:
        """Display the drawing here, with its words below."""
        # JupyterLab puts an SVG into an <img> without alternative text: the words must stand on the page.
        data = {"image/svg+xml": self.svg, "text/plain": f"[drawing: {self.title}]"}
        theme.publish(data, {"image/svg+xml": {"alt": self.words}})
        theme.say(self.words)

    _ipython_display_ = show


def _title_size(title) -> float:
    """Return the letters' size in pixels: 15, or less where the one line would run past the drawing's right edge."""
    # A bold letter is 0.56 of its size wide on average; below 10 nobody can read it.
    return round(max(10.0, min(15.0, (WIDTH - 2 * MARGIN) / (0.56 * max(cells(str(title)), 1)))), 1)


def write(x: float, y: float, text, look: str = "") -> str:
    """A line of text as SVG, at its left end and baseline; `look` holds further attributes."""
    text = str(text)
    if text[:1] == " ":  # browsers swallow a space at the beginning, and do not inherit the rule that forbids it
        look = f'{look} style="white-space:pre"'.strip()
    return f'<text x="{round(x, 1):g}" y="{round(y, 1):g}"{" " * bool(look)}{look}>{xml(text)}</text>'


def cells(text: str) -> int:
    """Width in monospaced columns: two for emoji and East Asian characters, none for accents on a letter."""
    narrow = [c for c in text if unicodedata.category(c) not in ("Mn", "Me", "Cf")]
    return len(narrow) + sum(unicodedata.east_asian_width(c) in "WF" for c in narrow)


def seen(token) -> str:
    """A token as it is drawn: what is invisible gets a sign, what is far too long is cut."""
    text = str(token)
    if not text:
        return "∅"
    text = text[:60] + "…" if len(text) > 61 else text
    text = "".join(theme.visible(c) if ord(c) < 32 or 126 < ord(c) < 160 else c for c in text)
    return text.replace(" ", "␣") if text.isspace() else text


def quoted(token) -> str:
    """A token inside a sentence."""
    return f"“{seen(token).strip()}”"


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
        notice = f"Only the first {MOST_TOKENS} of {total:,} tokens are drawn." if total > MOST_TOKENS else ""
        top = top or max((abs(v) for v in values if math.isfinite(v)), default=0) or 1.0
        order = sorted((i for i, v in enumerate(values) if v == v), key=lambda i: (-values[i], i))
        parts, x, y = [], float(MARGIN), float(TITLE_HEIGHT)
        for i, token in enumerate(tokens):
            width = max(cells(seen(token)), 1) * CELL + 4
            if x + width > WIDTH - MARGIN and x > MARGIN:
                x, y = float(MARGIN), y + LINE
            share = min(abs(values[i]) / top, 1.0) if values[i] == values[i] else None
            written = f"{number(values[i])} {unit}".strip() if share is not None else "no value"
            parts.append(_box(seen(token), written, share, x, y, width, i in order[:3], i == position))
            x += width + 1.5
            if token.endswith("\n"):
                x, y = float(MARGIN), y + LINE
        y += LINE * (x > MARGIN)
        key = f"Darker and taller: more {unit or 'of it'}; a bar of full height: {number(top)}. {notice}"
        body = f'<g font-family="{MONO}" style="white-space:pre">{"".join(parts)}</g>' + write(
            MARGIN, y + 14, key.strip(), f'font-size="11.5" fill="{SOFT}"'
        )
        words = _token_words(tokens, values, order, title, unit, position)
        super().__init__(body, f"{words} {notice}".strip(), title, y + 28)


def _box(text, written, share, x, y, width, named, framed) -> str:
    """One token as SVG, in about 250 bytes: a bar of up to 18 pixels stands on a box with the text."""
    parts = [f'<g tabindex="0"><title>{xml(text)} {xml(written)}</title>']
    if share:
        bar = f"M{x:.1f} {y + 30:g}v-{18 * share:.1f}h{width:.1f}v{18 * share:.1f}z"
        parts.append(f'<path d="{bar}" fill="{ORANGE}"/>')
    if named:
        look = f'font-size="10.5" text-anchor="middle" fill="{SOFT}"'
        parts.append(write(x + width / 2, y + 26 - 18 * share, written.split()[0], look))
    paper = (
        f'fill="{ORANGE}" fill-opacity="{0.08 + 0.77 * share:.2f}"' if share is not None else 'fill="none"'
    )
    frame = f' stroke="{BLUE}" stroke-width="2.5"' if framed else ""
    parts.append(f'<rect x="{x:.1f}" y="{y + 30:g}" width="{width:.1f}" height="22" {paper}{frame}/>')
    if text != "␣":  # the gap between two words needs no sign, its box shows it
        parts.append(write(x + 2, y + 46, text))
    parts.append("</g>")
    return "".join(parts)


def _token_words(tokens, values, order, title, unit, position) -> str:
    def told(i):
        return f"{quoted(tokens[i])} {number(values[i])}"

    words = f"{title}, in {unit}: " if unit else f"{title}: "
    if position is not None and 0 <= position < len(tokens):
        value = f"{number(values[position])} {unit}".strip() if position in order else "no value"
        words = f"Token {position + 1} of {len(tokens)}, {quoted(tokens[position])}: {value}. {words}"
    if not order:
        return f"{words}no token has a value."
    words += f"highest {listing(told(i) for i in order[:3])}"
    if len(order) > 3:
        words += f", lowest {told(order[-1])}"
    finite = [values[i] for i in order if math.isfinite(values[i])]
    mean = f"; mean {number(sum(finite) / len(finite))}" if finite else ""
    return f"{words}{mean} over {len(order)} token{'s' * (len(order) > 1)}."


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
        notice = f"Only the first {MOST_BARS} of {total:,} are drawn." if total > MOST_BARS else ""
        top = top or max((v for v in values if math.isfinite(v)), default=0) or 1.0
        left = MARGIN + min(max(cells(label) for label in labels), 40) * CELL + 12
        room = WIDTH - MARGIN - left - 10 - 8 * max(len(f"{number(value)} {unit}") for value in values)
        parts, told, y = [], [], TITLE_HEIGHT
        for label, value in zip(labels, values, strict=True):
            length = room * min(max(value, 0) / top, 1) if value == value else 0
            written = f"{number(value)} {unit}".strip()
            told.append(f"{quoted(label)} {written}")
            parts.append(
                f'<g tabindex="0"><title>{xml(label)} {xml(written)}</title>'
                + write(left - 10, y + 17, label, f'text-anchor="end" font-family="{MONO}"')
                + f'<rect x="{left:.1f}" y="{y + 3}" width="{length:.1f}" height="18" fill="{BLUE}"/>'
                + write(left + length + 7, y + 17, written, f'fill="{SOFT}"')
                + "</g>"
            )
            y += 26
        parts.append(f'<path d="M{left:.1f} {TITLE_HEIGHT}V{y}" stroke="{RULE}"/>')
        if notice:
            y += 18
            parts.append(write(MARGIN, y, notice, f'font-size="11.5" fill="{SOFT}"'))
        if len(told) > 10:
            told = [*told[:10], f"{len(labels) - 10} more"]
        super().__init__("".join(parts), f"{title}: {listing(told)}. {notice}".strip(), title, y + 12)
