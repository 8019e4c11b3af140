"""The matrices of a GPT, by part, and copies of a model with other numbers in them: where all of compression begins."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

import torch
from torch import nn

PARTS = ("embedding", "pair table", "attention", "MLP")
_ENDINGS = {
    "embedding": ("embed.weight", "positions.weight", "head.weight"),
    "pair table": ("bigrams.weight",),
    "attention": ("attention.qkv.weight", "attention.output.weight"),
    "MLP": ("up.weight", "down.weight", "gate.weight"),
}


def part_of(name: str) -> str | None:
    """Return which of PARTS the parameter of a GPT called ``name`` belongs to; None for the vectors of norms and biases."""
    return next((part for part, endings in _ENDINGS.items() if name.endswith(endings)), None)


def matrices(model: nn.Module, parts: Iterable[str] = PARTS) -> dict[str, torch.Tensor]:
    """Return the matrices [R, C] of these parts of a GPT, {name: tensor}, detached; a table that is used twice stands once.

    They are the model's own: clone one before you change it. Raises ValueError for a part that is not one of PARTS, and for
    a model that has no such matrix.
    """
    parts = check_parts(parts)
    found = {
        name: value.detach() for name, value in model.named_parameters() if value.ndim == 2 and part_of(name) in parts
    }
    if not found:
        raise ValueError(f"this model has no matrix of the {' or the '.join(parts)}: give a GPT")
    return found


def check_parts(parts: Iterable[str]) -> tuple[str, ...]:
    """Return the names of parts as a tuple; raises ValueError for one that is not in PARTS, and for none."""
    parts = (parts,) if isinstance(parts, str) else tuple(parts)
    if unknown := [part for part in parts if part not in PARTS]:
        raise ValueError(f"there is no part {unknown[0]!r}; known are {', '.join(PARTS)}")
    if not parts:
        raise ValueError(f"no part was named: give one or more of {', '.join(PARTS)}")
    return parts


@torch.no_grad()
def with_weights(model: nn.Module, weights: Mapping) -> nn.Module:
    """Return a copy of ``model``, in evaluation mode, with ``weights`` in place of the parameters of their names.

    A weight is a tensor, or a ``helpers.compression.quantization.Quantized``, whose numbers are used. The copy's ``packed``
    holds the Quantized ones, {name: Quantized}: so ``helpers.bots.checkpoints.save`` knows what to write in few bits. Raises
    ValueError when there is no such parameter, or its shape is another.
    """
    changed = copy.deepcopy(model).eval()
    parameters = dict(changed.named_parameters())
    packed = dict(getattr(changed, "packed", {}))
    for name, weight in weights.items():
        if name not in parameters:
            raise ValueError(f"the model has no parameter {name!r}; matrices(model) lists those of a GPT")
        quantized = hasattr(weight, "dequantized")
        numbers = weight.dequantized() if quantized else weight
        if numbers.shape != parameters[name].shape:
            raise ValueError(f"{name} is {list(parameters[name].shape)}, and {list(numbers.shape)} was given")
        parameters[name].copy_(numbers)
        packed.pop(name, None)
        if quantized:
            packed[name] = weight
    changed.packed = packed
    return changed
