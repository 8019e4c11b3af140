"""The usual figures, each with a claim as title and its finding in words, written from the data.

Built for notebook 01, used by all. ``new`` and ``show`` are for figures of your own; ``bars``,
``histogram``, ``zipf``, ``lines`` and ``learning_curve`` return a `Picture`, which shows itself as the last
line of a cell (elsewhere: ``.show()``).
"""

from __future__ import annotations

import math

from helpers.show import theme
from helpers.show.curves import lines, zipf
from helpers.show.figure import Picture, new, note, plain, sentence, show, tidy
from helpers.show.learning_curve import learning_curve
from helpers.show.reply_tree import thread_tree
from helpers.show.theme import PALETTE, PAPER, listing, number, percent

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
    places = range(len(labels))
    colors = [PALETTE[1] if label in highlight else PALETTE[0] for label in labels]
    drawn = ax.barh(places, values, color=colors, height=0.7)
    written = [number(value) if decimals is None else f"{value:,.{decimals}f}" for value in values]
    written = [f"{text} {unit}".strip() for text in written]
    # The number stands at its bar: an axis with ticks would say it a second time, less exactly.
    ax.bar_label(drawn, [plain(text) for text in written], padding=4, color=theme.INK)
    ax.set_xticks([])
    ax.xaxis.set_label_position("top")
    ax.spines["bottom"].set_visible(False)
    ax.axvline(0, color=theme.RULE, linewidth=1)
    ax.set_yticks(places, [plain(theme.shorten(label, 40)) for label in labels], color=theme.INK)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.margins(x=0.12)
    ax.grid(False)
    named = [f"{label} {text}" for label, text in zip(labels, written, strict=True)]
    if len(named) > 12:
        order = sorted(places, key=lambda i: -values[i])
        named = [named[i] for i in order[:5]] + [f"{len(named) - 6} more", f"least of all {named[order[-1]]}"]
    measure = f"{xlabel[:1].upper()}{xlabel[1:]}: " if xlabel else ""
    return Picture(fig, f"{sentence(title)} {measure}{listing(named)}.")


def histogram(values, title: str, xlabel: str, log=False, bins: int = 30, unit: str = "values") -> Picture:
    """How often each size occurs, with the median marked; `log=True` doubles the size from bar to bar.

    `xlabel` names quantity and unit ("words in a turn"), `unit` what is counted ("turns"). Bins of whole
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
    counts, names, place = (_doublings if log else _equal)(ax, kept, whole, bins)
    ax.yaxis.set_major_formatter(lambda y, _: number(int(y)))
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.grid(False, axis="x")
    ax.axvline(place(middle), color=PALETTE[1], linestyle=theme.DASHES[1])
    ax.set_ylim(top=counts.max() * 1.17)  # room for the note above the tallest bar
    text = f"median {tidy(middle)}"
    note(
        ax, text, (place(middle), 1), (6, -4), xycoords=("data", "axes fraction"), va="top", fontweight="bold"
    )
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
