"""A GPT, drawn from the model itself: the whole, one block, and the residual stream through all blocks (notebook 06)."""

from __future__ import annotations

from helpers.show.diagram import KINDS, LEFT, RIGHT, STREAM, Area, Diagram, need, shortened
from helpers.show.drawings.parts import read_block, read_gpt, short
from helpers.show.drawings.stream import layer, parameter_bars
from helpers.show.lettering import shape_text
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import INK, amount, number


def gpt(model) -> Drawing:
    """Draw a whole GPT: tokens, embedding and positions, blocks on the residual stream, norm, head, logits.

    `model` is a `helpers.models.gpt.GPT`, a module of one's own with ``embed``, ``blocks`` and ``head``, or a ``GPTConfig``; the
    sizes and parameter counts are its own. Raises ValueError for anything else.
    """
    parts = read_gpt(model)
    block, width, vocab = parts.block, parts.block.width, parts.vocab
    figure = Diagram(
        f"A GPT with {short(parts.parameters)} parameters: {amount(parts.n_layer, 'block')} on one residual stream"
    )
    x, wide, top = LEFT + 8, 330.0, TITLE_HEIGHT + 8
    stream = x + 30
    heads = block.heads + (", rotary positions" if block.rotary else "")
    middle = f"{number(width)} → {number(block.hidden)} → {number(width)}"
    sublayers = [
        ("attention", "causal self-attention", heads),
        ("feed-forward", "feed-forward", f"{middle}, {block.activation}"),
    ]
    logits = figure.tensor(x, top, wide, 30, "logits", ["T", vocab])
    head = figure.box(
        x, top + 52, wide, 42, "head", "embedding", "the embedding table again (tied)" if parts.tied else ""
    )
    norm = figure.box(x, top + 116, wide, 22, parts.norm, "norm", size=12, bold=False)
    frame, stream, areas = layer(
        figure, x, wide, top + 408, sublayers, "block", parts.n_layer, block.norm
    )  # fmt: skip
    learned = parts.positions == "learned"
    embed = figure.box(x, frame.bottom + 40, wide, 42, "embedding + positions" if learned else "embedding", "embedding",
                       "a vector per token" + (", one per position" if learned else ""))  # fmt: skip
    tokens = figure.tensor(x, embed.bottom + 22, wide, 30, "tokens", ["T"])
    for before, after in ((tokens, embed), (norm, head), (head, logits)):
        figure.arrow((stream, before.y), (stream, after.bottom))
    figure.line((stream, embed.y), (stream, frame.bottom), color=STREAM, width=5)
    figure.arrow((stream, frame.y), (stream, norm.bottom), color=STREAM, width=5)
    for y in (frame.bottom + 25, frame.y - 24):
        figure.label(stream + 14, y, f"residual stream {shape_text(['T', width])}", 12, "start")
    rows = [
        (
            "head",
            "embedding",
            "tied: nothing new" if parts.tied else f"{number(vocab)} × {number(width)}",
            parts.head_parameters,
        )
    ]
    for name, count in (("feed-forward", block.feed_forward_parameters), ("attention", block.attention_parameters)):
        rows.append((name, name, f"{parts.n_layer} × {short(count)}", parts.n_layer * count))
    if learned:
        rows.append(("positions", "embedding", f"{number(parts.context)} × {number(width)}", parts.position_parameters))
    rows.append(("embedding", "embedding", f"{number(vocab)} × {number(width)}", parts.embedding_parameters))
    rest = parts.parameters - sum(row[3] for row in rows)
    rows += [("norms" if rest < 0.02 * parts.parameters else "the rest", "norm", "", rest)] if rest else []
    parameter_bars(figure, frame.right + 64, RIGHT - 4, top + 96, rows, parts.parameters)
    where = (
        " plus a learned vector per position"
        if learned
        else ", turned by rotary positions inside attention"
        if block.rotary
        else ""
    )
    sentence = (
        f"A GPT with {number(parts.parameters)} parameters. {number(vocab)} tokens have a vector of "
        f"{amount(width, 'number')} each{where}. "
        f"{amount(parts.n_layer, 'block')} {'adds' if parts.n_layer == 1 else 'add'} to the residual stream [T, {width}], "
        f"with attention "
        f"({heads or 'several heads'}; {number(block.attention_parameters)} parameters per block) and a feed-forward "
        f"network ({middle}; "
        f"{number(block.feed_forward_parameters)}). After a last {parts.norm} the head, "
        f"{'tied to the embedding' if parts.tied else f'with {number(parts.head_parameters)} parameters of its own'}, "
        f"gives {number(vocab)} logits per position."
    )
    return figure.finish(sentence, f"T: up to {number(parts.context)} tokens at once." if parts.context else "")


