"""Figures of curves: rank against frequency, and lines that run side by side. ``plots`` hands these names on.

Built for notebook 01, used by all.
"""

from __future__ import annotations

import math

from helpers.show import theme
from helpers.show.figure import Picture, new, note, plain, sentence, tidy
from helpers.show.theme import PALETTE, SOFT, listing, number, percent


def zipf(counts, title: str, points: int = 300) -> Picture:
    """Rank against frequency on two logarithmic axes, with the fitted slope (Zipf 1949: about −1).

    `counts` maps words to how often they occur (a Counter) or lists the numbers. The slope is a least-squares
    line through ranks spaced evenly on the logarithmic axis, so that the thousands of words seen once do not
    outvote the rest. Raises ValueError with fewer than three different words.
    """
    import numpy as np

    pairs = sorted(counts.items(), key=lambda p: (-p[1], str(p[0]))) if hasattr(counts, "items") else []
    sizes = [size for _, size in pairs] if pairs else sorted(counts, reverse=True)
    sizes = np.array([size for size in sizes if size > 0], dtype=float)
    if len(sizes) < 3:
        raise ValueError("Zipf's law needs at least three different words")
    ranks = np.unique(np.round(np.geomspace(1, len(sizes), points)).astype(int))
    x, y = np.log10(ranks), np.log10(sizes[ranks - 1])
    slope, height = np.polyfit(x, y, 1)
    middle = int(np.searchsorted(ranks, len(sizes) ** 0.5))  # half-way on the logarithmic axis
    fit = 10 ** (height + slope * x)
    fig, ax = new(title, "rank of the word, most frequent first", "occurrences", size=(7, 4))
    ax.loglog(ranks, sizes[ranks - 1], "o", color=PALETTE[0], markersize=3.6)
    ax.loglog(ranks, fit, color=PALETTE[1], linestyle=theme.DASHES[1])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: number(int(value)) if value >= 1 else "")
    ax.set_ylim(bottom=0.6)
    note(ax, f"fitted slope {_slope(x, y)}", (ranks[middle], fit[middle]), (14, 12), fontweight="bold")
    for rank in (1, 10, 100, 1000):
        if rank <= min(len(sizes), len(pairs)):
            word = theme.shorten(pairs[rank - 1][0], 20)
            note(ax, word, (rank, sizes[rank - 1]), (-6, -6), SOFT, ha="right", va="top", fontsize=8.5)
    # Real curves bend: one slope alone would claim a straight line.
    half = (_slope(x[: middle + 1], y[: middle + 1]), _slope(x[middle:], y[middle:]))
    bend = (
        f"Fitted slope {_slope(x, y)}: {half[0]} up to rank {number(int(ranks[middle]))}, {half[1]} beyond."
    )
    return Picture(fig, f"{sentence(title)} {_zipf_words(pairs, sizes)} {bend}")


def _slope(x, y) -> str:
    """Slope of the least-squares line, to one decimal."""
    import numpy as np

    return f"{np.polyfit(x, y, 1)[0]:.1f}".replace("-", "−")


def _zipf_words(pairs, sizes) -> str:
    named = [f"“{word}” {number(int(size))}" for word, size in pairs[:3]]
    first = f"The most frequent are {listing(named)}. " if named else ""
    half = int((sizes.cumsum() < sizes.sum() / 2).sum()) + 1
    once = int((sizes == 1).sum())
    rare = f"{percent(once, len(sizes))} occur only once" if once else "none occurs only once"
    return (
        f"{first}Of {number(len(sizes))} different words the {number(half)} most frequent make half of all "
        f"{number(int(sizes.sum()))} occurrences, and {rare}."
    )


def lines(x, series: dict, title: str, xlabel: str, ylabel: str, log: bool = False, log_x: bool = False) -> Picture:
    """One line per entry of `series`, a dict from name to values; a name stands at the end of its line.

    Color, dashes and marker differ from line to line. NaN or None interrupt a line; so does, with `log=True` (a
    logarithmic y axis), zero or less. With `log_x=True` the x axis is logarithmic, and each `x` is named on it. Raises
    ValueError for none or more than five lines (nobody can tell six apart), for a line with not as many values as `x`,
    and for zero or less on a logarithmic x axis.
    """
    import numpy as np

    x = np.asarray(list(x), dtype=float)
    if not 1 <= len(series) <= len(PALETTE):
        raise ValueError(f"a figure holds one to five lines, not {len(series)}: draw a second figure")
    if log_x and not (x > 0).all():
        raise ValueError("a logarithmic x axis begins above zero: leave out what is zero or less")
    fig, ax = new(title, xlabel, ylabel)
    ends, told = [], []
    for i, (name, values) in enumerate(series.items()):
        y = np.array([math.nan if v is None else v for v in values], dtype=float)
        y = np.where(y > 0, y, math.nan) if log else y
        if len(y) != len(x) or not np.isfinite(y).any():
            raise ValueError(
                f"the line {name!r} needs one number for each of the {len(x)} places on the x axis"
            )
        look = {"linestyle": theme.DASHES[i], "marker": theme.MARKERS[i], "color": PALETTE[i]}
        ax.plot(x, y, markersize=4.5, markevery=max(1, len(x) // 12), **look)
        seen = np.flatnonzero(np.isfinite(y))
        ends.append((y[seen[-1]], x[seen[-1]], str(name), PALETTE[i]))
        told.append(f"{name} {_course(x[seen], y[seen])}")
    if log:
        from matplotlib.ticker import LogLocator

        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))  # powers of ten alone leave a short axis without numbers
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        ax.tick_params(axis="y", which="minor", left=False)
    if log_x:
        ax.set_xscale("log")
        ax.set_xticks(x, [plain(tidy(value)) for value in x])
        ax.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    _label_ends(fig, ax, ends)
    if not log_x and (x == np.round(x)).all():
        ax.xaxis.get_major_locator().set_params(integer=True)  # nobody makes 2.5 steps
    measure = f"{ylabel} from {xlabel} {tidy(x.min())} to {tidy(x.max())}: "
    return Picture(fig, f"{sentence(title)} {measure[:1].upper()}{measure[1:]}{'; '.join(told)}.")


def _course(x, y) -> str:
    """How one line runs, in words: "falls from 5.5 to 3.1, lowest 2.9 at 40"."""
    first, last, reach = float(y[0]), float(y[-1]), float(y.max() - y.min())
    if len(y) == 1 or reach == 0:
        return f"is {number(first)}" if len(y) == 1 else f"stays at {number(first)}"
    verb = "rises" if last - first > 0.05 * reach else "falls" if first - last > 0.05 * reach else "goes"
    text = f"{verb} from {number(first)} to {number(last)}"
    for word, place in (("lowest", y.argmin()), ("highest", y.argmax())):
        if min(abs(y[place] - first), abs(y[place] - last)) > 0.1 * reach:
            text += f", {word} {number(float(y[place]))} at {tidy(x[place])}"
    return text


def _label_ends(fig, ax, ends) -> None:
    """Write each line's name beside its last point, pushed up where two would overlap."""
    place = math.log10 if ax.get_yscale() == "log" else float  # how the axis sees a value
    low, high = map(place, ax.get_ylim())
    points = (high - low) / (fig.get_size_inches()[1] * 72 * 0.72)  # one point in units of the y axis
    at = -math.inf
    for y, x, name, color in sorted(ends):
        at = max(place(y), at + 13 * points)
        look = {"color": color, "fontweight": "bold", "va": "center", "annotation_clip": False}
        ax.annotate(plain(name), (x, y), xytext=(10, (at - place(y)) / points), textcoords="offset points", **look)
