"""What stands on a slide of 1280 × 720 pixels, and how high it is there: nothing may be lost at the edge of a projector.

Heights are estimated from the number of lines, with letters as wide as those of the widest common font (DejaVu Sans), so
that narrower fonts leave room. tests/kit/decks.py measures the result in a browser.
"""

import html
import re
import textwrap
from dataclasses import dataclass

from tests.kit.render import code, markdown, plain

SLIDE = (1280, 720)
WIDTH, HEIGHT = 1168, 604  # of what is between the margins, above the foot
LETTER, BOLD_LETTER, MONO_LETTER = 0.575, 0.64, 0.605  # width of a letter, in its size
LINE, CODE_LINE = 1.36, 1.4  # height of a line, in its size
GAP = 18  # below each block
SHORT = 66  # columns of printed sentences
WIDEST = 100  # columns of printed text; what is set in columns is broken only where it is wider
PAGED = 19  # pixels: printed text that would be smaller goes on two slides
PROSE, SMALLEST_CODE, SMALLEST_IN_PICTURE = 20, 15, 11.3  # the least sizes in pixels


@dataclass(frozen=True)
class Block:
    """A part of a slide: its HTML, and its height in pixels with the gap below it."""

    html: str
    height: float


def lines_of(text: str, size: float, width: float = WIDTH, letter: float = LETTER) -> int:
    """Return how many lines a paragraph takes in letters of this size."""
    columns = max(8, int(width / (letter * size)))
    return sum(max(1, len(textwrap.wrap(part, columns))) for part in text.split("\n"))


def spoken(text: str) -> str:
    """Return Markdown as the letters that are seen of it: the signs of TeX count as one letter each."""
    text = re.sub(r"\$\$?(.+?)\$\$?", lambda found: _tex_letters(found[1]), text, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"[*`]", "", text)))


def _tex_letters(tex: str) -> str:
    """Return as many letters as an equation is wide, about."""
    tex = re.sub(r"\\text\{([^{}]*)\}", lambda found: found[1].replace(" ", "x"), tex)
    tex = re.sub(r"\\(max|min|log|ln|exp|sin|cos|lim)(?![a-z])", r"\1", tex)
    tex = re.sub(r"\\(?:mathrm|mathbf|mathbb|hat|bar|left|right|big\w?|Big\w?|,|!)(?![a-z])", "", tex)
    before = None
    while tex != before:  # a fraction is as wide as the wider of its parts
        before = tex
        tex = re.sub(r"\\d?frac\{([^{}]*)\}\{([^{}]*)\}", lambda found: max(found[1], found[2], key=len), tex)
        tex = re.sub(r"(?<![c}])\{([^{}]*)\}", r"\1", tex)
    tex = re.sub(r"[=+<>-]|\\(?:quad|le|ge|to|leftarrow|mid|sim)(?![a-z])", "xx", tex)
    return "x" * len(re.sub(r"[{}^_\s]", "", re.sub(r"\\[a-zA-Z]+|\\;", "x", tex)))


def prose(text: str, size: float, kind: str = "", width: float = WIDTH) -> Block:
    """Return paragraphs and lists of Markdown as a block in letters of `size` pixels."""
    height = 0.0
    for part in re.split(r"\n\s*\n|\n(?=\s*(?:\d+\.|[-*]) )", text.strip()):
        inner = width - 2 * size if re.match(r"\s*(\d+\.|[-*]) ", part) else width
        seen = spoken(" ".join(part.split()))
        # Fractions and sums make a line of text higher.
        tall = 1.25 if re.search(r"\$[^$]*\\(?:d?frac|sum|begin)", part) else 1
        height += lines_of(seen, size, inner) * size * LINE * tall + 0.4 * size
    body = markdown(text, lambda address: None)
    return Block(f'<div class="prose {kind}" style="font-size:{size:g}px">{body}</div>', height + GAP)


def largest(text: str, sizes, height: float, kind: str = "") -> Block | None:
    """Return the text in the largest of these sizes that fits into `height`, or None."""
    return next((block for size in sizes if (block := prose(text, size, kind)).height <= height), None)


def words(text: str, sizes, height: float, kind: str = "") -> Block:
    """Return the text in the largest of these sizes that fits into `height`. Raises ValueError where none does."""
    block = largest(text, sizes, height, kind)
    if block is None:
        raise ValueError(f"does not fit into {height:.0f} pixels: {text[:200]}")
    return block


def heading(text: str, kind: str = "") -> Block:
    """Return a slide's heading, written in Markdown, in at most two lines."""
    seen = plain(text)
    size = next(
        (size for size in (40, 34, 30, 26) if lines_of(seen, size, letter=BOLD_LETTER) <= (1 if size > 34 else 2)), 24
    )
    lines = lines_of(seen, size, letter=BOLD_LETTER)
    inner = re.sub(r"^<p>(.*)</p>\s*$", r"\1", markdown(text, lambda address: None), flags=re.DOTALL)
    return Block(f'<h2 class="{kind}" style="font-size:{size}px">{inner}</h2>', lines * size * 1.2 + 16)


