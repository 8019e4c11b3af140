"""A figure in the house style: how it starts, how it is shown, and its words. ``plots`` hands these names on.

Built for notebook 01, used by all. matplotlib is loaded by the first figure, not by the import. What a person has set in
matplotlibrc, by ``plt.style.use`` or in ``rcParams`` changes none of our figures, whenever it was set.
"""

from __future__ import annotations

import base64
import functools
import inspect
import io
import math
import sys
import textwrap
import warnings
from contextlib import contextmanager

from helpers.show import display, theme
from helpers.show.theme import GRID, INK, PALETTE, PAPER, RULE, SOFT, number

DPI = 200  # pixels of the file per inch: twice what is shown, so that text stays crisp on a dense screen
SHOWN = 100  # pixels of the page per inch
COLORS = 96  # enough for anti-aliased text in five colors; a quarter of the bytes

STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every computer
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
}


_in_house_style = False


@contextmanager
def house_style():
    """A context in which matplotlib has its own defaults and our style; a person's settings are back after it."""
    global _in_house_style
    if _in_house_style:  # matplotlib's methods call each other, and a context costs milliseconds
        yield
        return
    from cycler import cycler
    from matplotlib import style

    with style.context(["default", STYLE | {"axes.prop_cycle": cycler(color=PALETTE)}]):
        _in_house_style = True
        try:
            yield
        finally:
            _in_house_style = False


@functools.lru_cache
def _styled(kind: type) -> type:
    """Return a subclass of Figure or Axes whose every public method works in the house style.

    matplotlib reads its settings when a line or a text is added and again when the figure is saved. Cells of a notebook
    do both, long after `new` has returned.
    """

    def styled(method):
        @functools.wraps(method)
        def call(*args, **settings):
            with house_style():
                return method(*args, **settings)

        return call

    names = [name for name, _ in inspect.getmembers(kind, inspect.isfunction) if name[0] != "_" and name != "cla"]
    return type(
        kind.__name__, (kind,), {name: styled(getattr(kind, name)) for name in names}
    )  # cla is an alias of clear


class Picture:
    """A figure and its words. Shows itself at the end of a cell; unpacks into ``fig, words`` for ``show(*picture)``."""

    def __init__(self, fig, words: str):
        self.fig, self.words = fig, words

    def __iter__(self):
        return iter((self.fig, self.words))

    def __repr__(self) -> str:
        return theme.wrap(self.words)

    def show(self) -> None:
        """Display the picture here, with its words below."""
        show(self.fig, self.words)

    _ipython_display_ = show


def new(title: str, xlabel: str = "", ylabel: str = "", size=(7, 3.6)):
    """Start a figure in the house style and return ``(fig, ax)``; `size` is width and height in inches (100 pixels each).

    `title` states the claim ("Most turns are short"), `xlabel` and `ylabel` name quantity and unit ("length in words").
    A dollar in them is a dollar. Whatever is drawn on `ax` has the house style too.
    """
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    with house_style():
        # Not from pyplot: no second showing at the end of the cell, and nothing keeps it alive.
        fig = _styled(Figure)(figsize=size, layout="constrained")
        fig.get_layout_engine().set(w_pad=0.11, h_pad=0.09)
        ax = fig.add_subplot(axes_class=_styled(Axes))
        fig.suptitle(_fold(plain(title), size[0]), x=0.016, ha="left", fontsize=11.5, fontweight="bold", color=INK)
        ax.set_xlabel(plain(xlabel), loc="left")
        # Read from left to right like everything else: the label lies on top of its axis, not on its side.
        ax.set_ylabel(plain(ylabel), rotation=0, ha="left", va="bottom")
        ax.yaxis.set_label_coords(0, 1.02)
    return fig, ax


def _fold(title: str, inches: float) -> str:
    return "\n".join(textwrap.wrap(title, int(inches * 10.5))) or title


def show(fig, words: str) -> None:
    """Display `fig` as an opaque PNG whose alternative text is `words`, print the words below, close the figure.

    Raises ValueError when `words` is empty: a picture that cannot be read aloud is not finished.
    """
    if not str(words).strip():
        raise ValueError("say in words what the figure shows: show(fig, 'Half of all turns are short.')")
    data = {
        "image/png": base64.b64encode(_png(fig)).decode("ascii"),
        "text/plain": f"[figure: {' '.join(_title(fig).split())}]",
    }
    width, height = (round(inches * SHOWN) for inches in fig.get_size_inches())
    display.publish(data, {"image/png": {"alt": words, "width": width, "height": height}})
    display.say(words)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)


def _title(fig) -> str:
    titles = [fig.get_suptitle()] if hasattr(fig, "get_suptitle") else []
    titles += [ax.get_title(loc) for ax in fig.axes for loc in ("left", "center")]
    return next((title.replace(r"\$", "$") for title in titles if title), "untitled")


def _png(fig) -> bytes:
    from matplotlib.colors import to_rgba
    from PIL import Image

    large, small = io.BytesIO(), io.BytesIO()
    paper = to_rgba(fig.get_facecolor())  # dark, with light letters, where a figure of one's own was drawn so
    with warnings.catch_warnings(), house_style():
        warnings.filterwarnings("ignore", "Glyph")  # an emoji the font lacks becomes a box
        fig.savefig(large, format="png", dpi=DPI, facecolor=paper if paper[3] == 1 else PAPER)
    image = Image.open(large).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    image.save(small, format="png", optimize=True)
    return small.getvalue()


def plain(text) -> str:
    """Text for matplotlib in which a dollar is a dollar, not the start of a formula."""
    return str(text).replace("$", r"\$")


def sentence(title: str) -> str:
    """A title as the first sentence of the words."""
    title = " ".join(title.split())
    return title if title[-1:] in ".!?" else title + "."


def tidy(value) -> str:
    """A number from the data: exact when it is whole (a median of 9 is not "9.0"), else two digits."""
    value = float(value)
    return number(int(value) if value.is_integer() else value)


def note(ax, text: str, at, offset, color=INK, **style) -> None:
    """Write beside a point, `offset` in points, on a little white so that lines do not cross the letters."""
    paper = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5, "alpha": 0.85}
    ax.annotate(plain(text), at, xytext=offset, textcoords="offset points", color=color, bbox=paper, **style)


def label_ends(fig, ax, ends) -> None:
    """Write each line's name beside its last point, pushed up where two would overlap."""
    seen_at = math.log10 if ax.get_yscale() == "log" else float  # how the axis sees a value
    low, high = map(seen_at, ax.get_ylim())
    points = (high - low) / (fig.get_size_inches()[1] * 72 * 0.72)  # one point in units of the y axis
    at = -math.inf
    for y, x, name, color in sorted(ends):
        at = max(seen_at(y), at + 13 * points)
        style = {"color": theme.readable(color), "fontweight": "bold", "va": "center", "annotation_clip": False}
        ax.annotate(plain(name), (x, y), xytext=(10, (at - seen_at(y)) / points), textcoords="offset points", **style)
