"""Encoder and decoder, with one vector between them or with attention (built for notebook 03)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Area, Diagram, need, shortened
from helpers.show.lettering import Formula, shape_text
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import INK, SOFT, TEAL, amount, listing

MOST_CONTEXT, MOST_REPLY = 7, 5
HIGH = 40  # of a cell


def encoder_decoder(
    context_tokens: Sequence[str],
    reply_tokens: Sequence[str],
    hidden_size: int,
    attention: Sequence[float] | None = None,
) -> Drawing:
    """Draw an encoder reading the context and a decoder writing the reply.

    The decoder reads each of ``reply_tokens`` and predicts the one after it, so the first is what a reply begins with. Without
    `attention` only the encoder's last hidden state passes to the decoder. With a list of weights, one per context token, the
    decoder's first step attends to all of them, and arrows are as thick as the weights. Raises ValueError for an empty context, for
    fewer than two reply tokens, or weights that do not fit.
    """
    context, reply = list(context_tokens), list(reply_tokens)
    need(len(context) >= 1, "the context is empty: give at least one token")
    need(len(reply) >= 2, "give at least two reply tokens: the one that begins it, and one to predict")
    weights = None if attention is None else [float(weight) for weight in attention]
    if weights is not None:
        need(
            len(weights) == len(context), f"{len(weights)} weights for {len(context)} context tokens: give one for each"
        )
        need(
            min(weights) >= 0 and abs(sum(weights) - 1) < 0.02,
            f"weights are at least 0 and sum to 1; these sum to {sum(weights):.2f}",
        )
    left, right = shortened(len(context), MOST_CONTEXT), shortened(len(reply) - 1, MOST_REPLY)
    title = "one vector carries the whole context" if weights is None else "attention reads every hidden state"
    figure = Diagram(f"Encoder and decoder: {title}")
    gap, between = 14, 92
    width = min(74, (RIGHT - LEFT - 24 - between - gap * (len(left) + len(right) - 2)) / (len(left) + len(right)))
    start = (
        LEFT
        + 12
        + (RIGHT - LEFT - 24 - between - gap * (len(left) + len(right) - 2) - width * (len(left) + len(right))) / 2
    )
    middle = start + len(left) * (width + gap) - gap + between
    y = TITLE_HEIGHT + (150 if weights else 88)
    encoder = _row(figure, left, start, width, gap, y, context, "h", hidden_size)
    decoder = _row(figure, right, middle, width, gap, y, reply, "s", hidden_size)
    for index, area in zip(right, decoder):
        if index is not None:
            out = figure.tensor(area.x, y - 62, width, 26, seen(reply[index + 1], 9, space=True))
            figure.arrow(area.top_middle, out.bottom_middle)
    figure.group(encoder, "encoder: reads", pad=10, top=30 if weights is None else 24)
    figure.group([*decoder, Area(decoder[0].x, y - 62, 1, 1)], "decoder: writes", pad=10, top=28)
    last, first = encoder[-1], decoder[0]
    figure.arrow(last.right_middle, first.left_middle, width=2.4)
    bridge = (last.right + first.x) / 2
    if weights is None:
        figure.label(bridge, y - 20, "context", 11.5, color=INK, bold=True)
        figure.label(bridge, y - 6, "vector", 11.5, color=INK, bold=True)
        figure.label(bridge, y + HIGH + 2, shape_text([hidden_size]), 11.5)
    else:
        _attend(figure, encoder, decoder, [None if i is None else weights[i] for i in left], y, hidden_size)
    cut = [text for text, shown, all_ in (("context", left, context), ("reply", right, reply[1:])) if len(shown) < len(all_)
           for text in [f"Not all of the {len(all_)} {text} tokens are drawn."]]  # fmt: skip
    read = f"The encoder reads {amount(len(context), 'token')}: {quoted(' '.join(map(str.strip, context)))}. The decoder writes {quoted(' '.join(map(str.strip, reply[1:])))}"
    if weights is None:
        how = f"; all it knows of the context is one vector of {amount(hidden_size, 'number')}, the encoder's last hidden state."
    else:
        best = sorted(range(len(weights)), key=lambda i: -weights[i])[:3]
        how = (f"; before it writes {quoted(reply[1])} it takes a weighted sum of all {len(context)} hidden states ({amount(hidden_size, 'number')} each), with most weight on "
               + listing(f"{quoted(context[i])} ({weights[i]:.2f})" for i in best) + ".")  # fmt: skip
    return figure.finish(" ".join([read + how, *cut]))


def _row(
    figure: Diagram, indices, x: float, width: float, gap: float, y: float, tokens, letter: str, size: int
) -> list[Area]:
    """Draw the cells of one network and the tokens that it reads below them; return the cells."""
    areas = []
    for index in indices:
        if index is None:
            area = Area(x, y, width, HIGH)
            figure.label(*(area.center[0], area.center[1] + 5), "…", 16, color=INK)
        else:
            area = figure.box(x, y, width, HIGH, Formula(f"{letter}_{{{index + 1}}}"), "recurrent", size=14)
            token = figure.tensor(x, y + HIGH + 28, width, 26, seen(tokens[index], 9, space=True))
            figure.arrow(token.top_middle, area.bottom_middle)
        areas.append(area)
        x += width + gap
    for before, after in zip(areas, areas[1:]):
        figure.arrow((before.right, before.center[1]), (after.x, after.center[1]), width=2.4)
    return areas


def _attend(figure: Diagram, encoder, decoder, weights, y: float, size: int) -> None:
    """Draw the arrows from every hidden state to the weighted sum, and from there into the decoder."""
    center = (encoder[0].x + encoder[-1].right) / 2
    box = figure.box(
        center - 100,
        TITLE_HEIGHT + 8,
        200,
        40,
        "attention: Σ weight · h",
        "attention",
        f"context vector {shape_text([size])}",
        size=12.5,
    )
    for i, (area, weight) in enumerate(zip(encoder, weights)):
        if weight is None:
            continue
        to = box.x + (i + 1) * box.width / (len(encoder) + 1)
        start = (area.center[0], y)
        figure.arrow(start, (to, box.bottom), color=TEAL, width=max(0.7, 9 * weight))
        figure.label(
            area.center[0] - 6,
            y - 12,
            f"{weight:.2f}",
            12,
            "end",
            INK,
            bold=weight == max(w for w in weights if w is not None),
        )
    target = decoder[0]
    path = box.right_middle, (target.x - 26, box.center[1]), (target.x - 26, y + 10), (target.x, y + 10)
    figure.arrow(*path, color=TEAL, width=2.6)
    figure.label(target.x - 34, y + HIGH + 2, Formula("s_{0}"), 12.5, "end", SOFT)
