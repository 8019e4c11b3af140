"""What training makes small: the surprise at the next token, in nats (built in notebook 02)."""

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional

from helpers.corpus.batches.base import Batch
from helpers.models.utils import device_of, evaluating


def next_token_loss(model, batch: Batch) -> torch.Tensor:
    """Return the mean surprise in nats at ``batch.targets`` when each row is read from nothing; −100 is not counted."""
    logits, _ = model(batch.inputs)
    return functional.cross_entropy(logits.float().flatten(0, 1), batch.targets.flatten())


def reply_loss(model, batch) -> torch.Tensor:
    """Return the mean surprise in nats at the replies of a PairBatch, each read with its context (notebook 03)."""
    logits = model.read(batch)
    return functional.cross_entropy(logits.float().flatten(0, 1), batch.targets.flatten())


class CarriedState:
    """The same loss for a recurrent model whose memory is carried over from batch to batch, without its gradient.

    This is truncated backpropagation through time (Williams & Peng 1990): the memory reaches back as far as it can, the
    gradient only to the beginning of the batch. Each row begins anew with probability ``forget``, because a model that
    never did so in training is at a loss when it has to: a chat begins with an empty memory.
    """

    def __init__(self, forget: float = 0.0):
        self.state, self.forget = None, forget

    def __call__(self, model, batch: Batch) -> torch.Tensor:
        state = None if batch.first else self.state
        if state is not None and self.forget:
            keep = torch.rand(len(batch.inputs), 1) >= self.forget  # [B, 1]: a state is [layers, B, H]
            state = each(state, lambda part: part * keep.to(part))
        logits, state = model(batch.inputs, state)
        self.state = each(state, torch.Tensor.detach)
        return functional.cross_entropy(logits.float().flatten(0, 1), batch.targets.flatten())


def each(state, change: Callable[[torch.Tensor], torch.Tensor]):
    """Return a state (a tensor, or tuples of them) with every tensor changed."""
    if isinstance(state, tuple):
        return tuple(each(part, change) for part in state)
    return state if state is None else change(state)


@torch.no_grad()
def mean_loss(model, batches: Sequence[Batch], most: int | None = None, loss: Callable | None = None) -> float:
    """Return the mean ``loss`` in nats per token over one pass of ``batches`` (at most ``most``).

    Without ``loss`` the memory is carried over from batch to batch. The model is put into evaluation mode and back; its
    parameters do not change.
    """
    loss, device = CarriedState() if loss is None else loss, device_of(model)
    number = len(batches) if most is None else min(most, len(batches))
    with evaluating(model):
        losses = [loss(model, on(batches[place], device)).item() for place in range(number)]
    return sum(losses) / number


def on(batch, device):
    """Return the batch, a NamedTuple, with all its tensors on another device."""
    return type(batch)(*(part.to(device) if torch.is_tensor(part) else part for part in batch))
