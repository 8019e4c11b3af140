"""From replies to votes to intervals: a round of the arena, resampling, style, a judge (built for notebook 15)."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Sequence

from helpers.show.diagram import LEFT, RIGHT, Diagram, need, spread, tint
from helpers.show.lettering import Formula
from helpers.show.svg import TITLE_HEIGHT, Drawing, seen
from helpers.show.theme import BLUE, CRIMSON, INK, ORANGE, PLUM, SOFT, TEAL, amount, listing, shorten

COLORS = (BLUE, ORANGE, TEAL, CRIMSON, PLUM, "#6b7a2a", "#8a6a00", "#4a5568")


def arena_round(
    prompt: str = "how was your weekend?",
    replies: Sequence[str] = ("it was great, i went hiking!", "I don't know."),
) -> Drawing:
    """Draw a round of the arena: one prompt, two replies without names on random sides, a vote, a line in a file, ratings.

    Raises ValueError unless there are two different replies.
    """
    need(
        len(replies) == 2 and replies[0] != replies[1],
        "a round needs two different replies: identical ones decide nothing",
    )
    figure = Diagram("A round of the arena: the names come after the vote")
    y, high, lines = TITLE_HEIGHT + 18, 44, textwrap.wrap(shorten(prompt, 34), 18)
    ask = figure.box(LEFT, y + 34, 128, 60, "prompt", "kept", "\n".join(lines), size=13)
    bots = [figure.box(LEFT + 166, y + 78 * i, 76, high, f"bot {'AB'[i]}", "attention", size=13) for i in range(2)]
    sides = [figure.box(LEFT + 320, y + 78 * i, 176, high, side, "tensor", shorten(replies[1 - i], 30), size=12.5)
             for i, side in enumerate(("left", "right"))]  # fmt: skip
    for i in range(2):
        figure.arrow(
            ask.right_middle, (LEFT + 147, ask.center[1]), (LEFT + 147, bots[i].center[1]), bots[i].left_middle
        )
        figure.arrow(bots[i].right_middle, sides[1 - i].left_middle, color=ORANGE, width=2.2)
    figure.label(LEFT + 281, y + 140, "sides at random", 12)
    vote = figure.box(LEFT + 534, y + 24, 96, 76, "your vote", "new", "left, right,\ntie, both bad", size=13)
    for box in sides:
        figure.arrow(box.right_middle, (LEFT + 515, box.center[1]), (LEFT + 515, vote.center[1]), vote.left_middle)
    store = figure.box(LEFT + 664, y, RIGHT - LEFT - 664, high, "one line", "step", "in your file", size=13)
    rate = figure.box(LEFT + 664, y + 78, RIGHT - LEFT - 664, high, "ratings", "gate", "of all votes", size=13)
    figure.arrow(vote.right_middle, (LEFT + 646, vote.center[1]), (LEFT + 646, store.center[1]), store.left_middle)
    figure.arrow(store.bottom_middle, rate.top_middle)
    return figure.finish(
        f"A round of the arena. Two bots answer the same prompt, {shorten(prompt, 60)!r}. Their replies stand left and right at "
        "random, without names; identical replies are left out. The vote is left, right, tie or both bad. It becomes one line in "
        "a file on your computer, and only then are the names shown. The ratings are computed from all lines."
    )


def bootstrap_by_prompt(votes_per_prompt: Sequence[int] = (4, 2, 3, 1, 2), seed: int = 0) -> Drawing:
    """Draw two ways to resample the same votes: whole prompts with replacement, or single votes.

    ``votes_per_prompt`` are 3 to 8 numbers of votes, 32 in sum at most. Raises ValueError for others.
    """
    counts = [int(count) for count in votes_per_prompt]
    need(3 <= len(counts) <= 8 and min(counts) >= 1, "give 3 to 8 prompts, each with a vote at least")
    need(sum(counts) <= 32, f"{sum(counts)} votes cannot be drawn: give 32 at most")
    rng, n = random.Random(seed), len(counts)
    prompts = sorted(rng.choices(range(n), k=n))
    owner = [prompt for prompt, count in enumerate(counts) for _ in range(count)]
    votes = sorted(rng.choices(range(len(owner)), k=len(owner)))
    rows = (
        ("the votes", "as they were cast", owner),
        ("whole prompts", "resampled", [prompt for prompt in prompts for _ in range(counts[prompt])]),
        ("single votes", "resampled", [owner[vote] for vote in votes]),
    )
    figure = Diagram("Two ways to resample the same votes: which one asks what other prompts would say?")
    size = min(26, (RIGHT - LEFT - 140) / max(len(row) for *_, row in rows))
    for number, (name, what, row) in enumerate(rows):
        y = TITLE_HEIGHT + 12 + 62 * number
        figure.label(LEFT, y + 15, name, 13, "start", INK, bold=True)
        figure.label(LEFT, y + 31, what, 12, "start")
        for i, prompt in enumerate(row):
            color = COLORS[prompt]
            at = figure.rect(LEFT + 140 + i * size, y + 4, size - 2, 28, tint(color, 0.28), color, 1.3, 3)
            figure.label(at.center[0], y + 23, str(prompt + 1), min(13, size - 7), color=INK, bold=True)
    left_out = sorted(set(range(n)) - set(prompts))
    gone = listing(str(prompt + 1) for prompt in left_out) or "none"
    missing = len(set(owner) - {owner[vote] for vote in votes})
    return figure.finish(
        f"{amount(len(owner), 'vote')} on {amount(n, 'prompt')}, resampled with replacement. By prompts: "
        f"prompts {listing(str(prompt + 1) for prompt in prompts)}, each with all of its votes, {len(rows[1][2])} in sum; left "
        f"out: {gone}. By votes: {len(votes)} single votes, and {missing or 'none'} of the prompts left out. With "
        "other prompts the ratings would differ: only the first way shows by how much.",
        "A square is a vote, its number the prompt. With replacement: what was chosen twice counts twice.",
    )


def style_control() -> Drawing:
    """Draw why length is a confounder: who wrote a reply decides its length, and both may decide the vote."""
    figure = Diagram("Did it win because it is better, or because it is longer?")
    y = TITLE_HEIGHT + 14
    who = figure.box(LEFT + 40, y + 86, 168, 54, "who wrote it", "attention", Formula("strength β_{i} − β_{j}"))
    style = figure.box(LEFT + 300, y, 188, 54, "how long it is", "new", Formula("the difference x"))
    vote = figure.box(LEFT + 580, y + 86, 168, 54, "the vote", "kept", "left or right")
    figure.arrow(who.top_middle, (who.center[0], style.center[1]), style.left_middle, color=SOFT, width=2, dashed=True)
    figure.arrow(style.right_middle, (vote.center[0], style.center[1]), vote.top_middle, color=ORANGE, width=2.6)
    figure.arrow(who.right_middle, vote.left_middle, color=TEAL, width=2.6)
    figure.label(who.center[0] + 10, y + 18, "some models write more", 12, "start", room=150)
    figure.label((style.right + vote.center[0]) / 2, y + 18, Formula("taste for length, γ"), 12.5, color=INK)
    figure.label((who.right + vote.x) / 2, y + 105, "what we want to know", 12.5, color=INK)
    figure.label(
        (LEFT + RIGHT) / 2, y + 176, Formula("P(i beats j) = σ(β_{i} − β_{j} + γ x)"), 15, color=INK
    )
    return figure.finish(
        "Length is a confounder. Some models write longer replies (dashed arrow), and a voter may like longer replies (orange "
        "arrow); a rating without a covariate counts both as strength. The covariate x, the difference in length, takes the "
        "taste for length, γ, out of the strengths β: they then compare replies of equal length."
    )


def likelihood_judge(
    replies: Sequence[Sequence[str]] = (("i", "m", "good", ",", "you", "?", "<end>"), ("skiing", "<end>")),
    nats: Sequence[Sequence[float]] = ((1.6, 0.4, 0.9, 0.7, 1.5, 0.3, 0.5), (4.1, 1.2)),
) -> Drawing:
    """Draw how a language model judges two replies: a bar of −log p for each token, their sum and their mean.

    ``replies`` are two lists of tokens, ``nats`` two lists of −log p, as long, 14 at most. The lower mean wins. Raises
    ValueError for other lengths and for negative numbers.
    """
    replies, nats = (
        [[str(token) for token in reply] for reply in replies],
        [[float(value) for value in row] for row in nats],
    )
    need(len(replies) == len(nats) == 2, "a judge compares two replies: give two lists of tokens and two of nats")
    fine = all(len(tokens) == len(values) and 1 <= len(tokens) <= 14 for tokens, values in zip(replies, nats))
    need(fine, "give one number for each token, 1 to 14 tokens a reply")
    need(all(value >= 0 for row in nats for value in row), "−log p is never negative: give nats, not log-probabilities")
    figure = Diagram("A language model as the judge: which reply surprises it less, token by token?")
    most, tall = max(max(row) for row in nats) or 1.0, 56
    columns = spread(max(map(len, nats)), LEFT + 52, RIGHT - 190, 74, 6)
    means = [sum(row) / len(row) for row in nats]
    for number, (tokens, values) in enumerate(zip(replies, nats)):
        y = TITLE_HEIGHT + 16 + number * (tall + 58)
        base, wins = y + tall + 8, means[number] < means[1 - number]
        figure.label(LEFT, y + 34, ("left", "right")[number], 13.5, "start", INK, bold=True)
        for (x, width), token, value in zip(columns, tokens, values):
            high = tall * value / most
            figure.rect(x, base - high, width, high, tint(BLUE, 0.3), BLUE, 1.2, 1)
            figure.label(x + width / 2, base - high - 4, f"{value:.1f}", 11.5, color=INK, room=width)
            figure.label(x + width / 2, base + 16, seen(token, 12), 12, color=INK, mono=True, room=width + 4)
        figure.line((LEFT + 46, base), (RIGHT - 184, base), color=SOFT, width=1.2)
        figure.label(RIGHT - 170, y + 24, f"sum {sum(values):.1f} nats", 13, "start", INK)
        figure.label(RIGHT - 170, y + 46, f"mean {means[number]:.2f} per token", 13, "start", INK, bold=wins)
        if wins:
            figure.box(RIGHT - 60, y + 54, 60, 22, "wins", "new", size=12)
    sums = [sum(row) for row in nats]
    verdict = "a tie" if means[0] == means[1] else f"{('left', 'right')[means[1] < means[0]]} wins"
    other = "a tie" if sums[0] == sums[1] else f"{('left', 'right')[sums[1] < sums[0]]} would win"
    return figure.finish(
        "A language model judges two replies to one prompt by −log p of their tokens. Mean per token: left "
        f"{means[0]:.2f}, right {means[1]:.2f} nats: {verdict}. By the sums, {sums[0]:.1f} and {sums[1]:.1f} nats, {other}: a "
        "sum favors short replies, a mean favors common ones.",
        "A bar: how much this token surprised the judge, given the prompt and the tokens before.",
    )
