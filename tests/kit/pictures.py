"""Drawings, figures and tables as large as they fit on a slide; what would be too small to read is cut in two."""

import base64
import re
import struct
from html import escape, unescape

from helpers.show.frames import read_frames
from helpers.show.svg import WIDTH as DRAWN
from helpers.show.svg import cells
from tests.book import explorables
from tests.book.outputs import drawing
from tests.kit.layout import GAP, HEIGHT, SMALLEST_IN_PICTURE, WIDTH, Block

EDGE = 704  # the height of a drawing that takes a whole slide
NARROW, LARGEST = 0.8, 2.0  # a drawing that uses less of its width is made larger, though not more than this
TITLE = 32  # the height that a drawing's own title takes, which is the slide's heading here
LETTERS = re.compile(r'<text x="[^"]*" y="([^"]+)"(?:[^>]*?font-size="([\d.]+)")?')
WIDE = re.compile(r'<rect[^>]*? x="([^"]+)"[^>]*? width="([^"]+)"')
BOXES = re.compile(r'<rect[^>]*? y="([^"]+)"[^>]*? height="([^"]+)"')
# Parts of a tall drawing that are shown once more, larger: {cell: {name: (x, y, width, height)}}, in its own pixels.
CLOSER = {"1c0c58c0": {"The encoder": (10, 220, 430, 345), "A decoder layer": (350, 168, 470, 400)}}
SMALLEST_CELL, LARGEST_CELL = 15, 26  # letters in a table
CELL_LETTER = 0.62  # their width with some room: a browser shares out columns in its own way


def size_of(svg: str) -> tuple[float, float]:
    """Return width and height of a drawing."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    return float(found[1]), float(found[2])


def smallest(svg: str) -> float:
    """Return the size of a drawing's smallest letters in its own pixels."""
    return min(float(size) for size in re.findall(r'font-size[=:]\s*"?([\d.]+)', svg))


def extent(svg: str) -> float:
    """Return how far to the right a drawing has anything, its whole width where that is not easily said."""
    width, _ = size_of(svg)
    paths = re.findall(r'<path[^>]* d="([^"]+)"', svg)
    if re.search(r"translate|scale\(|<(?:image|ellipse|use|poly)", svg) or any(
        re.search("[aAsStT]", path) for path in paths
    ):
        return width
    right = [float(x) + float(wide) for x, wide in WIDE.findall(svg)]
    right += [x for path in paths for x in _across(path)]
    right += [float(x) for pair in re.findall(r'<line x1="([^"]+)"[^>]*? x2="([^"]+)"', svg) for x in pair]
    right += [float(x) + float(r) for x, r in re.findall(r'<circle cx="([^"]+)"[^>]*? r="([^"]+)"', svg)]
    for style, text in re.findall(r"<text ([^>]*)>(.*?)</text>", svg)[1:]:  # the first is the title
        size = float((re.search(r'font-size="([\d.]+)"', style) or [0, 15])[1])
        part = {"middle": 0.5, "end": 0.0}.get((re.search(r'text-anchor="(\w+)"', style) or [0, ""])[1], 1.0)
        right.append(float(re.search(r'\bx="([^"]+)"', style)[1]) + 0.64 * part * size * cells(unescape(text)))
    return min(width, max(right, default=width) + 20)


def _across(path: str) -> list[float]:
    """Return the horizontal places that a path goes through."""
    found, here = [], 0.0
    for command, numbers in re.findall(r"([MmLlHhCcQq])([^A-Za-z]*)", path):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        each = {"H": 1, "M": 2, "L": 2, "Q": 4, "C": 6}[command.upper()]
        for start in range(0, len(values), each):
            places = values[start : start + each : 1 if each == 1 else 2]
            found += [here + place if command.islower() else place for place in places]
            here = found[-1]
    return found


def whole(svg: str, prefix: str) -> Block | None:
    """Return a drawing with its title that takes a slide from edge to edge; None where its letters would still be too small."""
    width, tall = size_of(svg)
    scale = min(1240 / width, EDGE / tall)
    if scale * smallest(svg) < SMALLEST_IN_PICTURE - 0.2:
        return None
    shape = f'viewBox="0 0 {width:g} {tall:g}" width="{width * scale:.0f}" height="{tall * scale:.0f}"'
    svg = re.sub(r'viewBox="[^"]*" width="[^"]*" height="[^"]*"', shape, svg, count=1).replace(
        "max-width:100%;height:auto", ""
    )
    return Block(f'<div class="edge">{drawing(svg, prefix)}</div>', HEIGHT)


def closer(svg: str, cell: str) -> list[tuple[str, Block]]:
    """Return parts of a drawing as large as a slide, (name, block) each, where the whole is small and tall."""
    made = []
    for number, (name, (x, y, width, tall)) in enumerate(CLOSER.get(cell, {}).items()):
        scale = min(WIDTH / width, (HEIGHT - 64) / tall, LARGEST)
        shape = f'viewBox="{x} {y} {width} {tall}" width="{width * scale:.0f}" height="{tall * scale:.0f}"'
        part = re.sub(r'viewBox="[^"]*" width="[^"]*" height="[^"]*"', shape, svg, count=1)
        part = part.replace("max-width:100%;height:auto", "")
        made.append((name, Block(drawing(part, f"c-{cell}-{number}"), tall * scale)))
    return made


