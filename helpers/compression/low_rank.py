"""A matrix as the product of two thin ones: the best of its rank, by the singular values (Eckart & Young 1936; notebook 12)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from helpers.compression.matrices import matrices, with_weights


@torch.no_grad()
def factors(weight: torch.Tensor, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return A [R, rank] and B [rank, C] whose product is nearest to a matrix [R, C] of all matrices of that rank.

    Each takes the square root of the singular values. Raises ValueError for a rank that is not from 1 to the smaller side.
    """
    _check_rank(weight, rank)
    left, values, right = torch.linalg.svd(weight.float(), full_matrices=False)
    root = values[:rank].sqrt()
    return left[:, :rank] * root, root[:, None] * right[:rank]


@torch.no_grad()
def kept_energy(weight: torch.Tensor, rank: int) -> float:
    """Return the share of Σ σ² that the ``rank`` largest singular values hold: 1 − the squared error of ``factors``.

    Raises ValueError for a rank that is not from 1 to the smaller side.
    """
    _check_rank(weight, rank)
    squares = torch.linalg.svdvals(weight.float()).square()
    return (squares[:rank].sum() / squares.sum()).item()


def low_rank(model: nn.Module, rank: int, parts: Iterable[str]) -> nn.Module:
    """Return a copy of a GPT whose matrices of these parts are A B of ``rank``: as many numbers as two factors can say.

    It computes with the product, as fast as before. Raises ValueError as ``factors`` and ``matrices`` do.
    """
    products = {}
    for name, weight in matrices(model, parts).items():
        a, b = factors(weight, rank)
        products[name] = a @ b
    return with_weights(model, products)


def low_rank_size(shape: tuple[int, int], rank: int) -> int:
    """Return how many numbers two factors of a matrix of this shape [R, C] have: rank · (R + C)."""
    return rank * sum(shape)


def _check_rank(weight: torch.Tensor, rank: int) -> None:
    if weight.ndim != 2 or not 1 <= rank <= min(weight.shape):
        most = min(weight.shape, default=0)
        raise ValueError(f"rank is {rank}: give 1 to {most}, the smaller side of a matrix {list(weight.shape)}")