def source(text: str, height: float, most: float = 24) -> Block | None:
    """Return code as large as fits into `height`, or None where it would be too small."""
    size = mono_size(text, height - 28, most, WIDTH - 36)
    if size < SMALLEST_CODE:
        return None
    block = code(text).replace("<pre ", f'<pre style="font-size:{size:g}px" ', 1)
    return Block(block, text.count("\n") * size * CODE_LINE + size * CODE_LINE + 28 + GAP)


def mono_size(text: str, height: float, most: float, width: float = WIDTH) -> float:
    """Return the largest size, in half pixels, at which text in equally wide letters fits."""
    lines = text.split("\n")
    size = min(most, width / (MONO_LETTER * max(1, *map(_columns, lines))), height / (CODE_LINE * len(lines)))
    return int(2 * size) / 2


def _columns(line: str) -> int:
    from helpers.show.svg import cells

    return cells(line)


def printed(text: str, height: float, most: float = 28) -> list[Block]:
    """Return printed text in as few blocks as legible, none higher than `height`; sentences in shorter lines, to be larger."""
    given = text.strip("\n").split("\n")
    for size in (half / 2 for half in range(int(2 * most), 2 * SMALLEST_CODE - 1, -1)):
        lines = _wrapped(given, int((WIDTH - 36) / (MONO_LETTER * size)))
        if lines and len(lines) * size * CODE_LINE + 28 + GAP <= height:
            if size < PAGED and len(_paged(given, height)) <= 2:
                break  # two slides that can be read from the back are better than one that can't
            return [_pre(lines, size)]
    return [_pre(lines, size) for lines, size in _paged(given, height)]


def _paged(given: list[str], height: float) -> list[tuple[list[str], float]]:
    """Return printed lines shared out over slides, with the size of their letters; cut where a line is not indented."""
    size, lines = next(
        (size, lines)
        for size in (21, 20, 19, 18, 17, 16, SMALLEST_CODE)
        if (lines := _wrapped(given, int((WIDTH - 36) / (MONO_LETTER * size)), size == SMALLEST_CODE))
    )
    fit = max(1, int((height - 28 - GAP) / (size * CODE_LINE)))
    each = -(-len(lines) // -(-len(lines) // fit))
    pages, start = [], 0
    while start < len(lines):
        end = start + fit if len(lines) - start <= fit else start + min(fit, each + 3)
        marked = [at for at in range(start + fit // 2, end + 1) if at < len(lines) and re.match(r">|# |$", lines[at])]
        end = marked[-1] if marked and end < len(lines) else min(end, start + each) if end < len(lines) else end
        pages.append((lines[start:end], size))
        start = end
    return pages


def _wrapped(given: list[str], columns: int, forced: bool = False) -> list[str] | None:
    """Return lines broken at so many columns, indented by four below their first; None where that would tear a table apart."""
    lines = []
    sentences = not any(re.search(r"\S {2,}|^ ", line) for line in given)
    for line in given:
        if _columns(line) <= min(columns, SHORT if sentences else columns):
            lines.append(line)
            continue
        labels = re.findall(r"\S {2,}(?=\S)", line.strip())
        if len(labels) > 1 and not forced and columns < WIDEST and _columns(line) <= WIDEST:
            return None
        below = re.match(r" *", line)[0] + "    "
        if len(labels) == 1:  # a label and a text: the text stays to the right of it
            below = " " * min(re.match(r" *\S.*?\S? {2,}(?=\S)", line).end(), columns // 2)
        width = min(columns, SHORT) if sentences else columns
        lines += textwrap.wrap(line, width, subsequent_indent=below, replace_whitespace=False) or [""]
    return lines


def _pre(lines: list[str], size: float) -> Block:
    text = html.escape("\n".join(lines).strip("\n"), quote=False)
    return Block(
        f'<pre class="result" style="font-size:{size:g}px">{text}</pre>', len(lines) * size * CODE_LINE + 28 + GAP
    )


def equation(tex: str, most: float = 48, height: float = 440) -> Block:
    """Return a displayed equation, each of the parts that it sets side by side on a line of its own, as large as fits."""
    parts = _side_by_side(" ".join(tex.split()))
    widest = max(len(_tex_letters(part)) for part in parts)
    tall = [3.1 if re.search(r"\\(d?frac|sum|prod|begin|underbrace|int)", part) else 1.9 for part in parts]
    size = int(min(most, max(24, WIDTH / (0.58 * widest)), (height - GAP) / sum(tall)))
    lines = [
        f'<div class="equation"><span class="math">\\[{html.escape(part, quote=False)}\\]</span></div>'
        for part in parts
    ]
    return Block(f'<div class="equations" style="font-size:{size}px">{"".join(lines)}</div>', sum(tall) * size + GAP)


def _side_by_side(tex: str) -> list[str]:
    r"""Split TeX at the `\qquad`s that are inside no braces and no environment."""
    step = {"{": 1, "}": -1, r"\begin": 1, r"\end": -1, r"\left": 1, r"\right": -1}
    parts, depth, start = [], 0, 0
    for found in re.finditer(r"\\(?:begin|end|left|right|qquad)\b|\\.|[{}]", tex):
        depth += step.get(found[0], 0)
        if found[0] == r"\qquad" and depth == 0:
            parts.append(tex[start : found.start()])
            start = found.end()
    return [part.strip(" ,;") for part in [*parts, tex[start:]] if part.strip(" ,;")]
