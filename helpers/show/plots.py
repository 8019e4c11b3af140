"""The usual figures, each with a claim as title and its finding in words, written from the data.

Built for notebook 01, used by all. ``new`` and ``show`` are for figures of your own; ``bars``,
``histogram``, ``zipf`` and ``lines`` return a `Picture`, which shows itself as the last line of a cell
(elsewhere: ``.show()``).
"""

from __future__ import annotations

import math

from helpers.show import style
from helpers.show.house import Picture, new, show
from helpers.show.style import PALETTE, PAPER, SOFT, listing, number, percent
from helpers.show.trees import thread_tree

__all__ = ["Picture", "bars", "histogram", "lines", "new", "show", "thread_tree", "zipf"]


def _plain(text) -> str:
    return str(text).replace("$", r"\$")  # a dollar is a dollar, not the start of a formula


def _sentence(title: str) -> str:
    title = " ".join(title.split())
    return title if title[-1:] in ".!?" else title + "."


def bars(labels, values, title: str, xlabel: str = "", unit: str = "", highlight=()) -> Picture:
    """Horizontal bars from top to bottom in the order given, each with its value at the end.

    `unit` follows every number in figure and words ("comments", "%"); labels in `highlight` are drawn in the
    second colour. Raises ValueError when there are no bars or the lengths differ.
    """
    labels, values = [str(label) for label in labels], list(values)
    if not labels or len(labels) != len(values):
        raise ValueError(
            f"bars need one value per label, at least one: got {len(labels)} labels, {len(values)} values"
        )
    fig, ax = new(title, xlabel, size=(7, 1.15 + 0.3 * len(labels)))
    places = range(len(labels))
    colours = [PALETTE[1] if label in highlight else PALETTE[0] for label in labels]
    drawn = ax.barh(places, values, color=colours, height=0.68)
    written = [f"{number(value)} {unit}".strip() for value in values]
    ax.bar_label(drawn, [_plain(text) for text in written], padding=4, color=style.INK)
    ax.set_yticks(places, [_plain(style.shorten(label, 40)) for label in labels], color=style.INK)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.margins(x=0.14)
    ax.grid(False, axis="y")
    named = [f"{label} {text}" for label, text in zip(labels, written, strict=True)]
    if len(named) > 12:
        order = sorted(places, key=lambda i: -values[i])
        named = [named[i] for i in order[:5]] + [f"{len(named) - 6} more", f"least of all {named[order[-1]]}"]
    return Picture(fig, f"{_sentence(title)} {listing(named)}.")


def histogram(
    values, title: str, xlabel: str, log: bool = False, bins: int = 30, unit: str = "values"
) -> Picture:
    """How often each size occurs, with the median marked; `log=True` gives bins of equal ratio on a
    logarithmic x axis.

    `unit` names what is counted ("turns"). Whole numbers are never split between bins. NaN is left out; a
    logarithmic axis leaves out zero and less and says so. Raises ValueError when nothing remains.
    """
    import numpy as np

    values = np.asarray(list(values))
    values = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    left_out = int((values <= 0).sum()) if log else 0
    kept = values[values > 0] if log else values
    if not len(kept):
        raise ValueError(
            "a histogram needs at least one number" + (" above zero for log=True" if log else "")
        )
    edges = _edges(kept, log, bins)
    counts, _ = np.histogram(kept, edges)
    fig, ax = new(title, xlabel, f"number of {unit}")
    ax.bar(edges[:-1], counts, np.diff(edges), align="edge", color=PALETTE[0], edgecolor=PAPER, linewidth=0.7)
    if log:
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter(lambda x, _: number(int(x)) if x >= 1 else f"{x:g}")
    ax.yaxis.set_major_formatter(lambda y, _: number(int(y)))
    ax.grid(False, axis="x")
    low, middle, high = (float(q) for q in np.quantile(kept, (0.25, 0.5, 0.75)))
    ax.axvline(middle, color=PALETTE[1], linestyle=style.DASHES[1])
    ax.annotate(
        f"median {number(middle)}",
        (middle, 1),
        xycoords=("data", "axes fraction"),
        xytext=(5, -4),
        textcoords="offset points",
        va="top",
        fontweight="bold",
        bbox={"fc": PAPER, "ec": "none", "pad": 1.5},
    )
    smallest, largest = kept.min().item(), kept.max().item()
    words = (
        f"{_sentence(title)} {number(len(kept))} {unit}, {xlabel}: median {number(middle)}, "
        f"the middle half between {number(low)} and {number(high)}, "
        f"all between {number(smallest)} and {number(largest)}."
    )
    if left_out:
        words += f" {number(left_out)} of zero or less cannot be shown on this axis."
    return Picture(fig, words)


def _edges(values, log: bool, bins: int):
    """Bin edges; for whole numbers they lie half-way between neighbours, so every bin holds whole numbers
    equally.
    """
    import numpy as np

    whole = values.dtype.kind in "iub" or bool((values == np.round(values)).all())
    low, high = float(values.min()), float(values.max())
    if not log and not whole:
        return np.linspace(low, high if high > low else low + 1, bins + 1)
    if not log:
        step = max(1, math.ceil((high - low + 1) / bins))
        return np.arange(low - 0.5, high + 0.5 + step, step)
    if not whole:
        return np.geomspace(low, high * 1.001 if high > low else low * 2, bins + 1)
    edges = np.unique(np.round(np.geomspace(low, high + 1, bins + 1)))
    return edges - 0.5


