"""Everyone has the whole model and other data: whose gradient counts how much (built in notebook 13).

``fit`` does the same with ``team=``; here are the steps one by one, to be compared and to be done wrong.
"""

from collections.abc import Callable, Sequence

import torch
from torch import nn

from helpers.training.losses import next_token_loss, terms


def gradient(model: nn.Module, batch, loss: Callable = next_token_loss) -> tuple[torch.Tensor, int, float]:
    """Return the gradient [P] of the batch's mean loss, what it is the mean of (``terms``), and the loss in nats per token.

    The gradients of all parameters as one vector, zeros where a parameter was not used. Those that the model had are lost.
    """
    model.zero_grad()
    value = loss(model, batch)
    value.backward()
    parts = [torch.zeros_like(each) if each.grad is None else each.grad for each in model.parameters()]
    return torch.cat([part.flatten() for part in parts]), terms(loss, batch), value.item()


def average_gradients(gradients: Sequence[torch.Tensor], weights: Sequence[float]) -> torch.Tensor:
    r"""Return the gradient [P] of all workers' batches as if they were one: :math:`\sum_r n_r g_r / \sum_r n_r`.

    ``gradients`` [P] are those of the workers' *mean* losses, ``weights`` over how many tokens these means were taken. A
    worker without a token weighs nothing, even where its mean over nothing is no number. Raises ValueError when the lists
    differ in length, or no token counts.
    """
    if len(gradients) != len(weights):
        raise ValueError(f"{len(gradients)} gradients and {len(weights)} weights: give one weight for each gradient")
    if not (total := sum(weights)) > 0:
        raise ValueError("no token counts in any of the batches: there is no mean to follow")
    return sum(mine * (weight / total) for mine, weight in zip(gradients, weights) if weight)


def averaged_step(model: nn.Module, weight: int, group=None) -> int:
    """Replace the model's gradients, on each of the real processes, by the team's weighted mean; return the weight of all.

    ``weight`` is over how many tokens this process took its mean loss. One all-reduce of one flat vector: many small ones
    would wait for the network once for each parameter. Clip after it, never before.
    """
    from torch import distributed

    parameters = list(model.parameters())
    parts = [torch.zeros_like(each) if each.grad is None or not weight else each.grad * weight for each in parameters]
    flat = torch.cat([*(part.flatten() for part in parts), parts[0].new_tensor([float(weight)])])
    distributed.all_reduce(flat, group=group)
    *means, total = flat.split([*(each.numel() for each in parameters), 1])
    for parameter, mean in zip(parameters, means):
        parameter.grad = mean.view_as(parameter) / total
    return int(total)


def clipped(vector: torch.Tensor, most: float) -> torch.Tensor:
    """Return a gradient [P], shortened to the length ``most`` where it is longer, its direction kept."""
    return vector * min(1.0, most / max(vector.norm().item(), 1e-12))


def relative_error(wrong: torch.Tensor, right: torch.Tensor) -> float:
    """Return how far a vector is from the right one, in lengths of the right one: 0 for equal, 1 for a vector of zeros."""
    return ((wrong - right).norm() / right.norm()).item()
