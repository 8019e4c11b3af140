"""What training makes small: the negative log-likelihood of the next token, in nats (built in notebook 02)."""

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional

from helpers.corpus.batches.base import IGNORED, Batch
from helpers.models.utils import device_of, evaluating


class NotFinite(ValueError):
    """A reward, a loss or a gradient is no number, so no step may follow. A loss that raises it ends ``fit``, which says why."""


def next_token_loss(model, batch: Batch) -> torch.Tensor:
    """Return the mean cross-entropy in nats at ``batch.targets`` when each row is read from nothing; −100 does not count."""
    logits, _ = model(batch.inputs)
    return functional.cross_entropy(logits.float().flatten(0, 1), batch.targets.flatten())


def masked_cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy in nats of logits [B, T, V] at the targets [B, T] that are not −100, step by step.

    What ``next_token_loss`` has torch do with ``ignore_index`` (built in notebook 07); no number when nothing counts.
    """
    counted = targets != IGNORED
    log_probabilities = logits.float().log_softmax(dim=-1)
    of_targets = log_probabilities.gather(-1, targets.masked_fill(~counted, 0)[..., None])[..., 0]  # [B, T]
    return -of_targets[counted].mean()


def reply_loss(model, batch) -> torch.Tensor:
    """Return the mean cross-entropy in nats at the replies of a PairBatch, each read with its context (notebook 03)."""
    logits = model.read(batch)
    return functional.cross_entropy(logits.float().flatten(0, 1), batch.targets.flatten())


class CarriedState:
    """The same loss for a recurrent model whose state is carried over from batch to batch, without its gradient.

    This is truncated backpropagation through time (Williams & Peng 1990): the state carries on as far as it can, the
    gradient stops at the beginning of the batch. Each row begins anew with probability ``forget``, because a model that
    never did so in training is at a loss when it has to: a chat begins with an empty state.
    """

    def __init__(self, forget: float = 0.0):
        self.state, self.forget = None, forget

    def __call__(self, model, batch: Batch) -> torch.Tensor:
        state = None if batch.first else self.state
        if state is not None and self.forget:
            keep = torch.rand(len(batch.inputs), 1) >= self.forget  # [B, 1]: a state is [layers, B, H]
            keep = to_device(keep, batch.inputs.device)
            state = map_tensors(state, lambda part: part * keep.to(part.dtype))
        logits, state = model(batch.inputs, state)
        self.state = map_tensors(state, torch.Tensor.detach)
        return functional.cross_entropy(logits.float().flatten(0, 1), batch.targets.flatten())


def map_tensors(value, change: Callable[[torch.Tensor], torch.Tensor]):
    """Return ``value``, a tensor or (named) tuples of such and of anything else, with every tensor changed."""
    if isinstance(value, tuple):
        parts = [map_tensors(part, change) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return change(value) if torch.is_tensor(value) else value


def to_device(batch, device):
    """Return a batch (a NamedTuple), a state or a tensor with all its tensors on another device.

    To a CUDA GPU they go from pinned memory, without waiting for their arrival.
    """
    pinned = torch.device(device).type == "cuda"

    def move(part: torch.Tensor) -> torch.Tensor:
        return (part.pin_memory() if pinned and part.device.type == "cpu" else part).to(device, non_blocking=pinned)

    return map_tensors(batch, move)


def terms(loss: Callable, batch) -> int:
    """Return how many numbers ``loss(model, batch)`` is the mean of, to weigh it: what ``loss.terms(batch)`` says, if it can.

    Otherwise one for each target that is not −100, the tokens of a PairBatch for example.
    """
    return loss.terms(batch) if hasattr(loss, "terms") else int((batch.targets != IGNORED).sum())


@torch.no_grad()
def mean_loss(model, batches: Sequence[Batch], max_batches: int | None = None, loss: Callable | None = None) -> float:
    """Return the mean ``loss`` over one pass of ``batches`` (at most ``max_batches``), in nats per token.

    Every token weighs the same, however many others are in its batch (see ``terms``). Without ``loss`` the state is carried
    over from batch to batch. The model is put into evaluation mode and back; its parameters do not change.
    """
    loss, device, total, weight = CarriedState() if loss is None else loss, device_of(model), 0.0, 0
    with evaluating(model):
        for number in range(len(batches) if max_batches is None else min(max_batches, len(batches))):
            batch = batches[number]
            if count := terms(loss, batch):
                total, weight = total + count * loss(model, to_device(batch, device)).item(), weight + count
    return total / weight if weight else float("nan")
