"""A GPT, drawn from the model itself: the whole, one block, and the residual stream through all blocks (notebook 06)."""

from __future__ import annotations

from helpers.show.diagram import LEFT, RIGHT, STREAM, Area, Diagram, need, shortened
from helpers.show.drawings.parts import read_block, read_gpt, short
from helpers.show.lettering import shape_text
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import INK, SOFT, amount, number


def gpt(model) -> Drawing:
    """Draw a whole GPT: tokens, embedding and positions, blocks on the residual stream, norm, head, logits.

    `model` is a `helpers.models.gpt.GPT`, a module of one's own with ``embed``, ``blocks`` and ``head``, or a ``GPTConfig``; sizes and
    parameter counts are its own. Raises ValueError for anything else.
    """
    parts, block = read_gpt(model), read_gpt(model).block
    T, width = "T", block.width
    figure = Diagram(
        f"A GPT with {short(parts.parameters)} parameters: {amount(parts.n_layer, 'block')} on one residual stream"
    )
    x, wide, top = 250.0, 240.0, TITLE_HEIGHT + 10
    middle = x + wide / 2
    logits = figure.tensor(x + 40, top, wide - 80, 30, "logits", [T, parts.vocab])
    head = figure.box(
        x, top + 58, wide, 44, "head", "embedding", "the embedding table again" if parts.tied else "a matrix of its own"
    )
    norm = figure.box(x, top + 126, wide, 26, block.norm if parts else "", "norm", size=12.5, bold=False)
    stack_top = top + 196
    high = 172
    attention = Area(x + 18, stack_top + 98, wide - 36, 40)
    feed = Area(x + 18, stack_top + 22, wide - 36, 40)
    frame = _frames(figure, Area(x - 26, stack_top, wide + 52, high - 18), parts.n_layer)
    embed = figure.box(x, stack_top + high + 36, wide, 44, "embedding" + (" + positions" if parts.positions == "learned" else ""), "embedding",
                       f"one vector of {number(width)} per token" + (" and per position" if parts.positions == "learned" else ""))  # fmt: skip
    tokens = figure.tensor(x + 40, embed.bottom + 28, wide - 80, 30, "tokens", [T])
    figure.arrow(tokens.top_middle, embed.bottom_middle)
    figure.line((middle, embed.y), (middle, norm.bottom + 8), color=STREAM, width=5)
    figure.arrow((middle, norm.bottom + 14), (middle, norm.bottom), color=STREAM, width=2.6)
    for area, kind, name, note in (
        (
            attention,
            "attention",
            "causal self-attention",
            f"{block.n_head} heads" + (", rotary positions" if block.rotary else "") if block.n_head else "",
        ),
        (
            feed,
            "feed-forward",
            "feed-forward network",
            f"{number(width)} → {number(block.hidden)} → {number(width)}, {block.activation}",
        ),
    ):
        figure.box(*area, name, kind, note, size=13)
    figure.arrow((middle, norm.y), head.bottom_middle)
    figure.arrow((middle, head.y), logits.bottom_middle)
    figure.label(frame.x - 16, frame.center[1] + 6, f"× {parts.n_layer}", 20, "end", INK, bold=True)
    _shape(figure, middle, embed.y - 14, [T, width])
    _shape(figure, middle, stack_top - 22, [T, width])
    rows = [(head.center[1], "head", "the same numbers as below: tied" if parts.tied else short(parts.head_parameters)),
            (feed.center[1], "feed-forward", f"{short(block.feed_forward_parameters)} per block"),
            (attention.center[1], "attention", f"{short(block.attention_parameters)} per block"),
            (embed.center[1] - 8, "embedding", f"{number(parts.vocab)} × {number(width)} = {short(parts.embedding_parameters)}")]  # fmt: skip
    if parts.position_parameters:
        rows.append(
            (
                embed.center[1] + 12,
                "positions",
                f"{number(parts.context)} × {number(width)} = {short(parts.position_parameters)}",
            )
        )
    left = frame.right + 44
    figure.label(left, top + 20, "parameters", 13, "start", INK, bold=True)
    for y, name, text in rows:
        figure.label(left, y + 4, text, 13, "start", INK, room=RIGHT - left)
    note = (
        f"Sizes and counts are those of this model. T: up to {number(parts.context)} tokens."
        if parts.context
        else "Sizes and counts are those of this model."
    )
    told = (
        f"A GPT with {number(parts.parameters)} parameters. {number(parts.vocab)} tokens have a vector of {amount(width, 'number')} each"
        f"{' plus a learned vector per position' if parts.positions == 'learned' else ''}; {amount(parts.n_layer, 'block')} add to the residual stream [T, {width}], each with "
        f"attention in {block.n_head or 'several'} heads ({number(block.attention_parameters)} parameters) and a feed-forward network "
        f"{width} → {block.hidden} → {width} ({number(block.feed_forward_parameters)}). After a last {block.norm} the head, "
        f"{'tied to the embedding' if parts.tied else f'with {number(parts.head_parameters)} parameters'}, gives {number(parts.vocab)} logits per position."
    )
    return figure.finish(told, note)


