"""The lens: read a prediction from the residual stream before the network has finished (built in notebook 10).

The *logit lens* (nostalgebraist 2020) gives the stream after any layer to the final norm and the unembedding. The *tuned
lens* (Belrose et al. 2023) learns, for each layer, an affine map that first moves the stream to where the last layer leaves it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from helpers.corpus.batches.base import NumberedBatches
from helpers.models.gpt import GPT
from helpers.models.network import Network
from helpers.models.utils import device_of, evaluating
from helpers.training.loop import fit


def stream_names(model: GPT) -> list[str]:
    """Return the hook points of the residual stream: what enters the first block, and what leaves each, n_layer + 1 names."""
    return ["hook_embed", *(f"blocks.{layer}.hook_resid_post" for layer in range(len(model.blocks)))]


@torch.no_grad()
def residual_stream(model: GPT, ids: torch.Tensor) -> torch.Tensor:
    """Return the residual stream while the model reads ``ids`` [B, T]: [n_layer + 1, B, T, C], as in ``stream_names``."""
    with evaluating(model):
        cache = model.run_with_cache(ids.to(device_of(model)), names=stream_names(model))[1]
    return torch.stack([cache[name] for name in stream_names(model)])


def logit_lens(model: GPT, stream: torch.Tensor) -> torch.Tensor:
    """Return the logits [..., V] that the stream [..., C] after any layer would give if it were the last.

    Final norm, unembedding, and the cap where the model has one: after the last layer they are the model's own logits.
    Without the norm early layers look surer or less sure than they are, as the stream grows from layer to layer.
    """
    logits, cap = model.head(model.norm(stream)), model.settings.logit_cap
    return cap * torch.tanh(logits.float() / cap) if cap else logits


class TunedLens(Network):
    """An affine map for the stream after each layer but the last, x + A x + b; untrained it changes nothing.

    ``lens(stream [n_layer + 1, ..., C])`` returns streams of that shape to be given to ``logit_lens``; the last is unchanged.
    """

    def __init__(self, model: GPT):
        super().__init__()
        n_embd = model.settings.n_embd
        self.maps = nn.ModuleList(nn.Linear(n_embd, n_embd) for _ in model.blocks)
        for part in self.maps:
            nn.init.zeros_(part.weight)
            nn.init.zeros_(part.bias)

    def forward(self, stream: torch.Tensor) -> torch.Tensor:
        """Return the stream [n_layer + 1, ..., C] as if each layer were the last. Raises ValueError for another n_layer."""
        if len(stream) != len(self.maps) + 1:
            raise ValueError(f"this lens is for a stream [{len(self.maps) + 1}, ..., C]; this has {len(stream)} layers")
        return torch.stack([*(x + part(x) for x, part in zip(stream, self.maps)), stream[-1]])


class StreamBatch(NamedTuple):
    """The stream at B tokens, after every layer; the targets are one number for each, so that ``fit`` counts tokens."""

    stream: torch.Tensor  # [n_layer + 1, B, C]
    targets: torch.Tensor  # int64 [B]
    first: bool = True


class StreamTokens(NumberedBatches):
    """The stream [n_layer + 1, N, C] of N tokens in batches, each pass in another order (see ``NumberedBatches``)."""

    drop_last = True

    def __init__(self, stream: torch.Tensor, batch_size: int = 256, seed: int = 0):
        super().__init__(stream.shape[1], min(batch_size, max(stream.shape[1], 1)), seed)
        self.stream = stream

    def batch(self, part: np.ndarray, position: int) -> StreamBatch:
        return StreamBatch(self.stream[:, torch.from_numpy(part)], torch.zeros(len(part), dtype=torch.int64))


def lens_divergence(model: GPT, stream: torch.Tensor) -> torch.Tensor:
    """Return the KL divergence of each layer's prediction from the last layer's, KL(last ‖ layer), [n_layer, ...] in nats."""
    log_p = logit_lens(model, stream).float().log_softmax(dim=-1)  # [n_layer + 1, ..., V]
    final = log_p[-1].detach()
    return (final.exp() * (final - log_p[:-1])).sum(dim=-1)


def train_tuned_lens(
    model: GPT,
    ids: torch.Tensor,
    steps: int = 80,
    batch_size: int = 256,
    learning_rate: float = 0.05,
    seed: int = 0,
    progress: bool = False,
) -> TunedLens:
    """Return a lens trained by ``fit`` on a text ``ids`` [N, T], in evaluation mode, its parameters fixed; the model stays.

    ``batch_size`` counts tokens. No layer is taught the text: each is to predict what the *last* layer predicts, by the KL
    divergence from its distribution, so the lens shows what the network knows and not what a map could learn beyond it.
    """
    stream, lens = residual_stream(model, ids).flatten(1, 2), TunedLens(model).to(device_of(model))

    def loss(lens: TunedLens, batch: StreamBatch) -> torch.Tensor:
        return lens_divergence(model, lens(batch.stream)).mean()

    fixed = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in fixed:
        parameter.requires_grad_(False)
    try:
        settings = {"steps": steps, "learning_rate": learning_rate, "loss": loss, "progress": progress}
        fit(lens, StreamTokens(stream, batch_size, seed), optimizer="muon", **settings)
    finally:
        for parameter in fixed:
            parameter.requires_grad_(True)
    return lens.eval().requires_grad_(False)


class LensRow(NamedTuple):
    """What the stream after a layer predicts, on average over a text; layer 0 is the embedding."""

    layer: int
    nats: float  # the loss of the next token
    agrees: float  # share of tokens at which its likeliest token is that of the last layer
    repeats: float  # share at which it is the token that has just been read


@torch.no_grad()
def lens_table(model: GPT, ids: torch.Tensor, lens: TunedLens | None = None) -> list[LensRow]:
    """Return a row for the stream at the embedding and after each layer, read from ``ids`` [B, T + 1]."""
    ids = ids.to(device_of(model))
    stream, rows = residual_stream(model, ids[:, :-1]), []
    last = logit_lens(model, stream[-1]).argmax(dim=-1)
    for layer, x in enumerate(stream if lens is None else lens(stream)):
        logits = logit_lens(model, x).float()
        nats = functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).item()
        top = logits.argmax(dim=-1)
        agrees, repeats = ((top == other).float().mean().item() for other in (last, ids[:, :-1]))
        rows.append(LensRow(layer, nats, agrees, repeats))
    return rows
