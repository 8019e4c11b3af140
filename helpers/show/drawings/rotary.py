"""Rotary positions: pairs of numbers turned like the hands of a clock (built for notebook 06)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, spread
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import INK, RULE, TEAL, amount, listing, number


def rotary_positions(head_size: int, positions: int | Sequence[int] = 6, base: float = 10_000.0) -> Drawing:
    """Draw by which angle the pairs of numbers of a query or key are turned at several positions (RoPE, Su et al. 2021).

    The first pair, two in between and the last are drawn, as rows; the columns are `positions`, a number of them or a list.
    Raises ValueError for an odd ``head_size``, or other than one to eight positions.
    """
    need(
        head_size >= 2 and head_size % 2 == 0,
        f"the head size is {head_size}: pairs of numbers are turned, so give an even number",
    )
    positions = list(range(positions)) if isinstance(positions, int) else [int(p) for p in positions]
    need(1 <= len(positions) <= 8 and min(positions) >= 0, "give one to eight positions, each 0 or more")
    pairs = head_size // 2
    chosen = sorted({0, pairs // 3, 2 * pairs // 3, pairs - 1})
    figure = Diagram(f"Rotary positions: {amount(pairs, 'pair')} of a head, each turned at its own speed")
    columns = spread(len(positions), LEFT + 186, RIGHT, 84, 0)
    y, row, radius = TITLE_HEIGHT + 46, 74, 27
    for position, (x, width) in zip(positions, columns):
        figure.label(
            x + width / 2, y - 16, f"position {position}" if len(positions) < 7 else f"pos. {position}", 12, room=width
        )
    turns = []
    for r, pair in enumerate(chosen):
        speed = base ** (-2 * pair / head_size)
        middle = y + r * row + radius + 4
        turn = math.degrees(speed)
        text = f"{turn:.3g}°"
        figure.label(LEFT, middle - 2, f"pair {pair + 1} of {pairs}", 13.5, "start", INK, bold=True)
        figure.label(LEFT, middle + 16, f"{text} per position", 12, "start")
        turns.append(f"pair {pair + 1} by {text}")
        for position, (x, width) in zip(positions, columns):
            center = x + width / 2
            angle = speed * position
            figure.parts.append(
                f'<circle cx="{center:.1f}" cy="{middle:.1f}" r="{radius}" fill="#f4f6fa" stroke="{RULE}"/>'
            )
            figure.line((center, middle), (center + radius, middle), color=RULE, width=1)
            figure.arrow(
                (center, middle),
                (center + (radius - 2) * math.cos(angle), middle - (radius - 2) * math.sin(angle)),
                color=TEAL,
                width=2.6,
            )
    figure._reach(y + len(chosen) * row)
    words = (
        f"A head of {amount(head_size, 'number')} is {amount(pairs, 'pair')}, turned at each further position: "
        f"{listing(turns)}. Queries and keys are turned alike, so their product depends only on how far apart they are."
    )
    return figure.finish(
        words, f"Gray: position 0. Angles of pair i: position × {number(int(base))} ^ (−2i / {head_size}), in radians."
    )
