"""What the course's diagrams are drawn with: boxes, tensors with their shapes, arrows, stacks, groups (built for notebook 02).

A `Diagram` collects shapes and gives back the `Drawing`. Each method that draws an area returns it as an `Area`, whose sides
are where arrows begin and end. One thing has one look in the whole series: the kinds below.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from helpers.show import theme
from helpers.show.lettering import Formula, fitted, shape_text, spans, text_width
from helpers.show.svg import MARGIN, TITLE_HEIGHT, WIDTH, Drawing, key
from helpers.show.theme import BLUE, CRIMSON, GRID, INK, MONO, ORANGE, PAPER, PLUM, RULE, SOFT, TEAL, xml

LEFT, RIGHT = MARGIN, WIDTH - MARGIN
Point = tuple[float, float]


def tint(color: str, strength: float) -> str:
    """Return `color` thinned with white paper: strength 1 is the color, 0 is white."""
    channels = (round(255 + (int(color[i : i + 2], 16) - 255) * strength) for i in (1, 3, 5))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


# What a thing looks like everywhere: (paper, edge, width of the edge).
KINDS = {
    "attention": (tint(TEAL, 0.32), TEAL, 1.8),
    "feed-forward": (tint(ORANGE, 0.26), ORANGE, 1.8),
    "norm": (GRID, "#8b90a0", 1),
    "embedding": (tint(BLUE, 0.16), BLUE, 1.8),  # and the head, which is the same table in most models
    "recurrent": (tint(CRIMSON, 0.15), CRIMSON, 1.8),
    "gate": (tint(PLUM, 0.13), PLUM, 1.5),
    "loss": (tint(CRIMSON, 0.15), CRIMSON, 1.8),
    "linear": (PAPER, INK, 1.4),  # a matrix of weights
    "step": (PAPER, "#8b90a0", 1.2),  # arithmetic without weights
    "tensor": ("#f4f6fa", "#9aa1b0", 1.1),
    "new": (tint(ORANGE, 0.3), ORANGE, 1.6),
    "kept": (tint(BLUE, 0.22), BLUE, 1.3),
    "ghost": (PAPER, RULE, 1),
}
STREAM = PLUM  # the residual stream, the cell state: a thick line


class Area(NamedTuple):
    """A rectangle on the paper; its sides are points for arrows."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def center(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def top_middle(self) -> Point:
        return self.center[0], self.y

    @property
    def bottom_middle(self) -> Point:
        return self.center[0], self.bottom

    @property
    def left_middle(self) -> Point:
        return self.x, self.center[1]

    @property
    def right_middle(self) -> Point:
        return self.right, self.center[1]


