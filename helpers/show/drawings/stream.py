"""What the drawings of transformers share: layers of branches on the residual stream, bars of parameter counts (notebook 04)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import KINDS, STREAM, Area, Diagram
from helpers.show.drawings.parts import short
from helpers.show.theme import INK, SOFT, percent

PITCH = 96.0  # height of a sub-layer with its norm and its addition
PART, NORM = 40.0, 18.0
PAD = 30.0  # between the frame's upper edge, which holds its name, and the uppermost addition


def layer(
    figure: Diagram,
    x: float,
    width: float,
    bottom: float,
    parts: Sequence[tuple[str, str, str]],
    name: str,
    count: int,
    norm: str,
    norm_first: bool = True,
    mirrored: bool = False,
) -> tuple[Area, float, list[Area]]:
    """Draw a layer from `bottom` upward: the stream beside its sub-layers (kind, text, note), each a branch that is added to it.

    Returns the frame, the stream's x and the areas of the sub-layers. `mirrored` has the stream at the right.
    """
    high = len(parts) * PITCH + PAD
    frame = Area(x, bottom - high, width, high)
    for i in range(min(count, 3) - 1, 0, -1):
        figure.rect(frame.x + 6 * i, frame.y - 6 * i, frame.width, frame.height, "#eef0f5", "#9aa1b0", 1.2, 10)
    figure.rect(*frame, "#f7f8fb", "#9aa1b0", 1.4, 10)
    stream = frame.right - 30 if mirrored else x + 30
    left = x + 14 if mirrored else x + 62
    wide = width - 76
    corner = frame.x + 12 if mirrored else frame.right - 12
    figure.label(corner, frame.y + 20, f"{name} × {count}", 13.5, "start" if mirrored else "end", INK, bold=True)
    figure.line((stream, bottom + 1), (stream, frame.y - 1), color=STREAM, width=5)
    areas = []
    for i, (kind, text, note) in enumerate(parts):
        low, middle = bottom - i * PITCH, left + wide / 2
        if norm_first:
            below = figure.box(left, low - 34, wide, NORM, norm, "norm", size=11, bold=False, rx=4)
            part = figure.box(left, low - 34 - PART - 3, wide, PART, text, kind, note)
        else:
            part = below = figure.box(left, low - 20 - PART, wide, PART, text, kind, note)
        figure.arrow((stream, low - 8), (middle, low - 8), (middle, below.bottom), corner=5)
        out = part.y - 10
        figure.arrow((middle, part.y), (middle, out), (stream + (-9 if mirrored else 9), out), corner=5)
        figure.circle(stream, out, "+", 9, STREAM)
        if not norm_first:
            on = (left, stream + 14 - left) if mirrored else (stream - 14, left + wide - stream + 14)
            figure.box(on[0], out - 9 - NORM, on[1], NORM, norm, "norm", size=11, bold=False, rx=4)
        areas.append(part)
    return frame, stream, areas


def parameter_bars(
    figure: Diagram, x: float, right: float, y: float, rows: Sequence[tuple[str, str, str, int]], total: int
) -> None:
    """Draw where the parameters are: rows of (name, kind, how it is computed, count), the longest bar from x to right."""
    figure.label(x, y, f"{short(total)} parameters", 14, "start", INK, bold=True)
    largest = max(count for *_, count in rows) or 1
    for i, (name, kind, text, count) in enumerate(rows):
        top = y + 16 + 46 * i
        fill, edge, line = KINDS[kind]
        figure.label(x, top + 12, name, 12.5, "start", INK)
        figure.label(right, top + 12, text, 12, "end", SOFT, room=right - x - 100)
        long = (right - x - 104) * count / largest
        figure.rect(x, top + 18, max(long, 1.5), 13, fill, edge, line, 2)
        figure.label(
            x + max(long, 1.5) + 8,
            top + 29,
            f"{short(count)} · {percent(count, total)}" if count else "0",
            12,
            "start",
            INK,
        )
