"""The usual figures, each with a claim as title and its finding in words, written from the data.

Built for notebook 01, used by all. ``new`` and ``show`` are for figures of your own; ``bars``, ``histogram``, ``zipf``,
``lines`` and ``learning_curve`` return a `Picture`, which shows itself as the last line of a cell (elsewhere: ``.show()``).
"""

from __future__ import annotations

import math

from helpers.show import theme
from helpers.show.figure import Picture, label_ends, new, note, plain, sentence, show, tidy
from helpers.show.learning_curve import learning_curve
from helpers.show.reply_tree import thread_tree
from helpers.show.theme import PALETTE, PAPER, SOFT, listing, number, percent

__all__ = ["Picture", "bars", "histogram", "learning_curve", "lines", "new", "show", "thread_tree", "zipf"]


def bars(labels, values, title: str, xlabel: str = "", unit: str = "", highlight=(), decimals=None) -> Picture:
    """Horizontal bars from top to bottom in the order given, each with its value at the end.

    `xlabel` says what the numbers are; `unit` follows every number ("%", "words"). Labels in `highlight` are
    drawn in the second color. `decimals` fixes how many are written, where bars differ by little. Raises
    ValueError when there are no bars or the lengths differ.
    """
    labels, values = [str(label) for label in labels], list(values)
    if not labels or len(labels) != len(values):
        got = f"{len(labels)} labels and {len(values)} values"
        raise ValueError(f"bars need one value per label, at least one: got {got}")
    fig, ax = new(title, xlabel, size=(7, 1.0 + 0.3 * len(labels)))
    rows = range(len(labels))
    colors = [PALETTE[1] if label in highlight else PALETTE[0] for label in labels]
    bar_patches = ax.barh(rows, values, color=colors, height=0.7)
    written = [number(value) if decimals is None else f"{value:,.{decimals}f}" for value in values]
    written = [f"{text} {unit}".strip() for text in written]
    # The number stands at its bar: an axis with ticks would say it a second time, less exactly.
    ax.bar_label(bar_patches, [plain(text) for text in written], padding=4, color=theme.INK)
    ax.set_xticks([])
    ax.xaxis.set_label_position("top")
    ax.spines["bottom"].set_visible(False)
    ax.axvline(0, color=theme.RULE, linewidth=1)
    ax.set_yticks(rows, [plain(theme.shorten(label, 40)) for label in labels], color=theme.INK)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.margins(x=0.12)
    ax.grid(False)
    named = [f"{label} {text}" for label, text in zip(labels, written, strict=True)]
    if len(named) > 12:
        order = sorted(rows, key=lambda i: -values[i])
        named = [named[i] for i in order[:5]] + [f"{len(named) - 6} more", f"least of all {named[order[-1]]}"]
    measure = f"{xlabel[:1].upper()}{xlabel[1:]}: " if xlabel else ""
    return Picture(fig, f"{sentence(title)} {measure}{listing(named)}.")


def histogram(values, title: str, xlabel: str, log=False, bins: int = 30, unit: str = "values") -> Picture:
    """How often each size occurs, with the median marked; `log=True` doubles the size from bar to bar.

    `xlabel` names quantity and unit ("words in a turn"), `unit` what the numbers belong to ("turns"). Bins of whole
    numbers are equally wide. NaN is left out; `log=True` leaves out zero and less, and says so. Raises
    ValueError when nothing remains.
    """
    import numpy as np

    values = np.asarray(list(values))
    values = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    kept = values[values > 0] if log else values
    if not len(kept):
        raise ValueError("a histogram needs a number" + (" above zero, for log=True" if log else ""))
    whole = kept.dtype.kind in "iub" or bool((kept == np.round(kept)).all())
    low, middle, high = (float(q) for q in np.quantile(kept, (0.25, 0.5, 0.75)))
    fig, ax = new(title, xlabel, f"number of {unit}")
    counts, names, position = (_doublings if log else _equal)(ax, kept, whole, bins)
    ax.yaxis.set_major_formatter(lambda y, _: number(int(y)))
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.grid(False, axis="x")
    ax.axvline(position(middle), color=PALETTE[1], linestyle=theme.DASHES[1])
    ax.set_ylim(top=counts.max() * 1.17)  # room for the note above the tallest bar
    style = {"xycoords": ("data", "axes fraction"), "va": "top", "fontweight": "bold"}
    note(ax, f"median {tidy(middle)}", (position(middle), 1), (6, -4), **style)
    top = int(counts.argmax())
    words = (
        f"{sentence(title)} {number(len(kept))} {unit}, {xlabel}: median {tidy(middle)}, the middle half "
        f"between {tidy(low)} and {tidy(high)}, all between {tidy(kept.min())} and {tidy(kept.max())}. "
        f"The tallest bar, {names(top)}, holds {percent(int(counts[top]), len(kept))}."
    )
    if len(kept) < len(values):
        words += f" {number(len(values) - len(kept))} of zero or less cannot be shown on this axis."
    return Picture(fig, words)


def _equal(ax, values, whole: bool, bins: int):
    """Draw bars of equal width; return counts, a name for each bar, and where a value lies on the axis."""
    import numpy as np

    low, high = float(values.min()), float(values.max())
    if whole:  # edges half-way between whole numbers
        step = max(1, math.ceil((high - low + 1) / bins))
        edges = np.arange(low - 0.5, high + 0.5 + step, step)
    else:
        edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    counts, _ = np.histogram(values, edges)
    ax.bar(edges[:-1], counts, np.diff(edges), align="edge", color=PALETTE[0], edgecolor=PAPER, linewidth=0.7)

    def name(i):
        first, last = (edges[i] + 0.5, edges[i + 1] - 0.5) if whole else (edges[i], edges[i + 1])
        return tidy(first) if first == last else f"{tidy(first)} to {tidy(last)}"

    return counts, name, lambda value: value


