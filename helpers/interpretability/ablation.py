"""Ablation: take a head or an MLP out of a finished network and see what is missing (built in notebook 10).

The functions stand at hook points: ``with model.hooks({head_point(model, 2, 3): ablate_head(3, 0.0)}):``. What takes the
activation's place decides what is asked. Zero is a value that the network may never have seen; the mean takes away only
what depends on the text; another text's activation ("resample") is real, and wrong.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from helpers.models.gpt import GPT
from helpers.models.network import Hook
from helpers.models.utils import device_of, evaluating

REPLACEMENTS = ("zero", "mean", "resample")


def ablate_head(head: int, value) -> Hook:
    """Return a function for "hook_z" [B, n_head, T, D]: a copy in which one head is ``value``, the others as they were.

    ``value`` is a number, a mean [D], or what a head holds in another text, [T, D] or [B, T, D]. The function raises
    ValueError for a head that is not there.
    """

    def replace(z: torch.Tensor) -> torch.Tensor:
        _check("head", head, z.shape[1])
        z = z.clone()
        z[:, head] = value
        return z

    return replace


def ablate_all(value) -> Hook:
    """Return a function for any hook point that puts ``value``, a number or what broadcasts, in the activation's place."""
    return lambda x: torch.as_tensor(value, dtype=x.dtype, device=x.device).expand_as(x).clone()


def head_point(model: GPT, layer: int, head: int = 0) -> str:
    """Return the hook point of a layer's heads. Raises ValueError for a layer or head that ``model`` does not have."""
    _check("layer", layer, len(model.blocks))
    _check("head", head, model.settings.n_head)
    return f"blocks.{layer}.attention.hook_z"


def mlp_point(model: GPT, layer: int) -> str:
    """Return the hook point of what a layer's MLP adds to the stream. Raises ValueError for a layer that is not there."""
    _check("layer", layer, len(model.blocks))
    return f"blocks.{layer}.hook_mlp_out"


def ablation(
    model: GPT, reference: torch.Tensor, layer: int, head: int | None = None, replacement: str = "mean"
) -> dict:
    """Return {name: function} for ``model.hooks`` that takes out a head, or with ``head=None`` the layer's MLP.

    ``reference`` are token ids [B, T]: "mean" is the mean over its rows and positions. "resample" gives row i what the row
    before it in the reference has at the same position, so the reference may be the text that is measured; it must have as
    many rows and tokens. Raises ValueError for a layer, head or replacement that is not there.
    """
    name = mlp_point(model, layer) if head is None else head_point(model, layer, head)
    held = activations(model, reference, [name])[name] if replacement != "zero" else None
    return {name: _hook(held, head, replacement)}


def head_costs(model: GPT, ids: torch.Tensor, reference: torch.Tensor, replacement: str = "mean") -> torch.Tensor:
    """Return the change of every token's loss when one head after the other is taken out, [n_layer, n_head, B, T] in nats.

    ``ids`` are [B, T + 1]: the losses are those of all tokens but each row's first. A mean over a mask, say that of the
    pronouns, tells what the head is worth for these. ``reference`` and ``replacement`` are those of ``ablation``.
    """
    names, heads = [head_point(model, layer) for layer in range(len(model.blocks))], range(model.settings.n_head)
    held = activations(model, reference, names) if replacement != "zero" else dict.fromkeys(names)
    whole = losses(model, ids)
    hooks = [[{name: _hook(held[name], head, replacement)} for head in heads] for name in names]
    return torch.stack([torch.stack([losses(model, ids, one) - whole for one in layer]) for layer in hooks])


def mlp_costs(model: GPT, ids: torch.Tensor, reference: torch.Tensor, replacement: str = "mean") -> torch.Tensor:
    """Return what ``head_costs`` returns for the MLP of each layer: [n_layer, B, T] in nats."""
    layers, whole = range(len(model.blocks)), losses(model, ids)
    hooks = [ablation(model, reference, layer, replacement=replacement) for layer in layers]
    return torch.stack([losses(model, ids, one) - whole for one in hooks])


@torch.no_grad()
def losses(model: GPT, ids: torch.Tensor, hooks: dict | None = None) -> torch.Tensor:
    """Return the loss of every token of ``ids`` [B, T + 1] but the first of each row, [B, T] in nats, under ``hooks``."""
    ids = ids.to(device_of(model))
    with evaluating(model), model.hooks(hooks or {}):
        logits = model(ids[:, :-1])[0].float()
    return functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")


@torch.no_grad()
def activations(model: GPT, ids: torch.Tensor, names) -> dict[str, torch.Tensor]:
    """Return the activations of the hook points ``names`` while the model, in evaluation mode, reads ``ids`` [B, T]."""
    with evaluating(model):
        return model.run_with_cache(ids.to(device_of(model)), names=list(names))[1]


def _hook(held: torch.Tensor | None, head: int | None, replacement: str) -> Hook:
    """Return the function that replaces what is [B, n_head, T, D] for a head, [B, T, C] for an MLP (``head`` None)."""
    if replacement not in REPLACEMENTS:
        raise ValueError(f"there is no replacement {replacement!r}; known are {', '.join(REPLACEMENTS)}")
    if replacement == "zero":
        return ablate_all(0.0) if head is None else ablate_head(head, 0.0)
    held = held if head is None else held[:, head]  # [B, T, D]
    if replacement == "mean":
        mean = held.mean(dim=(0, 1))
        return ablate_all(mean) if head is None else ablate_head(head, mean)
    if len(held) < 2:
        raise ValueError("the reference has one row: to resample, give at least two, each takes the place of the next")
    others = held.roll(1, dims=0)

    def resample(x: torch.Tensor) -> torch.Tensor:
        rows, length = len(x), x.shape[-2]
        if rows > len(others) or length > others.shape[1]:
            raise ValueError(
                f"the reference has {len(others)} rows of {others.shape[1]} tokens, and {rows} of {length} are read: "
                "to resample, it needs at least as many"
            )
        other = others[:rows, :length]
        return ablate_all(other)(x) if head is None else ablate_head(head, other)(x)

    return resample


def _check(what: str, number: int, count: int) -> None:
    if not 0 <= number < count:
        raise ValueError(f"there is no {what} {number}: this model has {count}, numbered from 0 to {count - 1}")
