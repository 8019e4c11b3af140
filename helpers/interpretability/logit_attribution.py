"""Direct logit attribution: which part of a network wrote a logit, and how much of it (built in notebook 10).

The residual stream is a sum: the embedding, what each head wrote, what each MLP wrote (Elhage et al. 2021). The final norm
divides by one number, and the unembedding is a dot product, so an uncapped logit is a sum over the same parts. What a part
does by way of later parts that read it is not in its term: for that there are ablation and patching.
"""

from __future__ import annotations

import torch
from torch import nn

from helpers.interpretability.ablation import activations
from helpers.models.gpt import GPT
from helpers.models.utils import device_of


@torch.no_grad()
def stream_parts(model: GPT, ids: torch.Tensor) -> tuple[list[str], torch.Tensor]:
    """Return the names of all parts and what each added to the residual stream, [N, B, T, C], while reading ``ids`` [B, T].

    "embedding", then of each layer "head 0.0" … and "MLP 0"; in a network with biases one more part, "biases", holds those
    of the attention outputs, which belong to no head. Their sum is the stream after the last layer.
    """
    names, parts, n_layer = ["embedding"], [], len(model.blocks)
    points = [[f"blocks.{layer}.attention.hook_z", f"blocks.{layer}.hook_mlp_out"] for layer in range(n_layer)]
    cache = activations(model, ids, ["hook_embed", *(point for layer in points for point in layer)])
    parts.append(cache["hook_embed"])
    for layer, (z, mlp) in enumerate(points):
        for head, written in enumerate(head_outputs(model.blocks[layer].attention.output.weight, cache[z])):
            names.append(f"head {layer}.{head}")
            parts.append(written)
        names.append(f"MLP {layer}")
        parts.append(cache[mlp])
    biases = [block.attention.output.bias for block in model.blocks]
    if biases[0] is not None:
        names.append("biases")
        parts.append(torch.stack(biases).sum(dim=0).expand_as(parts[0]))
    return names, torch.stack(parts)


def head_outputs(weight: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """Return what each head writes, [n_head, B, T, C]: its columns of the output matrix ``weight`` [C, n_head · D] times its
    weighted sum of values in ``z`` [B, n_head, T, D]. Together they are the matrix times all heads side by side."""
    return torch.einsum("bhtd,chd->hbtc", z, weight.unflatten(1, (z.shape[1], z.shape[3])))


def final_scale(model: GPT, stream: torch.Tensor) -> torch.Tensor:
    """Return what the final norm divides the stream [..., C] by, [..., 1]: root mean square or standard deviation."""
    if isinstance(model.norm, nn.LayerNorm):
        stream = stream - stream.mean(dim=-1, keepdim=True)
    return (stream.square().mean(dim=-1, keepdim=True) + model.norm.eps).sqrt()


def logit_parts(parts: torch.Tensor, direction: torch.Tensor, scale) -> torch.Tensor:
    """Return the terms [N, ...] of an uncapped logit: parts [N, ..., C] times a ``direction`` [C], over ``scale`` [..., 1].

    The direction is a token's row of the unembedding, or the difference of two. ``scale`` belongs to the *sum* of the parts:
    each part divided by its own size would not add up.
    """
    return (parts / scale) @ direction


@torch.no_grad()
def direct_logit_attribution(model: GPT, ids: torch.Tensor, token: int, other: int | None = None):
    """Return (names, terms [N, B, T]) of the uncapped logit of ``token`` after each position, or its lead over ``other``.

    They sum exactly to what ``uncapped_logits`` gives. A LayerNorm, which also subtracts the mean and has factors, is put
    into the direction, its bias into "biases". Raises ValueError for a token that is not in the vocabulary.
    """
    rows = model.head.weight
    for number in (token,) if other is None else (token, other):
        if not 0 <= number < len(rows):
            raise ValueError(f"there is no token {number}: the vocabulary has {len(rows):,}, numbered from 0")
    direction = rows[token] if other is None else rows[token] - rows[other]
    names, parts = stream_parts(model, ids)
    scale, bias = final_scale(model, parts.sum(dim=0)), getattr(model.norm, "bias", None)
    constant = 0.0 if bias is None else direction @ bias
    if isinstance(model.norm, nn.LayerNorm):
        direction = direction * model.norm.weight
        direction = direction - direction.mean()  # (x − mean x) · d = x · (d − mean d)
    terms = logit_parts(parts, direction, scale)
    if names[-1] == "biases":
        terms[-1] += constant
    return names, terms


@torch.no_grad()
def uncapped_logits(model: GPT, ids: torch.Tensor) -> torch.Tensor:
    """Return the logits [B, T, V] before the cap, where the model has one: what the parts sum to."""
    ids = ids.to(device_of(model))
    return model.head(activations(model, ids, ["hook_normalized"])["hook_normalized"])
