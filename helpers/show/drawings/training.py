"""How a network learns: the loop around every training, and where the targets come from (built for notebook 02)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need
from helpers.show.lettering import text_width
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import INK, amount

LOOP = (  # clockwise: name, kind, code, what it does
    ("1 · next batch", "tensor", "batch = batches[step]", "inputs and targets"),
    ("2 · forward", "recurrent", "logits, _ = model(batch.inputs)", "a score for every token"),
    ("3 · loss", "loss", "loss = cross_entropy(logits, targets)", "how wrong, as one number"),
    ("4 · backward", "loss", "loss.backward()", "a gradient for every parameter"),
    ("5 · optimizer step", "feed-forward", "optimizer.step()", "each parameter moves a little"),
    ("6 · zero gradients", "step", "optimizer.zero_grad()", "or the next would be added"),
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
    tokens = list(tokens)
    need(len(tokens) >= 2, "give at least two tokens: one to read, one to predict")
    names = [seen(token, 14, space=True) for token in tokens]
    widths = [max(34, text_width(name, 14, mono=True) + 16) for name in names]
    gap, x, count = 14, LEFT + 70, 0
    while count < len(names) and x + widths[count] <= RIGHT:
        x += widths[count] + gap
        count += 1
    need(count >= 2, "the first tokens are too long to be drawn: give shorter ones")
    figure = Diagram("Inputs and targets: the same tokens, one position later")
    top, bottom = TITLE_HEIGHT + 14, TITLE_HEIGHT + 104
    figure.label(LEFT, top + 21, "inputs", 13, "start", INK, bold=True)
    figure.label(LEFT, bottom + 21, "targets", 13, "start", INK, bold=True)
    x = LEFT + 70
    for i in range(count - 1):
        width = max(widths[i], widths[i + 1])
        above = figure.rect(x, top, width, 32, "#dde2ec", "#1e3e81", 1.5, 3)
        below = figure.rect(x, bottom, width, 32, "#fbd8c8", "#ed6e34", 1.5, 3)
        for area, name in ((above, names[i]), (below, names[i + 1])):
            figure.label(area.center[0], area.center[1] + 5, name, 14, color=INK, mono=True, room=width - 6)
        figure.arrow(above.bottom_middle, below.top_middle)
        x += width + gap
        if x + max(widths[i + 1], widths[min(i + 2, len(names) - 1)]) > RIGHT:
            count = i + 2
            break
    figure.label(
        LEFT + 70, bottom + 56, "At each position the target is the token that comes next in the text.", 12.5, "start"
    )
    pairs = ", ".join(f"{quoted(a, 14)} → {quoted(b, 14)}" for a, b in zip(tokens[: count - 1], tokens[1:count]))
    words = f"{amount(len(tokens), 'token')} give {amount(len(tokens) - 1, 'target')}, each the token that comes next: {pairs}."
    if count < len(tokens):
        words += f" Only the first {count - 1} of {len(tokens) - 1} are drawn."
    return figure.finish(words)
