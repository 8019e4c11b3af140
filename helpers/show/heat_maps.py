"""A small table of numbers, darker where a number is larger: what every head, or every layer and token, is worth.

Built for notebook 10.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from helpers.show.diagram import tint
from helpers.show.svg import MARGIN, TITLE_HEIGHT, WIDTH, Drawing, key, seen, write
from helpers.show.theme import BLUE, MONO, ORANGE, PAPER, RULE, SOFT, letters_on, listing, xml

ROW = 30
NAMES = 128  # pixels before the first column
WIDEST = 108  # of a column
MOST = 40  # rows or columns


def heat_map(
    values, rows: Sequence[str], columns: Sequence[str], title: str, unit: str = "", decimals: int = 2, highest: int = 3
) -> Drawing:
    """Draw ``values`` [rows, columns] (a nested list, an array, a tensor) as a table; blue is above 0, orange below.

    The darkest cell is the one farthest from 0. ``rows`` and ``columns`` name them, ``unit`` says what the numbers are;
    each is written with ``decimals``. The words name the ``highest`` cells farthest from 0, the largest first. NaN is an
    empty cell. Raises ValueError for no numbers, sizes that do not fit, and more than 40 rows or columns.
    """
    table = [[float(value) for value in row] for row in values]
    rows, columns = [str(name) for name in rows], [str(name) for name in columns]
    if not table or not table[0] or len(table) != len(rows) or any(len(row) != len(columns) for row in table):
        got = f"{len(table)} rows of {sorted({len(row) for row in table})} numbers"
        raise ValueError(f"give a number for each of {len(rows)} rows and {len(columns)} columns: got {got}")
    if max(len(rows), len(columns)) > MOST:
        raise ValueError(f"a map of at most {MOST} rows and columns can be read, not {len(rows)} × {len(columns)}")
    cells = [(value, r, c) for r, row in enumerate(table) for c, value in enumerate(row) if math.isfinite(value)]
    top = max((abs(value) for value, *_ in cells), default=0.0) or 1.0
    width = min(WIDEST, (WIDTH - 2 * MARGIN - NAMES) / len(columns))
    size = 13 if width >= 46 else 10.5
    body, y = _header(columns, width), TITLE_HEIGHT + 26
    for r, row in enumerate(table):
        body += write(
            MARGIN + NAMES - 10, y + 20, seen(rows[r], 16), f'text-anchor="end" font-size="12.5" fill="{SOFT}"'
        )
        for c, value in enumerate(row):
            body += _cell(
                value, MARGIN + NAMES + c * width, y, width, top, decimals, f"{rows[r]}, {columns[c]}", unit, size
            )
        y += ROW
    order = sorted(cells, key=lambda cell: (-abs(round(cell[0], 6)), cell[1:]))[:highest]
    named = [f"{rows[r]}, {columns[c]} {_written(value, decimals)}" for value, r, c in order]
    measure = f"{unit[:1].upper()}{unit[1:]}: " if unit else ""
    words = f"{title}{'' if title[-1:] in '.!?' else '.'} {measure}{listing(named) if named else 'no numbers'}"
    others = [value for value, r, c in cells if (value, r, c) not in order]
    if others:
        words += f"; the other {len(others)} lie between {_written(min(others), decimals)} and {_written(max(others), decimals)}"
    below = f"{measure}darker is farther from 0{'; orange is below' if any(value < 0 for value, *_ in cells) else ''}."
    return Drawing(body + key(y + 18, below), f"{words}.", title, y + 30)


def _header(columns: Sequence[str], width: float) -> str:
    style = f'text-anchor="middle" font-size="12" fill="{SOFT}" font-family="{MONO}"'
    limit = max(2, int(width / 7.4) - 1)
    parts = []
    for c, name in enumerate(columns):
        middle = MARGIN + NAMES + (c + 0.5) * width
        parts.append(
            f"<g><title>{xml(name)}</title>{write(middle, TITLE_HEIGHT + 18, seen(name, limit, space=True), style)}</g>"
        )
    return "".join(parts)


def _cell(value: float, x: float, y: float, width: float, top: float, decimals: int, name: str, unit: str, size) -> str:
    if not math.isfinite(value):
        return f'<rect x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="{ROW}" fill="{PAPER}" stroke="{RULE}"/>'
    part, color = min(abs(value) / top, 1.0), BLUE if value >= 0 else ORANGE
    ink = letters_on(tint(color, 0.92 * part))
    text, style = _written(value, decimals), f'text-anchor="middle" font-size="{size:g}" fill="{ink}"'
    return (
        f'<g tabindex="0"><title>{xml(f"{name}: {text} {unit}".strip())}</title>'
        f'<rect x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="{ROW}" fill="{PAPER}" stroke="{RULE}"/>'
        f'<rect x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="{ROW}" fill="{color}" fill-opacity="{0.92 * part:.2f}"/>'
        f"{write(x + width / 2, y + 20, text, style)}</g>"
    )


def _written(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return (text if float(text) else f"{0:.{decimals}f}").replace("-", "−")
