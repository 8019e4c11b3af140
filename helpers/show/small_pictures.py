"""Small gray pictures inside a drawing, pixel by pixel (built for notebook 16)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from helpers.show.diagram import Area, Diagram, need, tint
from helpers.show.theme import INK, RULE

LEVELS = 16  # of gray, without paper


def gray_levels(image: Sequence) -> list[list[int]]:
    """Return a picture [H, W] of numbers from −1 (paper) to 1 (ink) as whole numbers from 0 to 16; beyond the ends is the end.

    Raises ValueError for what is not a table of numbers.
    """
    rows = image.tolist() if hasattr(image, "tolist") else list(image)
    rows = [list(row) if isinstance(row, (list, tuple)) else row for row in rows]
    fine = bool(rows) and all(isinstance(row, list) and row and len(row) == len(rows[0]) for row in rows)
    need(fine and all(isinstance(value, (int, float)) and math.isfinite(value) for row in rows for value in row),
         "a picture is a table [H, W] of numbers from −1 (paper) to 1 (ink)")  # fmt: skip
    return [[round(LEVELS * (min(max(value, -1.0), 1.0) + 1) / 2) for value in row] for row in rows]


def small_picture(
    figure: Diagram, image: Sequence, x: float, y: float, side: float, edge: str = RULE, line: float = 1.0
) -> Area:
    """Draw a picture [H, W], −1 (paper) to 1 (ink), ``side`` pixels wide, with a thin frame; return its area.

    Raises ValueError for what is not a table of numbers.
    """
    rows = gray_levels(image)
    pixel = side / len(rows[0])
    area = Area(x, y, side, pixel * len(rows))
    shades: dict[int, list[str]] = {}
    for number, row in enumerate(rows):
        top, bottom, start = y + number * pixel, y + (number + 1) * pixel, 0
        for at in range(1, len(row) + 1):
            if at == len(row) or row[at] != row[start]:  # neighbors of one gray are one rectangle
                left, right = x + start * pixel, x + at * pixel
                shades.setdefault(row[start], []).append(
                    f"M{left:.1f} {top:.1f}L{right:.1f} {top:.1f}L{right:.1f} {bottom:.1f}L{left:.1f} {bottom:.1f}Z"
                )
                start = at
    for level, parts in sorted(shades.items()):
        if level:
            fill = tint(INK, level / LEVELS)
            figure.parts.append(f'<path d="{"".join(parts)}" fill="{fill}" shape-rendering="crispEdges"/>')
    return figure.rect(*area, "none", edge, line, 0)
