"""The Transformer of 2017, drawn from the model itself (built for notebook 04)."""

from __future__ import annotations

from helpers.show.diagram import KINDS, RIGHT, STREAM, Area, Diagram
from helpers.show.drawings.parts import read_transformer, short
from helpers.show.lettering import shape_text
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import INK, TEAL, amount, number

WIDE, HIGH, NORM = 210.0, 38.0, 16.0  # of a sub-layer; of the norm below it
ENCODER, DECODER = 60.0, 398.0  # left edges


def transformer(model) -> Drawing:
    """Draw an encoder–decoder transformer with its sizes and the parameters of each part.

    `model` is a `helpers.models.transformer.Transformer`, or a module of one's own with ``embed``, ``encoder`` and ``decoder`` (lists of
    layers with ``self_attention``, ``cross_attention`` and ``feed_forward``). Raises ValueError for anything else.
    """
    parts = read_transformer(model)
    width = parts.width
    figure = Diagram(
        f"A Transformer with {short(parts.parameters)} parameters: {parts.n_encoder} encoder and {parts.n_decoder} decoder layers"
    )
    feed = ("feed-forward", "feed-forward", f"{number(width)} → {number(parts.hidden)} → {number(width)}")
    heads = amount(parts.n_head, "head") if parts.n_head else "several heads"
    encoder = [("attention", "self-attention", heads), feed]
    decoder = [("attention", "causal self-attention", heads), ("attention", "cross-attention", heads), feed]
    y = TITLE_HEIGHT + 10
    logits = figure.tensor(DECODER + 35, y, WIDE - 70, 30, "logits", ["T", parts.vocab])
    head = figure.box(DECODER, y + 54, WIDE, 40, "head", "embedding", "the embedding table again")
    step = HIGH + NORM + 26
    bottom = y + 150 + 3 * step
    right = _half(figure, DECODER, bottom, decoder, step, parts, parts.n_decoder, "decoder")
    left = _half(figure, ENCODER, bottom, encoder, step, parts, parts.n_encoder, "encoder")
    tables = []
    for x, tokens, shape in ((ENCODER, "context tokens", ["S"]), (DECODER, "reply tokens so far", ["T"])):
        table = figure.box(x, bottom + 50, WIDE, 42, "embedding", "embedding", "+ sine and cosine positions")
        given = figure.tensor(x + 25, table.bottom + 24, WIDE - 50, 30, tokens, shape)
        figure.arrow(given.top_middle, table.bottom_middle)
        tables.append(table)
    return _rest(figure, parts, left, right, tables, head, logits)


def _half(figure: Diagram, x: float, bottom: float, layers, step: float, parts, count: int, name: str):
    """Draw one stack from its lowest sub-layer upward; return its frame and the areas of the sub-layers."""
    top = bottom - len(layers) * step
    frame = Area(x - 20, top - 8, WIDE + 40, bottom - top + 16)
    for i in range(min(count, 3) - 1, 0, -1):
        figure.rect(frame.x + 6 * i, frame.y - 6 * i, frame.width, frame.height, "#eef0f5", "#9aa1b0", 1.2, 10)
    figure.rect(*frame, "#f7f8fb", "#9aa1b0", 1.4, 10)
    middle = x + WIDE / 2
    figure.line((middle, bottom + 50), (middle, frame.y - 12), color=STREAM, width=5)
    areas = []
    for i, (kind, text, note) in enumerate(layers):
        base = bottom - i * step - 8
        order = (NORM, HIGH) if parts.norm_first else (HIGH, NORM)
        low, high = base - order[0], base - order[0] - order[1]
        norm = (x, low, WIDE, NORM) if parts.norm_first else (x, high, WIDE, NORM)
        part = (x, high, WIDE, HIGH) if parts.norm_first else (x, low, WIDE, HIGH)
        figure.box(*norm, "LayerNorm", "norm", size=11, bold=False, rx=4)
        areas.append(figure.box(*part, text, kind, note))
        figure.circle(middle, high - 11, "+", 8, STREAM)
    figure.label(
        frame.x - 10 if name == "encoder" else frame.right + 22,
        frame.center[1] + 6,
        f"× {count}",
        18,
        "end" if name == "encoder" else "start",
        INK,
        bold=True,
    )
    return frame, areas


def _rest(figure: Diagram, parts, left, right, tables, head, logits) -> Drawing:
    (frame, _), (frame_2, areas) = left, right
    middle, middle_2 = frame.center[0], frame_2.center[0]
    norm = figure.box(
        middle_2 - WIDE / 2,
        frame_2.y - 40,
        WIDE,
        18,
        "LayerNorm" if parts.norm_first else "",
        "norm",
        size=11,
        bold=False,
        rx=4,
    )
    figure.arrow((middle_2, norm.y), head.bottom_middle)
    figure.arrow((middle_2, head.y), logits.bottom_middle)
    memory = figure.tensor(middle - 70, frame.y - 62, 140, 34, "memory", ["S", parts.width])
    cross = areas[1]
    bend = (frame.right + frame_2.x) / 2 + 8
    figure.arrow(
        memory.right_middle, (bend, memory.center[1]), (bend, cross.center[1]), cross.left_middle, color=TEAL, width=3
    )
    figure.label(bend - 8, cross.center[1] - 2, "keys, values", 11.5, "end", INK)
    x = frame_2.right + 24
    figure.label(x, TITLE_HEIGHT + 30, "parameters", 13, "start", INK, bold=True)
    for y, text in (
        (head.center[1], "tied: none"),
        (frame_2.y + 30, f"{short(parts.decoder_parameters)}"),
        (tables[1].center[1], short(parts.embedding_parameters)),
    ):
        figure.label(x, y + 4, text, 12.5, "start", INK, room=RIGHT - x)
    figure.label(frame.x + 4, frame.y - 84, f"encoder {short(parts.encoder_parameters)}", 12, "start", INK, bold=True)
    order = (
        "normalized before each sub-layer (pre-norm)"
        if parts.norm_first
        else "normalized after each sub-layer (post-norm)"
    )
    told = (
        f"A Transformer with {number(parts.parameters)} parameters, {order}. Its encoder of {amount(parts.n_encoder, 'layer')} ({number(parts.encoder_parameters)} parameters) turns the context into a memory [S, {parts.width}]; its decoder of "
        f"{amount(parts.n_decoder, 'layer')} ({number(parts.decoder_parameters)}) reads the reply so far with causal self-attention and the memory with cross-attention. {parts.n_head or 'Several'} heads, feed-forward "
        f"{parts.width} → {parts.hidden} → {parts.width}; one table of {number(parts.vocab)} token vectors ({number(parts.embedding_parameters)} parameters) serves for reading and for scoring."
    )
    return figure.finish(told)


_ = KINDS, shape_text
