"""Round a matrix to a few bits a number, and back (notebook 12): symmetric or not, a scale per tensor, row or group.

One formula serves all. A weight w becomes a whole number, its code q = clamp(round(w / s) + z, 0, 2^bits − 1), and comes back
as s · (q − z). The scale s is how far apart two neighbors are, the zero point z is the code that stands for 0: a whole number,
too, or 0 would not come back as 0. Groups of neighbors in a row have their own s and z, so that one outlier coarsens its own
group alone (Dettmers et al. 2022, arXiv:2208.07339).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import nn

from helpers.compression.matrices import PARTS, matrices, with_weights

BITS = range(2, 9)
SMALLEST_SCALE = 2.0**-24  # of what float16 can hold: a group of zeros has a scale, too


class Quantized(NamedTuple):
    """A matrix in few bits: its codes, and what brings them back. G is the number of groups in a row.

    A scale per tensor is [1, 1]. ``symmetric`` is whether all zero points are the middle: then they need not be stored.
    """

    codes: torch.Tensor  # uint8 [R, C], 0 to 2^bits − 1
    scale: torch.Tensor  # float16 [R, G]
    zero: torch.Tensor  # float16 [R, G], whole numbers
    bits: int

    @property
    def symmetric(self) -> bool:
        return bool((self.zero == middle(self.bits)).all())

    @property
    def size(self) -> int:
        """Bytes when packed: each row's codes side by side, two bytes a scale, two a zero point that is not the middle."""
        rows, columns = self.codes.shape
        return rows * -(-columns * self.bits // 8) + 2 * self.scale.numel() * (1 if self.symmetric else 2)

    def dequantized(self) -> torch.Tensor:
        """Return the numbers that the codes stand for, float32 [R, C]."""
        grouped = self.codes.unflatten(1, (self.scale.shape[1], -1)).float()  # [R, G, C / G]
        return (self.scale.float()[..., None] * (grouped - self.zero.float()[..., None])).flatten(1)


def middle(bits: int) -> int:
    """Return the zero point of symmetric codes: 128 of 8 bits, 8 of 4."""
    return 2 ** (bits - 1)


def scale_and_zero(low: torch.Tensor, high: torch.Tensor, bits: int = 8, symmetric: bool = True):
    """Return scales, as float16 holds them, and zero points, both float32, for weights from ``low`` to ``high`` [...].

    Symmetric: the largest |w| becomes the last code, and the zero point is the middle. Asymmetric: the codes are spread from
    the smallest weight to the largest; a range without 0 is widened to it, so that the zero point is one of the codes. The
    scale is rounded here, before any weight is divided by it: codes must fit the scale that is stored. Raises ValueError for
    bits that are not 2 to 8.
    """
    check_bits(bits)
    low, high = low.clamp(max=0).float(), high.clamp(min=0).float()
    steps = middle(bits) - 1 if symmetric else 2**bits - 1
    spread = torch.maximum(high, -low) if symmetric else high - low
    scale = (spread / steps).clamp(min=SMALLEST_SCALE).half().float()
    zero = torch.full_like(scale, middle(bits)) if symmetric else (-low / scale).round().clamp(0, 2**bits - 1)
    return scale, zero


def encode(weight: torch.Tensor, scale: torch.Tensor, zero: torch.Tensor, bits: int) -> torch.Tensor:
    """Return the codes of weights [...], uint8, given scales and zero points that broadcast to them."""
    return ((weight / scale).round() + zero).clamp(0, 2**bits - 1).to(torch.uint8)


@torch.no_grad()
def quantize(weight: torch.Tensor, bits: int = 8, group: str | int = "row", symmetric: bool = True) -> Quantized:
    """Round a matrix [R, C] to the nearest of 2^bits numbers; ``group`` says which weights share a scale.

    ``group`` is "tensor" (all), "row", or how many neighbors in a row. Raises ValueError for bits that are not 2 to 8, for a
    group that does not divide the row, and for what is no matrix of finite numbers.
    """
    check_bits(bits)
    if weight.ndim != 2 or not weight.numel() or not torch.isfinite(weight).all():
        raise ValueError(
            f"a matrix [R, C] of finite numbers is quantized, not {list(weight.shape)}: see matrices(model)"
        )
    grouped = weight.float().unflatten(1, (-1, _group_size(group, weight.shape[1])))  # [R, G, C / G]
    over = (0, 1, 2) if group == "tensor" else (2,)
    low, high = grouped.amin(over, keepdim=True), grouped.amax(over, keepdim=True)
    scale, zero = scale_and_zero(low, high, bits, symmetric)
    codes = encode(grouped, scale, zero, bits).flatten(1)
    return Quantized(codes, scale[..., 0].half(), zero[..., 0].half(), bits)


def quantize_parameters(
    model: nn.Module, bits: int = 8, group: str | int = "row", symmetric: bool = True, parts: Iterable[str] = PARTS
) -> dict[str, Quantized]:
    """Return the matrices of these parts of a GPT in few bits, {name: Quantized}; the model stays as it is.

    Raises ValueError as ``quantize`` and ``matrices`` do.
    """
    return {name: quantize(weight, bits, group, symmetric) for name, weight in matrices(model, parts).items()}


def quantized(
    model: nn.Module, bits: int = 8, group: str | int = "row", symmetric: bool = True, parts: Iterable[str] = PARTS
) -> nn.Module:
    """Return a copy of a GPT whose matrices hold what is left of them after ``quantize_parameters`` and back.

    It computes in float32, as fast as before; ``copy.packed`` has the codes, for a file (``helpers.compression.packing``).
    """
    return with_weights(model, quantize_parameters(model, bits, group, symmetric, parts))


def error(weight: torch.Tensor, quantized: Quantized) -> float:
    """Return how much of a matrix rounding has changed: the root mean square of the change over that of the weights."""
    return ((weight - quantized.dequantized()).norm() / weight.norm()).item()


def check_bits(bits: int) -> None:
    """Raise ValueError for bits that are not a whole number from 2 to 8."""
    if not isinstance(bits, int) or bits not in BITS:
        raise ValueError(
            f"{bits} bits were asked for: give a whole number from {BITS[0]} to {BITS[-1]}. One bit leaves a sign and no "
            "size; from 16 on the weights are as they were stored"
        )


def _group_size(group: str | int, columns: int) -> int:
    if group in ("tensor", "row"):
        return columns
    if not isinstance(group, int) or isinstance(group, bool) or group < 1:
        raise ValueError(f'group is {group!r}: give "tensor", "row", or how many neighbors share a scale, usually 32')
    if columns % group:
        fitting = ", ".join(str(size) for size in (16, 32, 64, 128) if columns % size == 0) or "none of 16, 32, 64, 128"
        raise ValueError(
            f"groups of {group} do not divide a row of {columns} weights. What fits: {fitting}; or the whole row"
        )
    return group
