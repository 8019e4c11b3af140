"""Attention, drawn: one query with its numbers, all queries with their shapes, and who may attend to whom (notebooks 03, "
"04)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Area, Diagram, need, spread, tint
from helpers.show.lettering import Formula, shape_text, text_width
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import GRID, INK, PAPER, RULE, SOFT, TEAL, amount, letters_on, listing, number


def attention_step(
    words: Sequence[str],
    weights: Sequence[float],
    query: str,
    scores: Sequence[float] | None = None,
    values: Sequence[Sequence[float]] | None = None,
) -> Drawing:
    """Draw attention for one query in its three steps: scores, softmax, weighted sum of the values.

    `weights` [S] sum to 1, one for each of `words`; `query` is the word that attends. `scores` [S] are the numbers before the
    softmax (they are left out where they are not given), `values` [S, D] the vectors that are summed; up to three numbers are
    written out. Up to ten words. Raises ValueError when the lengths differ or the weights do not sum to 1.
    """
    words, weights = [str(word) for word in words], [float(weight) for weight in weights]
    need(0 < len(words) <= 10, f"{len(words)} words: give one to ten")
    need(len(weights) == len(words), f"{len(weights)} weights for {len(words)} words: give one for each")
    total = sum(weights)
    need(abs(total - 1) < 0.02 and min(weights) >= 0, f"weights are at least 0 and sum to 1; these sum to {total:.2f}")
    need(scores is None or len(scores) == len(words), "give one score for each word")
    need(values is None or len(values) == len(words), "give one value vector for each word")
    figure = Diagram(f"One query, {quoted(query)}: " + "scores, " * (scores is not None) + "softmax, weighted sum")
    columns = spread(len(words), LEFT + 128, RIGHT, 116, 12)
    y = TITLE_HEIGHT + 10
    figure.box(LEFT, y, 96, 32, seen(query, 10), "new")
    figure.label(LEFT, y + 49, "query q", 12, "start")
    for word, (x, width) in zip(words, columns):
        figure.box(x, y, width, 32, seen(word, 10), "tensor", bold=False)
    figure.label(columns[0][0], y + 49, "keys k: the query is compared with each", 12, "start")
    y, step = y + 70, 1
    if scores is not None:
        scores = [float(score) for score in scores]
        _step(figure, y, f"{step} · scores", "query against key")
        for (x, width), score in zip(columns, scores):
            figure.tensor(x, y, width, 28, _two(score))
        y, step = y + 50, step + 1
    _step(figure, y + 18, f"{step} · softmax", "weights, sum 1")
    high = 58
    for (x, width), weight in zip(columns, weights):
        bar = high * weight / max(weights)
        figure.rect(x, y, width, high, "#f4f6fa", RULE, 0, 2)
        figure.rect(x, y + high - bar, width, bar, tint(TEAL, 0.75), TEAL, 0, 2)
        figure.label(x + width / 2, y + high + 16, f"{weight:.2f}", 12.5, color=INK, bold=weight == max(weights))
    y, step = y + high + 36, step + 1
    _step(figure, y, f"{step} · values", "each × its weight")
    summed = None if values is None else _weighted_sum(weights, values)
    middle = (columns[0][0] + columns[-1][0] + columns[-1][1]) / 2
    box = figure.box(middle - 105, y + 92, 210, 36, "Σ weight × value", "attention")
    for i, ((x, width), weight) in enumerate(zip(columns, weights)):
        name = Formula(f"v_{{{i + 1}}}") if values is None or len(values[i]) > 3 else _vector(values[i])
        area = figure.tensor(x, y, width, 28, name, size=12.5)
        to = box.x + (i + 1) * box.width / (len(words) + 1)
        figure.arrow(area.bottom_middle, (to, box.y), color=TEAL, width=max(0.6, 8 * weight))
    result = f"output for {quoted(query, 12)}" if summed is None else f"= {_vector(summed)}"
    figure.label(box.right + 12, box.center[1] + 5, result, 13, "start", INK, room=RIGHT - box.right - 12)
    top = sorted(range(len(words)), key=lambda i: -weights[i])[:3]
    named = listing(f"{quoted(words[i])} {weights[i]:.2f}" for i in top)
    sentence = f"{quoted(query)} attends to {amount(len(words), 'word')}, with most weight on {named}."
    if scores is not None:
        low, best = _two(min(scores)), _two(max(scores))
        sentence += f" The scores run from {low} to {best}; the softmax turns them into weights that sum to 1."
    if summed is not None:
        sentence += f" The weighted sum of the values is {_vector(summed)}."
    return figure.finish(sentence, "An arrow is as thick as its weight.")


def _weighted_sum(weights, values) -> list[float]:
    return [sum(weight * float(vector[d]) for weight, vector in zip(weights, values)) for d in range(len(values[0]))]


def _vector(values) -> str:
    return "(" + ", ".join(_two(float(value)) for value in values[:6]) + ", …" * (len(values) > 6) + ")"


def _two(value: float) -> str:
    return "−∞" if value == -math.inf else f"{value + 0.0:.2f}".replace("-", "−")


def _step(figure: Diagram, y: float, name: str, note: str) -> None:
    figure.label(LEFT, y + 12, name, 13, "start", INK, bold=True)
    figure.label(LEFT, y + 28, note, 12, "start", room=120)


def dot_product_attention(
    seq_len: int, d_k: int, d_v: int | None = None, source_len: int | None = None, causal: bool = True
) -> Drawing:
    """Draw scaled dot-product attention with the shape of everything: Q Kᵀ / √d_k, mask, softmax, times V.

    ``seq_len`` queries [T, d_k] are compared with ``source_len`` keys [S, d_k] (as many as queries where it is not given); the
    values are [S, d_v]. `causal` False leaves out the mask, as in cross-attention. Raises ValueError for sizes below 1, and for
    a causal mask with another number of keys than queries.
    """
    T, S, d_v = seq_len, seq_len if source_len is None else source_len, d_k if d_v is None else d_v
    need(min(T, S, d_k, d_v) >= 1, f"sizes are at least 1; got {T} queries, {S} keys, d_k = {d_k} and d_v = {d_v}")
    need(
        not causal or S == T, "a causal mask needs as many keys as queries: leave source_len out, or give causal=False"
    )
    figure = Diagram("Scaled dot-product attention: softmax(Q Kᵀ / √d) V, with all shapes")
    rows, columns, key, value = (max(40.0, 96 * math.sqrt(each / max(T, S, d_k, d_v))) for each in (T, S, d_k, d_v))
    parts = [
        ("Q", [T, d_k], key, rows, "kept"), ("×", "", 0, 0, ""), ("Kᵀ", [d_k, S], columns, key, "kept"),
        ("→", f"÷ √{d_k}", 0, 0, ""),
        ("scores", [T, S], columns, rows, "grid"), ("→", "mask,\nsoftmax" if causal else "softmax", 0, 0, ""),
        ("weights", [T, S], columns, rows, "masked"), ("×", "", 0, 0, ""), ("V", [S, d_v], value, columns, "kept"),
        ("→", "", 0, 0, ""), ("output", [T, d_v], value, rows, "new"),
    ]  # fmt: skip
    rooms = [
        max(width, text_width(shape_text(shape), 11.5)) if kind else 14 if name == "×" else 62 if shape else 36
        for name, shape, width, _, kind in parts
    ]
    gap = min(16.0, (RIGHT - LEFT - sum(rooms)) / (len(parts) - 1))
    x, y = (LEFT + RIGHT - sum(rooms) - gap * (len(parts) - 1)) / 2, TITLE_HEIGHT + 66
    for (name, shape, width, height, kind), room in zip(parts, rooms):
        middle = x + room / 2
        if name == "×":
            figure.label(middle, y + 6, "×", 20, color=INK, bold=True)
        elif name == "→":
            figure.arrow((x, y), (x + room, y), width=2)
            lines = shape.count("\n")
            figure.text(middle, y - 12 - 16 * lines, shape, 12, INK, "middle", room=room + 2 * gap)
        else:
            area = Area(middle - width / 2, y - height / 2, width, height)
            _matrix(figure, area, kind, T, S, causal)
            figure.label(middle, y + 76, name, 13.5, color=INK, bold=True)
            figure.label(middle, y + 94, shape_text(shape), 11.5)
        x += room + gap
    sentence = (
        f"{amount(T, 'query', 'queries')} of {amount(d_k, 'number')} times {amount(S, 'key')} give {number(T)} × "
        f"{number(S)} = "
        f"{number(T * S)} scores, divided by √{d_k} = {math.sqrt(d_k):.3g}. "
    )
    sentence += f"The causal mask hides {number(T * (T - 1) // 2)} of them, those of later positions. " if causal else ""
    sentence += f"The softmax makes each row sum to 1; times the values {shape_text([S, d_v])} that gives "
    sentence += f"an output {shape_text([T, d_v])}."
    return figure.finish(sentence, "Gray: masked, weight 0." if causal else "")


def _matrix(figure: Diagram, area: Area, kind: str, rows: int, columns: int, causal: bool) -> None:
    """A matrix as a rectangle; scores and weights as a grid of at most 8 × 8 cells, gray where the mask hides them."""
    if kind in ("kept", "new"):
        figure.tensor(*area, kind=kind)
        return
    n, m = min(rows, 8), min(columns, 8)
    wide, high = area.width / m, area.height / n
    for i in range(n):
        for j in range(m):
            fill = tint(TEAL, 0.3) if kind == "grid" else GRID if causal and j > i else tint(TEAL, 0.65)
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
    high, wide = min(38, 330 / n), min(74, (RIGHT - LEFT - 320) / n)
    left, top = LEFT + 124, TITLE_HEIGHT + 34
    figure.label(left - 12, top - 12, "query ↓  key →", 12, "end")
    for j, token in enumerate(tokens):
        figure.label(left + (j + 0.5) * wide, top - 12, seen(token, 8), 12.5, color=INK, room=wide - 3)
    for i, token in enumerate(tokens):
        y = top + i * high
        figure.label(left - 12, y + high / 2 + 4, seen(token, 10), 12.5, "end", INK, room=104)
        for j in range(n):
            fill = GRID if j > i else tint(TEAL, 0.75 if j < i else 1)
            figure.rect(left + j * wide, y, wide, high, fill, PAPER, 2, 3)
            figure.label(
                left + (j + 0.5) * wide, y + high / 2 + 4, "−∞" if j > i else "✓", 12,
                color=SOFT if j > i else letters_on(fill),
            )
    x = left + n * wide + 26
    for k, (fill, text) in enumerate(((tint(TEAL, 0.75), "may attend"), (GRID, "masked: score −∞,"))):
        figure.rect(x, top + 4 + 30 * k, 18, 18, fill, PAPER, 0, 3)
        figure.label(x + 26, top + 18 + 30 * k, text, 12.5, "start", INK, room=RIGHT - x - 26)
    figure.label(x + 26, top + 65, "so the weight is 0", 12.5, "start", INK, room=RIGHT - x - 26)
    allowed = n * (n + 1) // 2
    sentence = (
        f"{n} tokens: of the {n * n} pairs of query and key {allowed} are allowed and {n * n - allowed} masked. "
        f"{quoted(tokens[0])} attends only to itself, {quoted(tokens[-1])} to all {n}."
    )
    return figure.finish(sentence)
