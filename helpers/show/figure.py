"""A figure in the house style: how it starts, how it is shown, and its words. ``plots`` hands these names on.

Built for notebook 01, used by all. matplotlib is loaded by the first figure, not by the import.
"""

from __future__ import annotations

import base64
import io
import sys
import textwrap
import warnings

from helpers.show import theme
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
}


class Picture:
    """A figure and its words. Shows itself at the end of a cell; unpacks into ``fig, words`` for
    ``show(*picture)``.
    """

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
    """Start a figure in the house style and return ``(fig, ax)``; `size` is width and height in inches (100
    pixels each).

    `title` states the claim ("Most turns are short"), `xlabel` and `ylabel` name quantity and unit ("length
    in words").
    """
    import matplotlib
    from cycler import cycler
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE | {"axes.prop_cycle": cycler(color=PALETTE)}):
        # Not made through pyplot: no second showing at the end of the cell, and nothing keeps it alive.
        fig = Figure(figsize=size, layout="constrained")
        fig.get_layout_engine().set(w_pad=0.11, h_pad=0.09)
        ax = fig.add_subplot()
        fig.suptitle(_fold(title, size[0]), x=0.016, ha="left", fontsize=11.5, fontweight="bold", color=INK)
        ax.set_xlabel(xlabel, loc="left")
        # Read from left to right like everything else: the label lies on top of its axis, not on its side.
        ax.set_ylabel(ylabel, rotation=0, ha="left", va="bottom")
        ax.yaxis.set_label_coords(0, 1.02)
    return fig, ax


def _fold(title: str, inches: float) -> str:
    return "\n".join(textwrap.wrap(title, int(inches * 10.5))) or title


def show(fig, words: str) -> None:
    """Display `fig` as a PNG whose alternative text is `words`, print the words below, close the figure.

    Raises ValueError when `words` is empty: a picture that cannot be read aloud is not finished.
    """
    if not str(words).strip():
        raise ValueError("say in words what the figure shows: show(fig, 'Half of all turns are short.')")
    data = {
        "image/png": base64.b64encode(_png(fig)).decode("ascii"),
        "text/plain": f"[figure: {' '.join(_title(fig).split())}]",
    }
    width, height = (round(inches * SHOWN) for inches in fig.get_size_inches())
    theme.publish(data, {"image/png": {"alt": words, "width": width, "height": height}})
    theme.say(words)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)


def _title(fig) -> str:
    titles = [fig.get_suptitle()] if hasattr(fig, "get_suptitle") else []
    titles += [ax.get_title(loc) for ax in fig.axes for loc in ("left", "center")]
    return next((title for title in titles if title), "untitled")


def _png(fig) -> bytes:
    from PIL import Image

    large, small = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # an emoji the font lacks becomes a box
        fig.savefig(large, format="png", dpi=DPI, facecolor=PAPER)
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


def note(ax, text: str, at, offset, color=INK, **look) -> None:
    """Write beside a point, `offset` in points, on a little white so that lines do not cross the letters."""
    paper = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5, "alpha": 0.85}
    ax.annotate(plain(text), at, xytext=offset, textcoords="offset points", color=color, bbox=paper, **look)
