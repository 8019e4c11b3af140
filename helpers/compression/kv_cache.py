"""Keys and values in few bits: what a GPT keeps of each token it has read (notebook 12; KIVI, Liu et al. 2024, arXiv:2402.02750).

The cache grows with every token, so what is in it must be rounded when it is written, by what is known then: this token's vector
of each head. A scale for the whole tensor lets one large number coarsen all others, and needs tokens that are not written yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from helpers.compression.quantization import check_bits, encode, scale_and_zero
from helpers.models.gpt import GPT


@torch.no_grad()
def quantize_vectors(x: torch.Tensor, bits: int = 8, per: str = "token") -> torch.Tensor:
    """Return keys or values [B, H, T, D] as they come back from a cache of so many bits, of the same shape; asymmetric.

    ``per="token"``: the D numbers of each token and head have a scale and a zero point. ``per="tensor"``: all share one, the
    known mistake. Raises ValueError for another ``per``, another number of dimensions, and bits that are not 2 to 8.
    """
    if per not in ("token", "tensor") or x.ndim != 4:
        raise ValueError(f'give vectors [B, H, T, D], not {list(x.shape)}, and per="token" or "tensor", not {per!r}')
    over = (3,) if per == "token" else (0, 1, 2, 3)
    scale, zero = scale_and_zero(x.amin(over, keepdim=True), x.amax(over, keepdim=True), bits, symmetric=False)
    return (scale * (encode(x, scale, zero, bits) - zero)).to(x.dtype)


@contextmanager
def quantized_cache(model: GPT, bits: int = 8, per: str = "token") -> Iterator[GPT]:
    """Inside ``with quantized_cache(model, bits):`` keys and values are rounded as they are written, in every layer.

    Each token reads its own from the cache, too. Raises ValueError as ``quantize_vectors`` does, and for a model without a
    cache of keys and values.
    """
    check_bits(bits)
    if not isinstance(model, GPT):
        raise ValueError("only a GPT keeps keys and values: give one")
    if per not in ("token", "tensor"):
        raise ValueError(f'per is {per!r}: give "token" or "tensor"')
    points = [f"blocks.{layer}.attention.hook_{kind}" for layer in range(len(model.blocks)) for kind in "kv"]
    with model.hooks({point: lambda x: quantize_vectors(x, bits, per) for point in points}):
        yield model


def cache_bytes(model: GPT, bits: int = 16, per: str = "token") -> int:
    """Return how many bytes of cache each token takes: its keys and values in all layers.

    With fewer than 16 bits and ``per="token"`` each vector of a head also has a scale and a zero point, two bytes each; one
    pair for a whole tensor costs a token nothing. Raises ValueError for bits that are not 2 to 8 or 16.
    """
    if bits != 16:
        check_bits(bits)
    config = model.settings
    vectors = 2 * config.n_layer * config.kv_heads
    return vectors * (-(-config.head_size * bits // 8) + (4 if bits < 16 and per == "token" else 0))
