"""Log-probabilities of given replies: one function for beam search, RL, DPO and evaluation (used in notebooks 03, 08, 09)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from helpers.corpus.batches.base import IGNORED, Pair
from helpers.corpus.batches.context_reply_pairs import PairBatch, batch_of, whole_rows
from helpers.models.encoder_decoder import EncoderDecoder
from helpers.models.utils import device_of, evaluating


def token_log_probabilities(logits: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log p [B, T] of ``targets`` [B, T] in nats, given logits [B, T, V], and the mask [B, T].

    Where a target is −100 the mask is False and log p is 0. At least float32, with the gradient. Computed by log_softmax: the
    logarithm of a softmax is −inf where that rounds to 0.
    """
    mask = targets != IGNORED
    log_p = torch.log_softmax(_precise(logits), dim=-1).gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    return log_p.where(mask, 0.0), mask


def log_probabilities_of(model, batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log p [B, T] of ``batch.targets`` under ``model``, and the mask; see ``token_log_probabilities``.

    ``batch`` is a PairBatch for an encoder–decoder, or a Batch or PreferenceBatch of whole rows for any other model; it must
    be on the model's device.
    """
    if hasattr(batch, "context"):
        return token_log_probabilities(model.read(batch), batch.targets)
    inputs = batch.inputs if hasattr(batch, "inputs") else batch.ids[:, :-1]
    return token_log_probabilities(model(inputs)[0], batch.targets)


@torch.no_grad()
def reply_log_probabilities(
    model, pairs: Sequence[Pair], pad: int, stop: Iterable[int] = (), rows: int = 128
) -> torch.Tensor:
    """Return log p(reply | context) of each Pair in nats, [N] on the CPU: the sum over its tokens, without dropout.

    The first token of a reply, its speaker's, is given, not predicted. With ``stop`` also that the reply ends there, with
    whichever of these tokens: their probabilities are added. ``model`` is an encoder–decoder, or is called as ``generate``
    calls it; it reads ``rows`` pairs side by side, padded at the end with ``pad``. Raises ValueError for no pairs.
    """
    if not len(pairs):
        raise ValueError("there are no replies to score: give at least one pair of a context and a reply")
    stop, parts = sorted(set(stop)), []
    with evaluating(model):
        for start in range(0, len(pairs), rows):
            chunk = [Pair(context, [*reply, *stop[:1]]) for context, reply in pairs[start : start + rows]]
            logits, targets = reply_logits(model, chunk, pad)
            log_p, mask = token_log_probabilities(logits, targets)
            if stop:
                row, last = torch.arange(len(chunk)), (mask.shape[1] - 1 - mask.flip(1).int().argmax(1)).cpu()
                log_p[row, last] = _precise(logits[row, last]).log_softmax(-1)[:, stop].logsumexp(-1)
            parts.append(log_p.sum(1).cpu())
    return torch.cat(parts)


def reply_logits(model, pairs: list[Pair], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits [B, T, V] of a model that reads pairs side by side, and the targets [B, T]."""
    device = device_of(model)
    if isinstance(model, EncoderDecoder):
        room = model.config["context_tokens"]
        batch = batch_of([Pair(context[-room:], reply) for context, reply in pairs], pad)
        batch = PairBatch(*(part.to(device) for part in batch[:3]))
        return model.read(batch), batch.targets
    ids, targets = (part.to(device) for part in whole_rows(pairs, pad))
    return model(ids[:, :-1])[0], targets  # no model looks ahead: what fills a shorter row changes nothing before it


def _precise(logits: torch.Tensor) -> torch.Tensor:
    return logits if logits.dtype == torch.float64 else logits.float()
