"""How a network learns: the loop around every training, and where the targets come from (built for notebook 02)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need
from helpers.show.lettering import text_width
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import INK, amount

LOOP = (  # clockwise: name, kind, code, what it does
    ("1 · next batch", "tensor", "for batch in batches:", "inputs and targets"),
    ("2 · loss", "loss", "value = loss(model, batch)", "how wrong, as one number"),
    ("3 · zero gradients", "step", "optimizer.zero_grad()", "or they would add up"),
    ("4 · backward", "loss", "value.backward()", "a gradient for every parameter"),
    ("5 · clip", "recurrent", "clip_grad_norm_(…, clip)", "no longer than clip"),
    ("6 · optimizer step", "feed-forward", "optimizer.step()", "each parameter moves a little"),
)


def training_loop() -> Drawing:
    """Draw the training loop: six steps in a circle, each with its line of code."""
    figure = Diagram("The training loop: six lines, repeated for every batch")
    width, height, gap = 236, 92, 40
    rows = TITLE_HEIGHT + 12, TITLE_HEIGHT + 12 + height + 46
    spots = [(LEFT + i * (width + gap), rows[0]) for i in range(3)] + [
        (LEFT + i * (width + gap), rows[1]) for i in (2, 1, 0)
    ]
    boxes = []
    for (name, kind, code, purpose), (x, y) in zip(LOOP, spots):
        box = figure.box(x, y, width, height, "", kind)
        figure.label(box.center[0], y + 26, name, 14.5, color=INK, bold=True)
        figure.label(box.center[0], y + 51, code, 12, color=INK, mono=True, room=width - 12)
        figure.label(box.center[0], y + 75, purpose, 12, room=width - 12)
        boxes.append(box)
    for before, after in zip(boxes[:3], boxes[1:3]):
        figure.arrow(before.right_middle, after.left_middle, width=2.2)
    figure.arrow(boxes[2].bottom_middle, boxes[3].top_middle, width=2.2)
    for before, after in zip(boxes[3:], boxes[4:]):
        figure.arrow(before.left_middle, after.right_middle, width=2.2)
    figure.arrow(boxes[5].top_middle, boxes[0].bottom_middle, width=2.2)
    steps = "; ".join(f"{name}: {code}, {purpose}" for name, _, code, purpose in LOOP)
    return figure.finish(f"The training loop, repeated for every batch. {steps}. Then the next batch.")


def next_token_targets(tokens: Sequence[str]) -> Drawing:
    """Draw inputs and targets of language modeling: the same tokens, shifted by one.

    `tokens` are strings, or one string, whose characters are then the tokens. As many as fit are drawn. Raises ValueError for
    fewer than two.
    """
    tokens = [str(token) for token in tokens]
    need(len(tokens) >= 2, "give at least two tokens: one to read, one to predict")
    names = [seen(token, 14, space=True) for token in tokens]
    letters = [max(36, text_width(name, 14, mono=True) + 18) for name in names]
    widths = [max(pair) for pair in zip(letters, letters[1:])]
    gap, left = 26, LEFT + 76
    count = 0
    while count < len(widths) and sum(widths[: count + 1]) + gap * count <= RIGHT - left:
        count += 1
    figure = Diagram("Inputs and targets: the same tokens, one position later")
    top, low, high = TITLE_HEIGHT + 12, TITLE_HEIGHT + 92, 32
    figure.label(LEFT, top + 21, "inputs", 13, "start", INK, bold=True)
    figure.label(LEFT, low + 21, "targets", 13, "start", INK, bold=True)
    x, before = left + max(0, (RIGHT - left - sum(widths[:count]) - gap * (count - 1)) / 2 - 40), None
    for i, width in enumerate(widths[:count]):
        above, below = (figure.box(x, y, width, high, "", kind, rx=3) for y, kind in ((top, "kept"), (low, "new")))
        for area, name in ((above, names[i]), (below, names[i + 1])):
            figure.label(area.center[0], area.center[1] + 5, name, 14, color=INK, mono=True, room=width - 6)
        figure.arrow(above.bottom_middle, below.top_middle, width=1.8)
        if before is not None:  # the token that was a target is read next
            ends = (before.right - 3, before.y - 1), (above.x + 3, above.bottom + 1)
            figure.line(*ends, color="#8b90a0", width=1.1, dashed=True)
        before = below
        x += width + gap
    pairs = ", ".join(f"{quoted(a, 14)} → {quoted(b, 14)}" for a, b in list(zip(tokens, tokens[1:]))[:count])
    words = f"{amount(len(tokens), 'token')} give {amount(len(tokens) - 1, 'target')}, each the token that comes next: {pairs}."
    if count < len(widths):
        words += f" Only the first {count} of {len(widths)} are drawn."
    return figure.finish(words, "Each target is the token that comes next. Dashed: it is the input of the next position.")
