"""Ways to train as a team that raise no error and are wrong (built in notebook 13, which finds them by their symptoms).

Each step is the program of one worker, with the arguments of ``team_steps.team_step``, and differs from it in one thing.
"""

from collections.abc import Callable

import torch

from helpers.training.ring import ring_all_reduce
from helpers.training.team_steps import team_gradient


def _flat(model) -> torch.Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])


def _set(model, flat: torch.Tensor) -> None:
    parameters = list(model.parameters())
    for parameter, part in zip(parameters, flat.split([parameter.numel() for parameter in parameters])):
        parameter.grad = part.view_as(parameter)


def _move(model, optimizer, clip: float) -> float:
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return norm.item()


def _own_gradient(model, loss: Callable, batch) -> torch.Tensor:
    """Return the flat gradient of this worker's own mean loss."""
    model.zero_grad()
    loss(model, batch).backward()
    return _flat(model)


def same_batch(worker, model, optimizer, loss, batches, step, clip=1.0) -> float:
    """Every worker reads the batch of the step's number: n times the work for one batch."""
    team_gradient(worker, model, loss, batches[step])
    return _move(model, optimizer, clip)


def mean_of_means(worker, model, optimizer, loss, batches, step, clip=1.0) -> float:
    """Gradients of means are averaged, as if all batches had equally many targets."""
    mine = _own_gradient(model, loss, batches[step * worker.size + worker.rank])
    _set(model, ring_all_reduce(worker, mine) / worker.size)
    return _move(model, optimizer, clip)


def sum_of_gradients(worker, model, optimizer, loss, batches, step, clip=1.0) -> float:
    """Nobody divides: the gradient is n times as long."""
    team_gradient(worker, model, loss, batches[step * worker.size + worker.rank])
    _set(model, _flat(model) * worker.size)
    return _move(model, optimizer, clip)


def clip_before(worker, model, optimizer, loss, batches, step, clip=1.0) -> float:
    """Each worker clips its own gradient, then they are averaged: a long gradient loses its weight."""
    batch = batches[step * worker.size + worker.rank]
    weight = (batch.targets != -100).sum().float()[None]
    total = ring_all_reduce(worker, weight)
    _own_gradient(model, loss, batch)
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    _set(model, ring_all_reduce(worker, _flat(model) * weight) / total)
    optimizer.step()
    return _flat(model).norm().item()


def no_exchange(worker, model, optimizer, loss, batches, step, clip=1.0) -> float:
    """The all-reduce is left out: n training runs that know nothing of each other."""
    _own_gradient(model, loss, batches[step * worker.size + worker.rank])
    return _move(model, optimizer, clip)


MISTAKES = {
    "same batch": same_batch,
    "mean of means": mean_of_means,
    "sum": sum_of_gradients,
    "clip before": clip_before,
    "no exchange": no_exchange,
}