class Diagram:
    """A drawing in the making, 820 pixels wide; y grows downward and begins below the title at `TITLE_HEIGHT`."""

    def __init__(self, title: str):
        self.title, self.bottom = title, float(TITLE_HEIGHT)
        self.behind: list[str] = []
        self.parts: list[str] = []

    def finish(self, words: str, note: str = "", label: str = "") -> Drawing:
        """Return the `Drawing`; `note` is the small gray line below it that says how to read it."""
        height = self.bottom + (26 if note else 14)
        line = key(height - 9, fitted(note, RIGHT - LEFT, 11.5)[0]) if note else ""
        return Drawing("".join(self.behind + self.parts) + line, words, self.title, math.ceil(height), label)

    def _reach(self, y: float) -> None:
        self.bottom = max(self.bottom, y)

    def rect(self, x, y, width, height, fill=PAPER, edge=INK, line=1.2, rx=4, dashed=False, behind=False) -> Area:
        """A plain rectangle."""
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        stroke = f'stroke="{edge}" stroke-width="{line:g}"{dash}' if line else ""
        size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{rx:g}"'
        (self.behind if behind else self.parts).append(f'<rect {size} fill="{fill}" {stroke}/>')
        self._reach(y + height)
        return Area(x, y, width, height)

    def box(self, x, y, width, height, text="", kind="step", note="", size=13, bold=True, mono=False, rx=6) -> Area:
        """A part of a network: its name (several lines at most) in bold, a small `note` such as its sizes below."""
        fill, edge, line = KINDS[kind]
        area = self.rect(x, y, width, height, fill, edge, line, rx)
        lines = [(type(text)(part), size, bold, mono, INK) for part in text.split("\n")] if text else []
        soft = theme.readable(SOFT, fill)
        lines += [(type(note)(part), size - 2, False, False, soft) for part in note.split("\n")] if note else []
        tall = sum(1.28 * line[1] for line in lines)
        at = y + (height - tall) / 2
        for part, letters, strong, even, ink in lines:
            at += 1.28 * letters
            self.label(
                area.center[0], at - 0.34 * letters, part, letters, color=ink, bold=strong, mono=even, room=width - 6
            )
        return area

    def tensor(self, x, y, width, height, text="", shape=None, kind="tensor", size=13) -> Area:
        """Numbers that flow: a pale rectangle with a name and, in brackets, how many numbers along each axis."""
        note = "" if shape is None else shape_text(shape)
        if not (text and note) or height >= 34:
            return self.box(x, y, width, height, text, kind, note, size, bold=False, rx=2)
        area = self.box(x, y, width, height, "", kind, rx=2)  # one line
        wide = text_width(text, size) + 7 + text_width(note, size - 1.5)
        at = area.center[0] - wide / 2
        self.label(at, area.center[1] + 0.35 * size, text, size, "start", INK)
        self.label(at + wide, area.center[1] + 0.35 * size, note, size - 1.5, "end")
        return area

    def circle(self, x, y, sign="+", radius=10, edge=INK, fill=PAPER) -> Area:
        """Arithmetic on whole vectors: +, × or a function's name."""
        self.parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" stroke="{edge}" stroke-width="1.5"/>'
        )
        size = min(15, 2 * radius / max(text_width(sign, 1), 0.8))
        self.label(x, y + 0.34 * size, sign, size, bold=len(sign) == 1, color=INK)
        self._reach(y + radius)
        return Area(x - radius, y - radius, 2 * radius, 2 * radius)

    def stack(self, x, y, width, height, count: int, text="", kind="step", note="", step=5) -> Area:
        """Several equal parts behind each other, the foremost with the text; at most four are drawn."""
        fill, edge, line = KINDS[kind]
        for i in range(min(count, 4) - 1, 0, -1):
            self.rect(x + i * step, y - i * step, width, height, fill, edge, line, 6)
        return self.box(x, y, width, height, text, kind, note)

    def group(self, areas: Iterable[Area], text="", pad=12, top=None, fill="#f7f8fb", edge=RULE, note="") -> Area:
        """A frame behind several areas, with its name at the upper left and a note at the upper right."""
        areas = list(areas)
        top = pad + 16 * bool(text or note) if top is None else top
        x, y = min(a.x for a in areas) - pad, min(a.y for a in areas) - top
        wide, high = max(a.right for a in areas) + pad - x, max(a.bottom for a in areas) + pad - y
        area = self.rect(x, y, wide, high, fill, edge, 1.2, 10, behind=True)
        if text:
            self.label(x + 10, y + 17, text, 12, "start", INK, bold=True)
        if note:
            self.label(area.right - 10, y + 17, note, 11.5, "end")
        return area

    def cell(self, x, y, size, strength: float, text="", color=TEAL, high=None) -> Area:
        """A square whose darkness is a number from 0 to 1, with the number in it."""
        fill = tint(color, 0.04 + 0.9 * max(0.0, min(1.0, strength)))
        area = self.rect(x, y, size, high or size, fill, "#ffffff", 1, 2)
        if text:
            x, y = area.center
            self.label(x, y + 4, text, 11, color=theme.letters_on(fill), room=size - 2)
        return area

    # --- lines and text ---------------------------------------------------------------------------------------------

    def arrow(self, *points: Point, color=INK, width=1.5, dashed=False, head=True, corner=7, behind=False) -> None:
        """An arrow through two points or more, with round corners; `head` False leaves a line."""
        points = list(points)
        (x1, y1), (x2, y2) = points[-2:]
        self._reach(max(y for _, y in points) + width / 2)
        tip, path = "", points
        length = math.hypot(x2 - x1, y2 - y1)
        if head and length:
            reach = min(5 + 1.9 * width, length)
            dx, dy = (x2 - x1) / length, (y2 - y1) / length
            base = (x2 - reach * dx, y2 - reach * dy)
            half = 0.48 * (5 + 1.9 * width)
            corners = [(x2, y2), (base[0] - half * dy, base[1] + half * dx), (base[0] + half * dy, base[1] - half * dx)]
            tip = f'<path d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in corners)}Z" fill="{color}"/>'
            path = points[:-1] + [(x2 - 0.8 * reach * dx, y2 - 0.8 * reach * dy)]
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        drawn = (
            f'<path d="{_rounded(path, corner)}" fill="none" stroke="{color}" stroke-width="{width:.2g}"{dash}/>{tip}'
        )
        (self.behind if behind else self.parts).append(drawn)

    def line(self, *points: Point, color=INK, width=1.5, dashed=False, behind=False) -> None:
        """A line without a head."""
        self.arrow(*points, color=color, width=width, dashed=dashed, head=False, behind=behind)

    def label(self, x, y, text, size=12, anchor="middle", color=SOFT, bold=False, mono=False, room=None) -> None:
        """A line of text at its baseline, smaller or cut where it is wider than `room`."""
        text = text if isinstance(text, Formula) else str(text)
        if room is not None:
            text, size = fitted(text, room, size, bold, mono)
        style = f'font-size="{size:.1f}" text-anchor="{anchor}" fill="{color}"'
        style += ' font-weight="700"' * bold + f' font-family="{MONO}" style="white-space:pre"' * mono
        inner = spans(text, size) if isinstance(text, Formula) else xml(text)
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" {style}>{inner}</text>')
        self._reach(y + 4)

    def text(self, x, y, text: str, size=12, color=INK, anchor="start", leading=1.4, **style) -> float:
        """Several lines of text; return the baseline of the next."""
        for part in text.split("\n"):
            self.label(x, y, type(text)(part), size, anchor, color, **style)
            y += leading * size
        return y


