"""Controls above a drawing: move one, see the picture and the finding in words change.

Built for notebook 00, used by all. Core ipywidgets only, and only what versions 7.7 (Colab) and 8 (JupyterLab) share; no
JavaScript of ours, so that it also works by keyboard and without a network.
"""

from __future__ import annotations

import inspect

from helpers.show.display import CONTROL, WIDE, Widget, spoken


class Explore(Widget):
    """Call ``draw(**settings)`` whenever a control changes, and show the drawing and its words.

    `draw` returns a `Drawing` (anything with ``_repr_svg_`` and a ``repr`` in words). Each control is a plain
    value:

    ======================  =====================================================
    ``n=(0, 10)``, a range  whole numbers on a slider; ``(0, 10, 2)`` with a step
    ``t=(0.1, 2.0, 0.1)``   decimals on a slider
    ``word=["a", "b"]``     a menu; a dict shows its keys and passes its values
    ``text="hello"``        a line of text
    ``lower=True``          a tick box
    ======================  =====================================================

    or a widget of your own. A slider or menu starts at ``draw``'s own default for that argument, else at its
    first setting. Without a browser: ``explore.controls["n"].value = 3``, then read ``explore.words``. Raises
    TypeError for another kind of value.
    """

    def __init__(self, draw, /, **controls):
        import ipywidgets

        self.draw, self.words, self.error = draw, "", None
        self.book: dict = {}
        given = inspect.signature(draw).parameters
        self.controls = {
            name: _control(name, spec, given[name].default if name in given else inspect.Parameter.empty)
            for name, spec in controls.items()
        }
        self._picture, self._spoken = ipywidgets.HTML(), ipywidgets.HTML(layout=WIDE)
        self.widget = ipywidgets.VBox([*self.controls.values(), self._picture, self._spoken])
        for control in self.controls.values():
            control.observe(self._changed, names="value")
        self._changed()

    @property
    def settings(self) -> dict:
        """The present value of every control, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def in_book(self, /, **settings) -> Explore:
        """Choose what a book shows of this, where no kernel runs (`helpers.show.frames`), and return the Explore itself.

        For a control, give a list of its settings, or a dict that calls each by a name; an empty list leaves the
        control where it starts. Of a control that is not named, the book shows every setting, of a line of text none but
        the first. Raises TypeError for a control that is not there.
        """
        if unknown := sorted(set(settings) - set(self.controls)):
            raise TypeError(f"there is no control {unknown[0]!r}; there are {', '.join(self.controls)}")
        self.book |= settings
        return self

    def look(self, /, **settings) -> tuple[str, str, Exception | None]:
        """Draw with these settings, whatever the controls say; return the words, the SVG and the error, None as a rule."""
        try:
            drawing = self.draw(**settings)
            picture = drawing._repr_svg_() if hasattr(drawing, "_repr_svg_") else ""
            return str(getattr(drawing, "words", drawing)), picture, None
        except Exception as error:  # a wrong setting is a lesson too: say what happened and stay usable
            reason = str(error) or "no reason given"
            return f"This setting does not work ({type(error).__name__}): {reason}", "", error

    def _changed(self, change=None) -> None:
        self.words, picture, self.error = self.look(**self.settings)
        self._picture.value = picture
        self._spoken.value = spoken(self.words)

    def extremes(self):
        """Every control at each of its ends (and every menu entry), the others at rest: what a test should walk through."""
        rest = self.settings
        for name, control in self.controls.items():
            if hasattr(control, "min"):
                ends = [control.min, control.max]
            elif hasattr(control, "_options_values"):
                ends = list(control._options_values)
            else:
                ends = [False, True] if isinstance(control.value, bool) else ["", "x" * 5000, "\x00<&>\n😀"]
            for end in ends:
                control.value = end
                yield dict(self.settings)
            control.value = rest[name]


def places(count: int, most: int = 32) -> dict[str, int]:
    """Return up to `most` of the positions 0 to `count` − 1 at equal distances, the last among them, by their place from 1.

    >>> places(6, 3)
    {'2': 1, '4': 3, '6': 5}
    """
    step = -(-count // max(1, most))
    return {str(place + 1): place for place in range((count - 1) % step, count, step)}


def _control(name: str, spec, start):
    """Make the widget for one control; `start` is draw's default for it, or inspect.Parameter.empty."""
    import ipywidgets

    if hasattr(spec, "observe") and hasattr(spec, "value"):
        spec.description = spec.description or name.replace("_", " ")
        return spec
    common = {"description": name.replace("_", " ")} | CONTROL
    if isinstance(spec, bool):
        widget = ipywidgets.Checkbox(value=spec, indent=False, **common)
    elif isinstance(spec, str):
        widget = ipywidgets.Text(value=spec, continuous_update=False, **common)
    elif isinstance(spec, (list, dict)) and spec:
        pairs = list(spec.items()) if isinstance(spec, dict) else [(str(value), value) for value in spec]
        widget = ipywidgets.Dropdown(options=pairs, **common)
    elif isinstance(spec, range) and len(spec):
        low, high = sorted((spec[0], spec[-1]))
        widget = _slider(ipywidgets.IntSlider, low, high, abs(spec.step), common)
    elif isinstance(spec, tuple) and len(spec) in (2, 3) and all(isinstance(v, (int, float)) for v in spec):
        low, high, *step = spec
        if low > high:
            raise ValueError(f"the control {name!r} goes from {low} to {high}: write the smaller number first")
        whole = all(isinstance(v, int) for v in spec)
        step = step[0] if step else 1 if whole else (high - low) / 20 or 0.1
        widget = _slider(ipywidgets.IntSlider if whole else ipywidgets.FloatSlider, low, high, step, common)
    else:
        kinds = "(low, high), (low, high, step), a list, a dict, a text, True or False, or a widget"
        raise TypeError(f"the control {name!r} is {spec!r}: give {kinds}")
    if start is not inspect.Parameter.empty and not isinstance(spec, (bool, str)):
        widget.value = start
    return widget


def _slider(kind, low, high, step, common):
    # It waits until it is released, for drawing may run a model.
    return kind(value=low, min=low, max=high, step=step, continuous_update=False, **common)
