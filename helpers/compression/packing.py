"""Codes of few bits in a file: two 4-bit numbers to a byte, scales and zero points in float16 (notebook 12)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from helpers.compression.quantization import Quantized, middle
from helpers.io import write_bytes

PACKED_BITS = (4, 8)  # what a file can hold
KEY = "packed_matrices"  # in the file's metadata: {name: {"bits": …, "columns": …}}


def pack_nibbles(codes: torch.Tensor) -> torch.Tensor:
    """Return 4-bit codes [R, C], uint8 from 0 to 15, two to a byte: uint8 [R, ⌈C / 2⌉].

    The first of two goes to the low half of their byte, the second to the high half. Where C is odd the last half byte of
    each row is 0. Raises ValueError for codes that are no uint8 matrix or do not fit into 4 bits.
    """
    if codes.ndim != 2 or codes.dtype != torch.uint8:
        raise ValueError(f"give codes [R, C], uint8, not {list(codes.shape)}, {codes.dtype}")
    if codes.numel() and codes.max() > 15:
        raise ValueError(f"a code is {codes.max()}: half a byte holds 0 to 15. Quantize to 4 bits")
    even = torch.nn.functional.pad(codes, (0, codes.shape[1] % 2))
    return even[:, 0::2] | even[:, 1::2] << 4


def unpack_nibbles(packed: torch.Tensor, columns: int) -> torch.Tensor:
    """Return the codes uint8 [R, columns] that ``pack_nibbles`` made into ``packed`` uint8 [R, ⌈columns / 2⌉].

    Raises ValueError when there are not so many bytes in a row.
    """
    if packed.ndim != 2 or packed.shape[1] != (columns + 1) // 2:
        raise ValueError(
            f"{columns} codes are {(columns + 1) // 2} bytes in each row, and these are {list(packed.shape)}"
        )
    return torch.stack((packed & 15, packed >> 4), dim=-1).flatten(1)[:, :columns]


def save_packed(path: str | os.PathLike, tensors: Mapping[str, Quantized | torch.Tensor]) -> Path:
    """Write matrices in few bits, and all other tensors in float16, to one safetensors file and return its path.

    Of a Quantized called NAME there are NAME.codes, NAME.scale and, unless it is symmetric, NAME.zero. Raises ValueError for
    one whose bits are not 4 or 8.
    """
    from safetensors.torch import save

    stored, settings = {}, {}
    for name, value in tensors.items():
        if not isinstance(value, Quantized):
            stored[name] = value.detach().half()
            continue
        check_bits(name, value.bits)
        stored[f"{name}.codes"] = pack_nibbles(value.codes) if value.bits == 4 else value.codes
        stored[f"{name}.scale"] = value.scale
        if not value.symmetric:
            stored[f"{name}.zero"] = value.zero
        settings[name] = {"bits": value.bits, "columns": value.codes.shape[1]}
    stored = {name: value.cpu().contiguous() for name, value in stored.items()}
    # One entry alone: of several, safetensors writes now one first and now the other, and the file has another hash.
    return write_bytes(path, save(stored, {KEY: json.dumps(settings)}))


def load_packed(path: str | os.PathLike) -> dict[str, Quantized | torch.Tensor]:
    """Return what ``save_packed`` wrote, {name: Quantized, or float32 tensor}.

    Raises ValueError when the file is missing, damaged, or of another kind.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            settings = json.loads((file.metadata() or {})[KEY])
            stored = {name: file.get_tensor(name) for name in file.keys()}  # a file is no dict
        tensors = {name: _quantized(name, stored, **setting) for name, setting in settings.items()}
    except (OSError, SafetensorError, KeyError, TypeError, AttributeError, ValueError, RuntimeError) as fault:
        raise ValueError(f"{Path(path).name} is no file of save_packed, or damaged: {fault}") from None
    return tensors | {name: value.float() for name, value in stored.items()}


def packed_tensors(model: nn.Module) -> dict[str, Quantized | torch.Tensor]:
    """Return all tensors of a model from ``quantized`` as ``save_packed`` takes them, {name: Quantized or tensor}.

    Raises ValueError when a matrix has changed since it was quantized, and for one whose bits are not 4 or 8.
    """
    numbers = dict(model.named_parameters())  # a table under two names is listed once
    for name, matrix in model.packed.items():
        check_bits(name, matrix.bits)
        if not numbers[name].equal(matrix.dequantized().to(numbers[name].device)):
            raise ValueError(f"{name} has changed since it was quantized: quantize the model again, then save it")
    return numbers | model.packed


def load_into(model: nn.Module, path: str | os.PathLike) -> nn.Module:
    """Give a model the numbers of a file of ``save_packed``, in place, and return it; its ``packed`` has the codes.

    Raises ValueError as ``load_packed`` does, and when the file is of a model of other sizes.
    """
    tensors = load_packed(path)
    packed = {name: value for name, value in tensors.items() if isinstance(value, Quantized)}
    try:
        model.load_state_dict(tensors | {name: value.dequantized() for name, value in packed.items()})
    except RuntimeError as fault:  # names or shapes that do not fit
        raise ValueError(f"{Path(path).name} does not fit this model: {str(fault).splitlines()[-1].strip()}") from None
    model.packed = packed
    return model


def check_bits(name: str, bits: int) -> None:
    """Raise ValueError when a matrix of so many bits cannot be stored."""
    if bits not in PACKED_BITS:
        raise ValueError(f"{name} has {bits} bits, and a file holds 4 or 8: quantize it again")


def _quantized(name: str, stored: dict[str, torch.Tensor], bits: int, columns: int) -> Quantized:
    """Take the tensors of one matrix out of ``stored``; raises ValueError when they do not fit one another."""
    codes, scale = stored.pop(f"{name}.codes"), stored.pop(f"{name}.scale")
    zero = stored.pop(f"{name}.zero", None)
    check_bits(name, bits)
    codes = unpack_nibbles(codes, columns) if bits == 4 else codes
    zero = torch.full_like(scale, middle(bits)) if zero is None else zero
    rows = codes.shape[0]
    fits = scale.ndim == 2 and scale.shape[0] in (1, rows) and scale.shape[1] and columns % scale.shape[1] == 0
    if codes.dtype != torch.uint8 or codes.shape != (rows, columns) or zero.shape != scale.shape or not fits:
        raise ValueError(f"codes {list(codes.shape)} and scales {list(scale.shape)} of {name} do not fit")
    return Quantized(codes, scale, zero, bits)
