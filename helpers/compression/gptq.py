"""GPTQ: round one column after the other, and let the later ones make up for it (Frantar et al. 2022, arXiv:2210.17323).

Rounding to the nearest asks how far each weight moves. What counts is how far the outputs x Wᵀ move, for the inputs x the layer
really gets. Their Hessian H = 2 XᵀX / N says how a change of one column can be made up for by the columns that are not rounded
yet. Here it is written for reading: one column at a time, a few lines; the paper's blocks of columns are only for speed.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from helpers.compression.matrices import matrices, with_weights
from helpers.compression.quantization import Quantized, encode, scale_and_zero
from helpers.models.utils import evaluating

LAYER_PARTS = ("attention", "MLP")  # a table is read by number: it has no inputs to speak of


def hessian(inputs: torch.Tensor) -> torch.Tensor:
    """Return H = 2 XᵀX / N, float64 [C, C], of the inputs X [N, C] of a layer: the second derivative of its squared error.

    Raises ValueError when there is no input.
    """
    if inputs.ndim != 2 or not len(inputs):
        raise ValueError(f"give the inputs of one layer, [N, C] with N of 1 or more, not {list(inputs.shape)}")
    inputs = inputs.double()
    return 2 * inputs.T @ inputs / len(inputs)


@torch.no_grad()
def gptq(
    weight: torch.Tensor, hessian: torch.Tensor, bits: int = 4, symmetric: bool = False, damp: float = 0.01
) -> Quantized:
    """Round a matrix [R, C] with a scale for each row, so that its outputs change little; ``hessian`` is [C, C].

    ``damp`` is added to the diagonal, as a share of its mean: H can be inverted although some inputs always are alike. Scales
    and zero points are those of rounding to the nearest. Raises ValueError for a Hessian of another size, a ``damp`` not above
    0, and bits that are not 2 to 8.
    """
    rows, columns = weight.shape
    if hessian.shape != (columns, columns):
        raise ValueError(
            f"a matrix of {columns} columns has a Hessian [{columns}, {columns}], not {list(hessian.shape)}"
        )
    if not damp > 0:
        raise ValueError(f"damp is {damp}: give a small share above 0, usually 0.01")
    scale, zero = (part.double() for part in scale_and_zero(weight.amin(1), weight.amax(1), bits, symmetric))
    left, codes = weight.double().clone(), torch.empty(rows, columns, dtype=torch.uint8, device=weight.device)
    mean = hessian.double().diagonal().mean().clamp(min=1e-12)
    damped = hessian.double() + damp * mean * torch.eye(columns, dtype=torch.float64, device=weight.device)
    # Row j of this triangle: how an error in column j is shared out among the columns after it, those before it being fixed.
    upper = torch.linalg.cholesky(torch.linalg.inv(damped), upper=True)
    for column in range(columns):
        codes[:, column] = encode(left[:, column], scale, zero, bits)
        rounded = scale * (codes[:, column] - zero)
        fault = (left[:, column] - rounded) / upper[column, column]
        left[:, column + 1 :] -= fault[:, None] * upper[column, column + 1 :]
    return Quantized(codes, scale[:, None].half(), zero[:, None].half(), bits)


@torch.no_grad()
def layer_inputs(model: nn.Module, ids: torch.Tensor, names: Iterable[str]) -> dict[str, torch.Tensor]:
    """Return what enters the layers with these weights while the model reads ids [B, T]: {name: inputs [B · T, C]}.

    ``names`` are those of ``matrices``, such as "blocks.0.up.weight". Raises ValueError for one that is no nn.Linear.
    """
    modules, found, handles = dict(model.named_modules()), {}, []
    try:
        for name in names:
            layer = modules.get(name.removesuffix(".weight"))
            if not isinstance(layer, nn.Linear):
                raise ValueError(
                    f"{name!r} is not the weight of an nn.Linear: matrices(model, {LAYER_PARTS}) lists them"
                )
            keep = lambda _, inputs, name=name: found.update({name: inputs[0].detach().flatten(0, -2)})  # noqa: E731
            handles.append(layer.register_forward_pre_hook(keep))
        with evaluating(model):
            model(ids)
    finally:
        for handle in handles:
            handle.remove()
    return found


def gptq_model(
    model: nn.Module, ids: torch.Tensor, bits: int = 4, symmetric: bool = False, damp: float = 0.01
) -> nn.Module:
    """Return a copy of a GPT with the matrices of its blocks rounded by ``gptq``, first layer first.

    ``ids`` [B, T] is the calibration text. Each matrix is rounded for the inputs that it gets from those rounded before it. The
    tables stay as they are; ``copy.packed`` has the codes. Raises ValueError as ``gptq`` and ``matrices`` do.
    """
    changed = with_weights(model, {})
    for name, weight in matrices(changed, LAYER_PARTS).items():
        inputs = layer_inputs(changed, ids, [name])[name]
        changed = with_weights(changed, {name: gptq(weight, hessian(inputs), bits, symmetric, damp)})
    return changed


@torch.no_grad()
def output_error(weight: torch.Tensor, quantized: Quantized, inputs: torch.Tensor) -> float:
    """Return how much of a layer's outputs rounding has changed: the mean square of X (W − Ŵ)ᵀ over that of X Wᵀ."""
    wanted, change = inputs @ weight.T, inputs @ (weight - quantized.dequantized()).T
    return (change.square().mean() / wanted.square().mean()).item()