def _doublings(ax, values, whole: bool, bins: int):
    """Draw a bar for 1, for 2–3, 4–7, 8–15 and so on; return the same three things as `_equal`."""
    import numpy as np

    powers = np.floor(np.log2(values)).astype(int)
    first = int(powers.min())
    counts = np.bincount(powers - first)
    ax.bar(range(len(counts)), counts, 1, color=PALETTE[0], edgecolor=PAPER, linewidth=0.7)

    def name(i, joint=" to "):
        low = 2.0 ** (first + i)
        high = 2 * low - 1 if whole else 2 * low
        return tidy(low) if low == high else f"{tidy(low)}{joint}{tidy(high)}"

    shown = range(0, len(counts), 1 + len(counts) // 10)
    ax.set_xticks(shown, [name(i, "–") for i in shown])
    return counts, name, lambda value: math.log2(value) - first - 0.5


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
    enough = _half_of_all(sizes)
    ax.axvline(enough, color=SOFT, linestyle=":", linewidth=1.4)
    note(ax, f"the first {number(enough)}: half of all", (enough, sizes[0]), (7, -4), fontweight="bold")
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
    bend = f"Fitted slope {_slope(x, y)}: {half[0]} up to rank {number(int(ranks[middle]))}, {half[1]} beyond."
    return Picture(fig, f"{sentence(title)} {_zipf_words(pairs, sizes)} {bend}")


def _slope(x, y) -> str:
    """Slope of the least-squares line, to one decimal."""
    import numpy as np

    return f"{np.polyfit(x, y, 1)[0]:.1f}".replace("-", "−")


def _half_of_all(sizes) -> int:
    """How many of the most frequent words make up half of all occurrences."""
    return int((sizes.cumsum() < sizes.sum() / 2).sum()) + 1


def _zipf_words(pairs, sizes) -> str:
    named = [f"“{word}” {number(int(size))}" for word, size in pairs[:3]]
    first = f"The most frequent are {listing(named)}. " if named else ""
    half = _half_of_all(sizes)
    once = int((sizes == 1).sum())
    rare = f"{percent(once, len(sizes))} occur only once" if once else "none occurs only once"
    return (
        f"{first}Of {number(len(sizes))} different words the {number(half)} most frequent make up half of all "
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
    ends, courses = [], []
    for i, (name, values) in enumerate(series.items()):
        y = np.array([math.nan if v is None else v for v in values], dtype=float)
        y = np.where(y > 0, y, math.nan) if log else y
        if len(y) != len(x) or not np.isfinite(y).any():
            raise ValueError(f"the line {name!r} needs one number for each of the {len(x)} points on the x axis")
        style = {"linestyle": theme.DASHES[i], "marker": theme.MARKERS[i], "color": PALETTE[i]}
        ax.plot(x, y, markersize=4.5, markevery=max(1, len(x) // 12), **style)
        known = np.flatnonzero(np.isfinite(y))
        ends.append((y[known[-1]], x[known[-1]], str(name), PALETTE[i]))
        courses.append(f"{name} {_course(x[known], y[known])}")
    if log:
        _logarithmic(ax)
    if log_x:
        ax.set_xscale("log")
        ax.set_xticks(x, [plain(tidy(value)) for value in x])
        ax.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    label_ends(fig, ax, ends)
    if not log_x and (x == np.round(x)).all():
        ax.xaxis.get_major_locator().set_params(integer=True)  # nobody makes 2.5 steps
    measure = f"{ylabel} against {xlabel} ({tidy(x.min())} to {tidy(x.max())}): "
    return Picture(fig, f"{sentence(title)} {measure[:1].upper()}{measure[1:]}{'; '.join(courses)}.")


def _logarithmic(ax) -> None:
    """Give `ax` a logarithmic y axis on which numbers stand, however short or long it is."""
    from matplotlib.ticker import LogLocator

    ax.set_yscale("log")
    low, high = (math.log10(end) for end in ax.get_ylim())
    if high - low < 3:  # powers of ten alone leave a short axis without numbers
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    else:
        ax.yaxis.set_major_locator(LogLocator(numticks=6))
        ax.yaxis.set_major_formatter(lambda value, _: _power(value))
    ax.tick_params(axis="y", which="minor", left=False)


def _power(value: float) -> str:
    """Write a power of ten: 0.01, 1, 1,000, and beyond that 10⁻⁶."""
    exponent = round(math.log10(value))
    if -3 < exponent < 5:
        return f"{value:,g}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _course(x, y) -> str:
    """How one line runs, in words: "falls from 5.5 to 3.1, lowest 2.9 at 40"."""
    first, last, reach = float(y[0]), float(y[-1]), float(y.max() - y.min())
    if len(y) == 1 or reach == 0:
        return f"is {number(first)}" if len(y) == 1 else f"stays at {number(first)}"
    verb = "rises" if last - first > 0.05 * reach else "falls" if first - last > 0.05 * reach else "goes"
    text = f"{verb} from {number(first)} to {number(last)}"
    for word, i in (("lowest", y.argmin()), ("highest", y.argmax())):
        if min(abs(y[i] - first), abs(y[i] - last)) > 0.1 * reach:
            text += f", {word} {number(float(y[i]))} at {tidy(x[i])}"
    return text
