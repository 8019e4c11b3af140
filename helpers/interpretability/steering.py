"""Steering: a direction is added to the residual stream while a model writes (Turner et al. 2023; notebook 10).

The direction is a difference of means: the mean activation where something is so, minus the mean where it is not (Rimsky et
al. 2023). The control is a random direction of equal norm (``helpers.interpretability.controls.random_direction``).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from helpers.models.network import Hook, Network


def difference_of_means(positive: torch.Tensor, negative: torch.Tensor) -> torch.Tensor:
    """Return the mean of ``positive`` [N, D] minus the mean of ``negative`` [M, D]: a direction [D].

    Raises ValueError when one of them is empty, or when they are not two matrices of the same width.
    """
    if positive.ndim != 2 or negative.ndim != 2 or positive.shape[1] != negative.shape[1]:
        raise ValueError(
            f"give two matrices of activations of one width, [N, D] and [M, D]: these are "
            f"{list(positive.shape)} and {list(negative.shape)}"
        )
    if not len(positive) or not len(negative):
        raise ValueError(
            f"there are {len(positive)} activations on one side and {len(negative)} on the other: give some of both"
        )
    return positive.mean(dim=0) - negative.mean(dim=0)


def steer_hook(direction: torch.Tensor, strength: float = 1.0) -> Hook:
    """Return a function for a hook point [B, T, D] that adds ``strength`` · ``direction`` [D] at every token.

    It returns a new tensor. Raises ValueError when called with activations of another width.
    """

    def hook(x: torch.Tensor) -> torch.Tensor:
        if direction.ndim != 1 or x.shape[-1] != len(direction):
            raise ValueError(
                f"the direction has shape {list(direction.shape)}, the activations {list(x.shape)}: their widths must be equal"
            )
        return x + strength * direction.to(x)

    return hook


@contextmanager
def steered(model: Network, name: str, direction: torch.Tensor, strength: float = 1.0) -> Iterator[Network]:
    """Inside ``with steered(model, "blocks.2.hook_resid_post", direction, 4):`` the direction is added at every token.

    So a bot around this model writes with it; afterwards, also after an error, the model is as before. Raises ValueError for
    a name that no hook point has and, when the model runs, for a direction of another width.
    """
    with model.hooks({name: steer_hook(direction, strength)}):
        yield model