def _frames(figure: Diagram, area: Area, count: int) -> Area:
    """The block's frame, with the edges of others behind it."""
    for i in range(min(count, 3) - 1, 0, -1):
        figure.rect(area.x + 6 * i, area.y - 6 * i, area.width, area.height, "#eef0f5", "#9aa1b0", 1.2, 10)
    return figure.rect(*area, "#f7f8fb", "#9aa1b0", 1.4, 10)


def _shape(figure: Diagram, x: float, y: float, shape) -> None:
    figure.label(x + 10, y + 4, shape_text(shape), 12, "start")


def gpt_block(model) -> Drawing:
    """Draw one block of a GPT: two branches that read a normalized copy of the residual stream and add to it (pre-norm).

    `model` is a GPT, a block of one, or a ``GPTConfig``; sizes are its own. Raises ValueError for anything else.
    """
    block = read_block(model)
    width, hidden = block.width, block.hidden
    figure = Diagram(f"A GPT block: two branches add to the residual stream of {amount(width, 'number')} per token")
    stream, y = TITLE_HEIGHT + 190, TITLE_HEIGHT + 24
    figure.arrow((LEFT + 44, stream), (RIGHT - 44, stream), color=STREAM, width=6)
    figure.label(LEFT + 40, stream + 5, "x", 16, "end", INK, bold=True)
    figure.label(RIGHT - 38, stream + 5, "x", 16, "start", INK, bold=True)
    figure.label(LEFT + 48, stream + 24, shape_text(["T", width]), 12, "start")
    figure.label(RIGHT - 48, stream + 24, shape_text(["T", width]), 12, "end")
    heads = f"{block.n_head} heads of {width // block.n_head}" if block.n_head else ""
    steps = [
        (LEFT + 70, [("norm", block.norm, "", 30), ("attention", "causal self-attention", heads + (", rotary" if block.rotary else ""), 56)]),
        (LEFT + 396, [("norm", block.norm, "", 30), ("feed-forward", "up", f"{number(width)} → {number(hidden)}", 0), ("step", block.activation, "", 0), ("feed-forward", "down", f"{number(hidden)} → {number(width)}", 0)]),
    ]  # fmt: skip
    for (left, chain), name in zip(steps, ("attention branch", "feed-forward branch")):
        wide = 286 if left < 300 else 310
        right = left + wide
        figure.label((left + right) / 2, y, name, 12.5, color=SOFT)
        plus = figure.circle(right, stream, "+", 12, STREAM)
        areas = _chain(figure, chain, left + 26, right - 26, stream - 120)
        figure.arrow((left, stream), (left, areas[0].center[1]), areas[0].left_middle, width=2)
        for before, after in zip(areas, areas[1:]):
            figure.arrow(before.right_middle, after.left_middle, width=1.6)
        figure.arrow(areas[-1].right_middle, (right, areas[-1].center[1]), (right, plus.y), width=2)
    told = (
        f"One block of a GPT with {number(block.parameters)} parameters. The residual stream carries {amount(width, 'number')} per token. First branch: {block.norm}, causal "
        f"self-attention{f' in {heads}' if heads else ''} ({number(block.attention_parameters)} parameters), added to the stream. Second branch: {block.norm}, "
        f"a matrix up to {number(hidden)}, {block.activation}, a matrix down to {number(width)} ({number(block.feed_forward_parameters)} parameters), added, too. The stream itself is never normalized (pre-norm)."
    )
    return figure.finish(
        told,
        f"Parameters: attention {short(block.attention_parameters)}, feed-forward {short(block.feed_forward_parameters)}.",
    )


