"""Ratings with their intervals, best first: a dot for the estimate, a line for the interval. Built for notebook 15."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import BLUE, GRID, INK, ORANGE, SOFT, only_first

ROW = 25  # pixels from one rating to the next
MOST = 40
NAMED = 16  # so many ratings are said in words


def ratings(
    names: Sequence[str],
    values: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    title: str,
    unit: str = "Elo",
    highlight: Collection[str] = (),
    reference: float | None = 0,
    note: str = "",
    decimals: int = 0,
) -> Drawing:
    """Draw ratings with their intervals, best first, and name them in words.

    ``values`` [N] are the estimates, ``low`` and ``high`` [N] the ends of the intervals (not half their widths), N from 1 to 40.
    NaN is "no rating". Names in ``highlight``, such as contestants that are no bots, get a square and the second color.
    ``reference`` is where a line stands (None: none), ``decimals`` how many are written. Raises ValueError where lengths differ,
    and for an interval whose ends are exchanged or not finite.
    """
    rows = [(str(name), *map(float, numbers)) for name, *numbers in zip(names, values, low, high)]
    lengths = {len(names), len(values), len(low), len(high)}
    need(
        len(lengths) == 1 and bool(rows),
        "ratings need a name, a value and both ends of the interval for each, at least one",
    )
    for name, value, left, right in rows:
        fine = math.isnan(value) or (
            math.isfinite(value) and math.isfinite(left) and math.isfinite(right) and left <= right
        )
        need(fine, f"the interval of {name!r} goes from {left:g} to {right:g}: give finite ends, the lower one as low")
    rows.sort(key=lambda row: (math.isnan(row[1]), -row[1]))
    write = lambda value: f"{round(value, decimals) + 0.0:,.{decimals}f}".replace("-", "−")  # noqa: E731
    text = lambda row: "no rating" if math.isnan(row[1]) else f"{write(row[1])} ({write(row[2])} to {write(row[3])})"  # noqa: E731
    _draw(figure := Diagram(title), rows[:MOST], highlight, reference, unit, write, text)
    said = [f"{row[0]} {text(row)}" for row in rows]
    if len(said) > NAMED:
        said = [*said[: NAMED - 6], f"{len(said) - NAMED + 5} more", f"last {said[-1]}"]
    key = note or "Dot: estimate. Line: 95 % interval." + " Square: no bot." * any(
        row[0] in highlight for row in rows[:MOST]
    )
    return figure.finish(
        f"{title.rstrip('.')}{'' if title[-1:] in '?!:' else '.'} Ratings in {unit}, best first, with 95 % intervals: "
        f"{'; '.join(said)}. {only_first(MOST, len(rows), 'ratings')}".strip(),
        key,
    )


def _draw(figure: Diagram, rows, highlight, reference, unit, write, text) -> None:
    left, right, top = LEFT + 172, RIGHT - 176, TITLE_HEIGHT + 14
    rated = [number for row in rows if not math.isnan(row[1]) for number in row[1:]] or [0.0]
    rated += [] if reference is None else [reference]
    least, most = min(rated), max(rated)
    least, most = (
        (least - 1, most + 1) if least == most else (least - 0.04 * (most - least), most + 0.04 * (most - least))
    )
    x = lambda value: left + (right - left) * (value - least) / (most - least)  # noqa: E731
    bottom = top + ROW * len(rows)
    for tick in _ticks(least, most):
        figure.line((x(tick), top - 8), (x(tick), bottom - 6), color=GRID, width=1, behind=True)
        figure.label(x(tick), bottom + 10, f"{tick:,g}".replace("-", "−"), 11.5)
    figure.label(LEFT, bottom + 10, unit, 11.5, "start", room=120)
    if reference is not None:
        figure.line((x(reference), top - 8), (x(reference), bottom - 6), color=SOFT, width=1.2, dashed=True)
    for number, row in enumerate(rows):
        y, special = top + ROW * number + 4, row[0] in highlight
        color = ORANGE if special else BLUE
        figure.label(LEFT, y + 4, row[0], 13, "start", INK, bold=special, room=left - LEFT - 14)
        figure.label(RIGHT, y + 4, text(row), 12.5, "end", INK, room=RIGHT - right - 12)
        if math.isnan(row[1]):
            continue
        figure.line((x(row[2]), y), (x(row[3]), y), color=color, width=2.6)
        if special:
            figure.rect(x(row[1]) - 5.5, y - 5.5, 11, 11, tint(ORANGE, 0.4), ORANGE, 1.8, 1)
        else:
            figure.circle(x(row[1]), y, " ", 5.5, BLUE, BLUE)


def _ticks(least: float, most: float) -> list[float]:
    """Round numbers between two ends, five or so."""
    rough = (most - least) / 5
    step = 10 ** math.floor(math.log10(rough))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step >= rough)
    first = math.ceil(least / step)
    return [round(number * step, 10) for number in range(first, math.floor(most / step) + 1)]
