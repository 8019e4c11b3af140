"""How a training goes: a figure of it afterwards, and a curve that grows while you wait. Built in notebook 02, used by all.

Both show the training loss step by step (light) and smoothed, the measurements of the validation loss as points, and
what other models reach as level lines. ``plots`` hands `learning_curve` on.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from helpers.show import theme
from helpers.show.display import Widget
from helpers.show.figure import Picture, label_ends, new, sentence
from helpers.show.svg import TITLE_HEIGHT, WIDTH, Drawing, blank, write
from helpers.show.theme import BLUE, GRID, MONO, ORANGE, RULE, SOFT, amount, number

POINTS = 200  # drawn of a line: more than a screen can tell apart, whatever the number of steps
BASELINES = (theme.TEAL, theme.CRIMSON, theme.PLUM, SOFT)
SHARE = 0.02  # of the training's time that a LiveCurve may take at most
LEFT, RIGHT, HEIGHT = 62, WIDTH - 190, 250  # of the live curve's frame, in pixels; names stand to the right of it


class _Course(NamedTuple):
    """A training as arrays: `steps`, `losses` and `smooth` [N], `measured` and `validation` [M], and its ends in words."""

    steps: object
    losses: object
    smooth: object
    measured: object
    validation: object
    end: float  # mean loss of the last 50 steps: one step alone is too noisy


def learning_curve(
    history, title: str, baselines: dict[str, float] | None = None, unit: str = "nats", factor: float = 1.0
) -> Picture:
    """Draw what ``fit`` returned: training loss, validation loss, and `baselines`, a dict from name to value.

    `title` states the claim. The losses are multiplied by `factor` and named `unit`: for characters of one byte,
    ``factor=1 / math.log(2), unit="bits"``. The baselines are in `unit` already. Raises ValueError when the history has
    no step with a finite loss.
    """
    baselines, course = baselines or {}, _read(history, factor)
    if course is None:
        raise ValueError("the history has no step with a finite loss: train first, then draw its learning curve")
    fig, ax = new(title, "training step", f"loss in {_per_token(unit)}")
    thin = _thinned(len(course.steps))
    steps, last = course.steps[thin], course.steps[-1]
    ax.plot(steps, course.losses[thin], color=BLUE, alpha=0.25, linewidth=0.8)
    ax.plot(steps, course.smooth[thin], color=BLUE)
    ends = [(course.smooth[-1], last, "training", BLUE)]
    if len(course.validation):
        style = {"color": ORANGE, "marker": "o", "markersize": 4.5, "linestyle": theme.DASHES[1], "linewidth": 1}
        ax.plot(course.measured, course.validation, **style, clip_on=False)
        ends.append((course.validation[-1], course.measured[-1], "validation", ORANGE))
    for i, (name, value) in enumerate(baselines.items()):
        color = BASELINES[i % len(BASELINES)]
        ax.axhline(value, color=color, linewidth=1.2, linestyle=theme.DASHES[1 + i % 4])
        ends.append((value, last, f"{name} {value:.2f}", color))
    ax.set_xlim(0, last)  # level lines end where their names begin
    ax.xaxis.set_major_formatter(lambda value, _: number(int(value)))
    label_ends(fig, ax, ends)
    return Picture(fig, f"{sentence(title)} {_words(course, baselines, _per_token(unit))}")


class LiveCurve(Widget):
    """The learning curve while it grows: ``live = LiveCurve(); live.show(); fit(…, callbacks=[live])``.

    `baselines`, `unit` and `factor` are those of `learning_curve`. It is drawn again at most once in `every` seconds,
    and more rarely if drawing would take more than a fiftieth of the training's time; and once more when training has ended,
    with the last step and all measurements. ``live.picture`` is the same as a still drawing.
    """

    def __init__(self, baselines: dict[str, float] | None = None, every: float = 1.0, unit="nats", factor=1.0):
        import ipywidgets

        self.baselines, self.every, self.unit, self.factor = baselines or {}, every, unit, factor
        self.history, self._due = None, 0.0
        self.widget = ipywidgets.HTML(layout={"width": "100%"})
        self._draw()

    def __call__(self, history, model=None) -> None:
        """Take a look at the history after a step: what ``fit`` calls."""
        self.history, began = history, time.monotonic()
        if began >= self._due:
            self._draw()
            now = time.monotonic()
            self._due = now + max(self.every, (now - began) / SHARE)

    def finish(self, history, model=None) -> None:
        """Draw the whole course of a training: what ``fit`` calls when it has ended."""
        self.history = history
        self._draw()

    @property
    def picture(self) -> Drawing:
        """The curve as it is now, as a `Drawing`."""
        return self._draw()

    def __repr__(self) -> str:
        return repr(self._draw())

    def _draw(self) -> Drawing:
        drawing = _drawing(self.history, self.baselines, _per_token(self.unit), self.factor)
        self.widget.value = drawing.svg
        return drawing


def _per_token(unit: str) -> str:
    return unit if " per " in unit else f"{unit} per token"


def _read(history, factor: float) -> _Course | None:
    """Return the course of a training, None before its first step; losses that are no number are left out."""
    import numpy as np

    if history is None:
        return None
    frame = history.frame
    steps, losses, validation = (frame[name].to_numpy(dtype=float) for name in ("step", "loss", "validation"))
    finite, measured = np.isfinite(losses), np.isfinite(validation)
    if not finite.any():
        return None
    trained = losses[finite] * factor
    smooth = _smoothed(trained, max(1, len(trained) // 40))
    return _Course(steps[finite], trained, smooth, steps[measured], validation[measured] * factor, trained[-50:].mean())


def _smoothed(values, width: int):
    """Return the mean of each value and the `width` before and after it; near the ends, of as many as there are."""
    import numpy as np

    total, middle = np.concatenate([[0.0], values.cumsum()]), np.arange(len(values))
    low, high = np.maximum(middle - width, 0), np.minimum(middle + width + 1, len(values))
    return (total[high] - total[low]) / (high - low)


def _thinned(length: int):
    """Return at most 200 indices of a line of `length`, evenly spaced, with both ends."""
    import numpy as np

    return np.unique(np.linspace(0, length - 1, min(length, POINTS)).round().astype(int))


def _words(course: _Course, baselines: dict, unit: str) -> str:
    steps = int(course.steps[-1])
    text = f"Over {amount(steps, 'step')} the training loss goes from "
    text += f"{course.losses[0]:.2f} to {course.end:.2f} {unit}"
    if len(course.validation):
        best = int(course.validation.argmin())
        text += f"; the lowest validation loss is {course.validation[best]:.2f}, after step "
        text += number(int(course.measured[best]))
    for name, value in baselines.items():
        # What was held out decides; a training loss may be low because the model memorized its texts.
        line, steps = (course.validation, course.measured) if len(course.validation) else (course.smooth, course.steps)
        below = (line < value).nonzero()[0]
        reached = f"beaten at step {number(int(steps[below[0]]))}" if len(below) else "not beaten"
        text += f"; {name}, {value:.2f}, is {reached}"
    return text + "."


def _drawing(history, baselines: dict, unit: str, factor: float) -> Drawing:
    """Draw the curve as SVG."""
    course = _read(history, factor)
    if course is None:
        return blank("No step yet", "The learning curve appears here when training begins.", HEIGHT)
    thin, checked = _thinned(len(course.steps)), _thinned(len(course.measured)) if len(course.measured) else []
    steps, smooth, raw = course.steps[thin], course.smooth[thin], course.losses[thin]
    values = [*smooth, *raw, *course.validation, *map(float, baselines.values())]
    low, high, last = min(values), max(values), float(course.steps[-1])
    bottom = TITLE_HEIGHT + 16 + HEIGHT

    def x(step):
        return LEFT + (RIGHT - LEFT) * float(step) / last

    def y(value):
        return bottom - HEIGHT * (float(value) - low) / ((high - low) or 1)

    def path(line, style):
        points = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in zip(steps, line))
        return f'<polyline points="{points}" fill="none" stroke="{BLUE}" {style}/>'

    parts = [_axes(low, high, last, x, y, bottom, unit)]
    names = [(y(smooth[-1]), f"training {course.end:.2f}", BLUE)]
    for i, (name, value) in enumerate(baselines.items()):
        color = BASELINES[i % len(BASELINES)]
        dash = f'stroke="{color}" stroke-width="1.5" stroke-dasharray="{6 + 2 * i} 4"'
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{RIGHT}" {dash}/>')
        names.append((y(value), f"{name} {value:.2f}", color))
    parts += [path(raw, 'stroke-width="1" opacity="0.3"'), path(smooth, 'stroke-width="2.2"')]
    for i in checked:
        step, value = course.measured[i], course.validation[i]
        title = f"validation {value:.2f} after step {number(int(step))}"
        dot = f'<circle cx="{x(step):.1f}" cy="{y(value):.1f}" r="4" fill="{ORANGE}"/>'
        parts.append(f'<g tabindex="0"><title>{title}</title>{dot}</g>')
    if len(checked):
        names.append((y(course.validation[-1]), f"validation {course.validation[-1]:.2f}", ORANGE))
    title = f"Loss after {amount(int(last), 'step')}: {course.end:.2f} {unit}"
    body = "".join(parts) + _names(names)
    return Drawing(body, f"{title}. {_words(course, baselines, unit)}", title, bottom + 44)


def _axes(low, high, last, x, y, bottom, unit) -> str:
    """Draw five level lines with their values, and the steps below."""
    parts = []
    for i in range(5):
        value = low + (high - low) * i / 4
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{RIGHT}" stroke="{GRID}"/>')
        style = f'text-anchor="end" font-size="12" fill="{SOFT}" font-family="{MONO}"'
        parts.append(write(LEFT - 8, y(value) + 4, f"{value:.2f}", style))
        if high == low:
            break
    parts.append(f'<path d="M{LEFT} {bottom}H{RIGHT}" stroke="{RULE}"/>')
    for part, anchor in ((0, "start"), (0.5, "middle"), (1, "end"))[:: 1 if last > 1 else 2]:
        style = f'text-anchor="{anchor}" font-size="12" fill="{SOFT}"'
        parts.append(write(x(part * last), bottom + 18, number(round(part * last)), style))
    legend = f"training step; the height is the loss in {unit}"
    parts.append(write(LEFT, bottom + 36, legend, f'fill="{SOFT}" font-size="12"'))
    return "".join(parts)


def _names(names) -> str:
    """Write the name of each line at its right end, pushed down where two would overlap."""
    parts, at = [], -math.inf
    for y, name, color in sorted(names):
        at = max(y, at + 17)
        style = f'fill="{theme.readable(color)}" font-weight="700" font-size="13"'
        parts.append(write(RIGHT + 10, at + 4, theme.shorten(name, 24), style))
    return "".join(parts)
