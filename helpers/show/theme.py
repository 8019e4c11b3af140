"""The house style: colors, numbers and sentences that every picture of the course shares.

Nothing heavy is imported here: the drawings (SVG) use it without matplotlib, the figures (PNG) use it with
matplotlib.
"""

from __future__ import annotations

import html
import math
import re
import textwrap

# Five colors that differ by lightness alone (gray-scale print), with normal and with color-blind eyes, and
# each with a contrast of at least 3 : 1 against white. tests/show/test_theme.py measures all three claims.
PALETTE = ("#1e3e81", "#ed6e34", "#2c1735", "#0f869b", "#9b2c48")
BLUE, ORANGE, PLUM, TEAL, CRIMSON = PALETTE
INK = "#1f2430"  # text
SOFT = "#5a6070"  # secondary text, contrast 6 : 1 on white
RULE = "#c9cdd6"  # axes and connectors
GRID = "#e8eaef"  # light grid
PAPER = "#ffffff"  # explicit background: JupyterLab may be dark, the pictures stay readable

DASHES = ("-", (0, (5, 2)), (0, (1, 1.6)), (0, (6, 2, 1.2, 2)), (0, (3, 1.5, 1, 1.5, 1, 1.5)))
MARKERS = ("o", "s", "^", "D", "v")

SANS = "system-ui,-apple-system,'Segoe UI',Helvetica,Arial,'Liberation Sans',sans-serif"
MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"

WIDTH = 100  # columns of the words printed below a picture


def luminance(color: str) -> float:
    """Relative luminance of ``"#rrggbb"`` between 0 (black) and 1 (white), as WCAG 2 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two colors, between 1 and 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


READABLE = 4.5  # : 1, the least contrast of letters (WCAG 2, rule 1.4.3)


def letters_on(ground: str) -> str:
    """Return the color of letters on a ground ``"#rrggbb"``: ink; paper where it is dark; black where neither can be read."""
    return next((color for color in (INK, PAPER) if contrast(color, ground) >= READABLE), "#000000")


def readable(color: str, ground: str = PAPER) -> str:
    """Return `color` for letters on `ground`, with as much ink (on dark ground: paper) in it as it takes to be read.

    >>> readable(BLUE), readable(ORANGE)
    ('#1e3e81', '#ba5c33')
    """
    goal = letters_on(ground)
    pairs = [(int(color[i : i + 2], 16), int(goal[i : i + 2], 16)) for i in (1, 3, 5)]
    for twentieths in range(20):
        mixed = "#" + "".join(f"{round(own + (other - own) * twentieths / 20):02x}" for own, other in pairs)
        if contrast(mixed, ground) >= READABLE:
            return mixed
    return goal


def number(value) -> str:
    """Write a number for a sentence: counts exactly, everything else to two digits that another computer agrees on.

    >>> number(41204), number(3.14159), number(0.00123), number(1234.5)
    ('41,204', '3.1', '0.0012', '1,200')
    """
    if value is None or value != value:
        return "no value"
    if isinstance(value, bool) or getattr(getattr(value, "dtype", None), "kind", "") in ("i", "u"):
        value = int(value)
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    value = float(value)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if not 1e-5 <= abs(value) < 1e15:
        return f"{value:.1e}".replace("-", "−")
    decimals = 1 - math.floor(math.log10(abs(value)))
    value = round(value, decimals)
    decimals = 1 - math.floor(math.log10(abs(value)))  # 9.96 has become 10
    return f"{value:,.{max(decimals, 0)}f}".replace("-", "−")


def percent(part, whole) -> str:
    """A share in whole per cent, with the two ends kept honest: "under 1 %" is not "0 %", "over 99 %" not "100 %"."""
    share = 100 * part / whole if whole else 0
    if 0 < share < 1:
        return "under 1 %"
    if 99 < share < 100:
        return "over 99 %"
    return f"{share:.0f} %"


def amount(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun: "1 token", "1,204 tokens"; `plural` is for nouns that take no s."""
    return f"{number(count)} {noun if count == 1 else plural or noun + 's'}"


def only_first(limit: int, total: int, noun: str, verb: str = "drawn") -> str:
    """The notice about what is left out, "" where nothing is: "Only the first 200 of 1,204 tokens are drawn."."""
    return f"Only the first {limit:,} of {total:,} {noun} are {verb}." if total > limit else ""


def listing(parts) -> str:
    """Join phrases as a sentence does: "a", "a and b", "a, b and c"."""
    parts = list(parts)
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def shorten(text: str, limit: int) -> str:
    """Cut at a word's end so that text and ellipsis fit in `limit` characters; line breaks become spaces."""
    text = " ".join(str(text).split())
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > limit // 2 else cut).rstrip(" ,.;:") + "…"


def wrap(words: str, prefix: str = "") -> str:
    """Break words into lines of about 100 columns; line breaks already there are kept."""
    lines = []
    for line in (prefix + str(words)).split("\n"):
        indent = re.match(r" *", line).group()
        lines += textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]
    return "\n".join(lines)


# What XML 1.0 forbids: control characters, lone surrogates and two non-characters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def visible(character: str) -> str:
    """Show what cannot be seen: a line break as ⏎, NUL as \\x00, half a surrogate pair as �."""
    if character in "\n\r\t":
        return {"\n": "⏎", "\r": "␍", "\t": "⇥"}[character]
    return f"\\x{ord(character):02x}" if ord(character) < 256 else "�"


def signs(text: str) -> str:
    """A text in which every control character is a sign that can be seen, line breaks too."""
    return "".join(visible(c) if ord(c) < 32 or 127 <= ord(c) < 160 else c for c in text)


def xml(text) -> str:
    """Text that is safe inside XML and HTML, in an element or in a quoted attribute, whatever a stranger typed."""
    return html.escape(_FORBIDDEN.sub(lambda match: visible(match.group()), str(text)))