def gpt_block(model) -> Drawing:
    """Draw one block of a GPT: two branches that read a normalized copy of the residual stream and add to it (pre-norm).

    `model` is a GPT, a block of one, or a ``GPTConfig``; sizes are its own. Raises ValueError for anything else.
    """
    block = read_block(model)
    width, hidden = block.width, block.hidden
    figure = Diagram(f"A GPT block: two branches add to the residual stream of {amount(width, 'number')} per token")
    stream, middle = TITLE_HEIGHT + 204, TITLE_HEIGHT + 92
    start, end = LEFT + 30, RIGHT - 30
    figure.arrow((start, stream), (end, stream), color=STREAM, width=6)
    for x, side, at in ((start, "end", -6), (end, "start", 6)):
        figure.label(x + at, stream + 5, "x", 16, side, INK, bold=True)
    figure.label((start + end) / 2, stream + 26, f"residual stream {shape_text(['T', width])}", 12.5)
    heads = block.heads
    note = heads.replace(", ", ",\n") + ("\nrotary positions" if block.rotary else "")
    left, right = start + 26, start + 286
    norm = figure.box(left + 20, middle - 20, 78, 40, block.norm, "norm", size=12.5, bold=False)
    high = 52 + 15 * len(note.split("\n"))
    area = (norm.right + 20, middle - high / 2, 124, high)
    attention = figure.box(*area, "causal\nself-attention", "attention", note, size=12.5)
    _branch(figure, left, right, stream, [norm, attention], "attention")
    left, right = right + 40, end - 34
    norm = figure.box(left + 20, middle - 20, 78, 40, block.norm, "norm", size=12.5, bold=False)
    up = _trapezoid(figure, norm.right + 18, middle, 78, 44, 104, "up, gate" if block.gated else "up", [width, hidden])
    act = figure.box(up.right + 10, middle - 52, 64, 104, block.activation, "step", f"{hidden:,}", size=13)
    down = _trapezoid(figure, act.right + 10, middle, 78, 104, 44, "down", [hidden, width])
    _branch(figure, left, right, stream, [norm, up, act, down], "feed-forward")
    sentence = (
        f"One block of a GPT with {number(block.parameters)} parameters. The residual stream carries "
        f"{amount(width, 'number')} per token. "
        f"First branch: {block.norm}, causal "
        f"self-attention{f' in {heads}' if heads else ''}{', with rotary positions' * block.rotary} "
        f"({number(block.attention_parameters)} parameters); its output is added to the stream. Second branch: "
        f"{block.norm}, {'two matrices' if block.gated else 'a matrix'} up to "
        f"{number(hidden)} numbers, {block.activation}, a matrix down to {number(width)} "
        f"({number(block.feed_forward_parameters)} parameters); "
        f"its output is added, too. The stream itself is not normalized (pre-norm)."
    )
    counts = f"attention {short(block.attention_parameters)}, feed-forward {short(block.feed_forward_parameters)}"
    return figure.finish(sentence, f"Parameters: {counts}, the whole block {short(block.parameters)}.")


