"""The Transformer of 2017, drawn from the model itself (built for notebook 04)."""

from __future__ import annotations

from helpers.show.diagram import LEFT, RIGHT, STREAM, Diagram
from helpers.show.drawings.parts import read_transformer, short
from helpers.show.drawings.stream import PAD, PITCH, layer, parameter_bars
from helpers.show.lettering import shape_text
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import INK, TEAL, amount, number

WIDE = 316.0  # of a frame
ENCODER, DECODER = LEFT + 4, RIGHT - WIDE - 20  # left edges


def transformer(model) -> Drawing:
    """Draw an encoder–decoder transformer with its sizes and the parameters of each part.

    `model` is a `helpers.models.transformer.Transformer`, or a module of one's own with ``embed``, ``encoder`` and ``decoder``
    (layers with ``self_attention``, ``cross_attention`` and ``feed_forward``). Raises ValueError for anything else.
    """
    parts = read_transformer(model)
    width, first = parts.width, parts.norm_first
    counts = f"{amount(parts.n_encoder, 'encoder layer')}, {amount(parts.n_decoder, 'decoder layer')}"
    figure = Diagram(f"A Transformer with {short(parts.parameters)} parameters: {counts}")
    hidden = f"{number(width)} → {number(parts.hidden)} → {number(width)}"
    feed, heads = ("feed-forward", "feed-forward", hidden), amount(parts.n_head, "head") if parts.n_head else ""
    encoder = [("attention", "self-attention", heads), feed]
    decoder = [("attention", "causal self-attention", heads), ("attention", "cross-attention", heads), feed]
    top = TITLE_HEIGHT + 8
    bottom = top + 166 + PAD + 3 * PITCH
    left, stream, _ = layer(figure, ENCODER, WIDE, bottom, encoder, "encoder layer", parts.n_encoder, parts.norm, first)
    right, stream_2, areas = layer(
        figure, DECODER, WIDE, bottom, decoder, "decoder layer", parts.n_decoder, parts.norm, first, mirrored=True
    )
    logits = figure.tensor(DECODER, top, WIDE, 30, "logits", ["T", parts.vocab])
    head = figure.box(
        DECODER, top + 52, WIDE, 42, "head", "embedding", "the embedding table again (tied)" if parts.tied else ""
    )
    memory = figure.tensor(ENCODER, left.y - (86 if first else 64), WIDE, 30, "memory", ["S", width])
    for x, frame, above in ((stream, left, memory), (stream_2, right, head)):
        end = above.bottom
        if first:
            norm = figure.box(frame.x, frame.y - 42, WIDE, 20, parts.norm, "norm", size=11.5, bold=False)
            figure.arrow((x, norm.y), (x, end))
            end = norm.bottom
        figure.arrow((x, frame.y), (x, end), color=STREAM, width=5)
    figure.arrow((stream_2, head.y), (stream_2, logits.bottom))
    for x, frame, tokens, shape in ((stream, left, "context tokens", "S"), (stream_2, right, "reply tokens", "T")):
        table = figure.box(
            frame.x, bottom + 38, WIDE, 42, "embedding + positions", "embedding", "one table for both sides"
        )
        given = figure.tensor(frame.x, table.bottom + 22, WIDE, 30, tokens, [shape])
        figure.arrow((x, given.y), (x, table.bottom))
        figure.line((x, table.y), (x, bottom), color=STREAM, width=5)
        side = ("start", 14) if x == stream else ("end", -14)
        figure.label(x + side[1], bottom + 24, f"residual stream {shape_text([shape, width])}", 12, side[0])
    cross = areas[1]
    bend = (left.right + 12 + right.x) / 2
    figure.arrow(
        memory.right_middle, (bend, memory.center[1]), (bend, cross.center[1]), cross.left_middle, color=TEAL, width=3
    )
    figure.text(bend - 9, (memory.center[1] + cross.center[1]) / 2, "keys,\nvalues", 12, INK, "end")
    rows = [
        (name, "attention", f"{layers} × {short(count // layers)}", count)
        for name, layers, count in (
            ("decoder", parts.n_decoder, parts.decoder_parameters),
            ("encoder", parts.n_encoder, parts.encoder_parameters),
        )
    ]
    rows.append(("embedding", "embedding", f"{number(parts.vocab)} × {number(width)}", parts.embedding_parameters))
    parameter_bars(figure, LEFT + 4, ENCODER + WIDE, top + 16, rows, parts.parameters)
    order = "before each sub-layer (pre-norm)" if first else "after each sub-layer (post-norm)"
    sentence = (
        f"A Transformer with {number(parts.parameters)} parameters, normalized {order}. Its encoder of "
        f"{amount(parts.n_encoder, 'layer')} ({number(parts.encoder_parameters)} parameters) turns the context into a memory "
        f"[S, {width}]; its decoder of {amount(parts.n_decoder, 'layer')} ({number(parts.decoder_parameters)}) reads the "
        f"reply so far "
        f"with causal self-attention and the memory with cross-attention, whose keys and values come from there. "
        f"{heads.capitalize() or 'Several heads'}, feed-forward {hidden}; a table of {number(parts.vocab)} token vectors "
        f"({number(parts.embedding_parameters)} parameters) "
        f"{'serves for reading and for scoring' if parts.tied else 'for reading'}."
    )
    return figure.finish(sentence)
