"""A vowel from pulses and resonances, and its way to tokens (built for notebook 16)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need
from helpers.show.drawings.multimodal import SOUNDS
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import BLUE, GRID, INK, ORANGE, SOFT, listing

SHOWN = 0.03  # seconds of the waves
FRAME = 128  # samples


def source_filter(pitch: float = 110.0, formants: Sequence[float] = (730, 1090, 2440)) -> Drawing:
    """Draw the source–filter model of a vowel (Fant 1960): pulses, resonances at the formants, the sound, its frames.

    ``pitch`` is in hertz, 60 to 400; ``formants`` are 1 to 3 frequencies in hertz, rising, from 200 to 3,800. The sound is that
    of ``helpers.corpus.vowels.synthesize``. Raises ValueError for others.
    """
    from helpers.corpus.vowels import BANDWIDTHS, RATE, synthesize

    formants = tuple(float(formant) for formant in formants)
    need(60 <= pitch <= 400, f"a pitch of {pitch:g} hertz cannot be drawn: give 60 to 400")
    rising = all(one < other for one, other in zip(formants, formants[1:]))
    inside = 1 <= len(formants) <= 3 and 200 <= formants[0] and formants[-1] <= 3800
    need(inside and rising, "formants are 1 to 3 frequencies in hertz, rising, from 200 to 3,800")
    sound = synthesize("", pitch, 0.25, formants=formants)[round(0.1 * RATE) :].tolist()  # when it has settled
    start = sound.index(max(sound[: round(RATE / pitch)]))  # a pulse stands at the left end, or nearly so
    samples = round(SHOWN * RATE)
    rings = listing(f"{formant:,g}" for formant in formants)
    figure = Diagram(f"A vowel: {pitch:g} pulses a second, through a mouth that rings at {rings} hertz")
    y, high, gap = TITLE_HEIGHT + 26, 96, 34
    wide = (RIGHT - LEFT - 2 * gap) / 3
    panels = []
    for number, (name, note) in enumerate(
        (("source: pulses", "30 ms"), ("filter: formants", "0 to 4,000 hertz"), ("the sound", "30 ms"))
    ):
        x = LEFT + number * (wide + gap)
        panels.append(figure.rect(x, y, wide, high, "#f7f8fb", GRID, 1, 4))
        figure.label(x, y - 8, name, 13, "start", INK, bold=True)
        figure.label(x + wide, y - 8, note, 12, "end")
    for one, other, sign in ((panels[0], panels[1], "→"), (panels[1], panels[2], "=")):
        figure.label((one.right + other.x) / 2, y + high / 2 + 6, sign, 18, color=INK, bold=True)
    period = wide / (SHOWN * pitch)
    for number in range(math.ceil(SHOWN * pitch)):
        at = panels[0].x + 4 + number * period
        if at < panels[0].right:
            figure.line((at, y + high - 12), (at, y + 14), color=SOUNDS, width=2.2)
    figure.line((panels[0].x, y + high - 12), (panels[0].right, y + high - 12), color=SOFT, width=1)
    _response(figure, panels[1], formants, BANDWIDTHS, RATE)
    wave = (sound[start:] + sound[:start])[:samples]
    most = max(map(abs, wave))
    points = [
        (panels[2].x + i / (samples - 1) * wide, y + high / 2 - 0.44 * high * value / most)
        for i, value in enumerate(wave)
    ]
    _curve(figure, points, SOUNDS)
    _frames(figure, y + high + 46, len(wave))
    return figure.finish(
        f"The source–filter model of a vowel. The vocal folds give {pitch:g} pulses a second: the pitch. Mouth and throat "
        f"ring at {rings} hertz, the formants: the vowel. Another pitch leaves the formants where they are. The sound is cut "
        f"into frames of {FRAME} samples ({1000 * FRAME / RATE:g} ms); the loudness of their frequencies is a vector, its "
        "nearest code a token.",
        "Filter: how loud each frequency gets, in decibels; lines at the formants.",
    )


def _response(figure: Diagram, panel, formants, bandwidths, rate) -> None:
    """The curve of the resonances, each y[t] = x[t] + 2 r cos(θ) y[t−1] − r² y[t−2], in decibels."""
    values = []
    for step in range(121):
        frequency, gain = step / 120 * rate / 2, 0.0
        turn = complex(math.cos(2 * math.pi * frequency / rate), -math.sin(2 * math.pi * frequency / rate))
        for formant, width in zip(formants, bandwidths):
            r, theta = math.exp(-math.pi * width / rate), 2 * math.pi * formant / rate
            gain -= 20 * math.log10(abs(1 - 2 * r * math.cos(theta) * turn + r * r * turn * turn))
        values.append(gain)
    low, high = min(values), max(values)
    x = lambda frequency: panel.x + panel.width * frequency / (rate / 2)  # noqa: E731
    for formant in formants:
        figure.line((x(formant), panel.y + 4), (x(formant), panel.bottom), color=ORANGE, width=1.4, dashed=True)
    points = [
        (x(i / 120 * rate / 2), panel.bottom - 8 - (panel.height - 24) * (value - low) / (high - low))
        for i, value in enumerate(values)
    ]
    _curve(figure, points, BLUE)
    ends = [-100.0, -100.0]  # of two lines of labels: what does not fit in the first stands in the second
    for formant in formants:
        line = 0 if x(formant) - ends[0] > 36 else 1
        figure.label(x(formant), panel.bottom + 14 + 13 * line, f"{formant:,g}", 11.5, color=INK)
        ends[line] = x(formant)


def _frames(figure: Diagram, y: float, samples: int) -> None:
    """The way from sound to tokens, below."""
    steps = (
        ("frames", f"{FRAME} samples each", "step"),
        ("log spectrum", "how loud is what", "step"),
        ("nearest code", "by k-means", "step"),
        ("a token", "like a word", "new"),
    )
    wide, last = 150, None
    for number, (name, note, kind) in enumerate(steps):
        box = figure.box(LEFT + number * (wide + 62), y, wide, 42, name, kind, note, size=12.5)
        if last is not None:
            figure.arrow(last.right_middle, box.left_middle, color=SOUNDS, width=2)
        last = box


def _curve(figure: Diagram, points: Sequence, color: str) -> None:
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    figure.parts.append(f'<path d="{path}" fill="none" stroke="{color}" stroke-width="1.8"/>')
