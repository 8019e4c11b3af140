"""The training loop, and nothing else: what ``fit`` does at every step, written out to be read (built in notebook 02)."""

from collections.abc import Callable, Iterable

import torch

from helpers.training.losses import next_token_loss


def train(
    model: torch.nn.Module,
    batches: Iterable,
    optimizer: torch.optim.Optimizer,
    loss: Callable = next_token_loss,
    clip: float = 1.0,
) -> list[float]:
    """Train ``model`` in place, a step for each of ``batches``; return the loss of each step in nats per token.

    ``loss(model, batch)`` is a scalar tensor; the gradient of all parameters together is shortened to the length ``clip``.
    """
    losses = []
    for batch in batches:
        value = loss(model, batch)
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        losses.append(value.item())
    return losses
