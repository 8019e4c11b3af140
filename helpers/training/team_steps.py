"""What each worker of a team does in a step: data parallel, sharded, or with a part of each layer (built in notebook 13).

Every function is the program of one worker (``helpers.training.workers``), short enough to be read. ``fit(..., team=team)`` is
the finished form: ``helpers.training.distributed`` for data parallel, torch's ``fully_shard`` for shards.
"""

import os
from collections.abc import Callable
from pathlib import Path

import torch

from helpers.corpus.batches.base import IGNORED
from helpers.training.ring import all_gather, reduce_scatter, ring_all_reduce


def team_gradient(worker, model, loss: Callable, batch) -> int:
    """Fill each ``.grad`` with the gradient of the mean loss over the targets of *all* workers' batches.

    ``loss(model, batch)`` is a mean over the batch's own targets (those of ``batch.targets`` that are not −100), so it weighs
    as much as it has of them. Returns how many targets all batches have together.
    """
    weight = (batch.targets != IGNORED).sum().float()[None]  # [1]
    total = ring_all_reduce(worker, weight)
    model.zero_grad()
    (loss(model, batch) / (total / weight)[0]).backward()
    parameters = list(model.parameters())
    flat = ring_all_reduce(worker, torch.cat([parameter.grad.flatten() for parameter in parameters]))
    for parameter, part in zip(parameters, flat.split([parameter.numel() for parameter in parameters])):
        parameter.grad = part.view_as(parameter)
    return int(total)


def team_step(worker, model, optimizer, loss: Callable, batches, step: int, clip: float = 1.0) -> float:
    """Make a step on the batches of all workers, each its own; return the gradient's norm before it is clipped."""
    team_gradient(worker, model, loss, batches[step * worker.size + worker.rank])
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return norm.item()


def train(worker, model, optimizer, loss: Callable, batches, steps: int, path: str | os.PathLike) -> int:
    """Train up to step ``steps`` with ``team_step``; begin where the checkpoint at ``path`` ends, if there is one.

    Worker 0 saves weights, optimizer and the number of steps after each step, under another name first, so that the file is
    whole at any moment. Returns the step at which this run began.
    """
    path, begin = Path(path), 0
    if path.exists():
        saved = torch.load(path)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        begin = saved["step"]
    for step in range(begin, steps):
        team_step(worker, model, optimizer, loss, batches, step)
        if worker.rank == 0:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(state, f"{path}.part")
            os.replace(f"{path}.part", path)
    return begin


def sharded_step(
    worker, shard: torch.Tensor, shape: tuple, inputs: torch.Tensor, targets: torch.Tensor, learning_rate: float
) -> torch.Tensor:
    """Make a step of SGD on a layer of which each worker keeps a part; return this worker's new part.

    shard     [O · I / n]: part r of the flat weights W [O, I] = ``shape``
    inputs    x [B, I], ``targets`` [B, O]: this worker's batch, as large as all others'; the loss is the mean of (x Wᵀ − y)²
    """
    weight = all_gather(worker, shard).view(shape).requires_grad_()  # whole only here
    ((inputs @ weight.T - targets) ** 2).mean().backward()
    gradient = reduce_scatter(worker, weight.grad.flatten()) / worker.size
    return shard - learning_rate * gradient


def parallel_mlp(worker, x: torch.Tensor, up, up_bias, down, down_bias) -> torch.Tensor:
    """Return relu(x Uᵀ + b) Dᵀ + c [B, D] on every worker, which has a part of the hidden features (Shoeybi et al. 2019).

    x [B, D] and ``down_bias`` c [D] are whole; this worker has the rows ``up`` [H / n, D] and ``up_bias`` [H / n] of U and b,
    and the columns ``down`` [D, H / n] of its matrix D. There is one sum over workers.
    """
    hidden = torch.relu(x @ up.T + up_bias)  # [B, H / n]
    partial = hidden @ down.T  # [B, D]
    return ring_all_reduce(worker, partial.flatten()).view_as(partial) + down_bias
