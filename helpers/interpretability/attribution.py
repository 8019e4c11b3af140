"""Attribution: how much each token of the context matters for a prediction, by six methods that disagree (notebook 10).

All work on "hook_embed", the vectors that enter the first block, one for each position, and ask about log p of a given next
token. Whether a method points to what the network uses is then tested: ``deletion_test``, beside ``random_scores`` and the
stronger ``recency_scores``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from helpers.interpretability.ablation import activations
from helpers.models.gpt import GPT
from helpers.models.utils import device_of, evaluating

POINT = "hook_embed"


@torch.no_grad()
def mean_embedding(model: GPT, ids: torch.Tensor) -> torch.Tensor:
    """Return the mean vector [C] that enters the first block over a text ``ids`` [B, T]: a baseline that says nothing.

    A zero vector is not one: a norm turns anything near zero to full size, so the path from it is steep at its beginning.
    """
    return activations(model, ids, [POINT])[POINT].mean(dim=(0, 1))


def saliency(model: GPT, ids: torch.Tensor, target: int) -> torch.Tensor:
    """Return the L2 norm of the gradient of log p(target) with respect to each token's vector, [T] (Simonyan et al. 2013)."""
    row = _row(model, ids)
    return _gradients(model, row, target, _vectors(model, row))[0].norm(dim=-1)


def gradient_times_input(model: GPT, ids: torch.Tensor, target: int) -> torch.Tensor:
    """Return the dot product of that gradient and the token's vector, [T]: a first-order guess of the change towards 0."""
    row = _row(model, ids)
    x = _vectors(model, row)
    return (_gradients(model, row, target, x)[0] * x[0]).sum(dim=-1)


def integrated_gradients(model: GPT, ids: torch.Tensor, target: int, baseline, steps: int = 32) -> torch.Tensor:
    """Return (x − baseline) times the mean gradient on the straight way from the baseline to x, [T].

    ``baseline`` is [C] or [T, C], see ``mean_embedding``. With enough steps the scores sum to log p(target) minus log p at
    the baseline: completeness (Sundararajan et al. 2017; ``baseline_change``). Raises ValueError for less than one step.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}: give at least 1")
    row = _row(model, ids)
    x = _vectors(model, row)
    shares = (torch.arange(steps, device=x.device) + 0.5) / steps  # the middle of each of equally long stretches
    total = torch.zeros_like(x[0])
    for part in shares.split(32):
        total += _gradients(model, row, target, baseline + part[:, None, None] * (x - baseline)).sum(dim=0)
    return ((x[0] - baseline) * total / steps).sum(dim=-1)


@torch.no_grad()
def baseline_change(model: GPT, ids: torch.Tensor, target: int, baseline) -> float:
    """Return log p(target) minus log p(target) with every token's vector at the baseline: what attributions should sum to."""
    row = _row(model, ids)
    x = _vectors(model, row)
    both = _log_p(model, row, target, torch.cat((x, torch.zeros_like(x) + baseline)))
    return (both[0] - both[1]).item()


@torch.no_grad()
def occlusion(model: GPT, ids: torch.Tensor, target: int, baseline) -> torch.Tensor:
    """Return how much log p(target) is lost when one token's vector after the other is the baseline [C] or [T, C]: [T]."""
    row = _row(model, ids)
    x = _vectors(model, row)
    hidden = torch.eye(x.shape[1], dtype=torch.bool, device=x.device)[:, :, None]  # row t hides position t
    return _log_p(model, row, target, x) - _log_p(model, row, target, torch.where(hidden, baseline, x))


def rollout(patterns: torch.Tensor) -> torch.Tensor:
    """Return how much of each token's beginning reaches each position, [T, T], by attention weights alone.

    ``patterns`` [n_layer, n_head, T, T] are averaged over the heads; half of each layer is the residual connection. The
    product over the layers is the rollout (Abnar & Zuidema 2020); its rows sum to 1, and no token reaches an earlier one.
    """
    layers = 0.5 * patterns.mean(dim=1) + 0.5 * torch.eye(patterns.shape[-1], device=patterns.device)
    reached = layers[0]
    for layer in layers[1:]:
        reached = layer @ reached
    return reached


