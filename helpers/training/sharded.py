"""Everyone holds a part: one step of a sharded layer by hand (ZeRO stage 3, Rajbhandari et al. 2019; built in notebook 13).

All workers live in one process: position r of a list belongs to worker r. torch's own is ``fully_shard``.
"""

from collections.abc import Sequence

import torch
from torch.nn import functional

from helpers.training.collectives import all_gather, reduce_scatter


def split(tensor: torch.Tensor, n: int) -> list[torch.Tensor]:
    """Return a tensor as ``n`` flat shards [k] of the same length, the last ones filled up with zeros. ValueError below 1."""
    if n < 1:
        raise ValueError(f"a tensor cannot be split among {n} workers: give at least one")
    flat = tensor.flatten()
    return list(functional.pad(flat, (0, -len(flat) % n)).chunk(n))


def joined(shards: Sequence[torch.Tensor], shape: Sequence[int]) -> torch.Tensor:
    """Return the tensor of this ``shape`` that was split into ``shards`` [k]; the zeros at its end are dropped."""
    size = torch.Size(shape)
    return torch.cat(list(shards))[: size.numel()].view(size)


def sharded_step(
    shards: list[torch.Tensor],
    shape: Sequence[int],
    inputs: list[torch.Tensor],
    targets: list[torch.Tensor],
    learning_rate: float,
) -> tuple[list[torch.Tensor], int]:
    """Make a step of stochastic gradient descent with a layer y = x Wᵀ of which each worker holds a part.

    ``shards`` [k] are the parts of W, of ``shape`` [O, I]; ``inputs`` [B, I] and ``targets`` [B, O] each worker's own. The
    loss is the mean squared error over all rows of all workers and their O numbers. Three moves: all-gather the weights, each
    computes the gradient of its own rows and forgets the weights, reduce-scatter the gradients; then each moves its part.
    Returns the new shards, and how many numbers of the layer a worker keeps between steps.
    """
    gathered = all_gather(shards)  # for a moment each has the whole layer
    total = sum(target.numel() for target in targets)
    gradients = []
    for everything, x, target in zip(gathered, inputs, targets):
        weight = joined([everything], shape)
        error = x @ weight.T - target  # [B, O]
        whole = 2 / total * error.T @ x  # [O, I]: what this worker's rows add to the gradient
        gradients.append(torch.cat(split(whole, len(shards))))
    parts = reduce_scatter(gradients)
    return [shard - learning_rate * part for shard, part in zip(shards, parts)], max(len(shard) for shard in shards)
