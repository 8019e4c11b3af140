"""How a model is attacked and defended: letters swapped by the gradient, steps on embeddings, filters (built for notebook 11)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, spread
from helpers.show.lettering import Formula
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import BLUE, CRIMSON, INK, ORANGE, SOFT, TEAL


def hotflip(before: str, after: str) -> Drawing:
    """Draw a HotFlip attack: the letters of `before`, and below them those that the attack put in their place.

    Two texts of equal length, 1 to 40 characters. Raises ValueError otherwise.
    """
    need(0 < len(before) == len(after) <= 40, "give two texts of equal length, 1 to 40 characters")
    figure = Diagram("HotFlip: one gradient scores every swap of every letter")
    columns, y = spread(len(before), LEFT, RIGHT, 34, 3), TITLE_HEIGHT + 8
    swapped = [i for i, (a, b) in enumerate(zip(before, after)) if a != b]
    for i, (x, width) in enumerate(columns):
        changed = i in swapped
        for row, text in enumerate((before, after)):
            box = figure.box(x, y + row * 74, width, 30, "", ("kept", "new")[row] if changed else "tensor", rx=3)
            figure.label(*(box.center[0], box.center[1] + 5), seen(text[i]), 13, color=INK, bold=changed, mono=True, room=width)
        if changed:
            figure.arrow((x + width / 2, y + 30), (x + width / 2, y + 74), color=ORANGE, width=2.2)
    named = ", ".join(f"{quoted(before[i])} at {i} by {quoted(after[i])}" for i in swapped) or "nothing"
    figure.label(LEFT, y + 132, Formula("score of a swap at position i:  g_{i} · (e_{new} − e_{old})"), 13, "start", INK)
    return figure.finish(
        f"A HotFlip attack on {quoted(before)}. The gradient of the loss with respect to each letter's vector, times the "
        f"difference of two letters' vectors, estimates what a swap does to the loss. Replaced: {named}. Now: {quoted(after)}.",
        "Blue: the letter that goes. Orange: the letter that takes its place.",
    )


def gradient_step() -> Drawing:
    """Draw a step on an embedding: along the gradient the loss rises fastest; a random step of the same length does little."""
    figure = Diagram("A step on the embedding: the direction matters, not the length")
    y, x = TITLE_HEIGHT + 10, LEFT + 150
    for i, shade in enumerate(("#f8e3dc", "#f4cdbf", "#efb39e")):  # where the loss is higher
        figure.rect(x + 130 + i * 62, y, 62, 156, shade, "#ffffff", 0, 0)
    figure.line((x + 130, y), (x + 130, y + 156), color=CRIMSON, width=2, dashed=True)
    center = figure.circle(x + 60, y + 84, "e", 15)
    figure.arrow((x + 76, y + 84), (x + 196, y + 84), color=ORANGE, width=3)
    figure.label(x + 206, y + 80, Formula("ε · g / ‖g‖"), 13, "start", INK, bold=True)
    figure.arrow((center.center[0] + 5, center.y), (center.center[0] + 44, y + 12), color=BLUE, width=2.4)
    figure.arrow((center.center[0] - 12, center.bottom - 3), (center.center[0] - 62, y + 146), color=BLUE, width=2.4)
    figure.label(LEFT, y + 20, "random directions,", 12.5, "start", INK, bold=True)
    figure.label(LEFT, y + 37, "the same length ε", 12.5, "start", INK)
    figure.label(x + 326, y + 80, "the loss rises this way", 12.5, "start", INK)
    figure.label(x + 326, y + 20, "dashed: the decision changes", 12.5, "start", INK)
    return figure.finish(
        "A token's vector e and three steps of the same length ε. Along the gradient g the loss rises fastest and the step "
        "crosses the line where the decision changes; the two random steps stay on their side.",
        "Orange: along the gradient. Blue: random directions.",
    )


def adversarial_training(steps: Sequence[str] = ("batch", "gradient", "worse batch", "loss of both", "update")) -> Drawing:
    """Draw adversarial training: each batch is made worse by the model's own gradient before the model learns from both.

    `steps` are the five names in the boxes.
    """
    need(len(steps) == 5, f"give five names, not {len(steps)}")
    figure = Diagram("Adversarial training: the model makes its own hard examples")
    y, kinds = TITLE_HEIGHT + 12, ("tensor", "step", "new", "loss", "feed-forward")
    notes = ("clean text", "of the loss, by the input", "clean + ε · direction", "half and half", "of the parameters")
    boxes = [figure.box(x, y, width, 58, name, kind, note, size=12.5)
             for (x, width), name, kind, note in zip(spread(5, LEFT, RIGHT, 136, 26), steps, kinds, notes)]  # fmt: skip
    for before, after in zip(boxes, boxes[1:]):
        figure.arrow(before.right_middle, after.left_middle, width=1.8)
    figure.arrow(boxes[0].bottom_middle, (boxes[0].center[0], y + 82), (boxes[3].center[0] - 14, y + 82),
                 (boxes[3].center[0] - 14, y + 58), width=1.8)  # fmt: skip
    figure.label(boxes[1].center[0] + 60, y + 98, "the clean batch counts too", 12, color=SOFT)
    figure.arrow((boxes[4].center[0], y + 58), (boxes[4].center[0], y + 116), (LEFT - 4 + 8, y + 116), (LEFT + 4, y + 58),
                 color=TEAL, width=2)  # fmt: skip
    figure.label(boxes[3].center[0] + 30, y + 110, "next batch", 12, color=SOFT)
    return figure.finish(
        "Adversarial training: take a batch, compute the gradient of the loss with respect to its inputs, add a small step "
        "along it, and update the parameters on the loss of the clean and the worse batch together. Then the next batch.",
        "The control takes a random direction of the same size in place of the gradient.",
    )


def filter_walls() -> Drawing:
    """Draw where filters stand around a bot: before it and after it, each on normalized text."""
    figure = Diagram("Filters around a bot: text is normalized first, then compared")
    y, names = TITLE_HEIGHT + 10, (("message", "tensor", "as typed"), ("normalize", "step", "case, width, dots"),
                                   ("filter", "loss", "whole words"), ("bot", "attention", "samples"),
                                   ("normalize", "step", "its reply"), ("filter", "loss", "once more"))  # fmt: skip
    boxes = [figure.box(x, y, width, 56, name, kind, note, size=12.5)
             for (x, width), (name, kind, note) in zip(spread(6, LEFT, RIGHT, 116, 18), names)]  # fmt: skip
    for before, after in zip(boxes, boxes[1:]):
        figure.arrow(before.right_middle, after.left_middle, width=1.8)
    for box in (boxes[2], boxes[5]):
        figure.arrow(box.bottom_middle, (box.center[0], y + 92), color=CRIMSON, width=1.8)
        figure.label(box.center[0], y + 108, "refused", 12.5, color=INK, bold=True)
    figure.label(LEFT, y + 92, "leaks: new spellings, doubled letters", 12.5, "start", INK)
    return figure.finish(
        "Filters around a bot. A message is normalized (case, width, dots between letters) and compared word by word before "
        "the bot reads it; the bot's reply passes the same two steps. What either finds is refused; new spellings, doubled "
        "letters and other languages leak through."
    )