def attention_rollout(model: GPT, ids: torch.Tensor) -> torch.Tensor:
    """Return the last position's row of ``rollout``, [T]."""
    return rollout(_patterns(model, ids))[-1]


def last_layer_attention(model: GPT, ids: torch.Tensor) -> torch.Tensor:
    """Return the last position's attention weights in the last layer, a mean over its heads, [T]."""
    return _patterns(model, ids)[-1, :, -1].mean(dim=0)


def random_scores(length: int, seed: int) -> torch.Tensor:
    """Return scores [length] that know nothing: the control of every other method."""
    return torch.rand(length, generator=torch.Generator().manual_seed(seed))


def recency_scores(length: int) -> torch.Tensor:
    """Return scores [length] that grow with the position: the stronger control, for recent tokens matter most in any text."""
    return torch.arange(length, dtype=torch.float32)


METHODS: dict[str, Callable[..., torch.Tensor]] = {
    "saliency": lambda model, ids, target, baseline: saliency(model, ids, target),
    "gradient × input": lambda model, ids, target, baseline: gradient_times_input(model, ids, target),
    "integrated gradients": integrated_gradients,
    "occlusion": occlusion,
    "attention, last layer": lambda model, ids, target, baseline: last_layer_attention(model, ids),
    "attention rollout": lambda model, ids, target, baseline: attention_rollout(model, ids),
}


@torch.no_grad()
def deletion_test(model: GPT, ids: torch.Tensor, scores: torch.Tensor, count: int = 5, keep: int = 1) -> float:
    """Return how much the next-token distribution changes when the tokens with the highest scores are deleted, in nats.

    KL(before ‖ after); the tokens are really cut out of the text ``ids`` [T], not hidden, so no method is tested with its own
    tool. The first token, ``<end>``, and the last ``keep`` are never deleted: without them the question itself is another.
    Raises ValueError when ``scores`` has another length, and where there are not ``count`` tokens to delete.
    """
    row = _row(model, ids)[0]
    if len(scores) != len(row):
        raise ValueError(f"{len(scores)} scores are given for {len(row)} tokens: give one for each")
    if keep < 1 or not 1 <= count <= len(row) - 1 - keep:
        raise ValueError(f"of {len(row)} tokens {max(len(row) - 1 - keep, 0)} may be deleted, not {count}: take fewer")
    chosen = scores[1:-keep].topk(count).indices + 1
    kept = torch.ones_like(row, dtype=torch.bool)
    kept[chosen.to(row.device)] = False
    with evaluating(model):
        before, after = (model(one[None])[0][0, -1].log_softmax(dim=-1) for one in (row, row[kept]))
    return (before.exp() * (before - after)).sum().item()


def _row(model: GPT, ids: torch.Tensor) -> torch.Tensor:
    """Return the tokens as one row [1, T]."""
    ids = torch.as_tensor(ids, dtype=torch.int64, device=device_of(model))
    if ids.ndim == 2 and len(ids) == 1:
        ids = ids[0]
    if ids.ndim != 1 or not len(ids):
        raise ValueError(f"give one text of at least one token, [T]; this has shape {list(ids.shape)}")
    return ids[None]


def _vectors(model: GPT, row: torch.Tensor) -> torch.Tensor:
    return activations(model, row, [POINT])[POINT]


def _patterns(model: GPT, ids: torch.Tensor) -> torch.Tensor:
    """Return all attention weights of a text, [n_layer, n_head, T, T]."""
    return torch.stack(model.attention_weights(_row(model, ids)))


def _log_p(model: GPT, row: torch.Tensor, target: int, x: torch.Tensor) -> torch.Tensor:
    """Return log p(target) after a text whose vectors are ``x`` [B, T, C], [B]."""
    with evaluating(model), model.hooks({POINT: lambda vectors: x}):
        return model(row.expand(len(x), -1))[0][:, -1].log_softmax(dim=-1)[:, target]


def _gradients(model: GPT, row: torch.Tensor, target: int, x: torch.Tensor) -> torch.Tensor:
    """Return the gradient of log p(target) with respect to vectors ``x`` [B, T, C]; the parameters keep their own."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(_log_p(model, row, target, x).sum(), x)[0]
