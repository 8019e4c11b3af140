"""A gradient for what was sampled: REINFORCE and its advantages, and the Gumbel way around it (notebooks 08 and 09).

A reply is sampled token by token, and through a sample no gradient passes. REINFORCE (Williams 1992) needs none: it raises the
log-probability of what was sampled, in proportion to its return. Everything here is [B, T]: B replies side by side, T tokens,
``mask`` True where there is a token and False at padding.
"""

import torch
from torch.nn import functional

from helpers.training.losses import NotFinite

# --- around the sample: a soft choice instead -------------------------------------------------------------------------


def gumbel_softmax(
    logits: torch.Tensor, temperature: float = 1.0, hard: bool = False, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Return nearly a sample: weights [..., V] that sum to 1 and let the gradient through (Jang et al. 2016).

    The largest of logits plus Gumbel noise is an exact sample; softmax with a ``temperature`` above 0 stands in for the
    largest. ``hard=True`` gives the sample itself, 0 and 1, with the gradient of the soft weights (straight through: biased).
    Raises ValueError for a temperature that is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}: give a number above 0, usually 0.5 to 1")
    noise = -torch.empty_like(logits).exponential_(generator=generator).log()
    soft = torch.softmax((logits + noise) / temperature, dim=-1)
    if not hard:
        return soft
    sample = functional.one_hot(soft.argmax(-1), logits.shape[-1]).to(soft)
    return sample + soft - soft.detach()


# --- the return of each token ------------------------------------------------------------------------------------------


def rewards_to_go(rewards: torch.Tensor, mask: torch.Tensor, gamma: float = 1.0) -> torch.Tensor:
    """Return the returns [B, T]: the rewards from each token on, each later one ``gamma`` times less; 0 at padding.

    Raises ValueError when a reward inside the mask is no number, naming its row and step, or gamma lies outside 0 to 1.
    """
    if not 0 <= gamma <= 1:
        raise ValueError(f"gamma is {gamma}: give a number from 0 (only now counts) to 1 (later counts as much)")
    rewards = _numbers(rewards, mask, "a reward")
    returns, later = [], torch.zeros_like(rewards[:, 0])
    for now in rewards.unbind(1)[::-1]:
        later = now + gamma * later
        returns.append(later)
    return torch.stack(returns[::-1], dim=1).where(mask, 0.0)


def kl_penalized_rewards(
    scores: torch.Tensor, log_probabilities: torch.Tensor, reference: torch.Tensor, beta: float, mask: torch.Tensor
) -> torch.Tensor:
    """Return a reward for each token [B, T]: −β (log π − log π_ref), and at the last token of a reply its score besides.

    ``scores`` [B] are those of whole replies; the two log-probabilities [B, T] are those of the policy and of the model it
    came from (Stiennon et al. 2020). No gradient flows through it. Raises ValueError for an empty reply, and when a score
    or a log-probability is no number.
    """
    if not mask.any(1).all():
        raise ValueError(f"reply {int((~mask.any(1)).int().argmax())} is empty: there is no token to reward")
    lengths = mask.shape[1] - mask.flip(1).int().argmax(1)  # of each reply, without the padding after it
    rewards = (-beta * (log_probabilities - reference)).detach().where(mask, 0.0)
    last = torch.arange(mask.shape[1], device=mask.device) == lengths[:, None] - 1
    return _numbers(rewards + last * scores.detach()[:, None], mask, "a reward")


def whiten(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return ``values`` [B, T] with mean 0 and variance 1 over the mask, 0 elsewhere: steps of one size.

    With a single value in the mask, or equal ones, everything is 0.
    """
    number = mask.sum().clamp(min=1)
    centered = (values - values.where(mask, 0.0).sum() / number).where(mask, 0.0)
    return centered / ((centered**2).sum() / number).sqrt().clamp(min=1e-6)


def reinforce_loss(log_probabilities: torch.Tensor, advantages: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return −Σ log p · advantage over a reply's tokens, the mean over replies: its gradient is −∇ of the mean return.

    The advantages are numbers here, whatever they came from: no gradient reaches a discriminator or a critic. Raises
    ValueError when one inside the mask is no number, naming its row and step.
    """
    advantages = _numbers(advantages.detach(), mask, "an advantage")
    return -(log_probabilities.where(mask, 0.0) * advantages).sum() / len(log_probabilities)


def _numbers(values: torch.Tensor, mask: torch.Tensor, name: str) -> torch.Tensor:
    """Return ``values`` with 0 outside the mask; ValueError where one inside is not finite or the shapes differ."""
    if values.shape != mask.shape:
        raise ValueError(f"each token needs {name}: got shapes {tuple(values.shape)} and {tuple(mask.shape)}")
    values = values.where(mask, 0.0)
    wrong = ~torch.isfinite(values)
    if wrong.any():
        row, step = wrong.nonzero()[0].tolist()
        raise NotFinite(f"{name} is no number: {values[row, step].item()} in row {row} at step {step}")
    return values
