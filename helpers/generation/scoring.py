"""Log-probabilities of replies that exist: one function for training, RL and evaluation (used in notebooks 03, 08 and 09)."""

from __future__ import annotations

import torch

from helpers.corpus.batches.base import IGNORED
from helpers.corpus.batches.preferences import PreferenceBatch
from helpers.models.utils import evaluating


def log_probabilities_of(model, batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log p [B, T] of ``batch.targets`` under ``model``, 0 where they are not counted, and ``counted`` [B, T].

    ``batch`` is a PairBatch for an encoder–decoder, or a Batch of whole rows for a GPT; it must be on the model's device. The
    gradient is kept. Computed by log_softmax: the logarithm of a softmax is −inf where that rounds to 0.
    """
    logits = model.read(batch) if hasattr(batch, "context") else model(batch.inputs)[0]
    return token_log_probabilities(logits, batch.targets)


def token_log_probabilities(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same from logits [B, T, V] and targets [B, T]: log p [B, T], 0 where a target is −100, and ``counted``."""
    counted = targets != IGNORED
    chosen = targets.clamp(min=0)[..., None]
    found = torch.log_softmax(logits.float(), dim=-1).gather(-1, chosen)[..., 0]
    return found.where(counted, 0.0), counted


def reply_log_probabilities(model, batch: PreferenceBatch) -> torch.Tensor:
    """Return log p of each of the 2B replies, summed over its tokens, without dropout; the gradient is kept."""
    with evaluating(model):  # dropout would make the policy differ from its reference before it has learned anything
        logits, _ = model(batch.ids[:, :-1])
    return token_log_probabilities(logits, batch.targets)[0].sum(1)
