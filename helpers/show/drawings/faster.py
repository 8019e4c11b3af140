"""Two models instead of one: a student learns from a teacher, a draft runs ahead of its target (built for notebook 12)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, spread
from helpers.show.drawings.parts import parameter_count, short
from helpers.show.lettering import Formula
from helpers.show.svg import TITLE_HEIGHT, Drawing, quoted, seen
from helpers.show.theme import CRIMSON, INK, ORANGE, SOFT, amount


def distillation(teacher=None, student=None) -> Drawing:
    """Draw distillation: the student learns the teacher's probabilities of every next token, not only the token that came.

    With `teacher` and `student`, two models, their numbers of parameters are written into the boxes.
    """
    figure = Diagram("Distillation: the student learns all of the teacher's probabilities")
    y, high = TITLE_HEIGHT + 12, 56
    sizes = ["frozen" if model is None else f"{short(parameter_count(model))} parameters" for model in (teacher, student)]
    text = figure.tensor(LEFT, y + 46, 92, high, "text", "[B, T]")
    above = figure.box(LEFT + 150, y, 150, high, "teacher", "kept", sizes[0])
    below = figure.box(LEFT + 150, y + 92, 150, high, "student", "new", sizes[1] if student is not None else "learns")
    soft = figure.tensor(LEFT + 356, y, 172, high, Formula("p = softmax(z_{t} / T)"), "soft targets", size=12.5)
    own = figure.tensor(LEFT + 356, y + 92, 172, high, Formula("q = softmax(z_{s} / T)"), None, size=12.5)
    loss = figure.box(RIGHT - 172, y + 46, 172, high, Formula("T^{2} · KL(p ‖ q)"), "loss", "+ cross-entropy, if mixed")
    for box in (above, below):
        figure.arrow(text.right_middle, (box.x - 26, text.center[1]), (box.x - 26, box.center[1]), box.left_middle, width=1.8)
    bend = loss.x - 24
    for box, after in ((above, soft), (below, own)):
        figure.arrow(box.right_middle, after.left_middle, width=1.8)
        figure.arrow(after.right_middle, (bend, after.center[1]), (bend, loss.center[1]), loss.left_middle, width=1.8)
    figure.arrow(loss.bottom_middle, (loss.center[0], y + 176), (below.center[0], y + 176), below.bottom_middle, color=ORANGE,
                 width=2.6)  # fmt: skip
    figure.label((loss.center[0] + below.center[0]) / 2, y + 194, "gradient: only the student learns", 12, color=INK)
    return figure.finish(
        "Distillation. Teacher and student read the same text. The student's loss is T² times the KL divergence between the "
        "teacher's probabilities p and its own q, both softened by the temperature T; cross-entropy with the token that came "
        "may be added. Only the student learns."
    )


def speculative_decoding(draft: Sequence[str], accepted: int, correction: str) -> Drawing:
    """Draw one round of speculative decoding: the draft's tokens, how many the target accepts, and the token it adds itself.

    `draft` are 1 to 8 tokens; `accepted` of them stay; `correction` is the token the target samples at the first rejection, or
    after the last one when all are accepted. Raises ValueError for a number that does not fit.
    """
    draft = [str(token) for token in draft]
    need(1 <= len(draft) <= 8, f"{len(draft)} draft tokens cannot be drawn: give 1 to 8")
    need(0 <= accepted <= len(draft), f"{accepted} of {len(draft)} draft tokens cannot be accepted")
    figure = Diagram("Speculative decoding: a cheap draft runs ahead, one call of the target checks all of it")
    y, columns = TITLE_HEIGHT + 10, spread(len(draft) + 1, LEFT + 92, RIGHT, 92, 10)
    rows = {"draft": y, "target": y + 62, "result": y + 140}
    for name, top in rows.items():
        figure.label(LEFT, top + 21, name, 13, "start", INK, bold=True)
    width = columns[-1][0] + columns[-1][1] - columns[0][0]
    name = "one call: probabilities of the target at every position" if width > 440 else "one call"
    figure.box(columns[0][0], rows["target"], width, 34, name, "attention", size=12.5)
    for i, (x, wide) in enumerate(columns):
        middle = x + wide / 2
        kept, drafted = i < accepted, i < len(draft)
        if drafted:
            figure.tensor(x, y, wide, 32, seen(draft[i], 9, space=True), None, "tensor" if i <= accepted else "ghost", 13)
            figure.arrow((middle, y + 32), (middle, rows["target"]), width=1.4)
        figure.arrow((middle, rows["target"] + 34), (middle, rows["result"]), width=1.4 if i <= accepted else 0.8,
                     color=INK if kept else CRIMSON if i == accepted and drafted else INK if i == accepted else SOFT)  # fmt: skip
        verdict = "accept" if kept else "reject" if i == accepted and drafted else "free" if i == accepted else "unused"
        figure.label(middle + 5, rows["result"] - 14, verdict, 11.5, "start", INK if i <= accepted else SOFT, room=wide / 2 + 6)
        if i <= accepted:
            text = draft[i] if kept else correction
            figure.tensor(x, rows["result"], wide, 32, seen(text, 9, space=True), None, "kept" if kept else "new", 13)
    rule = Formula("accept with probability min(1, p / q), else sample from (p − q)_{+}, scaled to sum to 1")
    figure.label(LEFT, y + 196, rule, 12.5, "start", INK)
    text = "".join([*draft[:accepted], correction])
    return figure.finish(
        f"One round of speculative decoding. The draft proposes {amount(len(draft), 'token')}; one call of the target checks "
        f"them all. {accepted} accepted, then one token of the target's own: {quoted(text)}. So {accepted + 1} new "
        f"token{'s' * (accepted > 0)} for one call.",
        "Blue: accepted. Orange: sampled by the target itself.",
    )
