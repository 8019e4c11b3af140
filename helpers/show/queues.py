"""What does a batch buy? Arrivals, rows, the length of a reply and of the queue: who waits how long. Built for notebook 14.

`queue` is a still drawing, `explore_queue` the same with controls. Both simulate the service anew
(``helpers.serving.queueing``), always with the same requests.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from helpers.serving.queueing import STEP, Simulated, simulate, traffic
from helpers.show.diagram import LEFT, RIGHT, Diagram, need, tint
from helpers.show.explore import Explore
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import BLUE, GRID, INK, ORANGE, amount, number, percent

ROWS = (1, 2, 4, 8, 16, 32)
ARRIVALS = (2, 5, 10, 15, 20, 30, 50, 80, 120)
TOKENS = (10, 30, 100)
ROOMS = {"0": 0, "8": 8, "32": 32, "128": 128, "no limit": math.inf}
REQUESTS = 1000
FASTEST, SLOWEST = 1e-3, 1e3  # ends of the scale, seconds


def queue(
    arrivals: float = 15,
    rows: int = 1,
    tokens: int = 30,
    room: float = 32,
    step: tuple[float, float] = STEP,
    waits: Callable | None = None,
) -> Drawing:
    """Draw the time to the first token (median and p95) by rows of the batch, with the share refused and the share in use.

    ``arrivals`` are requests per second, ``tokens`` a reply's length on average, ``room`` how many may wait; a step of B rows
    takes ``step`` = (a, b): a + b · B seconds. With ``waits``, the learner's function(arrivals, services, room) of notebook 14,
    the line of one row is computed by it. Raises ValueError for rows that are not 1, 2, 4 … 32.
    """
    need(rows in ROWS, f"{rows} rows are not in this drawing: give one of {', '.join(map(str, ROWS))}")
    asked = traffic(arrivals, tokens, REQUESTS)
    done = {each: simulate(*asked, each, room, step) for each in ROWS}
    if waits is not None:
        done[1] = _by_hand(waits, asked, room, step, done[1])
    limit = "no limit" if math.isinf(room) else f"{room:g}"
    figure = Diagram(f"{arrivals:g} requests per second, {tokens} tokens each: how long until the first token?")
    left, right, top, high = LEFT + 84, RIGHT - 178, TITLE_HEIGHT + 34, 34
    x = lambda seconds: left + (right - left) * math.log(_inside(seconds) / FASTEST) / math.log(SLOWEST / FASTEST)  # noqa: E731
    bottom = top + high * len(ROWS)
    for power in range(-3, 4):
        text = f"{10 ** (power + 3)} ms" if power < 0 else f"{10**power:,} s"
        figure.line((x(10.0**power), top - 6), (x(10.0**power), bottom), color=GRID, width=1)
        figure.label(x(10.0**power), bottom + 16, text, 11.5)
    for at, text in ((RIGHT - 108, "refused"), (RIGHT - 30, "in use")):
        figure.label(at, top - 12, text, 12, color=INK, bold=True)
    figure.label(LEFT, top - 12, "rows", 12, "start", INK, bold=True)
    for place, each in enumerate(ROWS):
        y, here, now = top + place * high + 15, each == rows, done[each]
        if here:
            figure.rect(LEFT - 6, y - 15, RIGHT - LEFT + 12, high - 4, tint(ORANGE, 0.16), ORANGE, 1.4, 4, behind=True)
        figure.label(LEFT + 2, y + 5, str(each), 13, "start", INK, bold=here)
        low, most = now.first(0.5), now.first(0.95)
        if math.isnan(low):
            figure.label(left + 8, y + 5, "all were refused", 12, "start")
        else:
            figure.line((x(low), y), (x(most), y), color=BLUE, width=3 if here else 2)
            figure.circle(x(most), y, " ", 6.5, BLUE, "#ffffff")
            figure.circle(x(low), y, " ", 4, BLUE, BLUE)
        figure.label(RIGHT - 108, y + 5, percent(now.refused, 1), 12.5, color=INK, bold=here)
        figure.label(RIGHT - 30, y + 5, percent(now.utilization, 1), 12.5, color=INK, bold=here)
    return figure.finish(
        _words(arrivals, rows, tokens, limit, done[rows], rows / (step[0] + step[1] * rows) / tokens),
        f"Dot: median. Circle: p95. Scale: each line ten times the last. {number(REQUESTS)} requests at random, queue: {limit}.",
    )


def explore_queue(step: tuple[float, float] = STEP, waits: Callable | None = None) -> Explore:
    """`queue` with menus: arrivals per second, rows, tokens per reply, room in the queue."""

    def draw(arrivals=15, rows=1, tokens=30, room=32):
        return queue(arrivals, rows, tokens, room, step, waits)

    explore = Explore(draw, arrivals=list(ARRIVALS), rows=list(ROWS), tokens=list(TOKENS), room=ROOMS)
    return explore.in_book(tokens=[], room={name: ROOMS[name] for name in ("0", "32", "no limit")})


def _inside(seconds: float) -> float:
    return min(max(seconds, FASTEST), SLOWEST)


def _by_hand(waits: Callable, asked: tuple, room: float, step: tuple, done: Simulated) -> Simulated:
    """The line of one row, with waits by the learner's function; a token takes a + b."""
    arrivals, lengths = asked
    long = step[0] + step[1]
    found = waits(list(arrivals), [length * long for length in lengths], room)
    return done._replace(
        waits=found,
        firsts=[None if wait is None else wait + long for wait in found],
        refused=sum(wait is None for wait in found) / len(found),
    )


def _seconds(value: float) -> str:
    return f"{number(round(1000 * value, 1))} ms" if value < 1 else f"{number(value)} s"


def _words(arrivals: float, rows: int, tokens: int, limit: str, done: Simulated, most: float) -> str:
    asked = (
        f"{arrivals:g} requests per second, replies of {tokens} tokens, room to wait: {limit}. "
        f"{amount(rows, 'row')}: at most {number(most)} replies per second."
    )
    if math.isnan(done.first(0.5)):
        return f"{asked} All are refused."
    return (
        f"{asked} The first token comes after {_seconds(done.first(0.5))} (median) and {_seconds(done.first(0.95))} (p95); "
        f"refused: {percent(done.refused, 1)}; {percent(done.utilization, 1)} of the rows are in use; "
        f"{number(done.tokens)} tokens per second."
    )
