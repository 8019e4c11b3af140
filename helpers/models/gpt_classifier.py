"""A GPT that classifies: features averaged over a text, and a linear layer on top (Radford et al. 2018; notebook 07)."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from helpers.corpus.batches.base import NumberedBatches, padded
from helpers.models.gpt import GPT
from helpers.models.lora import add_lora
from helpers.models.network import Network
from helpers.models.utils import evaluating


class GPTClassifier(Network):
    """A copy of a GPT whose last features are averaged over a conversation, with a linear layer for two classes on top.

    ``rank`` is LoRA's; 0 trains the linear layer alone. The scores begin as 0 for everything.
    """

    def __init__(self, model: GPT, rank: int = 0):
        super().__init__()
        self.body = copy.deepcopy(model).requires_grad_(False)
        self.body.settings = replace(model.settings, logit_cap=0.0, tied=False)  # no scores for words, nothing squeezed
        self.body.head = nn.Identity()
        if rank:
            add_lora(self.body, rank, 2.0 * rank)
        self.head = nn.Linear(model.settings.n_embd, 2)
        nn.init.zeros_(self.head.weight), nn.init.zeros_(self.head.bias)

    def features(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the mean feature of each row ``ids`` [B, T] over its first ``lengths`` [B] tokens: [B, n_embd]."""
        inside = (torch.arange(ids.shape[1], device=ids.device) < lengths[:, None])[..., None]
        return (self.body(ids)[0] * inside).sum(1) / lengths[:, None]

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return scores [B, 2] for low and high."""
        return self.head(self.features(ids, lengths))


class LabeledBatch(NamedTuple):
    """Rows of token ids [B, T], padded at the end, how long each is [B], and its class [B]."""

    ids: torch.Tensor
    lengths: torch.Tensor
    targets: torch.Tensor
    first: bool = True


class LabeledBatches(NumberedBatches):
    """Rows with classes in batches, again and again, each pass in another order (see NumberedBatches)."""

    def __init__(self, rows: Sequence[Sequence[int]], labels, batch_size: int, seed: int = 0, *, pad: int):
        super().__init__(len(rows), batch_size, seed, [len(row) for row in rows])
        self.rows, self.labels, self.pad = rows, torch.as_tensor(labels), pad

    def batch(self, part: np.ndarray, position: int) -> LabeledBatch:
        lengths = torch.tensor([len(self.rows[index]) for index in part])
        return LabeledBatch(padded([self.rows[index] for index in part], self.pad), lengths, self.labels[part])


def class_loss(model: GPTClassifier, batch: LabeledBatch) -> torch.Tensor:
    """Return the mean cross-entropy of the right class, in nats."""
    return functional.cross_entropy(model(batch.ids, batch.lengths).float(), batch.targets)


@torch.no_grad()
def in_batches(function: Callable, model: GPTClassifier, rows: Sequence[Sequence[int]], pad: int) -> torch.Tensor:
    """Return what ``function(ids, lengths)`` gives for each row, without dropout, in the order of the rows."""
    order, results = sorted(range(len(rows)), key=lambda index: len(rows[index])), []
    with evaluating(model):
        for start in range(0, len(order), 64):
            part = [rows[index] for index in order[start : start + 64]]
            results.append(function(padded(part, pad), torch.tensor([len(row) for row in part])))
    return torch.cat(results)[torch.tensor(order).argsort()]
