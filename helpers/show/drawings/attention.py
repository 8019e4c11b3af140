"""Attention, drawn: one query with its numbers, all queries with their shapes, and who may attend to whom (notebooks 03, 04)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Area, Diagram, need, spread, tint
from helpers.show.lettering import Formula, shape_text
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import GRID, INK, PAPER, RULE, SOFT, TEAL, amount, listing, number


def attention_step(
    words: Sequence[str],
    weights: Sequence[float],
    query: str,
    scores: Sequence[float] | None = None,
    values: Sequence[Sequence[float]] | None = None,
) -> Drawing:
    """Draw attention for one query in its three steps: scores, softmax, weighted sum of the values.

    `weights` [S] sum to 1, one for each of `words`; `query` is the word that attends. `scores` [S] are the numbers before the
    softmax (they are left out where they are not given), `values` [S, D] the vectors that are summed, of which the words give
    the sum. Up to ten words are drawn. Raises ValueError when the lengths differ or the weights do not sum to 1.
    """
    words, weights = [str(word) for word in words], [float(weight) for weight in weights]
    need(0 < len(words) <= 10, f"{len(words)} words: give one to ten")
    need(len(weights) == len(words), f"{len(weights)} weights for {len(words)} words: give one for each")
    need(
        abs(sum(weights) - 1) < 0.02 and min(weights) >= 0,
        f"weights are at least 0 and sum to 1; these sum to {sum(weights):.2f}",
    )
    need(scores is None or len(scores) == len(words), "give one score for each word")
    need(values is None or len(values) == len(words), "give one value vector for each word")
    figure = Diagram(f"One query, {quoted(query)}: scores, softmax, weighted sum")
    columns = spread(len(words), LEFT + 118, RIGHT - 8, 84, 10)
    y = TITLE_HEIGHT + 12
    q = figure.box(LEFT, y, 92, 34, seen(query, 10), "new", size=13)
    figure.label(LEFT, y + 52, "query q", 12, "start")
    keys = [
        figure.box(x, y, width, 34, seen(word, 10), "tensor", size=13, bold=False)
        for word, (x, width) in zip(words, columns)
    ]
    figure.label(columns[0][0], y + 52, "keys k: each is compared with the query", 12, "start")
    rows = y + 76
    if scores is not None:
        scores = [float(score) for score in scores]
        _step(figure, rows, "1 · scores", "q · k")
        for (x, width), score in zip(columns, scores):
            figure.tensor(x, rows, width, 28, _two(score))
        rows += 54
    _step(figure, rows + 22, f"{2 if scores is not None else 1} · softmax", "sum to 1")
    high = 58
    for (x, width), weight in zip(columns, weights):
        bar = high * weight / max(weights)
        figure.rect(x, rows, width, high, "#f4f6fa", RULE, 0, 2)
        figure.rect(x, rows + high - bar, width, bar, tint(TEAL, 0.75), TEAL, 0, 2)
        figure.label(x + width / 2, rows + high + 16, f"{weight:.2f}", 12.5, color=INK, bold=weight == max(weights))
    rows += high + 40
    _step(figure, rows, f"{3 if scores is not None else 2} · values", "each × its weight")
    vectors = [figure.tensor(x, rows, width, 28, Formula(f"v_{{{i}}}")) for i, (x, width) in enumerate(columns, 1)]
    middle = (columns[0][0] + columns[-1][0] + columns[-1][1]) / 2
    total = figure.box(middle - 110, rows + 96, 220, 36, "Σ weight × value", "attention", size=13)
    for i, (area, weight) in enumerate(zip(vectors, weights)):
        to = total.x + (i + 1) * total.width / (len(words) + 1)
        figure.arrow(area.bottom_middle, (to, total.y), color=TEAL, width=max(0.6, 9 * weight))
    figure.label(
        total.right + 12,
        total.center[1] + 4,
        f"attention output for {quoted(query)}",
        12,
        "start",
        room=RIGHT - total.right - 12,
    )
    top = sorted(range(len(words)), key=lambda i: -weights[i])[:3]
    said = listing(f"{quoted(words[i])} {weights[i]:.2f}" for i in top)
    told = f"{quoted(query)} attends to {amount(len(words), 'word')}, with most weight on {said}."
    if scores is not None:
        told += f" The scores run from {_two(min(scores))} to {_two(max(scores))}; the softmax turns them into weights that sum to 1."
    if values is not None:
        sums = [
            sum(weight * float(vector[d]) for weight, vector in zip(weights, values)) for d in range(len(values[0]))
        ]
        told += f" The weighted sum of the values is ({', '.join(_two(each) for each in sums[:6])}{', …' * (len(sums) > 6)})."
    return figure.finish(told)


def _two(value: float) -> str:
    return "−∞" if value == -math.inf else f"{value:.2f}".replace("-", "−")


def _step(figure: Diagram, y: float, name: str, note: str) -> None:
    figure.label(LEFT, y + 12, name, 13, "start", INK, bold=True)
    figure.label(LEFT, y + 28, note, 12, "start")


def dot_product_attention(
    seq_len: int, d_k: int, d_v: int | None = None, source_len: int | None = None, causal: bool = True
) -> Drawing:
    """Draw scaled dot-product attention with the shape of everything: Q Kᵀ / √d_k, mask, softmax, times V.

    ``seq_len`` queries [T, d_k] are compared with ``source_len`` keys [S, d_k] (as many as queries where it is not given); the
    values are [S, d_v]. `causal` False leaves out the mask, as in cross-attention. Raises ValueError for sizes below 1, and for a
    causal mask over another text.
    """
    d_v, S, T = d_v or d_k, source_len or seq_len, seq_len
    need(min(T, S, d_k, d_v) >= 1, "give sizes of at least 1")
    need(
        not causal or S == T, "a causal mask needs as many keys as queries: leave source_len out, or give causal=False"
    )
    figure = Diagram("Scaled dot-product attention: softmax(Q Kᵀ / √d) V, with all shapes")
    unit = 92 / max(T, S)
    tall, wide = max(34.0, unit * T), max(34.0, unit * S)
    thick, deep = (max(26.0, min(92.0, 92 * each / max(d_k, d_v, T, S))) for each in (d_k, d_v))
    y, base = TITLE_HEIGHT + 44, TITLE_HEIGHT + 44 + 92
    parts = [("Q", [T, d_k], thick, tall, "kept"), ("×", "", 0, 0, ""), ("Kᵀ", [d_k, S], wide, thick, "kept"), ("→", f"÷ √{d_k}", 0, 0, ""),
             ("scores", [T, S], wide, tall, "grid"), ("→", ("mask, " if causal else "") + "softmax", 0, 0, ""),
             ("weights", [T, S], wide, tall, "soft"), ("×", "", 0, 0, ""), ("V", [S, d_v], deep, wide, "kept"), ("→", "", 0, 0, ""),
             ("output", [T, d_v], deep, tall, "new")]  # fmt: skip
    need_widths = [width or (16 if name == "×" else 76 if note else 40) for name, note, width, _, _ in parts]
    gap = (RIGHT - LEFT - sum(need_widths)) / (len(parts) - 1)
    x = LEFT
    for (name, shape, width, height, kind), room in zip(parts, need_widths):
        center = x + room / 2
        if not kind:
            _between(figure, name, shape, x, room, base - 46, gap)
        else:
            area = Area(x, base - 46 - height / 2, width, height)
            _matrix(figure, area, kind, T, S, causal)
            figure.label(center, base + 24, name, 13.5, color=INK, bold=True)
            figure.label(center, base + 42, shape_text(shape), 11.5, room=room + 2 * gap)
        x += room + gap
    figure._reach(base + 48)
    masked = T * (T - 1) // 2
    told = f"{amount(T, 'query', 'queries')} of {amount(d_k, 'number')} times {amount(S, 'key')} give {T} × {S} = {number(T * S)} scores, divided by √{d_k} = {math.sqrt(d_k):.1f}. "
    told += f"The causal mask hides {number(masked)} of them, those of later positions. " if causal else ""
    told += f"The softmax makes each row sum to 1; times the values [{S}, {d_v}] that gives an output [{T}, {d_v}]."
    return figure.finish(told)


def _between(figure: Diagram, sign: str, note: str, x: float, room: float, y: float, gap: float) -> None:
    if sign == "×":
        figure.label(x + room / 2, y + 6, "×", 20, color=INK, bold=True)
        return
    figure.arrow((x - gap + 5, y), (x + room + gap - 5, y), width=2)
    for i, part in enumerate(note.split(", ")[::-1] if note else []):
        figure.label(x + room / 2, y - 10 - 15 * i, part, 12, color=INK)


def _matrix(figure: Diagram, area: Area, kind: str, rows: int, columns: int, causal: bool) -> None:
    """A matrix as a rectangle; scores and weights as a grid of cells, gray where the mask hides them."""
    if kind in ("kept", "new"):
        figure.tensor(*area, kind=kind)
        return
    n, m = min(rows, 8), min(columns, 8)
    wide, high = area.width / m, area.height / n
    for i in range(n):
        for j in range(m):
            hidden = causal and j > i
            share = (
                0.28
                if kind == "grid"
                else min(0.9, 1.1 / (i + 1) if causal else 2 / m) * (0.45 + 0.55 * ((3 * i + 5 * j) % 4) / 3)
            )
            fill = GRID if hidden else tint(TEAL, share)
            figure.rect(area.x + j * wide, area.y + i * high, wide, high, fill, PAPER, 1, 0)
    figure.rect(*area, "none", TEAL, 1.6, 0)


def causal_mask(tokens: Sequence[str]) -> Drawing:
    """Draw who may attend to whom: a row for each token, filled at itself and at what came before it.

    Two to twelve tokens. Raises ValueError for other numbers of tokens.
    """
    tokens = [str(token) for token in tokens]
    need(2 <= len(tokens) <= 12, f"{len(tokens)} tokens: give 2 to 12, so that each can be read")
    n = len(tokens)
    figure = Diagram("The causal mask: each token attends to itself and to what came before it")
    size = min(44, 340 / n)
    wide = min(74, (RIGHT - LEFT - 320) / n)
    left, top = LEFT + 116, TITLE_HEIGHT + 46
    figure.label(left - 10, top - 12, "query ↓   key →", 12, "end")
    for j, token in enumerate(tokens):
        figure.label(left + (j + 0.5) * wide, top - 12, seen(token, 8), 12.5, color=INK, room=wide - 3)
    for i, token in enumerate(tokens):
        y = top + i * size
        figure.label(left - 10, y + size / 2 + 4, seen(token, 10), 12.5, "end", INK, room=104)
        for j in range(n):
            hidden = j > i
            figure.rect(
                left + j * wide, y, wide, size, GRID if hidden else tint(TEAL, 0.75 if j < i else 1), PAPER, 2, 3
            )
            if hidden:
                figure.label(left + (j + 0.5) * wide, y + size / 2 + 4, "−∞", 11, color=SOFT)
    x = left + n * wide + 22
    for k, (fill, text) in enumerate(((tint(TEAL, 0.75), "may attend"), (GRID, "masked: score −∞,"))):
        figure.rect(x, top + 4 + 28 * k, 18, 18, fill, PAPER, 0, 3)
        figure.label(x + 26, top + 18 + 28 * k, text, 12.5, "start", INK)
    figure.label(x + 26, top + 63, "so its weight is 0", 12.5, "start", INK)
    seen_by = n * (n + 1) // 2
    told = (
        f"{n} tokens: of the {n * n} pairs of query and key {seen_by} are allowed and {n * n - seen_by} masked. {quoted(tokens[0])} attends only to itself, "
        f"{quoted(tokens[-1])} to all {n}."
    )
    return figure.finish(told)
