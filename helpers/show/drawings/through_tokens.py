"""Where a gradient stops at a sampled token, and two ways round it; the dialogue game (built for notebook 08)."""

from __future__ import annotations

from helpers.show.diagram import LEFT, RIGHT, Diagram, need
from helpers.show.lettering import Formula
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import CRIMSON, INK, ORANGE

KINDS_OF_PATH = {
    "argmax": (
        "A token is a choice: no gradient comes back through it",
        "The gradient of the score reaches the token and stops: a choice has slope 0 almost everywhere, and none at its steps.",
    ),
    "straight-through": (
        "Straight-through: forward the chosen token, backward as if it were the softmax",
        "Forward, the one-hot vector of the sampled token is used. Backward, the gradient takes the path of the "
        "softmax instead, as if "
        "the probabilities had been passed on: a biased gradient, but a gradient.",
    ),
    "reinforce": (
        "REINFORCE: the score comes back as a number, not as a gradient",
        "The score is a plain number, the reward. The loss is −(reward − baseline) · log π(token), and its "
        "gradient reaches the logits "
        "through the log-probability; nothing has to pass through the token or the discriminator.",
    ),
}


def sampled_token(how: str = "argmax") -> Drawing:
    """Draw generator, logits, sampled token and discriminator, with the path of the gradient.

    `how` is "argmax" (it stops), "straight-through" or "reinforce". Raises ValueError for another word.
    """
    need(how in KINDS_OF_PATH, f"how is {how!r}: give one of {', '.join(map(repr, KINDS_OF_PATH))}")
    title, words = KINDS_OF_PATH[how]
    figure = Diagram(title)
    y, high = TITLE_HEIGHT + (44 if how == "reinforce" else 18), 54
    generator = figure.box(LEFT, y, 128, high, "generator", "new", "parameters θ")
    logits = figure.tensor(LEFT + 166, y, 96, high, "logits", "one per token")
    softmax = figure.box(LEFT + 300, y, 96, high, "softmax", "step", "π")
    token = figure.box(LEFT + 452, y, 96, high, "token", "gate", "sampled")
    critic = figure.box(LEFT + 586, y, 112, high, "discriminator", "kept", "as it is", size=12.5)
    score = figure.tensor(RIGHT - 58, y, 58, high, "score")
    for before, after in ((generator, logits), (logits, softmax), (softmax, token), (token, critic), (critic, score)):
        figure.arrow(before.right_middle, after.left_middle, width=1.8)
    low = y + high + 32
    if how == "reinforce":
        top = y - 20
        loss = figure.box(LEFT + 452, low, 246, 44, Formula("−(R − b) · log π(token)"), "loss", size=13)
        figure.arrow(score.top_middle, (score.center[0], top), (RIGHT + 6, top), (RIGHT + 6, loss.center[1]), loss.right_middle,
                     dashed=True, width=1.6)  # fmt: skip
        figure.label(score.center[0] - 8, top - 6, "reward R, a number", 12, "end", INK)
        figure.arrow(loss.left_middle, (softmax.center[0], loss.center[1]), softmax.bottom_middle, color=ORANGE, width=2.6)
        figure.arrow((softmax.center[0], loss.center[1]), (generator.center[0], loss.center[1]), generator.bottom_middle,
                     color=ORANGE, width=2.6)  # fmt: skip
        figure.label((generator.center[0] + softmax.center[0]) / 2, loss.center[1] + 18, "gradient of log π", 12, color=INK)
    else:
        figure.line(score.bottom_middle, (score.center[0], low), (token.center[0] + 8, low), color=ORANGE, width=2.6)
        figure.arrow((token.center[0] + 8, low), (token.center[0] + 8, token.bottom), color=ORANGE, width=2.6)
        figure.label((score.center[0] + token.center[0]) / 2, low + 17, "gradient", 12, color=INK)
        if how == "argmax":
            x = (softmax.right + token.x) / 2
            for slope in (1, -1):
                figure.line((x - 9, low - slope * 9), (x + 9, low + slope * 9), color=CRIMSON, width=3)
            figure.label(x, low + 28, "stops here", 12.5, color=INK, bold=True)
            figure.line((x - 30, low), (generator.center[0], low), (generator.center[0], generator.bottom), color="#8b90a0",
                        width=1.4, dashed=True)  # fmt: skip
            figure.label((generator.center[0] + softmax.center[0]) / 2, low + 17, "nothing arrives", 12)
        else:
            figure.arrow((token.center[0] - 8, token.bottom), (token.center[0] - 8, low), (softmax.center[0] + 8, low),
                         (softmax.center[0] + 8, softmax.bottom), color=ORANGE, width=2.6)  # fmt: skip
            figure.label((token.center[0] + softmax.center[0]) / 2, low + 17, "copied across", 12.5, color=INK, bold=True)
            figure.arrow((softmax.center[0] - 8, softmax.bottom), (softmax.center[0] - 8, low), (generator.center[0], low),
                         generator.bottom_middle, color=ORANGE, width=2.6)  # fmt: skip
    return figure.finish(words, "Orange: the path of the gradient. Dashed: a number without a gradient."
                         if how == "reinforce" else "Orange: the path of the gradient.")  # fmt: skip


def dialogue_game() -> Drawing:
    """Draw the four named steps of the generator in adversarial dialogue, and the discriminator's own step."""
    figure = Diagram("Adversarial dialogue: four steps for the generator, one for the discriminator")
    y, width, gap, high = TITLE_HEIGHT + 12, 178, 25, 92
    steps = (
        ("1 · generate", "recurrent", "the bot samples a reply\nto each message"),
        ("2 · score", "gate", "the discriminator, after\nevery token: log D"),
        ("3 · advantages", "step", "return minus what\nthe critic expected"),
        ("4 · update", "loss", "−advantage · log π(token),\nthen one MLE step"),
    )
    boxes = [
        figure.box(LEFT + i * (width + gap), y, width, high, name, kind, note, size=14)
        for i, (name, kind, note) in enumerate(steps)
    ]
    for before, after in zip(boxes, boxes[1:]):
        figure.arrow(before.right_middle, after.left_middle, width=2.2)
    low = y + high + 58
    own = figure.box(boxes[1].x - 12, low, width + 24, 60, "discriminator's step", "new", "cross-entropy: person or bot?")
    people = figure.tensor(boxes[2].right - 40, low + 6, 150, 48, "people's replies", "to the same messages", size=12)
    figure.arrow(people.left_middle, own.right_middle, width=1.8)
    figure.arrow((boxes[0].center[0] - 20, boxes[0].bottom), (boxes[0].center[0] - 20, own.center[1]), own.left_middle, width=1.8)
    figure.label(boxes[0].center[0] - 12, own.center[1] - 10, "sampled replies", 12, "start", INK, room=104)
    figure.arrow(own.top_middle, boxes[1].bottom_middle, width=1.8)
    bend = boxes[3].bottom + 24
    figure.arrow((boxes[3].center[0] + 50, boxes[3].bottom), (boxes[3].center[0] + 50, bend), (boxes[0].center[0] + 30, bend),
                 (boxes[0].center[0] + 30, boxes[0].bottom), width=1.8, behind=True)  # fmt: skip
    figure.label(boxes[3].center[0] - 40, bend + 16, "again, with the new bot", 12, color=INK)
    return figure.finish(
        "Adversarial dialogue. The generator's four steps: generate a reply to each message; score it with the "
        "discriminator after "
        "every token; advantages, the return minus what the critic expected; update by −advantage · log π, then "
        "one step of maximum "
        "likelihood. The discriminator's own step: tell people's replies from sampled ones."
    )
