"""What a judge's opinion is worth to a bot, token by token: how one pays decides what it learns (built in notebook 08).

All are [B, T], ``counted`` True at the tokens of the replies; nothing is paid at padding.
"""

import math

import torch
from torch.nn import functional

UNDECIDED = math.log(2)  # added to log σ, so that a judge who cannot tell gives 0


def judge_rewards(logits: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Return what each token earns [B, T]: log σ(verdict after it) + ln 2; 0 where nothing is counted.

    Above 0 where the judge leans to "a person", below 0 where it leans to "a machine". Without the ln 2 every reward is
    negative, and the surest way to earn more is to say less.
    """
    return (functional.logsigmoid(logits) + UNDECIDED).where(counted, 0.0)


def changes(rewards: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Return what each token changed in the reward before it, [B, T]; before the first it was 0.

    They sum to the last verdict, however long the reply: a judge who is often right pays each *verdict* less than 0, so that
    the shortest reply earns most, while a change costs nothing.
    """
    before = functional.pad(rewards[:, :-1], (1, 0))
    return (rewards - before).where(counted, 0.0)


def evened(paid: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Return what is paid [B, T] with the same added to each token, such that long and short replies earn alike.

    The longer a machine speaks, the surer is its judge: without this, it would learn to say nothing. What is added is the
    slope of a line through the sums of the replies, against their lengths.
    """
    lengths, sums = counted.sum(1).to(paid), paid.sum(1)
    off = lengths - lengths.mean()
    slope = (off * sums).sum() / (off**2).sum().clamp(min=1e-6)
    return (paid - slope).where(counted, 0.0)


def paid_out(paid: torch.Tensor, counted: torch.Tensor, reward: str, dice=None) -> torch.Tensor:
    """Return the rewards [B, T] that the generator sees: what is paid, or those of a control.

    A control knows nothing of the reply: at its last token it pays the mean of all sums ("constant"), or the sum of
    another reply ("shuffled").
    """
    if reward == "judge":
        return paid
    sums = paid.sum(1)
    if reward == "constant":
        sums = sums.mean().expand_as(sums)
    else:
        sums = sums[torch.randperm(len(sums), generator=dice, device=sums.device)]
    last = counted.sum(1, keepdim=True) - 1
    return torch.zeros_like(paid).scatter(1, last, sums[:, None])
