"""Heads: one width cut into several, and several queries that share their keys and values (built for notebooks 04 and 06)."""

from __future__ import annotations

from helpers.show.diagram import KINDS, LEFT, RIGHT, Diagram, need, shortened, spread, tint
from helpers.show.lettering import shape_text
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import INK, SOFT, TEAL, amount


def split_into_heads(seq_len: int, d_model: int, n_head: int) -> Drawing:
    """Draw how a vector of ``d_model`` numbers per token is cut into heads, which attend side by side and are joined again.

    Raises ValueError when the heads do not divide ``d_model``.
    """
    need(min(seq_len, d_model, n_head) >= 1, "give sizes of at least 1")
    need(
        d_model % n_head == 0, f"{n_head} heads cannot share d_model = {d_model} evenly: take a number that divides it"
    )
    size = d_model // n_head
    figure = Diagram(f"{amount(n_head, 'head')}, each with {amount(size, 'number')} per token")
    shown = shortened(n_head, 8)
    wide, y = 540.0, TITLE_HEIGHT + 10
    x = LEFT + 116 + (RIGHT - LEFT - 116 - wide) / 2
    part = wide / len(shown)
    shades = [tint(TEAL, 0.2 + 0.5 * (i % 2)) for i in range(len(shown))]
    columns = spread(len(shown), LEFT + 116, RIGHT, 110, 12)
    if part > 100:  # each head below its part
        columns = [(x + (i + 0.5) * part - 60, 120) for i in range(len(shown))]
    rows = {"whole": y, "heads": y + 84, "attend": y + 150, "joined": y + 234, "out": y + 298}

    def strip(top: float) -> None:
        for i, index in enumerate(shown):
            figure.rect(x + i * part, top, part, 36, shades[i], KINDS["attention"][1], 1, 0)
            figure.label(
                x + (i + 0.5) * part, top + 23, "…" if index is None else f"{index + 1}", 13, color=INK, bold=True
            )

    strip(rows["whole"])
    figure.label(x - 14, rows["whole"] + 16, "q, k and v", 13, "end", INK, bold=True)
    figure.label(x - 14, rows["whole"] + 32, shape_text([seq_len, d_model]), 12, "end")
    for i, (index, (left, width)) in enumerate(zip(shown, columns)):
        middle = left + width / 2
        if index is None:
            figure.label(middle, rows["attend"] + 22, "…", 18, color=INK)
            continue
        figure.arrow((x + (i + 0.5) * part, rows["whole"] + 36), (middle, rows["heads"]), color=SOFT)
        figure.box(
            left, rows["heads"], width, 40, f"head {index + 1}", "tensor", shape_text([seq_len, size]), size=12.5
        )
        figure.rect(left, rows["heads"], width, 5, shades[i], TEAL, 0, 0)
        figure.arrow((middle, rows["heads"] + 40), (middle, rows["attend"]), color=SOFT)
        figure.box(left, rows["attend"], width, 34, "attention", "attention", size=12)
        figure.arrow((middle, rows["attend"] + 34), (x + (i + 0.5) * part, rows["joined"]), color=SOFT)
    figure.label(LEFT, rows["heads"] + 18, "cut into heads", 13, "start", INK, bold=True, room=100)
    figure.label(LEFT, rows["attend"] + 16, "each attends", 13, "start", INK, bold=True, room=100)
    figure.label(LEFT, rows["attend"] + 32, "on its own", 13, "start", INK, bold=True, room=100)
    strip(rows["joined"])
    figure.label(x - 14, rows["joined"] + 16, "joined", 13, "end", INK, bold=True)
    figure.label(x - 14, rows["joined"] + 32, shape_text([seq_len, d_model]), 12, "end")
    out = figure.box(x, rows["out"], wide, 32, "output projection", "linear", size=13)
    figure.label(x - 14, rows["out"] + 21, shape_text([d_model, d_model]), 12, "end")
    figure.arrow((out.center[0], rows["joined"] + 36), out.top_middle)
    sentence = (
        f"Queries, keys and values [{seq_len}, {d_model}] are cut into {amount(n_head, 'head')} of [{seq_len}, {size}]. "
        f"Each head attends on its own; the outputs "
        f"are joined to [{seq_len}, {d_model}] again and mixed by a matrix [{d_model}, {d_model}]. The number of parameters "
        f"does not depend on the number of heads."
    )
    return figure.finish(sentence)


def grouped_query_attention(n_head: int, n_kv_head: int) -> Drawing:
    """Draw which query heads share keys and values: multi-head, grouped-query and multi-query attention side by side.

    The one with ``n_kv_head`` key-value heads is emphasized. Raises ValueError when ``n_kv_head`` does not divide ``n_head``, or
    for more than 16 heads.
    """
    need(1 <= n_head <= 16, f"{n_head} heads: give 1 to 16, so that each can be seen")
    need(
        1 <= n_kv_head <= n_head and n_head % n_kv_head == 0,
        f"{n_kv_head} key-value heads for {n_head} query heads: give a number that divides {n_head}",
    )
    figure = Diagram(
        f"{amount(n_head, 'query head')} share {n_kv_head} key-value {'head' if n_kv_head == 1 else 'heads'}"
    )
    middle = (
        n_kv_head
        if 1 < n_kv_head < n_head
        else next((n for n in (n_head // 2, n_head // 4, 2) if n > 1 and n_head % n == 0 and n < n_head), None)
    )
    kinds = [
        ("multi-head", n_head),
        *([("grouped-query", middle)] if middle else []),
        *([("multi-query", 1)] if n_head > 1 else []),
    ]
    y = TITLE_HEIGHT + 8
    for (name, groups), (left, width) in zip(kinds, spread(len(kinds), LEFT, RIGHT, 252, 16)):
        strong = groups == n_kv_head
        figure.rect(
            left,
            y,
            width,
            214,
            "#f7f8fb" if strong else "#ffffff",
            TEAL if strong else "#c9cdd6",
            2.2 if strong else 1.2,
            10,
        )
        figure.label(left + width / 2, y + 24, name, 14, color=INK, bold=strong)
        heads = spread(n_head, left + 14, left + width - 14, 30, 5)
        shared = spread(
            groups, left + 14, left + width - 14, 44 if groups < n_head else 30, 5 if groups == n_head else 18
        )
        for h, (x, wide) in enumerate(heads):
            key = shared[h * groups // n_head]
            figure.line((x + wide / 2, y + 76), (key[0] + key[1] / 2, y + 132), color=SOFT, width=1.3)
            figure.box(x, y + 44, wide, 32, "q" if wide > 11 else "", "attention", size=13)
        for x, wide in shared:
            figure.box(x, y + 132, wide, 32, "k, v" if wide > 27 else "", "kept", size=12)
        figure.label(
            left + width / 2, y + 186, f"{groups} key-value {'head' if groups == 1 else 'heads'}", 12, color=INK
        )
        figure.label(
            left + width / 2, y + 203, "cache: all" if groups == n_head else f"cache: 1/{n_head // groups} of it", 12
        )
    sentence = (
        f"{amount(n_head, 'query head')} with {amount(n_kv_head, 'key-value head')}: each of these serves "
        f"{n_head // n_kv_head} query heads, so the cache of keys and values is {n_head // n_kv_head} times smaller than "
        f"with {n_head}."
        if n_kv_head < n_head
        else f"{amount(n_head, 'query head')} with a key-value head each: ordinary multi-head attention, nothing is shared."
    )
    return figure.finish(sentence)
