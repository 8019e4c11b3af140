"""Drawings as SVG, written in Python: no JavaScript, nothing to download, readable in print and by ear.

Built for notebook 00, used by all. A `Drawing` is a picture and the finding it shows in words, on its own white paper, so
that a dark theme leaves it legible. The functions write the parts that drawings share.
"""

from __future__ import annotations

import unicodedata

from helpers.show import display, theme
from helpers.show.theme import BLUE, INK, MONO, PAPER, SANS, SOFT, signs, xml

WIDTH = 820  # of every drawing, in pixels; narrower pages scale it down
MARGIN = 16
TITLE_HEIGHT = 42
CELL = 8.43  # one monospaced character at 14 pixels


class Drawing:
    """An SVG picture with its twin in words. Shows itself at the end of a cell; its ``repr`` is the words.

    `body` is the SVG inside the frame, `words` the finding; `label` is a shorter text for a screen reader's picture
    label where the words are a long list. No page takes a dollar in it for the start of a formula. Raises ValueError for
    empty words.
    """

    def __init__(self, body: str, words: str, title: str, height: float, label: str = ""):
        if not str(words).strip():
            raise ValueError("a drawing needs its finding in words")
        self.words, self.title = str(words), str(title)
        size = f'width="{WIDTH}" height="{height:g}"'
        self.svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" {size} role="img" '
            f'aria-label="{xml(label or words)}" class="oc tex2jax_ignore mathjax_ignore" font-family="{SANS}" '
            f'font-size="14" fill="{INK}" style="max-width:100%;height:auto">'
            f"<style>.oc g:focus{{outline:2px solid {BLUE}}}</style>"
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
        display.publish(data, {"image/svg+xml": {"alt": self.words}})
        display.say(self.words)

    _ipython_display_ = show


def blank(title: str, words: str, height: float = TITLE_HEIGHT + 34) -> Drawing:
    """A drawing of nothing yet: one gray sentence that says what is missing."""
    return Drawing(write(MARGIN, TITLE_HEIGHT + 17, words, f'fill="{SOFT}"'), words, title, height)


def reword(drawing: Drawing, words: str) -> Drawing:
    """Give a drawing other words, on the page and for a screen reader; return it."""
    drawing.svg = drawing.svg.replace(f'aria-label="{xml(drawing.words)}"', f'aria-label="{xml(words)}"', 1)
    drawing.words = words
    return drawing


def _title_size(title) -> float:
    """Return the letters' size in pixels: 15, or less where the one line would run past the drawing's right edge."""
    # A bold letter is 0.56 of its size wide on average; below 10 nobody can read it.
    return round(max(10.0, min(15.0, (WIDTH - 2 * MARGIN) / (0.56 * max(cells(str(title)), 1)))), 1)


def write(x: float, y: float, text, style: str = "") -> str:
    """A line of text as SVG, at its left end and baseline; `style` holds further attributes."""
    text = str(text)
    if text[:1] == " ":  # browsers swallow a space at the beginning, and do not inherit the rule that forbids it
        style = f'{style} style="white-space:pre"'.strip()
    return f'<text x="{round(x, 1):g}" y="{round(y, 1):g}"{" " * bool(style)}{style}>{xml(text)}</text>'


def key(y: float, text: str) -> str:
    """The small gray line below a drawing that says how to read it."""
    return write(MARGIN, y, text.strip(), f'font-size="11.5" fill="{SOFT}"')


def monospaced(parts) -> str:
    """Parts of a drawing as one group in which all letters are equally wide and spaces are kept."""
    return f'<g font-family="{MONO}" style="white-space:pre">{"".join(parts)}</g>'


def cells(text: str) -> int:
    """Width in monospaced columns: two for emoji and East Asian characters, none for accents on a letter."""
    narrow = [c for c in text if unicodedata.category(c) not in ("Mn", "Me", "Cf")]
    return len(narrow) + sum(unicodedata.east_asian_width(c) in "WF" for c in narrow)


def seen(token, limit: int = 60, space: bool = False) -> str:
    """A token as it is drawn: what is invisible gets a sign, what is longer than `limit` by more than one is cut.

    With `space` a space before a word is seen too: " the" and "the" are two tokens.
    """
    text = str(token)
    if not text:
        return "∅"
    if space and text[:1] == " " and text.strip():
        text = "␣" + text[1:]
    text = signs(text[:limit] + "…" if len(text) > limit + 1 else text)
    return text.replace(" ", "␣") if text.isspace() else text


def quoted(token, limit: int = 60) -> str:
    """A token inside a sentence, without the spaces and line breaks around it."""
    return f"“{seen(str(token).strip() or token, limit)}”"