def _branch(figure: Diagram, left: float, right: float, stream: float, areas: list[Area], name: str) -> None:
    """Draw the way from the stream through the parts and back onto it."""
    height = areas[0].center[1]
    plus = figure.circle(right, stream, "+", 12, STREAM)
    figure.arrow((left, stream), (left, height), areas[0].left_middle, width=1.8)
    for before, after in zip(areas, areas[1:]):
        figure.arrow(before.right_middle, after.left_middle)
    figure.arrow(areas[-1].right_middle, (right, height), (right, plus.y), width=1.8)
    figure.label((left + right) / 2, height + 80, f"{name} branch", 12.5)


def _trapezoid(
    figure: Diagram, x: float, middle: float, width: float, left: float, right: float, name: str, sizes
) -> Area:
    """A matrix that makes vectors longer or shorter: its sides are as high as these are long."""
    fill, edge, line = KINDS["feed-forward"]
    corners = ((x, -left), (x + width, -right), (x + width, right), (x, left))
    path = " L".join(f"{at:.1f} {middle + high / 2:.1f}" for at, high in corners)
    figure.parts.append(
        f'<path d="M{path}Z" fill="{fill}" stroke="{edge}" stroke-width="{line}" stroke-linejoin="round"/>'
    )
    figure.label(x + width / 2, middle - 4, name, 13, color=INK, bold=True)
    figure.label(x + width / 2, middle + 12, f"{sizes[0]:,}", 11, room=width - 8)
    figure.label(x + width / 2, middle + 25, f"→ {sizes[1]:,}", 11, room=width - 8)
    return Area(x, middle - max(left, right) / 2, width, max(left, right))


def residual_stream(n_layer: int) -> Drawing:
    """Draw the residual stream through ``n_layer`` blocks: attention and feed-forward networks add to it, nothing overwrites it.

    Raises ValueError for fewer than one layer.
    """
    need(n_layer >= 1, f"{n_layer} layers: give at least 1")
    shown = shortened(n_layer, 5)
    figure = Diagram(f"The residual stream through {amount(n_layer, 'block')}: everything adds to it")
    stream = TITLE_HEIGHT + 128
    room = min(220.0, (RIGHT - LEFT - 240) / len(shown))
    left = (LEFT + RIGHT - room * len(shown)) / 2 + 8
    embed = figure.box(left - 122, stream - 26, 100, 52, "embedding", "embedding", size=12.5)
    head = figure.box(left + room * len(shown) + 28, stream - 26, 76, 52, "norm,\nhead", "embedding", size=12.5)
    figure.arrow(embed.right_middle, head.left_middle, color=STREAM, width=6)
    for i, index in enumerate(shown):
        x = left + i * room
        if index is None:
            figure.label(x + room / 2, stream - 40, "…", 20, color=INK)
            continue
        figure.rect(x + 4, TITLE_HEIGHT + 24, room - 8, 208, "#f7f8fb", "#c9cdd6", 1.1, 8, behind=True)
        figure.label(x + room / 2, TITLE_HEIGHT + 18, f"block {index + 1}", 12, room=room - 4)
        above = figure.box(x + 0.08 * room, stream - 84, 0.7 * room, 32, "attention", "attention", size=12)
        below = figure.box(x + 0.42 * room, stream + 52, 0.5 * room, 32, "MLP", "feed-forward", size=12)
        for start, end, edge, sign in ((0.17, 0.38, above.bottom, -1), (0.59, 0.81, below.y, 1)):
            figure.arrow((x + start * room, stream), (x + start * room, edge))
            figure.arrow((x + end * room, edge), (x + end * room, stream + 9 * sign))
            figure.circle(x + end * room, stream, "+", 9, STREAM)
    sentence = (
        f"One vector per token runs from the embedding to the head through {amount(n_layer, 'block')}. Each block reads it "
        f"twice and "
        f"adds to it twice, attention first, then the feed-forward network (MLP): {2 * n_layer} additions, and nothing is "
        f"overwritten."
    )
    return figure.finish(sentence)
