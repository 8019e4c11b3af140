"""From a discriminator's logits to rewards, token by token: how credit is given decides what a bot learns (notebook 08).

All are [B, T] in nats, ``mask`` True at the tokens of the replies; rewards at padding are 0.
"""

import math

import torch
from torch.nn import functional

UNDECIDED = math.log(2)  # added to log σ, so that a discriminator that cannot tell gives 0


def discriminator_rewards(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the reward of each token [B, T]: log σ(the discriminator's logit after it) + ln 2; 0 outside the mask.

    Above 0 where the discriminator leans to "a person", below 0 where it leans to "a machine". Without the ln 2 every reward
    is negative, and the surest way to a higher return is a shorter reply.
    """
    return (functional.logsigmoid(logits) + UNDECIDED).where(mask, 0.0)


def reward_differences(rewards: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return by how much each token changed the reward before it, [B, T]; before the first it was 0.

    They sum to the last reward, however long the reply: where a discriminator is often right *rewards* are below 0, so that
    the shortest reply has the highest return, while differences do not depend on length.
    """
    before = functional.pad(rewards[:, :-1], (1, 0))
    return (rewards - before).where(mask, 0.0)


def length_normalized(rewards: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return rewards [B, T] with the same added to each token, such that returns no longer depend on the length of a reply.

    The longer a machine's reply, the surer the discriminator: without this, the bot would learn to say nothing. What is added
    is the slope of a line through the returns of the replies, against their lengths, with its sign turned.
    """
    lengths, returns = mask.sum(1).to(rewards), rewards.sum(1)
    off = lengths - lengths.mean()
    slope = (off * returns).sum() / (off**2).sum().clamp(min=1e-6)
    return (rewards - slope).where(mask, 0.0)


def controlled(
    rewards: torch.Tensor, mask: torch.Tensor, kind: str, rng: torch.Generator | None = None
) -> torch.Tensor:
    """Return the rewards [B, T] that the generator is trained with: these (``kind`` "discriminator"), or a control's.

    A control knows nothing of the reply: its only reward, at the last token, is the mean of all returns ("constant"), or the
    return of another reply, at random ("shuffled").
    """
    if kind == "discriminator":
        return rewards
    returns = rewards.sum(1)
    if kind == "constant":
        returns = returns.mean().expand_as(returns)
    else:
        returns = returns[torch.randperm(len(returns), generator=rng, device=returns.device)]
    last = mask.sum(1, keepdim=True) - 1
    return torch.zeros_like(rewards).scatter(1, last, returns[:, None])