def _chain(figure: Diagram, chain, left: float, right: float, y: float) -> list[Area]:
    """Draw the parts of a branch side by side between left and right; return their areas."""
    weights = {"norm": 1.0, "step": 0.75}
    gap = 14.0
    each = (right - left - gap * (len(chain) - 1)) / sum(
        weights.get(kind, 1.0 if len(chain) > 2 else 1.7) for kind, *_ in chain
    )
    areas, x = [], left
    for kind, name, note, _ in chain:
        width = each * weights.get(kind, 1.0 if len(chain) > 2 else 1.7)
        areas.append(figure.box(x, y - 26, width, 52, name, kind, note, size=12.5, bold=kind != "norm"))
        x += width + gap
    return areas


def residual_stream(n_layer: int) -> Drawing:
    """Draw the residual stream through ``n_layer`` blocks: attention and feed-forward networks add to it, nothing overwrites it.

    Raises ValueError for fewer than one layer.
    """
    need(n_layer >= 1, f"{n_layer} layers: give at least 1")
    shown = shortened(n_layer, 6)
    figure = Diagram(f"The residual stream through {amount(n_layer, 'block')}: everything adds to it")
    stream = TITLE_HEIGHT + 128
    embed = figure.box(LEFT, stream - 26, 92, 52, "embedding", "embedding", size=12.5)
    head = figure.box(RIGHT - 76, stream - 26, 76, 52, "norm,\nhead", "embedding", size=12.5)
    figure.arrow(embed.right_middle, head.left_middle, color=STREAM, width=6)
    room = (head.x - embed.right - 32) / len(shown)
    for i, index in enumerate(shown):
        left = embed.right + 14 + i * room
        if index is None:
            figure.label(left + room / 2, stream - 40, "…", 20, color=INK)
            continue
        figure.rect(left + 3, TITLE_HEIGHT + 24, room - 6, 192, "none", "#c9cdd6", 1.1, 8)
        figure.label(left + room / 2, TITLE_HEIGHT + 18, f"block {index + 1}", 12, room=room - 4)
        for kind, name, at, up in (("attention", "attention", 0.28, True), ("feed-forward", "MLP", 0.7, False)):
            wide = min(92, 0.86 * room)
            box = figure.box(
                left + (room - wide) / 2, stream - 84 if up else stream + 44, wide, 32, name, kind, size=12
            )
            a, b = left + room * (at - 0.14), left + room * (at + 0.14)
            edge = box.bottom if up else box.y
            figure.arrow((max(a, box.x + 6), stream), (max(a, box.x + 6), edge), width=1.5)
            figure.arrow((min(b, box.right - 6), edge), (min(b, box.right - 6), stream), width=1.5)
            figure.circle(min(b, box.right - 6), stream, "+", 8, STREAM)
    told = f"One vector per token runs from the embedding to the head through {amount(n_layer, 'block')}. Each block reads it twice and adds to it twice, attention first, then the feed-forward network: {2 * n_layer} additions, and nothing is overwritten."
    return figure.finish(told)
