"""The repaired message → reply GAN, and the pieces that notebook 08 writes: to be read, and run where a cell is empty.

Four pieces, each a few lines: a sample that lets a gradient through (``straight_through``), a loss that needs no such gradient
(``reinforce_loss``), a step of both networks (``reply_gan_step``), and the advantages of a dialogue game (``advantages``).
"""

import torch
from torch.nn import functional

from helpers.training import reinforce
from helpers.training.gan import discriminator_loss, generator_loss


def straight_through(logits: torch.Tensor, noise: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
    """Return the one-hot vector [..., V] of the largest of logits + noise, with the gradient of its softmax.

    With Gumbel noise it is a sample (Jang et al. 2016). ``temperature`` is that of the softmax on the way back.
    """
    soft = ((logits + noise) / temperature).softmax(-1)
    hard = functional.one_hot(soft.argmax(-1), logits.shape[-1]).to(soft)
    return hard + soft - soft.detach()


def reinforce_loss(
    log_probabilities: torch.Tensor, rewards: torch.Tensor, baseline: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Return −Σ log p · (reward − baseline) over a reply's tokens, the mean over replies (Williams 1992).

    All are [B, T]; the baseline may broadcast. Neither rewards nor baseline get a gradient; padding counts for nothing.
    """
    return reinforce.reinforce_loss(log_probabilities, (rewards - baseline).expand_as(rewards), mask)


def reply_gan_step(
    generator, discriminator, optimizer_g, optimizer_d, messages: torch.Tensor, replies: torch.Tensor
) -> tuple[float, float]:
    """Make one step of each player and return both losses, the discriminator's first, as numbers.

    ``messages`` [B, S] and people's ``replies`` [B, T] are token numbers; ``generator(messages)`` samples one-hot replies
    [B, T, V] with a gradient, ``discriminator(messages, one-hot replies)`` gives logits [B].
    """
    sampled = generator(messages)
    real = functional.one_hot(replies, sampled.shape[-1]).to(sampled)
    loss_d = discriminator_loss(discriminator(messages, real), discriminator(messages, sampled.detach()))
    optimizer_d.zero_grad()
    loss_d.backward()
    optimizer_d.step()
    loss_g = generator_loss(discriminator(messages, sampled))
    optimizer_g.zero_grad()
    loss_g.backward()
    optimizer_g.step()
    return loss_d.item(), loss_g.item()


def advantages(
    rewards: torch.Tensor, values: torch.Tensor, mask: torch.Tensor, gamma: float = 1.0, clip: float = 5.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return advantages and returns, both [B, T] and 0 at padding: return = reward + gamma · the next return.

    An advantage is the return minus the critic's value, between −clip and clip, and no gradient reaches the critic by it.
    """
    returns = reinforce.rewards_to_go(rewards, mask, gamma)
    return (returns - values.detach()).clamp(-clip, clip).where(mask, 0.0), returns
