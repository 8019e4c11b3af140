"""Sums over workers that stand in a ring and talk to their neighbors only (Patarasu & Yuan 2009; built in notebook 13).

Each function is the program of one worker (``helpers.training.workers``): all workers of a team call it, with vectors of equal
length. No worker sends more than 2 (n − 1) / n times its numbers, however many workers there are.
"""

import torch


def reduce_scatter(worker, vector: torch.Tensor) -> torch.Tensor:
    """Return this worker's part of the sum of everybody's ``vector`` [N]: part r, of [N / n], on worker r.

    Raises ValueError when the vector cannot be cut into n equal parts.
    """
    size, rank = worker.size, worker.rank
    if vector.numel() % size:
        raise ValueError(f"{vector.numel()} numbers cannot be cut into {size} equal parts: append zeros")
    parts = list(vector.clone().chunk(size))
    for step in range(size - 1):
        parts[(rank - step - 2) % size] += worker.exchange(parts[(rank - step - 1) % size])
    return parts[rank].clone()


def all_gather(worker, part: torch.Tensor) -> torch.Tensor:
    """Return the parts [k] of all workers, in the order of their ranks: [n · k]."""
    size, rank = worker.size, worker.rank
    parts = [part] * size
    for step in range(size - 1):
        parts[(rank - step - 1) % size] = worker.exchange(parts[(rank - step) % size])
    return torch.cat(parts)


def ring_all_reduce(worker, vector: torch.Tensor) -> torch.Tensor:
    """Return the sum of everybody's ``vector`` [N] on every worker, the same bits on each; ``vector`` stays as it is.

    n does not have to divide N: some parts are then a number longer than others.
    """
    size, rank = worker.size, worker.rank
    parts = list(vector.clone().tensor_split(size))
    for step in range(size - 1):  # a part grows as it goes round: worker r adds its own to what it receives
        parts[(rank - step - 1) % size] += worker.exchange(parts[(rank - step) % size])
    for step in range(size - 1):  # now worker r has the whole sum of part r + 1, and passes on what is finished
        parts[(rank - step) % size] = worker.exchange(parts[(rank - step + 1) % size])
    return torch.cat(parts)
