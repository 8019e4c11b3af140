"""One model for several replies at once: who has which row at which step, and how caches are joined (built for notebook 14)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.drawings.pipelines import hatched
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import BLUE, INK, ORANGE, SOFT, TEAL, amount, percent

PAPERS = (tint(BLUE, 0.22), tint(ORANGE, 0.3), tint(TEAL, 0.32), "#f4f6fa")
EDGES = (BLUE, ORANGE, TEAL, SOFT)


def places(lengths: Sequence[int], size: int, kind: str = "continuous") -> list[tuple[int, int, int]]:
    """Return (row, first step, steps) of each reply, in the order they were asked, when all wait from the beginning.

    "static": the next ``size`` begin when the whole batch before is done. "continuous": whenever a row is free.
    """
    free, found = [0] * size, []
    for number, length in enumerate(lengths):
        if kind == "static":
            if number % size == 0:
                free = [max(free)] * size
            row = number % size
        else:
            row = min(range(size), key=lambda i: (free[i], i))
        found.append((row, free[row], length))
        free[row] += length
    return found


def batching_schedule(lengths: Sequence[int], size: int = 4, kind: str = "continuous") -> Drawing:
    """Draw in which row of a batch, and at which steps, each reply is written; a row without work is hatched.

    ``lengths`` are the steps of 1 to 64 replies that all wait from the beginning; ``size`` the rows of the batch, 1 to 16;
    ``kind`` is "static" (a batch ends with its longest reply) or "continuous" (a free row is taken at once). Raises
    ValueError otherwise.
    """
    lengths = _checked(lengths, size)
    need(kind in ("static", "continuous"), f'there is no batching of the kind "{kind}": give "static" or "continuous"')
    figure = Diagram(
        f"{kind.capitalize()} batching: {amount(len(lengths), 'reply', 'replies')} in {amount(size, 'row')}"
    )
    found = places(lengths, size, kind)
    steps = max(first + long for _, first, long in found)
    _lanes(figure, found, size, steps, TITLE_HEIGHT + 8)
    return figure.finish(
        _words(found, size, kind, steps), "One line for each row of the batch; the number is the reply. Hatched: idle."
    )


def batch_schedules(lengths: Sequence[int], size: int = 4) -> Drawing:
    """Draw static and continuous batching of the same replies below each other, with one scale of steps.

    Raises ValueError as ``batching_schedule``.
    """
    lengths = _checked(lengths, size)
    figure = Diagram(f"{amount(len(lengths), 'reply', 'replies')} in {amount(size, 'row')}: when is a row free again?")
    found = {kind: places(lengths, size, kind) for kind in ("static", "continuous")}
    steps = {kind: max(first + long for _, first, long in each) for kind, each in found.items()}
    y = TITLE_HEIGHT + 6
    for kind, each in found.items():
        figure.label(LEFT, y + 12, kind, 13, "start", INK, bold=True)
        y = _lanes(figure, each, size, steps[kind], y + 20, max(steps.values())) + 16
    return figure.finish(
        " ".join(_words(each, size, kind, steps[kind]) for kind, each in found.items()),
        "One line for each row of the batch; the number is the reply. Hatched: idle.",
    )


def _checked(lengths: Sequence[int], size: int) -> list[int]:
    lengths = [int(length) for length in lengths]
    need(1 <= len(lengths) <= 64 and min(lengths) >= 1, "give the steps of 1 to 64 replies, each at least 1")
    need(1 <= size <= 16, f"a batch of {size} rows cannot be drawn: give 1 to 16")
    return lengths


def _lanes(figure: Diagram, found: Sequence, size: int, steps: int, y: float, scale: int | None = None) -> float:
    """Draw a line for each row of the batch; return the y below."""
    left = LEFT + 62
    wide, high = (RIGHT - left - 4) / (scale or steps), 26 if size <= 6 else 17
    for row in range(size):
        top, now = y + row * (high + 3), 0
        figure.label(LEFT, top + high / 2 + 4, f"row {row}", 11.5, "start")
        for number, (_, first, long) in enumerate(found):
            if found[number][0] != row:
                continue
            if first > now:
                hatched(figure, left + now * wide, top, (first - now) * wide, high)
            which = number % 4
            box = figure.rect(left + first * wide, top, long * wide - 1, high, PAPERS[which], EDGES[which], 1.1, 2)
            if box.width > 13:
                figure.label(box.center[0], box.center[1] + 4, str(number), 11, color=INK, room=box.width - 1)
            now = first + long
        if now < steps:
            hatched(figure, left + now * wide, top, (steps - now) * wide, high)
    bottom = y + size * (high + 3)
    idle = size * steps - sum(long for _, _, long in found)
    figure.arrow((left, bottom + 5), (left + steps * wide, bottom + 5), color=SOFT, width=1.2)
    text = f"{amount(steps, 'step')}, {percent(idle, size * steps)} idle"
    figure.label(
        left + steps * wide if steps * wide > 160 else left + 160, bottom + 21, text, 12.5, "end", INK, bold=True
    )
    return bottom + 22


def _words(found: Sequence, size: int, kind: str, steps: int) -> str:
    work = sum(long for _, _, long in found)
    return (
        f"{kind.capitalize()} batching: {amount(len(found), 'reply', 'replies')} in {amount(size, 'row')}: "
        f"{amount(steps, 'step')} of the model instead of {work} one at a time; {percent(size * steps - work, size * steps)} "
        f"of the rows are idle."
    )


def left_padding(lengths: Sequence[int] = (9, 5, 12)) -> Drawing:
    """Draw how caches of different length are joined: padded on the left, so that the next token has one column for all.

    ``lengths`` are the tokens read in 2 to 6 conversations, at most 24 each. Raises ValueError otherwise.
    """
    lengths = [int(length) for length in lengths]
    need(2 <= len(lengths) <= 6, f"{amount(len(lengths), 'cache')} cannot be drawn: give 2 to 6")
    need(all(1 <= length <= 24 for length in lengths), "give 1 to 24 tokens for each cache")
    longest = max(lengths)
    figure = Diagram("Caches of different length in one batch: padded on the left")
    left, high, y = LEFT + 92, 30, TITLE_HEIGHT + 26
    size = min(40.0, (RIGHT - left - 12) / (longest + 1))
    figure.label(left + (longest + 0.5) * size + 6, y - 8, "next", 12, color=INK, bold=True)
    for row, length in enumerate(lengths):
        top = y + row * (high + 6)
        figure.label(LEFT, top + 20, f"reply {row}", 12.5, "start", INK, bold=True)
        for column in range(longest):
            x, position = left + column * size, column - (longest - length)
            if position < 0:
                hatched(figure, x, top, size, high)
            else:
                box = figure.rect(x, top, size - 1.5, high, PAPERS[0], BLUE, 1.1, 2)
                figure.label(box.center[0], top + 20, str(position), 12, color=INK, room=size - 3)
        box = figure.rect(left + longest * size + 6, top, size - 1.5, high, PAPERS[1], ORANGE, 1.6, 2)
        figure.label(box.center[0], top + 20, str(length), 12, color=INK, bold=True, room=size - 3)
    figure.label(left, y + len(lengths) * (high + 6) + 14, f"padding = {[longest - length for length in lengths]}", 12.5, "start",
                 INK, mono=True)  # fmt: skip
    return figure.finish(
        f"{amount(len(lengths), 'cache')} of {', '.join(map(str, lengths))} tokens joined: each is padded on the left to "
        f"{longest}, by {', '.join(str(longest - length) for length in lengths)}. Each token keeps the position it had alone; "
        f"the next token of every reply stands in the same column, at the positions {', '.join(map(str, lengths))}. Attention "
        f"does not see the padding.",
        "Blue: keys and values, with the position of their token. Hatched: padding. Orange: the token that is read next.",
    )
