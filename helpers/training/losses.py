"""What training makes small: the surprise at the next token, in nats (built in notebook 02)."""

from collections.abc import Sequence

import torch
from torch.nn import functional

from ..corpus.batches import Batch


def next_token_loss(model, batch: Batch) -> torch.Tensor:
    """Return the mean surprise in nats at ``batch.targets`` when each row is read from nothing."""
    logits, _ = model(batch.inputs)
    return functional.cross_entropy(logits.float().flatten(0, 1), batch.targets.flatten())


class CarriedState:
    """The same loss for a recurrent model whose memory is carried over from batch to batch, without its gradient.

    This is truncated backpropagation through time (Williams & Peng 1990): the memory reaches back as far as it can, the
    gradient only to the beginning of the batch.
    """

    def __init__(self):
        self.state = None

    def __call__(self, model, batch: Batch) -> torch.Tensor:
        logits, state = model(batch.inputs, None if batch.first else self.state)
        self.state = detached(state)
        return functional.cross_entropy(logits.float().flatten(0, 1), batch.targets.flatten())


def detached(state):
    """Return a state (a tensor, or tuples of them) that gradients do not flow through."""
    if isinstance(state, tuple):
        return tuple(detached(part) for part in state)
    return state if state is None else state.detach()


@torch.no_grad()
def mean_loss(model, batches: Sequence[Batch], most: int | None = None) -> float:
    """Return the mean surprise in nats per token over one pass of ``batches`` (at most ``most``), memory carried over.

    The model is put into evaluation mode and back; its parameters do not change.
    """
    training = model.training
    model.eval()
    loss, device = CarriedState(), next(model.parameters()).device
    number = len(batches) if most is None else min(most, len(batches))
    losses = [loss(model, on(batches[place], device)).item() for place in range(number)]
    model.train(training)
    return sum(losses) / number


def on(batch: Batch, device) -> Batch:
    """Return the batch on another device."""
    return batch._replace(inputs=batch.inputs.to(device), targets=batch.targets.to(device))
