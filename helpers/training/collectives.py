"""What a team of processes says to each other, by hand and counted (built in notebook 13).

In the functions on lists all workers live in one process: position r belongs to worker r, and nobody looks at another's
position but by a message. ``ring_all_reduce_between`` is the same on real processes.
"""

from typing import NamedTuple

import torch


class Message(NamedTuple):
    """One message of the ring: in ``phase`` "reduce" what arrives is added, in "gather" it replaces what was there."""

    phase: str
    step: int  # 0 to n - 2
    sender: int
    receiver: int
    chunk: int  # which of the n pieces of the vector


def ring_steps(n: int) -> list[list[Message]]:
    """Return the 2 (n - 1) steps of a ring of ``n`` workers, each with the n messages that are sent at once.

    Every worker sends to the next one, all the time. In the first n - 1 steps a piece grows on its way round, and arrives
    as the sum at the worker before the one it began at; in the next n - 1 the sums go round. Raises ValueError below 1.
    """
    if n < 1:
        raise ValueError(f"a ring of {n} workers: give at least one")
    return [
        [
            Message(phase, step, worker, (worker + 1) % n, (worker + (phase == "gather") - step) % n)
            for worker in range(n)
        ]
        for phase in ("reduce", "gather")
        for step in range(n - 1)
    ]


def ring_all_reduce(vectors: list[torch.Tensor]) -> tuple[list[torch.Tensor], list[int]]:
    """Return the sum of n vectors [N] for each of n workers, and how many numbers each has sent: 2 (n - 1) / n × N.

    However many workers there are, none sends more than 2 N numbers (Patarasuk & Yuan 2009; Gibiansky 2017 for gradients).
    Each piece is summed in one place, so all workers get the same bits. The vectors given are not changed. Raises ValueError
    when there is none, or when they differ in shape.
    """
    _alike(vectors)
    n, sent = len(vectors), [0] * len(vectors)
    pieces = [
        list(vector.clone().tensor_split(n)) for vector in vectors
    ]  # where n does not divide N, some are longer by one
    for messages in ring_steps(n):
        for phase, _, sender, receiver, chunk in messages:
            arriving = pieces[sender][chunk]
            pieces[receiver][chunk] = pieces[receiver][chunk] + arriving if phase == "reduce" else arriving
            sent[sender] += arriving.numel()
    return [torch.cat(mine) for mine in pieces], sent


def ring_all_reduce_between(vector: torch.Tensor, rank: int, size: int) -> tuple[torch.Tensor, int]:
    """Return the sum of everybody's ``vector`` [N], and how many numbers this process has sent, in a team of ``size``.

    Each process calls it, after ``helpers.training.distributed.join``. It sends to the next and receives from the one before
    at the same time: were all to send first, each would wait for a receiver.
    """
    from torch import distributed

    pieces, sent = list(vector.clone().tensor_split(size)), 0
    for messages in ring_steps(size):
        _, _, _, receiver, chunk = messages[rank]  # mine
        phase, _, sender, _, arriving = messages[(rank - 1) % size]  # what the one before me sends
        box = torch.empty_like(pieces[arriving])
        going = distributed.isend(pieces[chunk].contiguous(), receiver)
        distributed.recv(box, sender)
        going.wait()
        pieces[arriving] = pieces[arriving] + box if phase == "reduce" else box
        sent += pieces[chunk].numel()
    return torch.cat(pieces), sent


def all_gather(shards: list[torch.Tensor]) -> list[torch.Tensor]:
    """Return for each worker all shards [k], one after the other: [n × k]. Raises ValueError as ``ring_all_reduce``."""
    _alike(shards)
    return [torch.cat(shards) for _ in shards]


def reduce_scatter(vectors: list[torch.Tensor]) -> list[torch.Tensor]:
    """Return for worker r the r-th of n pieces of the sum of all vectors [N]: [N / n].

    The first half of the ring. Raises ValueError when n does not divide N, and as ``ring_all_reduce``.
    """
    _alike(vectors)
    if len(vectors[0]) % len(vectors):
        raise ValueError(
            f"{len(vectors[0])} numbers cannot be cut in {len(vectors)} equal pieces: fill them up with zeros"
        )
    return list(torch.stack(vectors).sum(dim=0).chunk(len(vectors)))


def _alike(vectors: list[torch.Tensor]) -> None:
    if not vectors or any(vector.shape != vectors[0].shape or vector.ndim != 1 for vector in vectors):
        shapes = [list(vector.shape) for vector in vectors]
        raise ValueError(f"give one vector for each worker, all of the same length; these have shapes {shapes}")
