"""From preference pairs to a bot: reward model, best of n, RLHF, DPO (built for notebook 09)."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need
from helpers.show.drawings.parts import parameter_count, short
from helpers.show.lettering import Formula
from helpers.show.svg import TITLE_HEIGHT, Drawing
from helpers.show.theme import BLUE, INK, ORANGE, TEAL, amount, readable

MOST = 12  # replies drawn


def reward_model(model=None) -> Drawing:
    """Draw a reward model: a GPT reads prompt and reply, one vector, one row of weights, one score; and its loss on a pair.

    With `model` its number of parameters is written into the GPT's box.
    """
    figure = Diagram("Reward model: one score for a whole reply, learned from pairs")
    y, high = TITLE_HEIGHT + 12, 46
    size = "frozen" if model is None else f"{short(parameter_count(model))} parameters"
    sides = []
    for row, name in enumerate(("chosen", "rejected")):
        top = y + row * 74
        read = figure.tensor(LEFT, top, 168, high, "prompt + reply", name, "kept" if row == 0 else "tensor")
        gpt = figure.box(LEFT + 198, top, 110, high, "GPT", "attention", size)
        last = figure.tensor(LEFT + 338, top, 92, high, "last vector", Formula("h"), size=12)
        head = figure.box(LEFT + 460, top, 92, high, "w · h", "new", "learned")
        score = figure.tensor(LEFT + 582, top, 62, high, Formula("r_{c}" if row == 0 else "r_{r}"), None, size=16)
        for before, after in ((read, gpt), (gpt, last), (last, head), (head, score)):
            figure.arrow(before.right_middle, after.left_middle, width=1.8)
        sides.append(score)
    figure.line((LEFT + 253, y + high), (LEFT + 253, y + 74), width=1.2, dashed=True)
    figure.line((LEFT + 506, y + high), (LEFT + 506, y + 74), width=1.2, dashed=True)
    loss = figure.box(RIGHT - 112, y + 37, 112, high, Formula("−log σ(r_{c} − r_{r})"), "loss", size=12)
    for score, shift in zip(sides, (-10, 10)):
        figure.arrow(score.right_middle, (loss.x - 16, score.center[1]), (loss.x - 16, loss.center[1] + shift),
                     (loss.x, loss.center[1] + shift), width=1.8)  # fmt: skip
    figure.label(loss.center[0], loss.y - 10, "Bradley–Terry", 12, color=INK, room=118)
    return figure.finish(
        "A reward model. The GPT reads a prompt with the chosen reply; its vector at the last token, times one "
        "learned row of weights, "
        "is the score r_c. The same for the rejected reply: r_r. The loss is −log σ(r_c − r_r), Bradley and Terry's.",
        "Dashed: the same network and the same weights twice.",
    )


def best_of_n(scores: Sequence[float]) -> Drawing:
    """Draw n replies to one prompt, their scores, and the one that is kept. `scores` [n], n from 1 on; twelve are drawn at most.

    Raises ValueError for no scores.
    """
    scores = [float(score) for score in scores]
    need(len(scores) > 0, "give at least one score")
    best = max(range(len(scores)), key=scores.__getitem__)
    shown = list(range(len(scores)))[:MOST]
    if best not in shown:
        shown[-1] = best
    low, high = min(scores), max(scores)
    figure = Diagram(f"Best of {len(scores)}: sample, score, keep one")
    y, row = TITLE_HEIGHT + 12, 24
    tall = row * len(shown)
    prompt = figure.tensor(LEFT, y + tall / 2 - 24, 96, 48, "prompt")
    bot = figure.box(LEFT + 128, y + tall / 2 - 24, 110, 48, "bot", "kept", "as it is")
    figure.arrow(prompt.right_middle, bot.left_middle, width=1.8)
    for i, index in enumerate(shown):
        at = y + i * row
        kept = index == best
        kind = "new" if kept else "tensor"
        reply = figure.box(LEFT + 330, at, 120, row - 5, f"reply {index + 1}", kind, size=12, bold=kept, rx=3)
        figure.arrow(bot.right_middle, (bot.right + 22, bot.center[1]), (bot.right + 22, reply.center[1]), reply.left_middle,
                     width=1, corner=3)  # fmt: skip
        length = 10 + 170 * ((scores[index] - low) / (high - low) if high > low else 1)
        figure.rect(LEFT + 470, at + 2, length, row - 9, ORANGE if kept else BLUE, line=0, rx=2)
        text = f"{scores[index]:.1f}".replace("-", "−") + "  kept" * kept
        figure.label(LEFT + 478 + length, at + 14, text, 12, "start", INK, bold=kept)
    replies = amount(len(scores), "reply", "replies")
    words = f"One prompt, {replies}, one score each, from {low:.1f} to {high:.1f}; reply {best + 1} is kept."
    return figure.finish(words.replace("-", "−") if low < 0 else words)


def rlhf_loop() -> Drawing:
    """Draw the loop of RLHF: policy, reference, reward model, the penalized reward, advantages, the update."""
    figure = Diagram("RLHF: sample, score, compare with the reference, update")
    y, high = TITLE_HEIGHT + 20, 60
    policy = figure.box(LEFT, y + 46, 128, high, Formula("policy π"), "new", "the bot that learns")
    replies = figure.tensor(LEFT + 166, y + 46, 104, high, "replies", "sampled")
    model = figure.box(LEFT + 318, y, 142, high, "reward model", "gate", "one score a reply")
    reference = figure.box(LEFT + 318, y + 92, 142, high, Formula("reference π_{ref}"), "kept", "the bot it was")
    reward = figure.box(LEFT + 508, y + 46, 142, high, "reward", "step", Formula("score − baseline\nminus β · KL"))
    advantage = figure.box(RIGHT - 102, y + 46, 102, high, "advantage", "step", "whitened return", size=12.5)
    figure.arrow(policy.right_middle, replies.left_middle, width=1.8)
    for box in (model, reference):
        for start, end in ((replies, box), (box, reward)):
            bend = end.x - 24
            figure.arrow(start.right_middle, (bend, start.center[1]), (bend, end.center[1]), end.left_middle, width=1.8)
    figure.arrow(reward.right_middle, advantage.left_middle, width=1.8)
    low = y + 186
    loss = figure.box(LEFT + 250, low, 220, 40, "−advantage · log π(token)", "loss", size=12.5)
    figure.arrow(advantage.bottom_middle, (advantage.center[0], loss.center[1]), loss.right_middle, width=1.8)
    figure.arrow(loss.left_middle, (policy.center[0], loss.center[1]), policy.bottom_middle, color=ORANGE, width=2.6)
    figure.label((policy.center[0] + loss.x) / 2, loss.center[1] + 18, "gradient", 12, color=INK)
    return figure.finish(
        "RLHF. The policy π samples replies. The reward model gives each one score; the reference, the bot it was before, gives "
        "log-probabilities for the KL penalty: reward = (score − baseline) − β · KL, token by token. The returns, whitened, "
        "are the advantages, and the policy lowers −advantage · log π of its tokens. Only the policy learns.",
        "Orange: what learns. Blue: frozen.",
    )


def rlhf_and_dpo() -> Drawing:
    """Draw the two ways from preference pairs to a bot: through a reward model and sampling, and DPO."""
    figure = Diagram("Two ways from preference pairs to a bot")
    y, high = TITLE_HEIGHT + 26, 56
    pairs = figure.tensor(LEFT, y + 46, 132, high, "preference pairs", "chosen, rejected", "tensor", size=12)
    model = figure.box(LEFT + 186, y, 128, high, "reward model", "gate", "Bradley–Terry")
    loop = figure.box(LEFT + 362, y, 230, high, "sample · score · update", "recurrent", "policy gradient with a KL penalty")
    dpo = figure.box(LEFT + 186, y + 92, 406, high, "DPO: one supervised loss", "attention", Formula(
        "−log σ(β[log π/π_{ref} (chosen) − log π/π_{ref} (rejected)])"), size=13)  # fmt: skip
    bot = figure.box(RIGHT - 132, y + 46, 132, high, "bot", "new", Formula("π ∝ π_{ref} · e^{r/β}"))
    for box in (model, dpo):
        figure.arrow(pairs.right_middle, (box.x - 24, pairs.center[1]), (box.x - 24, box.center[1]), box.left_middle, width=1.8)
    figure.arrow(model.right_middle, loop.left_middle, width=1.8)
    for box in (loop, dpo):
        figure.arrow(box.right_middle, (bot.x - 24, box.center[1]), (bot.x - 24, bot.center[1]), bot.left_middle, width=1.8)
    figure.label(loop.center[0], y - 8, "RLHF: repeated for every batch", 12, color=readable(TEAL), bold=True)
    figure.arrow((loop.right - 18, loop.bottom), (loop.right - 18, loop.bottom + 16), (loop.x + 18, loop.bottom + 16),
                 (loop.x + 18, loop.bottom), width=1.6)  # fmt: skip
    return figure.finish(
        "Two ways from preference pairs to a bot. RLHF: train a reward model on the pairs, then sample, score "
        "and update again and "
        "again with a KL penalty. DPO: one supervised loss on the pairs, −log σ of β times the difference of the "
        "two log-ratios to "
        "the reference. With exact optimization and enough pairs both lead to π ∝ π_ref · e^(r/β)."
    )
