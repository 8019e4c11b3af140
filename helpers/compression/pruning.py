"""Prune: set the weights that matter least to 0, keep them there while training goes on, and see what that saves.

By magnitude, the smallest first (Han et al. 2015, arXiv:1506.02626); two of every four neighbors, which GPUs since 2020 can skip
(Mishra et al. 2021, arXiv:2104.08378); and at random, the control. Zeros are numbers like others: they take as many bytes and as
much time as before, until they are stored in another way (notebook 12).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

import torch
from torch import nn

from helpers.compression.matrices import matrices, with_weights

BLOCKS = ("attention", "MLP")
KINDS = ("magnitude", "random", "2:4")


def magnitude_mask(weight: torch.Tensor, share: float) -> torch.Tensor:
    """Return which weights stay, bool of the shape of ``weight``: all but the ``share`` of them with the smallest |w|.

    Exactly round(share · numbers) go, among equals the first. Raises ValueError for a share that is not from 0 to 1.
    """
    return _without_smallest(weight.abs(), share)


def random_mask(weight: torch.Tensor, share: float, seed: int = 0) -> torch.Tensor:
    """Return a mask that lets as many weights go as ``magnitude_mask``, drawn at random: the control.

    Raises ValueError for a share that is not from 0 to 1.
    """
    generator = torch.Generator().manual_seed(seed)
    return _without_smallest(torch.rand(weight.shape, generator=generator), share).to(weight.device)


def two_four_mask(weight: torch.Tensor) -> torch.Tensor:
    """Return which weights stay of [R, C]: of every four neighbors in a row the two largest |w|, of equals the first.

    Raises ValueError when C does not divide by 4.
    """
    if weight.shape[-1] % 4:
        raise ValueError(f"a row of {weight.shape[-1]} weights cannot be cut into fours: its length must divide by 4")
    fours = weight.abs().unflatten(-1, (-1, 4))
    order = fours.argsort(dim=-1, descending=True, stable=True)
    return torch.zeros_like(fours, dtype=torch.bool).scatter(-1, order[..., :2], True).flatten(-2)


def masks_of(
    model: nn.Module, share: float = 0.5, parts: Iterable[str] = BLOCKS, kind: str = "magnitude", seed: int = 0
) -> dict[str, torch.Tensor]:
    """Return a mask for each matrix of these parts of a GPT, {name: bool [R, C]}, True for what stays.

    ``kind`` is "magnitude", "random" (with ``seed``) or "2:4", which lets half go whatever ``share`` is. Each matrix loses the
    same share. Raises ValueError for another kind, and as the functions of the kinds and ``matrices`` do.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}: give {', '.join(KINDS)}")
    chosen = matrices(model, parts).items()
    if kind == "2:4":
        return {name: two_four_mask(weight) for name, weight in chosen}
    if kind == "magnitude":
        return {name: magnitude_mask(weight, share) for name, weight in chosen}
    return {name: random_mask(weight, share, 1_000 * seed + number) for number, (name, weight) in enumerate(chosen)}


def pruned(model: nn.Module, masks: Mapping[str, torch.Tensor]) -> nn.Module:
    """Return a copy of a model with zeros where the masks {name: bool} are False. Raises ValueError as ``with_weights`` does."""
    parameters = dict(model.named_parameters())
    missing = [name for name in masks if name not in parameters]
    if missing:
        raise ValueError(f"the model has no parameter {missing[0]!r}: these are the masks of another model")
    return with_weights(model, {name: parameters[name].detach() * mask for name, mask in masks.items()})


class KeepPruned:
    """A callback of ``fit`` that sets what was pruned back to 0 after each step of the optimizer.

    Before the step would be too late: the gradient of a weight that is 0 is not 0, and momentum moves it on besides.
    """

    on_every_process = True  # of a team: all must have the same weights

    def __init__(self, masks: Mapping[str, torch.Tensor]):
        self.masks = masks

    def __call__(self, history, model: nn.Module) -> None:
        """``fit`` calls it after the step; the history is not looked at."""
        self.apply(model)

    @torch.no_grad()
    def apply(self, model: nn.Module) -> None:
        """Set the weights that the masks leave out to 0, in place. Raises ValueError for a mask of another model."""
        parameters = dict(model.named_parameters())
        for name, mask in self.masks.items():
            if name not in parameters or parameters[name].shape != mask.shape:
                raise ValueError(f"the mask {name!r} {list(mask.shape)} fits no parameter: it is of another model")
            parameters[name].mul_(mask.to(parameters[name].device))


def sparsity(model: nn.Module, parts: Iterable[str] = BLOCKS) -> float:
    """Return which share of the weights in these parts of a GPT are 0."""
    chosen = matrices(model, parts).values()
    return sum(int((weight == 0).sum()) for weight in chosen) / sum(weight.numel() for weight in chosen)


def file_size(model: nn.Module) -> int:
    """Return the bytes of a model's numbers in float16, as they are stored: zeros cost as much as others."""
    return sum(2 * value.numel() for value in model.parameters())


def compressed_size(model: nn.Module) -> int:
    """Return the bytes of a model's numbers in float16 after zlib (level 6): here zeros cost next to nothing."""
    return len(
        zlib.compress(b"".join(value.detach().cpu().half().numpy().tobytes() for value in model.parameters()), 6)
    )


def _without_smallest(values: torch.Tensor, share: float) -> torch.Tensor:
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}: give the share of weights that go, from 0 to 1")
    stays = torch.ones(values.numel(), dtype=torch.bool, device=values.device)
    stays[values.flatten().argsort(dim=0, stable=True)[: round(share * values.numel())]] = False
    return stays.view(values.shape)
