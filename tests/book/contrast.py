"""Can it be read? The contrast of every text in a page, of HTML and of drawings, computed from what the browser paints.

`texts` asks the browser (Chromium through playwright) for each text's ink and the ground below its letters, opacities of all
ancestors and of all shapes included; `faults` says which of them a reader may fail to see, by WCAG 2's rules 1.4.3 and
1.4.11. Used by browser.py on every page of the book.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from helpers.show.theme import contrast

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
LEAST = 4.5  # : 1, of text
LEAST_LARGE = 3.0  # of large text, and of signs that are no letters
LARGE, LARGE_BOLD = 24.0, 18.66  # pixels


class Text(NamedTuple):
    """One text of a page. `kind` is "text" (HTML), "drawing" (SVG), "mark" (an icon) or "unknown" (with the reason as `text`).

    `size` is in CSS pixels as shown (a drawing that is scaled down has smaller letters), `colors` are pairs of ink and ground as
    "#rrggbb": one for HTML, for a drawing one for each ground that lies below some of the letters.
    """

    kind: str
    text: str
    size: float
    bold: bool
    place: str
    colors: tuple[tuple[str, str], ...]

    @property
    def least(self) -> float:
        """The contrast this text must have."""
        large = self.size >= LARGE - 0.01 or (self.bold and self.size >= LARGE_BOLD - 0.01)
        return LEAST_LARGE if large or self.kind == "mark" else LEAST

    @property
    def worst(self) -> float:
        """The contrast at its least legible letter; 0 where it could not be computed."""
        return min((contrast(ink, ground) for ink, ground in self.colors), default=0.0)


def texts(page) -> list[Text]:
    """Return every visible text of a playwright page; what is folded must be unfolded before."""
    return [
        Text(**found | {"colors": tuple(map(tuple, found["colors"]))}) for found in json.loads(page.evaluate(SCRIPT))
    ]


def faults(page) -> list[str]:
    """Return a sentence for each text whose contrast is too small, or could not be computed; equal ones only once."""
    return list(dict.fromkeys(fault(text) for text in texts(page) if text.worst < text.least))


def fault(text: Text) -> str:
    """Return in one sentence what is wrong with a text's contrast."""
    if text.kind == "unknown":
        return f"{text.place}: cannot be computed ({text.text})"
    ink, ground = min(text.colors, key=lambda pair: contrast(*pair))
    return f"{text.text!r} in {text.place}: {ink} on {ground} is {text.worst:.2f} : 1, needs {text.least:g} ({text.size:.0f} px)"
