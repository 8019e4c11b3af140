"""A training, replayed: a slider over the moments that were kept while it ran. Built for notebook 08, used in 09.

A moment is whatever was kept after a step: points from a generator, replies of a bot. Beside it curves may run over all
the steps, with a line where the moment stands.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

from helpers.show.display import CONTROL
from helpers.show.explore import Explore
from helpers.show.svg import MARGIN, TITLE_HEIGHT, WIDTH, Drawing, cells, quoted, write
from helpers.show.theme import BLUE, GRID, ORANGE, PALETTE, RULE, SOFT, number, readable, shorten, signs, xml

SQUARE = 330  # pixels of a side of the square of points
STRIP = 96  # pixels of the height of one curve, its name included
ROW = 21  # from one reply to the next
MOST_REPLIES = 16
MOST_POINTS = 400


class Replay(Explore):
    """Walk through the kept moments of a training, with the arrow keys or the mouse; it begins at the last.

    ``frames`` is a dict from step to moment; ``draw(step, moment)`` returns a `Drawing` of it (or anything else that
    `Explore` can show). ``replay.at(step)`` is the drawing alone, for the still picture above the slider. Raises ValueError
    when there is no moment.
    """

    def __init__(self, frames: dict, draw: Callable):
        import ipywidgets

        if not frames:
            raise ValueError("there is nothing to replay: keep a moment in `frames` every few steps, {step: moment}")
        self.frames, self.draw_moment = dict(sorted(frames.items())), draw
        steps = list(self.frames)
        options = [(number(int(step)), step) for step in steps]
        slider = ipywidgets.SelectionSlider(options=options, value=steps[-1], description="step", **CONTROL)
        super().__init__(self.at, step=slider)

    def at(self, step):
        """Return the drawing of one moment. Raises ValueError for a step that was not kept."""
        if step not in self.frames:
            raise ValueError(f"no moment was kept at step {step}; there are {', '.join(map(str, self.frames))}")
        return self.draw_moment(step, self.frames[step])


def replay_points(
    frames: dict, real, title: str, describe: Callable | None = None, curves: dict | None = None
) -> Replay:
    """Replay points in the plane: orange dots of a generator, over the blue ones it is to imitate.

    ``frames`` maps a step to points [N, 2], ``real`` is [M, 2]; ``curves`` maps a name to one number for each frame. The
    words give the values of the curves, or ``describe(points)`` instead ("3 of 8 corners are reached"): for findings that
    must be the same on every computer. At most 400 dots of each kind are drawn.
    """
    real = [tuple(map(float, point)) for point in _rows(real)[:MOST_POINTS]]

    def draw(step, points):
        rows = _rows(points)
        drawn = [tuple(map(float, point)) for point in rows[:MOST_POINTS]]
        finding = f" {describe(points)}" if describe else ""
        words = f"{title}, after step {number(int(step))}: {number(len(rows))} generated points.{finding}"
        body, height = _cloud(real, drawn), TITLE_HEIGHT + SQUARE
        return _drawing(step, frames, title, words, body, height, curves or {}, SQUARE + 40, describe is None)

    return Replay(frames, draw)


def replay_replies(frames: dict, title: str, curves: dict | None = None) -> Replay:
    """Replay what a bot replied: ``frames`` maps a step to its replies, a list of strings.

    ``curves`` maps a name to one number for each frame (None where it was not measured). The words say how many replies
    differ and which is the most frequent: they show when all became the same. At most 16 replies are drawn.
    """

    def draw(step, replies):
        replies = [str(reply) for reply in replies]
        if not replies:
            raise ValueError(f"no reply was kept at step {step}: give a list of strings for each step")
        reply, times = Counter(replies).most_common(1)[0]
        words = f"{title}, after step {number(int(step))}: {number(len(set(replies)))} of {number(len(replies))} replies differ."
        words += (
            f" The {f'most frequent, {number(times)} times' if times > 1 else 'first'}: {quoted(shorten(reply, 60))}."
        )
        below = TITLE_HEIGHT + ROW * min(len(replies), MOST_REPLIES)
        return _drawing(step, frames, title, words, _list(replies), below, curves or {}, MARGIN)

    return Replay(frames, draw)


def _drawing(step, frames, title, words, body, height, curves, left, with_values=True) -> Drawing:
    """Put the moment and its curves on one sheet: right of a square, below a list."""
    steps = list(frames)
    beside = left > MARGIN
    top = TITLE_HEIGHT if beside else height + 14
    for i, (name, values) in enumerate(curves.items()):
        values = [math.nan if value is None else value if isinstance(value, int) else float(value) for value in values]
        if len(values) != len(steps):
            raise ValueError(f"the curve {name!r} needs one number for each of the {len(steps)} moments")
        now = values[steps.index(step)]
        words += f" {name[:1].upper()}{name[1:]}: {number(now)}." if with_values else ""
        body += _curve(name, steps, values, step, left, top + i * STRIP, PALETTE[i % len(PALETTE)])
    bottom = max(height + 30, top + len(curves) * STRIP + 8) if beside else top + len(curves) * STRIP
    return Drawing(body, words, f"{title}: step {number(int(step))} of {number(int(steps[-1]))}", bottom)


def _rows(points) -> list:
    return points.tolist() if hasattr(points, "tolist") else list(points)


def _cloud(real, generated) -> str:
    """Draw two clouds on one scale, that of the real points with a margin; a dot outside lies on the edge."""
    reach = 1.25 * max((abs(value) for point in real for value in point), default=1.0) or 1.0
    half = SQUARE / 2

    def pixel(value, sign):
        value = value if math.isfinite(value) else 0.0
        return half + sign * max(-1.0, min(1.0, value / reach)) * (half - 4)

    def dots(points, color, radius, opacity):
        circles = "".join(
            f'<circle cx="{MARGIN + pixel(x, 1):.1f}" cy="{TITLE_HEIGHT + pixel(y, -1):.1f}" r="{radius}"/>'
            for x, y in points
        )
        return f'<g fill="{color}" fill-opacity="{opacity}">{circles}</g>'

    frame = f'<rect x="{MARGIN}" y="{TITLE_HEIGHT}" width="{SQUARE}" height="{SQUARE}" fill="none" stroke="{RULE}"/>'
    legend = "large and blue: real; small and orange: generated"
    below = write(MARGIN, TITLE_HEIGHT + SQUARE + 18, legend, f'font-size="12" fill="{SOFT}"')
    return frame + dots(real, BLUE, 4.5, 0.22) + dots(generated, ORANGE, 2.2, 0.85) + below


def _list(replies: list[str]) -> str:
    """List the replies; one that came before is set in orange and has a sign, so that repetition is seen."""
    parts, before = [], set()
    for i, reply in enumerate(replies[:MOST_REPLIES]):
        sign, style = ("=", f'fill="{readable(ORANGE)}" font-weight="700"') if reply in before else ("·", f'fill="{SOFT}"')
        before.add(reply)
        y = TITLE_HEIGHT + 14 + i * ROW
        text = shorten(signs(reply) or "∅", 100)
        parts.append(
            f'<g tabindex="0"><title>{xml(shorten(reply, 200) or "nothing")}</title>'
            + write(MARGIN, y, sign, style)
            + write(MARGIN + 16, y, text[: 100 - max(0, cells(text) - len(text))])
            + "</g>"
        )
    return "".join(parts)


def _curve(name, steps, values, step, left, top, color) -> str:
    """Draw one curve between its lowest and its highest value, and a line at the moment."""
    right, bottom, height = WIDTH - 76, top + STRIP - 16, STRIP - 42
    known = [value for value in values if math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)

    def x(value):
        return left + (right - left) * (value - steps[0]) / ((steps[-1] - steps[0]) or 1)

    def y(value):
        return bottom - height * (value - low) / ((high - low) or 1)

    points = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in zip(steps, values) if math.isfinite(value))
    small = f'font-size="12" fill="{SOFT}"'
    now = values[steps.index(step)]
    parts = [
        write(left, top + 12, f"{name}: {number(now)}", f'font-size="13" font-weight="700" fill="{readable(color)}"'),
        f'<path d="M{left} {bottom}H{right}M{left} {y(high):.1f}H{right}" stroke="{GRID}"/>',
        write(right + 8, bottom + 4, number(low), small),
        write(right + 8, y(high) + 4, number(high), small) if high > low else "",
        f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>',
        f'<path d="M{x(step):.1f} {bottom - height - 4}V{bottom + 4}" stroke="{SOFT}" stroke-width="1.5"/>',
    ]
    if math.isfinite(now):
        parts.append(f'<circle cx="{x(step):.1f}" cy="{y(now):.1f}" r="4.5" fill="{color}"/>')
    return "".join(parts)
