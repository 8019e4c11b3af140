"""What is done to a forward pass to understand it: lens, ablation, patching, induction, features (built for notebook 10)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, STREAM, Diagram, need, spread
from helpers.show.lettering import Formula
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import BLUE, CRIMSON, INK, ORANGE, TEAL, amount

HIGH = 40  # of a box


def logit_lens(n_layer: int = 4) -> Drawing:
    """Draw the logit lens: after every block of a GPT, the final norm and the unembedding read the residual stream.

    `n_layer` is the number of blocks, 1 to 8. Raises ValueError for another number.
    """
    need(1 <= n_layer <= 8, f"{n_layer} blocks cannot be drawn: give 1 to 8")
    figure = Diagram("Logit lens: what would the model say if it stopped here?")
    y = TITLE_HEIGHT + 22
    stream = y + 92 + HIGH / 2
    columns = spread(n_layer + 1, LEFT + 96, RIGHT - 12, 120, 14)
    figure.line((LEFT, stream), (RIGHT - 4, stream), color=STREAM, width=4, behind=True)
    figure.label(LEFT, stream - 10, "stream", 12, "start", INK, bold=True)
    for number, (x, width) in enumerate(columns):
        text, kind = ("embed", "embedding") if number == 0 else (f"block {number - 1}", "attention")
        box = figure.box(x, y + 92, width - 26, HIGH, text, kind, size=12)
        at = box.right + 13
        lens = figure.box(at - 36, y, 72, 46, "norm\nunembed", "norm", size=11)
        figure.arrow((at, stream), lens.bottom_middle, color=ORANGE, width=1.8, dashed=number < n_layer)
        last = number == n_layer
        figure.label(at, y - 8, "logits" if last else f"lens {number}", 12, color=INK, bold=last)
    figure.label(LEFT, y + 160, "Each lens is the same two last steps of the model, moved to an earlier layer.", 12, "start", INK)
    return figure.finish(
        f"The logit lens on {amount(n_layer, 'block')}: after the embedding and after each block, the final norm and "
        "the unembedding turn the residual stream into logits. After the last block these are the model's own logits."
    )


def head_ablation(n_head: int = 4, head: int = 3) -> Drawing:
    """Draw the ablation of one attention head: its output is replaced before the output matrix adds it to the stream.

    Raises ValueError for a head that is not there, or more than 8.
    """
    need(1 <= n_head <= 8, f"{n_head} heads cannot be drawn: give 1 to 8")
    need(0 <= head < n_head, f"there is no head {head}: give 0 to {n_head - 1}")
    figure = Diagram(f"Ablation: the output of head {head} is replaced, everything else is computed as before")
    y, step = TITLE_HEIGHT + 8, 34
    tall = n_head * step
    values = {"zero": "0", "mean": "its mean over many texts", "resample": "its output for another text"}
    source = figure.tensor(LEFT, y + tall / 2 - 24, 82, 48, "stream", "[T, C]")
    output = figure.box(LEFT + 506, y + tall / 2 - 30, 112, 60, Formula("W_{O}"), "linear", "output matrix")
    plus = figure.circle(RIGHT - 60, y + tall / 2, "+", 12)
    for number in range(n_head):
        gone = number == head
        box = figure.box(LEFT + 130, y + number * step, 96, 26, f"head {number}", "ghost" if gone else "attention", size=12)
        figure.arrow(source.right_middle, (box.x - 22, source.center[1]), (box.x - 22, box.center[1]), box.left_middle,
                     width=1.4)  # fmt: skip
        z = figure.tensor(LEFT + 262, box.y, 172, 26, Formula(f"z_{{{number}}}") if not gone else "replacement",
                          None, "new" if gone else "tensor", 12)  # fmt: skip
        if gone:
            figure.line((box.right + 10, box.center[1] - 8), (box.right + 26, box.center[1] + 8), color=CRIMSON, width=2.6)
            figure.line((box.right + 10, box.center[1] + 8), (box.right + 26, box.center[1] - 8), color=CRIMSON, width=2.6)
        else:
            figure.arrow(box.right_middle, z.left_middle, width=1.4)
        figure.arrow(z.right_middle, (output.x - 30, z.center[1]), (output.x - 30, output.center[1]), output.left_middle,
                     width=1.8 if gone else 1.4, color=ORANGE if gone else INK)  # fmt: skip
    figure.arrow(output.right_middle, plus.left_middle, width=1.8)
    figure.arrow(plus.right_middle, (RIGHT, plus.center[1]), color=STREAM, width=3)
    below = y + tall + 22
    figure.label(LEFT, below, "replacement:", 12.5, "start", INK, bold=True)
    for (name, meaning), x in zip(values.items(), (LEFT + 104, LEFT + 214, LEFT + 478)):
        figure.label(x, below, f"{name}: {meaning}", 12.5, "start", INK)
    return figure.finish(
        f"Ablation of head {head} of {n_head}. Its output z is replaced before the output matrix adds the heads to the "
        "residual stream: by zero, by its mean over many texts, or by its output for another text (resample).",
        "Orange: what takes the head's place. The loss before and after says what the head was worth.",
    )


def activation_patching(clean: Sequence[str], corrupted: Sequence[str], position: int = -1, name: str = "head 2.3") -> Drawing:
    """Draw activation patching: one activation of the clean run is put into the corrupted run.

    `clean` and `corrupted` are the tokens [T] of two texts of equal length; `position` is where the activation called `name`
    is copied. Raises ValueError for texts of unequal length, more than 12 tokens, or a position outside.
    """
    clean, corrupted = [str(token) for token in clean], [str(token) for token in corrupted]
    need(len(clean) == len(corrupted), f"the texts have {len(clean)} and {len(corrupted)} tokens: patch texts of equal length")
    need(0 < len(clean) <= 12, f"{len(clean)} tokens cannot be drawn: give 1 to 12")
    need(-len(clean) <= position < len(clean), f"there is no position {position} in {len(clean)} tokens")
    position %= len(clean)
    figure = Diagram(f"Activation patching: which one activation brings the clean answer back? Here {name}")
    y, columns = TITLE_HEIGHT + 8, spread(len(clean), LEFT + 92, RIGHT - 118, 92, 6)
    boxes = []
    for row, (text, tokens) in enumerate((("clean", clean), ("corrupted", corrupted))):
        top = y + 30 + row * 92
        letters = top - 14 if row == 0 else top + 56  # above the upper row, below the lower one: the arrow runs between
        figure.label(LEFT, top + 22, text, 13, "start", INK, bold=True)
        for i, ((x, width), token) in enumerate(zip(columns, tokens)):
            changed, here = clean[i] != corrupted[i], i == position
            figure.label(x + width / 2, letters, seen(token, 11, space=True), 12.5, color=INK, bold=changed, mono=True,
                         room=width + 4)  # fmt: skip
            if changed:
                figure.line((x + 4, letters + 6), (x + width - 4, letters + 6), color=CRIMSON, width=2.4)
            kind = ("kept" if row == 0 else "new") if here else "tensor"
            box = figure.box(x, top, width, 34, name if here else "", kind, size=12)
            if here:
                boxes.append(box)
        answer = figure.tensor(RIGHT - 92, top, 92, 34, "he or she?", None, "embedding", 12)
        figure.arrow((columns[-1][0] + columns[-1][1], top + 17), answer.left_middle, width=1.8)
    figure.arrow(boxes[0].bottom_middle, boxes[1].top_middle, color=ORANGE, width=3)
    return figure.finish(
        f"Activation patching. The clean run reads {quoted(''.join(clean))}, the corrupted run {quoted(''.join(corrupted))}. "
        f"The activation {name} at {quoted(clean[position])} is copied from the clean run into the corrupted one; how much of "
        "the clean answer comes back says what this activation carries.",
        "Underlined: the tokens that differ. Orange: the copied activation.",
    )


def induction_head(tokens: Sequence[str] = ("A", "B", "C", "D", "A", "B", "C"), period: int = 4) -> Drawing:
    """Draw how two heads copy: the first writes into each token what came before it, the second finds what followed.

    `tokens` [T] repeat with `period`; the next token after the last is what is copied. Raises ValueError when they do not
    repeat, or are more than 14.
    """
    tokens = [str(token) for token in tokens]
    need(0 < period < len(tokens) <= 14, "give up to 14 tokens, more than one period of them")
    need(all(a == b for a, b in zip(tokens, tokens[period:])), f"these tokens do not repeat with period {period}")
    figure = Diagram("Induction: find the earlier occurrence of this token, and copy what followed it")
    y, columns = TITLE_HEIGHT + 68, spread(len(tokens) + 1, LEFT, RIGHT, 84, 10)
    boxes, follower = [], tokens[len(tokens) - period]
    for i, (x, width) in enumerate(columns):
        new = i == len(tokens)
        text = tokens[i - period]
        boxes.append(figure.box(x, y, width, 34, text if new else tokens[i], "new" if new else "tensor", size=14))
    for i in range(1, len(tokens)):
        one, two = boxes[i].bottom_middle, boxes[i - 1].bottom_middle
        color, width = (BLUE, 2.4) if i == len(tokens) - period else (INK, 1.1)
        figure.arrow((one[0] - 8, one[1]), (one[0] - 8, one[1] + 22), (two[0] + 8, two[1] + 22), (two[0] + 8, two[1]),
                     color=color, width=width)  # fmt: skip
    figure.label(LEFT, y + 80, "layer 0, previous-token head: each token attends to the one before it", 12.5, "start", INK)
    query, found = boxes[len(tokens) - 1].top_middle, boxes[len(tokens) - period].top_middle
    figure.arrow(query, (query[0], y - 38), (found[0], y - 38), found, color=ORANGE, width=2.8)
    upper = f"layer 1, induction head: attends to the token that followed {quoted(tokens[-1])} the last time"
    figure.label(LEFT, y - 52, upper, 12.5, "start", INK)
    return figure.finish(
        f"Two heads copy. In layer 0 each token attends to the one before it, so {quoted(follower)} carries the information that "
        f"{quoted(tokens[-1])} came before it. In layer 1 the last {quoted(tokens[-1])} attends to the token with this "
        f"information, and predicts that one: {quoted(follower)}.",
        "Blue: the step in layer 0 that is needed here. Orange: the induction head.",
    )


def sparse_autoencoder(width: int = 256, features: int = 1024, active: int = 16) -> Drawing:
    """Draw a sparse autoencoder: an activation of `width` numbers, `features` of which `active` are not zero, and back."""
    figure = Diagram("Sparse autoencoder: many features, few of them at a time")
    y = TITLE_HEIGHT + 12
    x_in = figure.tensor(LEFT, y + 24, 96, 58, "activation", [width])
    encode = figure.box(LEFT + 140, y + 24, 108, 58, "encode", "linear", "W, ReLU, top k")
    many = figure.rect(LEFT + 292, y, 224, 106, "#f7f8fb", TEAL, 1.8)
    decode = figure.box(LEFT + 560, y + 24, 92, 58, "decode", "linear", "add up")
    out = figure.tensor(RIGHT - 92, y + 24, 92, 58, "rebuilt", [width])
    for i in range(84):
        x, on = many.x + 10 + (i % 14) * 14.7, (37 * i) % 84 < 7
        figure.rect(x, many.y + 10 + (i // 14) * 15, 11, 11, ORANGE if on else "#ffffff", ORANGE if on else "#c9cdd6", 0.8, 2)
    figure.label(many.center[0], many.bottom + 18, f"{features:,} features, about {active} not zero", 12.5, color=INK)
    for before, after in ((x_in, encode), (encode, many), (many, decode), (decode, out)):
        figure.arrow(before.right_middle, (after.x, before.center[1]), width=1.8)
    return figure.finish(
        f"A sparse autoencoder. An activation of {width:,} numbers is encoded as {features:,} features of which about {active} "
        "are not zero, and rebuilt as the sum of their directions. The loss: how far the rebuilt activation is from the first.",
        "Orange: the few features that are active for this token.",
    )
