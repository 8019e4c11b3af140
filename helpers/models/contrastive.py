"""Two towers: pictures and captions as vectors in one space, where what belongs together is near (notebook 16).

CLIP in small (Radford et al. 2021, 2103.00020): a tower for each side, and in each batch every picture must find its caption
among all captions, and every caption its picture. The loss is InfoNCE (van den Oord et al. 2018, 1807.03748) both ways.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from helpers.corpus.batches.base import Batch, NumberedBatches
from helpers.models.network import Network

TEMPERATURE = 0.1  # CLIP learns it, from 0.07 on


class TwoTowers(Network):
    """``pictures`` reads images [N, 8, 8], ``captions`` the ids of words [N, 3]: vectors [N, width] each, of any length.

    The tower of pictures is an MLP on pixels; that of captions adds up a vector for each word (``words`` is how many ids there
    are), then an MLP.
    """

    def __init__(self, words: int, width: int = 64, hidden_size: int = 128, pixels: int = 64, dropout: float = 0.1):
        super().__init__()
        self.config = {"words": words, "width": width, "hidden_size": hidden_size, "pixels": pixels, "dropout": dropout}
        self.embed = nn.Embedding(words, width)
        self.picture_tower = _mlp(pixels, hidden_size, width, dropout)
        self.caption_tower = _mlp(width, hidden_size, width, dropout)

    def pictures(self, images: torch.Tensor) -> torch.Tensor:
        """Return vectors [N, width] for images [N, 8, 8] float32."""
        return self.picture_tower(images.flatten(1))

    def captions(self, ids: torch.Tensor) -> torch.Tensor:
        """Return vectors [N, width] for captions, the ids of their words int64 [N, 3]."""
        return self.caption_tower(self.embed(ids).sum(1))

    def forward(self, images: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """Return the cosine of every picture with every caption: [N, C]."""
        return similarity(self.pictures(images), self.captions(ids))


def _mlp(inputs: int, hidden_size: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden_size), nn.GELU(), nn.Dropout(dropout),
        nn.Linear(hidden_size, hidden_size), nn.GELU(), nn.Linear(hidden_size, outputs),
    )  # fmt: skip


def similarity(pictures: torch.Tensor, captions: torch.Tensor) -> torch.Tensor:
    """Return the cosine of each picture's vector [N, D] with each caption's [C, D]: [N, C], from −1 to 1."""
    return functional.normalize(pictures, dim=-1) @ functional.normalize(captions, dim=-1).T


def contrastive_loss(pictures: torch.Tensor, captions: torch.Tensor, temperature: float = TEMPERATURE) -> torch.Tensor:
    """Return the mean of two cross-entropies in nats: find the caption of each picture, and the picture of each caption.

    Vectors [B, D], of any length, row i of one belongs to row i of the other. All others of the batch are taken for wrong, also
    one with the same caption. Raises ValueError for other shapes, and for a temperature that is not above 0.
    """
    if pictures.shape != captions.shape or pictures.ndim != 2:
        raise ValueError(
            f"got {list(pictures.shape)} and {list(captions.shape)}: give as many pictures as captions, [B, D]"
        )
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}: give a number above 0, such as 0.1")
    scores = similarity(pictures, captions) / temperature
    own = torch.arange(len(scores), device=scores.device)
    return (functional.cross_entropy(scores, own) + functional.cross_entropy(scores.T, own)) / 2


def tower_loss(loss: Callable = contrastive_loss, temperature: float = TEMPERATURE) -> Callable:
    """Return ``loss`` as ``fit`` calls it, with the model and a batch of CaptionBatches."""

    def of_batch(towers: TwoTowers, batch: Batch) -> torch.Tensor:
        return loss(towers.pictures(batch.inputs), towers.captions(batch.targets), temperature)

    of_batch.terms = lambda batch: len(batch.inputs)
    return of_batch


class CaptionBatches(NumberedBatches):
    """Batches for ``fit``: images [B, 8, 8] and the ids of their captions' words [B, 3], sampled from N pairs.

    With ``distinct`` no two pictures of a batch have the same caption: one taken at random of each of B captions. The same
    ``seed`` gives the same batches. Raises ValueError when there are not as many captions as images, or fewer (different)
    ones than ``batch_size``.
    """

    def __init__(
        self, images: torch.Tensor, ids: torch.Tensor, batch_size: int = 64, seed: int = 0, distinct: bool = False
    ):
        if len(images) != len(ids):
            raise ValueError(f"{len(images)} images and {len(ids)} captions: give one caption for each")
        super().__init__(len(images), batch_size, seed)
        self.images, self.ids, self.distinct = images, ids, distinct
        self.kind = ids.unique(dim=0, return_inverse=True)[1]
        most = len(self.kind.unique()) if distinct else len(ids)
        if self.batch_size > most:
            raise ValueError(f"batch_size is {batch_size}, and there are {most} to choose from: give at most as many")

    def plan(self, pass_number: int) -> list[torch.Tensor]:
        return [self._sample(number) for number in range(pass_number * len(self), (pass_number + 1) * len(self))]

    def _sample(self, number: int) -> torch.Tensor:
        order = torch.randperm(self.size, generator=self.torch_rng(number))
        if self.distinct:
            kinds, position = self.kind[order], torch.arange(self.size)
            first = torch.full((int(self.kind.max()) + 1,), self.size).scatter_reduce(0, kinds, position, "amin")
            order = order[first.sort().values]  # the first picture of each caption
        return order[: self.batch_size]

    def batch(self, part: torch.Tensor, position: int) -> Batch:
        return Batch(self.images[part], self.ids[part], first=True)


@torch.no_grad()
def best_caption(towers: TwoTowers, images: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Return which of the captions ``ids`` [C, 3] is nearest to each image [N, 8, 8]: int64 [N]."""
    was = towers.training
    towers.eval()
    try:
        return towers(images, ids).argmax(-1)
    finally:
        towers.train(was)
