"""Encoder and decoder, with one vector between them or with attention (built for notebook 03)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Area, Diagram, need, shortened
from helpers.show.lettering import Formula, joined, shape_text
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import INK, TEAL, amount, listing

MOST_CONTEXT, MOST_REPLY = 7, 5  # tokens drawn
HIGH, GAP, BRIDGE = 40, 14, 96  # of a cell; between two cells; between encoder and decoder


def encoder_decoder(
    context_tokens: Sequence[str],
    reply_tokens: Sequence[str],
    hidden_size: int,
    attention: Sequence[float] | None = None,
) -> Drawing:
    """Draw an encoder reading the context and a decoder writing the reply.

    The decoder reads each of ``reply_tokens`` and predicts the one after it, so the first is what a reply begins with. Without
    `attention` only the encoder's last hidden state passes to the decoder. With a list of weights, one for each context token,
    the decoder's first step attends to all hidden states, and the arrows are as thick as the weights. Raises ValueError for an
    empty context, for fewer than two reply tokens, or weights that do not fit.
    """
    context, reply = [str(token) for token in context_tokens], [str(token) for token in reply_tokens]
    need(len(context) >= 1, "the context is empty: give at least one token")
    need(len(reply) >= 2, "give at least two reply tokens: the one that begins it, and one to predict")
    weights = None if attention is None else [float(weight) for weight in attention]
    if weights is not None:
        total = sum(weights)
        need(
            len(weights) == len(context), f"{len(weights)} weights for {len(context)} context tokens: give one for each"
        )
        need(
            min(weights) >= 0 and abs(total - 1) < 0.02,
            f"weights are at least 0 and sum to 1; these sum to {total:.2f}",
        )
    left, right = shortened(len(context), MOST_CONTEXT), shortened(len(reply) - 1, MOST_REPLY)
    title = "one vector carries the whole context" if weights is None else "attention reads every hidden state"
    figure = Diagram(f"Encoder and decoder: {title}")
    count = len(left) + len(right)
    width = min(76, (RIGHT - LEFT - 24 - BRIDGE - GAP * (count - 2)) / count)
    start = (LEFT + RIGHT - BRIDGE - GAP * (count - 2) - width * count) / 2
    middle = start + len(left) * (width + GAP) - GAP + BRIDGE
    y = TITLE_HEIGHT + (152 if weights else 78)
    encoder = _row(figure, left, start, width, y, context, "h")
    decoder = _row(figure, right, middle, width, y, reply, "s")
    for index, area in zip(right, decoder):
        if index is not None:
            token = figure.tensor(area.x, y - 60, width, 26, seen(reply[index + 1], 9, space=True))
            figure.arrow(area.top_middle, token.bottom_middle)
    for cells, name, top in ((encoder, "encoder reads", y - 14), (decoder, "decoder writes", y - 72)):
        figure.rect(
            cells[0].x - 10,
            top,
            cells[-1].right - cells[0].x + 20,
            y + 128 - top,
            "#f7f8fb",
            "#c9cdd6",
            1.2,
            10,
            behind=True,
        )
        figure.label((cells[0].x + cells[-1].right) / 2, y + 119, name, 12.5, color=INK, bold=True)
    _bridge(figure, encoder, decoder, hidden_size, weights is None)
    if weights is not None:
        _attend(figure, encoder, decoder, [None if i is None else weights[i] for i in left], hidden_size)
    return figure.finish(_words(context, reply, hidden_size, weights, len(left), len(right)))


def _row(figure: Diagram, indices, x: float, width: float, y: float, tokens: list[str], letter: str) -> list[Area]:
    """Draw the cells of one network and the tokens that it reads below them; return the cells."""
    areas = []
    for index in indices:
        area = Area(x, y, width, HIGH)
        if index is None:
            figure.label(area.center[0], area.center[1] + 5, "…", 16, color=INK)
        else:
            figure.box(*area, Formula(f"{letter}_{{{index + 1}}}"), "recurrent", size=14)
            token = figure.tensor(x, y + HIGH + 28, width, 26, seen(tokens[index], 9, space=True))
            figure.arrow(token.top_middle, area.bottom_middle)
        areas.append(area)
        x += width + GAP
    gaps = [index is None for index in indices]
    for i, (before, after) in enumerate(zip(areas, areas[1:])):
        from_, to = (before.right - width / 3 * gaps[i], after.x + width / 3 * gaps[i + 1])
        figure.arrow((from_, y + HIGH / 2), (to, y + HIGH / 2), width=2.2)
    return areas


def _bridge(figure: Diagram, encoder, decoder, size: int, only: bool) -> None:
    """Draw the encoder's last hidden state on its way into the decoder."""
    last, first = encoder[-1], decoder[0]
    figure.arrow(last.right_middle, first.left_middle, width=4 if only else 2.2)
    x = (last.right + first.x) / 2
    below = ["context", "vector"] if only else ["last hidden", "state"]
    for i, text in enumerate([*below, shape_text([size])]):
        figure.label(x, last.center[1] + 22 + 15 * i, text, 11.5, color=INK, bold=only and i < 2, room=BRIDGE - 22)


def _attend(figure: Diagram, encoder, decoder, weights, size: int) -> None:
    """Draw the arrows from every hidden state to the weighted sum, and from there into the decoder."""
    center = max((encoder[0].x + encoder[-1].right) / 2, LEFT + 130)
    note = f"context vector {shape_text([size])}"
    box = figure.box(center - 112, TITLE_HEIGHT + 8, 224, 42, "attention: Σ weight × h", "attention", note)
    most, y = max(weight for weight in weights if weight is not None), encoder[0].y
    for i, (area, weight) in enumerate(zip(encoder, weights)):
        if weight is None:
            continue
        x, to = area.center[0], box.x + (i + 1) * box.width / (len(encoder) + 1)
        figure.arrow((x, y), (x, y - 38), (to, box.bottom), color=TEAL, width=max(0.7, 8 * weight), corner=2)
        figure.label(x - 4 - 4 * weight, y - 21, f"{weight:.2f}", 12, "end", INK, bold=weight == most)
    bend = (encoder[-1].right + decoder[0].x) / 2 + 6
    path = box.right_middle, (bend, box.center[1]), (bend, y + 9), (decoder[0].x, y + 9)
    figure.arrow(*path, color=TEAL, width=3)


def _words(context, reply, size: int, weights, left: int, right: int) -> str:
    named = quoted(joined(context))
    answer = quoted(joined(reply[1:]))
    sentence = f"The encoder reads {amount(len(context), 'token')}: {named}. The decoder writes {answer}"
    if weights is None:
        sentence += (
            f"; all it knows of the context is one vector of {amount(size, 'number')}, the encoder's last hidden state."
        )
    else:
        best = sorted(range(len(weights)), key=lambda i: -weights[i])[:3]
        most = listing(f"{quoted(context[i])} ({weights[i]:.2f})" for i in best)
        sentence += (
            f"; before it writes {quoted(reply[1])} it takes a weighted sum of all {len(context)} hidden states "
            f"({amount(size, 'number')} each), with most weight on {most}."
        )
    sentence += f" Not all of the {len(context)} context tokens are drawn." * (left < len(context))
    return sentence + f" Not all of the {len(reply) - 1} reply tokens are drawn." * (right < len(reply) - 1)
