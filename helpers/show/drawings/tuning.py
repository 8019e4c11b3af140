"""What fine-tuning changes: which tokens are targets, the matrices beside W, what is learned first (built for notebook 07)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need
from helpers.show.drawings.parts import short
from helpers.show.lettering import Formula, shape_text, text_width
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import CRIMSON, INK, ORANGE, SOFT, amount

HIGH = 30  # of a token


def chat_template(tokens: Sequence[str], labels: Sequence[int | None]) -> Drawing:
    """Draw one row of a conversation in its chat template: below each token, whether the loss counts it.

    `tokens` are strings [T]; `labels` [T] are −100 or None where a token is read but is no target. Raises ValueError for no
    tokens or lengths that differ.
    """
    tokens, counted = [str(token) for token in tokens], [label is not None and label != -100 for label in labels]
    need(len(tokens) > 0, "give at least one token")
    need(len(tokens) == len(counted), f"{len(tokens)} tokens and {len(counted)} labels: give one label for each token")
    figure = Diagram("Which tokens are targets? Everything is read; only some of it counts in the loss")
    x, y, rows = LEFT, TITLE_HEIGHT + 10, 1
    for token, counts in zip(tokens, counted):
        name = seen(token, 14, space=True)
        width = max(34, text_width(name, 13, mono=True) + 14)
        if x + width > RIGHT:
            x, y, rows = LEFT, y + HIGH + 46, rows + 1
        box = figure.box(x, y, width, HIGH, "", "new" if counts else "tensor", rx=3)
        figure.label(box.center[0], box.center[1] + 5, name, 13, color=INK, bold=counts, mono=True, room=width - 4)
        if counts:
            figure.arrow((box.center[0], box.bottom + 18), box.bottom_middle, color=CRIMSON, width=1.8)
            figure.label(box.center[0], box.bottom + 31, "loss", 11.5, color=INK, room=width + 4)
        else:
            figure.label(box.center[0], box.bottom + 15, "−100", 11.5, room=width + 4)
        x += width + 5
    figure.bottom = max(figure.bottom, y + HIGH + 36)
    named = ", ".join(quoted(token, 14) for token, counts in zip(tokens, counted) if counts) or "none"
    words = f"{amount(len(tokens), 'token')} are read, {sum(counted)} of them are targets of the loss: {named}."
    return figure.finish(words, "Orange: a target, its loss counts. Gray: read, but its label is −100 and no loss comes from it.")


def lora(layer) -> Drawing:
    """Draw LoRA beside a frozen matrix, with the layer's own sizes: y = W x + scale · B A x.

    `layer` has ``linear`` (or ``base`` or ``W``) with a weight [out, in], and ``A`` [r, in] and ``B`` [out, r]. Raises ValueError
    for a layer without them.
    """
    linear = next((part for name in ("linear", "base", "W") if (part := getattr(layer, name, None)) is not None), None)
    A, B = getattr(layer, "A", None), getattr(layer, "B", None)
    need(linear is not None and A is not None and B is not None,
         f"{type(layer).__name__} has no linear, A and B: LoRA is drawn from these three")  # fmt: skip
    A, B = getattr(A, "weight", A), getattr(B, "weight", B)
    (out, wide), (rank, _) = linear.weight.shape, A.shape
    frozen, trained = linear.weight.numel(), A.numel() + B.numel()
    figure = Diagram(f"LoRA of rank {rank}: W stays as it is, and what is learned runs beside it")
    y = TITLE_HEIGHT + 16
    x_in = figure.tensor(LEFT, y + 62, 92, 40, "x", [wide])
    W = figure.box(LEFT + 196, y, 330, 66, f"W   {shape_text([out, wide])}", "kept", f"frozen: {short(frozen)} parameters")
    down = figure.box(LEFT + 196, y + 104, 132, 62, f"A   {shape_text([rank, wide])}", "new", "starts at random")
    up = figure.box(LEFT + 394, y + 104, 132, 62, f"B   {shape_text([out, rank])}", "new", "starts at zero")
    plus = figure.circle(LEFT + 622, W.center[1], "+", 12)
    y_out = figure.tensor(RIGHT - 92, W.center[1] - 20, 92, 40, "y", [out])
    bend = x_in.right + 44
    figure.line(x_in.right_middle, (bend, x_in.center[1]), width=2)
    figure.arrow((bend, x_in.center[1]), (bend, W.center[1]), W.left_middle, width=2)
    figure.arrow((bend, x_in.center[1]), (bend, down.center[1]), down.left_middle, width=2, color=ORANGE)
    figure.arrow(down.right_middle, up.left_middle, width=2, color=ORANGE)
    figure.label((down.right + up.x) / 2, down.center[1] - 9, shape_text([rank]), 12, color=INK)
    figure.arrow(W.right_middle, (plus.x, plus.center[1]), width=2)
    figure.arrow(up.right_middle, (plus.center[0], up.center[1]), plus.bottom_middle, width=2, color=ORANGE)
    figure.label(plus.center[0] + 8, up.center[1] + 4, Formula("× α / r"), 13, "start", INK, bold=True)
    figure.arrow(plus.right_middle, y_out.left_middle, width=2)
    figure.label(LEFT + 361, down.bottom + 24, f"trained: {trained:,} parameters, {trained / frozen:.1%} of W", 12.5, color=INK)
    words = (
        f"LoRA of rank {rank}: x [{wide}] goes through the frozen matrix W [{out}, {wide}] and, beside it, "
        f"through A [{rank}, {wide}] "
        f"and B [{out}, {rank}]; times α / r, the two are added. {trained:,} parameters are trained beside "
        f"{frozen:,} frozen ones "
        f"({trained / frozen:.1%})."
    )
    return figure.finish(words, "Blue: frozen. Orange: trained. As B starts at zero, the first y is that of W alone.")


def transfer() -> Drawing:
    """Draw transfer: the same small set of conversations, learned from a pretrained network and from random parameters."""
    figure = Diagram("Transfer: does reading other text first help with conversations?")
    y, width, gap = TITLE_HEIGHT + 14, 178, 25
    columns = [LEFT + i * (width + gap) for i in range(4)]
    for row, text in enumerate(("documentation strings", "")):
        top = y + row * 96
        start = figure.box(columns[0], top, width, 60, "random parameters", "ghost", "the same architecture")
        if text:
            read = figure.box(columns[1], top, width, 60, "pretraining", "feed-forward", f"on {text}")
            figure.arrow(start.right_middle, read.left_middle, width=2)
            start = read
        tuned = figure.box(columns[2], top, width, 60, "fine-tuning" if text else "training", "new", "on n conversations")
        figure.arrow(start.right_middle, tuned.left_middle, width=2)
        score = figure.box(columns[3], top, width, 60, "bits per byte", "loss", "on test conversations")
        figure.arrow(tuned.right_middle, score.left_middle, width=2)
    figure.label(columns[3] + width / 2, y + 82, "which is lower, for which n?", 12.5, color=SOFT, bold=True, room=width)
    return figure.finish(
        "Two ways to the same measurement. Above: random parameters, pretraining on documentation strings, fine-tuning on n "
        "conversations. Below: random parameters, training on the same n conversations. Both are measured in bits per byte on "
        "test conversations."
    )
