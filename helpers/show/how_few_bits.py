"""How few bits can a bot do with? Its bytes, what they cost, and a reply written at this moment. Built for notebook 12.

`few_bits` is a still drawing, `explore_few_bits` the same with controls.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from helpers.show.explore import Explore
from helpers.show.svg import MARGIN, WIDTH, Drawing, key, quoted, write
from helpers.show.theme import SOFT
from helpers.show.tokens_and_bars import labeled_bars

GROUPS = ("tensor", "row", "128", "64", "32", "16")
REPLY_TOKENS, PER_LINE, LINE = 30, 84, 19


def few_bits(
    bot,
    table,
    message: str,
    bits: int = 4,
    group: str = "row",
    symmetric: bool = True,
    quantize: Callable | None = None,
) -> Drawing:
    """Draw how large a bot of so many bits is, what it costs, and what it says beside the bot it was made from.

    ``bot`` is a bot whose model is a GPT. ``table`` is ``data/how_few_bits.csv`` as a pandas table: of it come bytes and bits
    per byte. The replies are written now, greedily, by ``quantize(weight, bits, group, symmetric)`` of all matrices (None:
    ``helpers.compression.quantization.quantize``). Raises ValueError for a combination that the table lacks, for groups that
    do not divide a row, and for an empty message.
    """
    from helpers.bots.bot import Bot
    from helpers.compression.matrices import matrices, with_weights
    from helpers.compression.quantization import quantize as package_quantize

    group = str(group)
    chosen = table[
        (table["bits"] == bits) & (table["group"].astype(str) == group) & (table["symmetric"] == int(symmetric))
    ]
    if chosen.empty:
        raise ValueError(f"there is no row with {bits} bits, group {group} and symmetric {symmetric} in this table")
    if not message.strip():
        raise ValueError("there is nothing to answer: write a message")
    row = chosen.iloc[0]
    settings = (bits, int(group) if group.isdigit() else group, bool(symmetric))
    small = {name: (quantize or package_quantize)(weight, *settings) for name, weight in matrices(bot.model).items()}
    copies = {"in full": bot, "in few bits": Bot(with_weights(bot.model, small), bot.tokenizer, bot.name, bot.context)}
    replies = {
        name: copy.reply([message[:300]], temperature=0, max_tokens=REPLY_TOKENS) for name, copy in copies.items()
    }
    return _drawn(row, bits, group, symmetric, message, replies, _full_size(small))


def explore_few_bits(bot, table, message: str, quantize: Callable | None = None) -> Explore:
    """`few_bits` with sliders and menus: bits, group, symmetric or not, and a line for a message of your own.

    Groups that the table does not have are not offered. Raises ValueError for a table without rows.
    """
    here = {str(group) for group in table["group"]}
    groups = [group for group in GROUPS if group in here]
    if not groups:
        raise ValueError(
            "the table is empty: read data/how_few_bits.csv (python -m helpers experiments compression writes it)"
        )

    def draw(message, bits=4, group="32" if "32" in groups else groups[-1], symmetric=False):
        return few_bits(bot, table, message, bits, group, symmetric, quantize)

    low, high = int(table["bits"].min()), int(table["bits"].max())
    explore = Explore(draw, bits=(low, high), group=groups, symmetric=False, message=message)
    start = explore.controls["group"].value
    return explore.in_book(group=[group for group in groups if group in ("row", start)], symmetric=[])


def _full_size(small: dict) -> int:
    """Bytes of the same matrices in 16 bits."""
    return sum(2 * matrix.codes.numel() for matrix in small.values())


def _drawn(row, bits: int, group: str, symmetric: bool, message: str, replies: dict, full: int) -> Drawing:
    grid = "symmetric" if symmetric else "asymmetric"
    scales = {"tensor": "one scale for each matrix", "row": "a scale per row"}.get(group, f"groups of {group}")
    size, cost = row["bytes"] / 1e6, f"{row['change']:+.3f} ± {row['standard error']:.3f}".replace("-", "−")
    title = f"{bits} bits, {scales}, {grid}"
    bars, y = labeled_bars(
        ["16 bits", f"{bits} bits"],
        [(WIDTH - 2 * MARGIN - 200) * part for part in (1.0, min(1.0, row["bytes"] / full))],
        [f"{full / 1e6:.1f} MB", f"{size:.1f} MB"],
        MARGIN + 80,
    )
    parts = [bars, write(MARGIN, y + 18, f"cost: {cost} bits per byte (± standard error)", 'font-weight="700"')]
    y += 44
    for name, reply in replies.items():
        parts.append(write(MARGIN, y, f"{name}:", f'fill="{SOFT}"'))
        for line in textwrap.wrap(" / ".join(reply.split("\n")) or "(nothing)", PER_LINE)[:4]:
            parts.append(write(MARGIN + 90, y, line))
            y += LINE
        y += 6
    change, error = (_bits(row[name], form) for name, form in (("change", "+.3f"), ("standard error", ".3f")))
    words = (
        f"{title}: the matrices take {size:.1f} MB instead of {full / 1e6:.1f} MB. "
        f"The cost is {change} bits per byte (standard error {error}). "
        f"Asked {quoted(message, 60)}, the bot says {quoted(replies['in few bits'], 200)}; with all its bits "
        f"{quoted(replies['in full'], 200)}."
    )
    return Drawing("".join(parts) + key(y + 8, "Bars: bytes of the matrices. Greedy replies."), words, title, y + 24)


def _bits(value: float, form: str) -> str:
    """A number of bits to three decimals; one that would be 0.000 is not called nothing."""
    return f"{value:{form}}".replace("-", "−") if abs(value) >= 0.0005 else "under 0.0005"
