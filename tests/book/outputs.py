"""A cell's stored outputs as HTML: drawings inline, figures with their words, tables, text. Nothing is run."""

import re
from collections.abc import Callable
from html import escape
from typing import NamedTuple

from helpers.show.theme import WIDTH

# A bar of tqdm and the empty curve are the first moment of something that moved; what came of it is printed beside them.
FLEETING = re.compile(r"\s*\d+%\|.*\|\s*\d+/\d+ \[.*\]\s*|The learning curve appears here when training begins\.")
IDS = re.compile(r'(\b(?:id|aria-labelledby|aria-describedby)=")([^"]+)(")')
USES = re.compile(r'((?:\burl\(|\bhref=")#)([^")]+)')
# No page takes a dollar in a result for the start of a formula.
CELL = re.compile(r'(?<=<t[dh]) style="(text-align:[^"]*)"')
WORDS = "In words: "
PLAIN = "tex2jax_ignore mathjax_ignore"


class Part(NamedTuple):
    """A piece of a cell's results: its HTML, the words of the picture it shows, and those that it says of one."""

    html: str
    shows: str = ""
    says: str = ""


def html(cell, prefix: str, picture: Callable[[str], str] | None = None) -> str:
    """Return the stored outputs of a code cell as HTML, "" where there are none.

    `prefix` goes before every id of a drawing, because drawings share one page. `picture` is given a figure's PNG as
    base64 and returns the address it can be found at; without it the figure stands in the page, as a data URI. Raises
    ValueError for a figure or a drawing without words, and for an output of an unknown kind.
    """
    parts, text = [], ""
    for number, output in enumerate(cell.get("outputs", [])):
        if output["output_type"] == "stream":
            text += output["text"]
            continue
        parts += [*_text(text), *_shown(output, f"{prefix}-{number}", picture)]
        text = ""
    return "\n".join(part.html for part in _paired([*parts, *_text(text)]))


def words(cell) -> str:
    """Return what the outputs of a code cell say as text: what was printed, and the words of what was shown."""
    parts = []
    for output in cell.get("outputs", []):
        text = output["text"] if output["output_type"] == "stream" else output.get("data", {}).get("text/plain", "")
        parts.append("" if FLEETING.fullmatch(text) else text.strip("\n"))
    return "\n".join(part for part in parts if part)


def drawing(svg: str, prefix: str) -> str:
    """Return a drawing's SVG as HTML: one picture, its ids prefixed, in a box that scrolls where the page is too narrow."""
    if not re.search(r'aria-label="[^"]+"', svg):
        raise ValueError(f"{prefix}: a drawing without words")
    svg = IDS.sub(lambda m: m[1] + " ".join(f"{prefix}-{name}" for name in m[2].split()) + m[3], svg)
    svg = USES.sub(lambda m: f"{m[1]}{prefix}-{m[2]}", svg)
    return f'<div class="drawing {PLAIN}">{without_stops(svg.strip())}</div>'


def without_stops(svg: str) -> str:
    """Return an SVG, or a part of one, in which no key stops: in the book it is one picture, whose words say what it shows.

    In a notebook each dot or bar can be focused, and tells its number.
    """
    return svg.replace(' tabindex="0"', "")


def _paired(parts: list[Part]) -> list[Part]:
    """Return the parts with its words right behind every picture: what a cell printed is stored before what it showed."""
    ordered = list(parts)
    for picture in parts:
        words = [part for part in ordered if picture.shows and part.says == picture.shows]
        if words:
            ordered.remove(words[0])
            ordered.insert(ordered.index(picture) + 1, words[0])
    return ordered


def _shown(output, name: str, picture) -> list[Part]:
    data, about = output.get("data", {}), output.get("metadata", {})
    if "image/svg+xml" in data:
        alt = about.get("image/svg+xml", {}).get("alt", "")
        return [Part(drawing(data["image/svg+xml"], name), shows=" ".join(alt.split()))]
    if "image/png" in data:
        alt = about.get("image/png", {}).get("alt", "")
        return [
            Part(
                _figure(data["image/png"].strip(), about.get("image/png", {}), name, picture),
                shows=" ".join(alt.split()),
            )
        ]
    if "text/html" in data:
        return [Part(f'<div class="table {PLAIN}">{_lean(data["text/html"])}</div>')]
    if "text/plain" in data:
        return _text(data["text/plain"])
    if output["output_type"] == "error":
        return _text(f"{output['ename']}: {output['evalue']}")
    raise ValueError(f"{name}: no way to show {sorted(data) or output['output_type']}")


def _lean(table: str) -> str:
    """Return a table whose cells have classes, n for numbers and w for what stays on one line, and no style each."""

    def named(style) -> str:
        kinds = ["n"] * ("text-align:right" in style[1]) + ["w"] * ("white-space:nowrap" in style[1])
        return f' class="{" ".join(kinds)}"' if kinds else ""

    # A column without a name has no header: to a screen reader an empty one is a riddle.
    return re.sub(r"<th([^>]*)></th>", r"<td\1></td>", CELL.sub(named, table))


def _figure(png: str, about: dict, name: str, picture) -> str:
    if not about.get("alt"):
        raise ValueError(f"{name}: a figure without words")
    address = picture(png) if picture else "data:image/png;base64," + png.replace("\n", "")
    size = "".join(f' {key}="{about[key]}"' for key in ("width", "height") if key in about)
    return f'<div class="plot"><img src="{address}" alt="{escape(about["alt"])}"{size} loading="lazy"></div>'


def _text(text: str) -> list[Part]:
    """Return printed text as HTML: lines as they are, and the words of a picture as a paragraph that fits every page."""
    if not text.strip() or FLEETING.fullmatch(text):
        return []
    parts, lines = [], text.strip("\n").split("\n")
    while lines:
        if lines[0].startswith(WORDS):
            words = unwrapped(lines)
            html = f'<p class="words {PLAIN}">{escape(words, quote=False)}</p>'
            parts.append(Part(html, says=" ".join(words.removeprefix(WORDS).split())))
            continue
        until = next((number for number, line in enumerate(lines) if line.startswith(WORDS)), len(lines))
        printed = "\n".join(lines[:until])
        parts.append(Part(f'<pre class="result {PLAIN}">{escape(printed, quote=False)}</pre>'))
        del lines[:until]
    return parts


def unwrapped(lines: list[str]) -> str:
    """Take one paragraph off the beginning of `lines`, which `theme.wrap` broke, and return it as one line.

    A line goes on in the next one when its first word had no room any more.
    """
    paragraph = last = lines.pop(0)
    while lines and lines[0].strip() and len(last) + 1 + len(lines[0].split()[0]) > WIDTH:
        last = lines.pop(0)
        paragraph += " " + last.strip()
    return paragraph
