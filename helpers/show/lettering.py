"""The letters in a diagram: formulas with indices, how wide a text is, and how it is made to fit (built for notebook 02)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from helpers.show.svg import cells
from helpers.show.theme import xml

# Widths of letters in units of their size, those of a wide font (DejaVu Sans): where they fit, narrower ones do.
_NARROW = {
    **dict.fromkeys("ijlIJ'", 0.3),
    **dict.fromkeys(" .,·", 0.33),
    **dict.fromkeys(":;/|-!()[]ft", 0.4),
    "r": 0.42,
}
_WIDE = {
    **dict.fromkeys("mWM…→←", 1.0),
    **dict.fromkeys("w+−×=<>≤≈@%", 0.84),
    **dict.fromkeys("ABCDEGHKNOQRUVXZ", 0.76),
}
_LETTERS = {**_NARROW, **_WIDE, "%": 0.96}
_MARKUP = re.compile(r"([_^])\{([^}]*)\}")


class Formula(str):
    """Text in which ``_{…}`` is set low and ``^{…}`` high: ``Formula("h_{t−1}")``."""

    def parts(self) -> list[tuple[str, str]]:
        """Return the pieces as (level, text); level is "", "_" or "^"."""
        pieces = _MARKUP.split(self)
        return [("", pieces[0])] + [part for i in range(1, len(pieces), 3)
                                    for part in ((pieces[i], pieces[i + 1]), ("", pieces[i + 2]))]  # fmt: skip


def text_width(text: str, size: float = 13, bold: bool = False, mono: bool = False) -> float:
    """Return how wide a text is at most, in pixels, whatever sans-serif font the reader's computer has."""
    if isinstance(text, Formula):
        return sum(text_width(part, size * (0.72 if level else 1), bold, mono) for level, part in text.parts())
    if mono:
        return cells(text) * 0.603 * size
    return sum(_LETTERS.get(c, 0.64) * cells(c) for c in text) * size * (1.1 if bold else 1)


def fitted(
    text: str, width: float, size: float, bold: bool = False, mono: bool = False, least: float = 10
) -> tuple[str, float]:
    """Return a text and the size at which it fits in `width`: first it gets smaller, then it is cut."""
    wide = text_width(text, size, bold, mono)
    if wide > width:
        size = max(least, math.floor(10 * size * width / wide) / 10)
    while len(text) > 1 and text_width(text, size, bold, mono) > width:
        text = type(text)(text[:-2] + "…") if len(text) > 2 else "…"
    return text, size


def shape_text(shape: Sequence | str) -> str:
    """Return a shape as it stands in the comments of the code: "[16, 64]"."""
    return (
        shape if isinstance(shape, str) else f"[{', '.join(f'{n:,}' if isinstance(n, int) else str(n) for n in shape)}]"
    )


def spans(text: Formula, size: float) -> str:
    """Return a formula as SVG: its pieces set low, high or on the line, for letters of `size`."""
    shift = {"_": 0.22 * size, "^": -0.38 * size, "": 0.0}
    drawn, now = "", 0.0
    for level, part in text.parts():
        if part:
            small = f' font-size="{0.72 * size:.1f}"' if level else ""
            drawn += f'<tspan dy="{shift[level] - now:.1f}"{small}>{xml(part)}</tspan>'
            now = shift[level]
    return drawn


def joined(tokens: Sequence[str], among: Sequence[str] = ()) -> str:
    """Return tokens as a text: as they are where they (or others `among`) bring their spaces or are characters, else spaced."""
    every = [str(token) for token in (*tokens, *among)]
    glue = "" if any(token[:1] == " " for token in every) or all(len(token) == 1 for token in every) else " "
    return glue.join(every[: len(tokens)]).strip()
