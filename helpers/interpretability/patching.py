"""Activation patching: put what a part computes in one sentence into the run on another (built in notebook 10).

Also called causal tracing or causal mediation analysis (Vig et al. 2020; Meng et al. 2022). Of two sentences that differ in
one word the second is run again with a single activation of the first; the share of the difference that comes back says
whether this activation carries it. Ablation shows that a part is needed, patching that it is enough.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from helpers.interpretability.ablation import activations, head_point
from helpers.interpretability.lens import stream_names
from helpers.models.gpt import GPT
from helpers.models.network import Hook
from helpers.models.utils import device_of, evaluating

Measure = Callable[[torch.Tensor], torch.Tensor]  # logits [B, T, V] -> a number for each row, [B]
LEAST = 1e-4  # two answers nearer than this do not differ: a share of their difference would be noise


def patch_hook(clean: torch.Tensor, position: int, head: int | None = None) -> Hook:
    """Return a function for a hook point: a copy of the activation with that of ``clean`` at one position.

    Of a stream [B, T, C] the whole vector, or with ``head`` of "hook_z" [B, n_head, T, D] that head's alone. ``clean`` has
    the same shape, or one row for all. The function raises ValueError for a position or a head that is not there.
    """

    def replace(x: torch.Tensor) -> torch.Tensor:
        _check(x, clean, position, head)
        x = x.clone()
        if head is None:
            x[..., position, :] = clean[..., position, :]
        else:
            x[:, head, position] = clean[:, head, position]
        return x

    return replace


def logit_difference(one: int, other: int) -> Measure:
    """Return the function that gives, of logits [B, T, V], token ``one``'s minus token ``other``'s at the end of each row."""
    return lambda logits: logits[:, -1, one] - logits[:, -1, other]


def restored(
    model: GPT,
    pair: torch.Tensor,
    name: str,
    position: int,
    head: int | None = None,
    source: int = 0,
    *,
    measure: Measure,
) -> float:
    """Return the share of the difference between two sentences that one activation carries: 0 none of it, 1 all.

    The activation ``name``, at ``position`` and of one head if given, of row ``source`` is put into the run on row 1 of
    ``pair`` [2, T]; with ``source=1`` into its own run, which must change nothing: 0. ``measure`` reads the answer from the
    logits (``logit_difference``). Raises ValueError for what is no pair, for two sentences with the same answer, and for a
    hook point, position or head that is not there.
    """
    cache, answers = _both(model, pair, [name], measure)
    return _share(model, pair, name, patch_hook(cache[name][source : source + 1], position, head), answers, measure)


def restored_by_head(model: GPT, pair: torch.Tensor, measure: Measure, position: int = -1) -> torch.Tensor:
    """Return ``restored`` for each head at one position, by default the last: float32 [n_layer, n_head]."""
    names = [head_point(model, layer) for layer in range(len(model.blocks))]
    cache, answers = _both(model, pair, names, measure)

    def share(name: str, head: int) -> float:
        return _share(model, pair, name, patch_hook(cache[name][:1], position, head), answers, measure)

    return torch.tensor([[share(name, head) for head in range(model.settings.n_head)] for name in names])


def restored_by_position(model: GPT, pair: torch.Tensor, measure: Measure) -> torch.Tensor:
    """Return ``restored`` for the stream at each position, at the embedding and after each layer: float32 [n_layer + 1, T]."""
    names = stream_names(model)
    cache, answers = _both(model, pair, names, measure)

    def share(name: str, position: int) -> float:
        return _share(model, pair, name, patch_hook(cache[name][:1], position), answers, measure)

    return torch.tensor([[share(name, position) for position in range(pair.shape[1])] for name in names])


def _both(model: GPT, pair: torch.Tensor, names: list[str], measure: Measure):
    """Return the activations of both sentences, and their two answers."""
    if pair.ndim != 2 or len(pair) != 2:
        raise ValueError(f"a pair is two sentences with equally many tokens, [2, T]; this has shape {list(pair.shape)}")
    cache = activations(model, pair, names)
    with torch.no_grad(), evaluating(model):
        answers = measure(model(pair.to(device_of(model)))[0])
    if (answers[0] - answers[1]).abs() < LEAST:
        raise ValueError(f"both sentences have the same answer ({answers[0]:.4f}): there is nothing to restore")
    return cache, answers


@torch.no_grad()
def _share(model: GPT, pair: torch.Tensor, name: str, hook: Hook, answers: torch.Tensor, measure: Measure) -> float:
    with evaluating(model), model.hooks({name: hook}):
        patched = measure(model(pair[1:].to(device_of(model)))[0])[0]
    return ((patched - answers[1]) / (answers[0] - answers[1])).item()


def _check(x: torch.Tensor, clean: torch.Tensor, position: int, head: int | None) -> None:
    if x.shape[1:] != clean.shape[1:]:
        raise ValueError(
            f"the clean activation has shape {list(clean.shape)}, and {list(x.shape)} is to be patched: "
            "the two sentences need the same number of tokens"
        )
    if head is not None and (x.ndim != 4 or not 0 <= head < x.shape[1]):
        there = f"heads are numbered from 0 to {x.shape[1] - 1}" if x.ndim == 4 else "only hook_z has heads here"
        raise ValueError(f"there is no head {head}: {there}")
    if not -x.shape[-2] <= position < x.shape[-2]:
        raise ValueError(f"there is no position {position}: the sentence has {x.shape[-2]} tokens")
