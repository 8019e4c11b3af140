"""The cache of keys and values: what a step of generation reads, and what it must compute (built for notebook 06)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need
from helpers.show.lettering import Formula
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import INK, amount, number


def kv_cache(tokens: Sequence[str], step: int, d_model: int = 64) -> Drawing:
    """Draw one step of generation without and with a cache: which keys and values are computed, which are read.

    `step` counts from 1: the token ``tokens[step − 1]`` is read in order to predict the next. The multiplications are those of
    one attention layer with `d_model` numbers per token: three projections (d × d) per token that is computed, and per pair of
    query and key 2 d, half for the score and half for the weighted sum. Two to ten tokens. Raises ValueError for others, or a
    step that does not exist.
    """
    tokens = [str(token) for token in tokens]
    need(2 <= len(tokens) <= 10, f"{len(tokens)} tokens: give 2 to 10, so that each can be read")
    need(1 <= step <= len(tokens), f"step is {step}: give 1 to {len(tokens)}, the token that is read")
    without, cached = multiplications(step, d_model, False), multiplications(step, d_model, True)
    figure = Diagram(
        f"Step {step}: with a cache only one token is computed, not {step}"
        if step > 1
        else "Step 1: nothing is in the cache yet"
    )
    width = min(70, (RIGHT - LEFT - 300) / len(tokens))
    left = LEFT + 92
    y = TITLE_HEIGHT + 12
    for name, cache, count in (("without cache", False, without), ("with cache", True, cached)):
        figure.label(LEFT, y + 16, name, 14, "start", INK, bold=True)
        for i, token in enumerate(tokens):
            x = left + i * width
            now = i < step
            figure.box(
                x + 2,
                y + 28,
                width - 4,
                28,
                seen(token, 8, space=True),
                "tensor" if now else "ghost",
                size=12.5,
                bold=False,
                rx=3,
            )
        for row, letter in enumerate("qkv"):
            top = y + 64 + 27 * row
            figure.label(LEFT + 80, top + 17, {"q": "queries", "k": "keys", "v": "values"}[letter], 12.5, "end", INK)
            for i in range(step):
                fresh = not cache or i == step - 1
                if not fresh and letter == "q":
                    continue
                figure.box(
                    left + i * width + 2,
                    top,
                    width - 4,
                    23,
                    Formula(f"{letter}_{{{i + 1}}}"),
                    "new" if fresh else "kept",
                    size=12.5,
                    bold=False,
                    rx=3,
                )
        x = left + len(tokens) * width + 22
        figure.label(x, y + 80, f"{number(count)}", 20, "start", INK, bold=True)
        figure.label(x, y + 100, "multiplications", 12.5, "start")
        y += 166
    y -= 6
    for i, (kind, text) in enumerate((("new", "computed in this step"), ("kept", "read from the cache"))):
        figure.box(left + 190 * i, y, 22, 16, "", kind, rx=3)
        figure.label(left + 190 * i + 30, y + 13, text, 12.5, "start", INK)
    total = [sum(multiplications(t, d_model, cache) for t in range(1, step + 1)) for cache in (False, True)]
    sentence = (
        f"Step {step} reads {quoted(tokens[step - 1])}. Without a cache queries, keys and values of {amount(step, 'token')} "
        f"are computed: {number(without)} multiplications for q, k, v, scores and weighted sums in a layer "
        f"with {d_model} numbers per token. "
        f"With a cache those of one token are computed and {amount(step - 1, 'key')} and {amount(step - 1, 'value')} are "
        f"read: {number(cached)}. "
        f"All steps up to here: {number(total[0])} without, {number(total[1])} with, {total[0] / total[1]:.1f} times fewer."
    )
    return figure.finish(
        sentence, f"One attention layer, {d_model} numbers per token: projections to q, k, v, scores, weighted sum."
    )


def multiplications(step: int, d_model: int, cache: bool) -> int:
    """Return the multiplications of one causal attention layer that reads token `step` (from 1), with a cache or without."""
    rows = 1 if cache else step
    pairs = step if cache else step * (step + 1) // 2
    return rows * 3 * d_model**2 + pairs * 2 * d_model