def drawn(svg: str, prefix: str, height: float) -> list[Block]:
    """Return a drawing without its title in one block as large as fits, or in several where its letters would be too small.

    Paper that is empty at its right is left out.
    """
    width, full = size_of(svg)
    width = used if (used := extent(svg)) < NARROW * width else width
    for pieces in (1, 2, 3):
        cuts = [TITLE, *(_cut(svg, TITLE + (full - TITLE) * piece / pieces) for piece in range(1, pieces)), full]
        tallest = max(below - above for above, below in zip(cuts, cuts[1:]))
        scale = min(WIDTH / width, (height - GAP) / tallest, LARGEST)
        if scale * smallest(svg) >= SMALLEST_IN_PICTURE:
            break
    shown = zip(cuts, cuts[1:])
    return [
        _window(svg, f"{prefix}-{number}", width, above, below, scale) for number, (above, below) in enumerate(shown)
    ]


def _window(svg: str, prefix: str, width: float, above: float, below: float, scale: float) -> Block:
    svg = re.sub(r"<text[^>]*>.*?</text>", "", svg, count=1, flags=re.DOTALL)  # the title
    size = f'width="{width * scale:.0f}" height="{(below - above) * scale:.0f}"'
    shape = f'viewBox="0 {above:g} {width:g} {below - above:g}" {size}'
    svg = re.sub(r'viewBox="[^"]*" width="[^"]*" height="[^"]*"', shape, svg, count=1)
    svg = svg.replace("max-width:100%;height:auto", "")
    return Block(drawing(svg, prefix), (below - above) * scale + GAP)


def _cut(svg: str, wanted: float) -> float:
    """Return the height near `wanted` at which a horizontal cut meets the fewest letters and boxes."""
    texts = [(float(y), float(size or 14)) for y, size in LETTERS.findall(svg)]
    boxes = [(float(y), float(tall)) for y, tall in BOXES.findall(svg)]

    def met(y: float) -> float:
        letters = sum(base - size < y < base + 0.35 * size for base, size in texts)
        return 100 * letters + sum(top < y < top + tall for top, tall in boxes) + abs(y - wanted) / 100

    return min((wanted + step / 2 for step in range(-240, 241)), key=met)


def figure(png: str, words: str, height: float) -> Block:
    """Return a figure (PNG as base64) as large as fits, with its words as alternative text."""
    width, tall = struct.unpack(">II", base64.b64decode(png[:64])[16:24])
    scale = min(WIDTH / width, (height - GAP) / tall)
    size = f'width="{width * scale:.0f}" height="{tall * scale:.0f}"'
    image = f'<img src="data:image/png;base64,{png}" alt="{escape(words)}" {size}>'
    return Block(f'<div class="figure">{image}</div>', tall * scale + GAP)


def moving(stem: str, cell_id: str, height: float) -> Block | None:
    """Return a cell's explorable with its controls, as large as its tallest frame fits; None where none can be read there."""
    made = explorables.block(stem, cell_id, f"x-{cell_id}", static="assets")
    if made is None:
        return None
    frames = read_frames(explorables.path(stem, cell_id).read_text(encoding="utf-8"))
    parts = "".join(frames.parts)
    tallest = max(float(tall) for tall in re.findall(r'viewBox="0 0 [\d.]+ ([\d.]+)"', parts))
    controls = 56 * -(-len(frames.controls) // 3)
    scale = min(WIDTH / DRAWN, (height - controls - GAP) / tallest)
    if scale * smallest(parts) < SMALLEST_IN_PICTURE:
        return None
    shown = made.replace('class="explorable"', f'class="explorable" style="--wide:{DRAWN * scale:.0f}px"', 1)
    return Block(shown, controls + tallest * scale + GAP)


def table(html: str, height: float) -> list[Block]:
    """Return a table in letters as large as fit, in several parts with the same head where it has too many rows."""
    head, *rows = re.findall(r"<tr.*?</tr>", html, re.DOTALL)
    texts = [
        [_text(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in (head, *rows)
    ]
    for half in range(2 * LARGEST_CELL, 2 * SMALLEST_CELL - 1, -1):
        heights = _rows(texts, half / 2)
        if sum(heights) <= height - GAP:
            return [_table(head, rows, half / 2, sum(heights))]
    size = max(SMALLEST_CELL, 18 if sum(_rows(texts, 18)) < 1.8 * height else SMALLEST_CELL)
    heights, parts, part, used = _rows(texts, size), [], [], 0.0
    for row, tall in zip(rows, heights[1:]):
        if part and heights[0] + used + tall > height - GAP:
            parts.append((part, used))
            part, used = [], 0.0
        part, used = [*part, row], used + tall
    return [_table(head, part, size, heights[0] + used) for part, used in [*parts, (part, used)]]


def _text(cell: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", cell))


def _rows(texts: list[list[str]], size: float) -> list[float]:
    """Return the height of each row, columns shared out as a browser does it: narrow ones whole, long ones broken."""
    longest = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))]
    word = [max(len(max(row[column].split() or [""], key=len)) for row in texts) for column in range(len(texts[0]))]
    room = WIDTH / (CELL_LETTER * size) - 2 * len(longest)
    wide = sorted(range(len(longest)), key=lambda column: longest[column])
    given, left = {}, room
    for position, column in enumerate(wide):
        share = max(left / (len(wide) - position), word[column])
        given[column] = min(longest[column] * 1.05 + 1, share)
        left -= given[column]
    lines = [max(-(-len(text) // max(1, int(given[column]))) for column, text in enumerate(row)) for row in texts]
    if left < -1 or (room < sum(word)):
        return [1e6] * len(texts)
    return [count * size * 1.32 + 0.5 * size for count in lines]


def _table(head: str, rows: list[str], size: float, height: float) -> Block:
    made = "".join(re.sub(r"white-space:[\w-]+", "white-space:pre-line", row) for row in rows)
    head = re.sub(r"white-space:[\w-]+", "white-space:normal", head)
    inner = f"<table><thead>{head}</thead><tbody>{made}</tbody></table>"
    return Block(f'<div class="table" style="font-size:{size:g}px">{inner}</div>', height + GAP)
