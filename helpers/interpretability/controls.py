"""What a finding about a model is compared with: the same model with its numbers shuffled, a random direction (notebook 10).

Whatever a method finds in a network that has learned nothing is a property of the method, or of the text, and not of what
training put there (Adebayo et al. 2018, "Sanity Checks for Saliency Maps").
"""

import copy

import numpy as np
import torch
from torch import nn


@torch.no_grad()
def shuffled_weights(model: nn.Module, seed: int = 0) -> nn.Module:
    """Return a copy of ``model`` in evaluation mode with the numbers of every parameter in a random order.

    Size, mean and standard deviation of each matrix stay as training left them; only what is where is lost. Two names of one
    matrix still share it. ``model`` itself is not changed. The order depends on the seed alone, on every device.
    """
    shuffled, generator = copy.deepcopy(model).eval(), torch.Generator().manual_seed(seed)
    for parameter in shuffled.parameters():
        order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
        parameter.copy_(parameter.flatten()[order].view_as(parameter))
    return shuffled


def random_direction(vector: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """Return a vector [D] of the same L2 norm as ``vector`` [D] in a direction that only the seed decides.

    Raises ValueError for a tensor that is not one vector.
    """
    if vector.ndim != 1:
        raise ValueError(f"give one vector [D]; this has shape {list(vector.shape)}")
    # NumPy's generator: torch's with the same seed may have drawn the vector itself, or the weights it comes from.
    direction = torch.from_numpy(np.random.default_rng(seed).normal(size=len(vector))).to(vector)
    return direction * (vector.norm() / direction.norm())
