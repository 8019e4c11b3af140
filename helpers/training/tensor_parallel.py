"""Everyone computes a part of each layer: an MLP cut by columns, then by rows (Shoeybi et al. 2019; built in notebook 13).

All workers live in one process: each of the ``parts`` belongs to one of them. Between the two matrices nothing is sent; at
the end the outputs are summed, once (an all-reduce). torch's own is ``parallelize_module``.
"""

from typing import NamedTuple

import torch
from torch.nn import functional


class Part(NamedTuple):
    """What one of n workers holds of an MLP from D numbers over H hidden units to D: H / n of the units."""

    up: torch.Tensor  # [H / n, D]: columns of the first matrix, as it is written x W; torch stores W transposed
    up_bias: torch.Tensor  # [H / n]
    down: torch.Tensor  # [D, H / n]: rows of the second


def whole_mlp(x: torch.Tensor, up, up_bias, down, down_bias) -> torch.Tensor:
    """Return the MLP's output [..., D] for x [..., D]: up [H, D], a ReLU, down [D, H], with biases [H] and [D]."""
    return functional.linear(functional.relu(functional.linear(x, up, up_bias)), down, down_bias)


def split_mlp(up: torch.Tensor, up_bias: torch.Tensor, down: torch.Tensor, n: int) -> list[Part]:
    """Cut an MLP among ``n`` workers: each gets H / n hidden units, with all that leads to them and away from them.

    Raises ValueError when n does not divide the number H of hidden units.
    """
    if n < 1 or len(up) % n:
        raise ValueError(f"{len(up)} hidden units cannot be split among {n} workers: take a divisor")
    return [Part(*pieces) for pieces in zip(up.chunk(n, 0), up_bias.chunk(n), down.chunk(n, 1))]


def part_output(x: torch.Tensor, part: Part) -> torch.Tensor:
    """Return what one worker adds to the output [..., D]: the ReLU is its own affair, the last bias is not."""
    return functional.relu(functional.linear(x, part.up, part.up_bias)) @ part.down.T


def parallel_mlp(x: torch.Tensor, parts: list[Part], down_bias: torch.Tensor) -> torch.Tensor:
    """Return the output [..., D] of the MLP whose ``parts`` are spread among workers: a sum, and the bias, once.

    A bias inside the parts would be added n times; a ReLU that waits for the sum of halves (a matrix cut by rows first)
    could not be computed by each alone, because the ReLU of a sum is not the sum of the ReLUs.
    """
    return sum(part_output(x, part) for part in parts) + down_bias


def summed_once(part: torch.Tensor) -> torch.Tensor:
    """Return the sum of what every real process has computed, an all-reduce; ``part`` stays as it is."""
    from torch import distributed

    whole = part.clone()
    distributed.all_reduce(whole)
    return whole
