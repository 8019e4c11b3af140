"""An explorable without a kernel: every picture that a book shows of an `Explore`, with its words, drawn beforehand.

A frame is the picture and the words of one setting of all controls. Frames share most of what they draw, so each SVG is cut
into parts, and a part that several frames have is stored once. Built for the book; nothing here needs ipywidgets.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import NamedTuple

from helpers.show.theme import xml

MOST = 350  # frames of one explorable; more is more than anyone walks through
# Before each element that is drawn and each group, and after a group: what moves together stays together.
CUTS = re.compile(r"(?=<(?:g|text|rect|path|circle|line)\b)|(?<=</g>)")
WORDS = -1  # instead of a part's number: the words of the frame, as the picture's label has them


@dataclass
class Control:
    """One control of a book's explorable: how it looks, and what its settings are called."""

    name: str
    label: str
    kind: str  # "range", "select" or "checkbox"
    settings: list[str]
    start: int  # the place of the setting it starts at
    more: str = ""  # what the notebook has beyond these settings: "text" of your own, other "settings", or nothing


@dataclass
class Left:
    """A control that a book leaves where it starts."""

    label: str
    typed: bool  # a line of text
    value: str


class Frames(NamedTuple):
    """All frames of an explorable, in the order of ``itertools.product`` over its controls' settings."""

    controls: list[Control]
    left: list[Left]
    order: list[int]  # for each combination of settings the number of its frame
    frames: list[list[int]]  # for each frame the number of its words, then those of its parts
    words: list[str]
    parts: list[str]

    @property
    def start(self) -> int:
        """The place in `order` at which all controls start."""
        place = 0
        for control in self.controls:
            place = place * len(control.settings) + control.start
        return place

    def said(self, place: int) -> str:
        """Return the words of the frame at a place in `order`."""
        return self.words[self.frames[self.order[place]][0]]

    def svg(self, place: int) -> str:
        """Return the picture of the frame at a place in `order`, put together again."""
        label = xml(self.said(place))
        return "".join(label if part == WORDS else self.parts[part] for part in self.frames[self.order[place]][1:])

    def text(self) -> str:
        """Return the frames as JSON, a part on each line, so that a change can be read."""
        stored = self._asdict() | {name: [asdict(each) for each in getattr(self, name)] for name in ("controls", "left")}
        return "{\n" + ",\n".join(f'"{name}": {_lines(values)}' for name, values in stored.items()) + "\n}\n"


def read_frames(text: str) -> Frames:
    """Return the frames that `Frames.text` wrote."""
    stored = json.loads(text)
    stored["controls"] = [Control(**each) for each in stored["controls"]]
    stored["left"] = [Left(**each) for each in stored["left"]]
    return Frames(**stored)


def make_frames(explore) -> Frames:
    """Draw an `Explore` with every setting that `Explore.in_book` chose for it; its controls stay where they are.

    Raises ValueError for an explorable with nothing to move, with more than `MOST` frames, for one that does not start at one
    of its settings in the book, and for a setting that cannot be drawn.
    """
    controls, left, values = _controls(explore)
    if not controls:
        raise ValueError("nothing moves in the book: give at least one control two settings, explore.in_book(…)")
    count = math.prod(map(len, values.values()))
    if count > MOST:
        raise ValueError(f"{count} frames are more than {MOST}: choose fewer settings, explore.in_book(…)")
    order, frames, words, parts = [], _Numbers(), _Numbers(), _Numbers()
    for settings in every_setting(explore):
        said, picture, error = explore.look(**settings)
        if error is not None:
            raise ValueError(f"the book would show a setting that does not work: {settings}") from error
        numbers = [part if part == WORDS else parts[part] for part in cut(picture, said)]
        order.append(frames[(words[said], *numbers)])
    return Frames(controls, left, order, [list(frame) for frame in frames], list(words), list(parts))


def every_setting(explore) -> Iterator[dict]:
    """Yield the settings of all controls of an `Explore`, frame by frame."""
    values = _controls(explore)[2]
    for chosen in itertools.product(*values.values()):
        yield explore.settings | dict(zip(values, chosen))


def cut(picture: str, words: str) -> list[str | int]:
    """Cut an SVG into the parts that frames may share; WORDS stands for the words where they are the picture's label."""
    label = f'aria-label="{xml(words)}"'
    before, found, after = picture.partition(label)
    parts = CUTS.split(before) if not found else [*CUTS.split(f'{before}aria-label="'), WORDS, *CUTS.split(f'"{after}')]
    return [part for part in parts if part != ""]


class _Numbers(dict):
    """Numbers things in the order in which they are first asked for."""

    def __missing__(self, key) -> int:
        self[key] = len(self)
        return self[key]


def _controls(explore) -> tuple[list[Control], list[Left], dict[str, list]]:
    """Return the controls that a book has, those it leaves out, and {name: values} of the first."""
    controls, left, values = [], [], {}
    for name, control in explore.controls.items():
        every = _every(control)
        chosen = explore.book.get(name, every)
        named = chosen if isinstance(chosen, dict) else {_called(control, value): value for value in chosen}
        if len(named) < 2:
            if len(every) != 1:  # what has one setting cannot be moved in the notebook either
                left.append(Left(control.description, not every, _called(control, control.value)))
            continue
        if control.value not in named.values():
            raise ValueError(f"{name} starts at {control.value!r}, which is not among {', '.join(named)}")
        slides = hasattr(control, "continuous_update") and every
        kind = "checkbox" if isinstance(control.value, bool) else "range" if slides else "select"
        values[name] = list(named.values())
        more = "settings" if set(every.values()) - set(values[name]) else "" if every else "text"
        controls.append(Control(name, control.description, kind, list(named), values[name].index(control.value), more))
    return controls, left, values


def _every(control) -> dict:
    """Return all settings of a control by what it calls them; none of a line of text."""
    if hasattr(control, "_options_labels"):
        return dict(zip(control._options_labels, control._options_values))
    if isinstance(control.value, bool):
        return {_called(control, value): value for value in (False, True)}
    if not hasattr(control, "min"):
        return {}
    count = int((control.max - control.min) / control.step + 1e-9) + 1
    values = [control.min + place * control.step for place in range(count)]
    if hasattr(control, "base"):
        values = [control.base**value for value in values]
    return {_called(control, round(value, 9)): round(value, 9) for value in values}


def _called(control, value) -> str:
    """Return what a control calls one of its values."""
    if hasattr(control, "_options_labels") and value in control._options_values:
        return control._options_labels[list(control._options_values).index(value)]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(control, "readout_format"):
        return format(value, control.readout_format)
    return str(value)


def _lines(values: list) -> str:
    texts = [json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values]
    between = "," if values and isinstance(values[0], int) else ",\n"
    return f"[{between.join(texts)}]"