def zipf(counts, title: str, points: int = 300) -> Picture:
    """Rank against frequency on two logarithmic axes, with the fitted slope (Zipf 1949; about −1 for most
    languages).

    `counts` maps words to how often they occur (a Counter) or lists the numbers. The slope is a least-squares
    line through ranks spaced evenly on the logarithmic axis, so that the thousands of words seen once do not
    outvote the rest. Raises ValueError with fewer than three different words.
    """
    import numpy as np

    pairs = sorted(counts.items(), key=lambda p: (-p[1], str(p[0]))) if hasattr(counts, "items") else None
    sizes = [size for _, size in pairs] if pairs else sorted(counts, reverse=True)
    sizes = np.array([size for size in sizes if size > 0], dtype=float)
    if len(sizes) < 3:
        raise ValueError("Zipf's law needs at least three different words")
    ranks = np.unique(np.round(np.geomspace(1, len(sizes), points)).astype(int))
    x, y = np.log10(ranks), np.log10(sizes[ranks - 1])
    slope, height = np.polyfit(x, y, 1)
    fig, ax = new(title, "rank of the word, most frequent first", "occurrences", size=(7, 4))
    ax.loglog(ranks, 10 ** (height + slope * x), color=PALETTE[1], linestyle=style.DASHES[1], zorder=1)
    ax.loglog(ranks, sizes[ranks - 1], "o", color=PALETTE[0], markersize=3.4)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: number(int(value)) if value >= 1 else "")
    middle = len(ranks) // 2
    ax.annotate(
        f"fitted slope {_slope(slope)}",
        (ranks[middle], 10 ** (height + slope * x[middle])),
        xytext=(12, 12),
        textcoords="offset points",
        fontweight="bold",
    )
    ax.set_ylim(bottom=0.7)
    words = f"{_sentence(title)} {_zipf_words(pairs, sizes, slope)}"
    for rank in (1, 10, 100, 1000) if pairs else ():
        if rank <= len(sizes):
            ax.annotate(
                _plain(pairs[rank - 1][0]),
                (rank, sizes[rank - 1]),
                xytext=(-4, -6),
                color=SOFT,
                ha="right",
                va="top",
                textcoords="offset points",
                fontsize=8.5,
            )
    return Picture(fig, words)


def _slope(slope: float) -> str:
    return f"{slope:.1f}".replace("-", "−")


def _zipf_words(pairs, sizes, slope: float) -> str:
    named = [f"“{word}” {number(int(size))}" for word, size in (pairs or [])[:3]]
    first = f"The most frequent are {listing(named)}. " if named else ""
    half = int((sizes.cumsum() < sizes.sum() / 2).sum()) + 1
    once = int((sizes == 1).sum())
    return (
        f"{first}Of {number(len(sizes))} different words the {number(half)} most frequent make half of all "
        f"{number(int(sizes.sum()))} occurrences, and {percent(once, len(sizes))} occur once. "
        f"The points follow a straight line of slope {_slope(slope)}."
    )


def lines(x, series: dict, title: str, xlabel: str, ylabel: str) -> Picture:
    """One line per entry of `series` (name → values along `x`), told apart by colour, dashes, marker and a
    direct label.

    NaN or None interrupt a line. Raises ValueError for more than five lines (nobody can tell six apart), for
    none, and when a line has not as many values as `x`.
    """
    import numpy as np

    x = np.asarray(list(x), dtype=float)
    if not 1 <= len(series) <= len(PALETTE):
        raise ValueError(
            f"a figure holds one to five lines, not {len(series)}: draw the rest in a second figure"
        )
    fig, ax = new(title, xlabel, ylabel)
    ends, told = [], []
    for i, (name, values) in enumerate(series.items()):
        y = np.array([math.nan if v is None else v for v in values], dtype=float)
        if len(y) != len(x) or not np.isfinite(y).any():
            raise ValueError(
                f"the line {name!r} needs one number for each of the {len(x)} places on the x axis"
            )
        ax.plot(
            x,
            y,
            color=PALETTE[i],
            linestyle=style.DASHES[i],
            marker=style.MARKERS[i],
            markersize=4.5,
            markevery=max(1, len(x) // 12),
        )
        seen = np.flatnonzero(np.isfinite(y))
        ends.append((y[seen[-1]], x[seen[-1]], str(name), PALETTE[i]))
        told.append(f"{name} {_course(x[seen], y[seen])}")
    _label_ends(ax, ends)
    span = (
        f"From {number(x.min().item())} to {number(x.max().item())} ({xlabel}), {ylabel}: " if ylabel else ""
    )
    return Picture(fig, f"{_sentence(title)} {span}{'; '.join(told)}.")


def _course(x, y) -> str:
    """How one line runs, in words: "falls from 5.5 to 3.1, lowest 2.9 at 40"."""
    first, last, reach = y[0].item(), y[-1].item(), (y.max() - y.min()).item()
    if reach == 0:
        return f"stays at {number(first)}"
    verb = "rises" if last - first > 0.05 * reach else "falls" if first - last > 0.05 * reach else "goes"
    text = f"{verb} from {number(first)} to {number(last)}"
    for word, place in (("lowest", y.argmin()), ("highest", y.argmax())):
        if min(abs(y[place] - first), abs(y[place] - last)) > 0.1 * reach:
            text += f", {word} {number(y[place].item())} at {number(x[place].item())}"
    return text


def _label_ends(ax, ends) -> None:
    """Write each line's name beside its last point, pushed apart where two would overlap."""
    low, high = ax.get_ylim()
    gap = 0.075 * (high - low)
    at = -math.inf
    for y, x, name, colour in sorted(ends):
        at = max(y, at + gap)
        ax.annotate(
            _plain(name),
            (x, y),
            xytext=(10, (at - y) / (high - low) * 190),
            textcoords="offset points",
            va="center",
            color=colour,
            fontweight="bold",
            annotation_clip=False,
        )