def _rounded(points: Sequence[Point], radius: float) -> str:
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for before, here, after in zip(points, points[1:], points[2:]):
        r = min(radius, math.dist(before, here) / 2, math.dist(here, after) / 2)
        (ax, ay), (bx, by) = ((here[0] + (p[0] - here[0]) * r / (math.dist(p, here) or 1),
                               here[1] + (p[1] - here[1]) * r / (math.dist(p, here) or 1)) for p in (before, after))  # fmt: skip
        path += f"L{ax:.1f} {ay:.1f}Q{here[0]:.1f} {here[1]:.1f} {bx:.1f} {by:.1f}"
    return path + f"L{points[-1][0]:.1f} {points[-1][1]:.1f}"


def spread(count: int, left: float, right: float, most: float, gap: float = 10) -> list[tuple[float, float]]:
    """Return (x, width) of `count` equal columns side by side, centered between left and right, each at most `most` wide."""
    width = min(most, (right - left - gap * (count - 1)) / max(count, 1))
    start = (left + right - count * width - gap * (count - 1)) / 2
    return [(start + i * (width + gap), width) for i in range(count)]


def shortened(count: int, limit: int) -> list[int | None]:
    """Return the indices of `count` things to draw when `limit` fit, None where some are left out: 0 1 2 None 8 9."""
    if count <= limit:
        return list(range(count))
    first = limit // 2
    return [*range(first), None, *range(count - (limit - first - 1), count)]


def need(condition: bool, sentence: str) -> None:
    """Raise ValueError with a sentence unless the condition holds."""
    if not condition:
        raise ValueError(sentence)
