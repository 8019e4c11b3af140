"""A sparse autoencoder: activations written as a sum of a few directions out of many (Bricken et al. 2023; notebook 10).

``features = top_k(relu((x − center) / scale @ encoder))``, ``x ≈ features @ decoder · scale + center``: of many features, each
with a direction of its own, the k strongest are kept at each token and the others are 0 (Gao et al. 2024): two with
the same k are equally sparse and can be compared. Train a second one on a model with shuffled weights
(``helpers.interpretability.controls``) before you believe what the first one's features seem to mean (Heap et al. 2025).
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from helpers.corpus.batches.base import NumberedBatches
from helpers.models.network import Hook, Network
from helpers.runtime import seed_everything
from helpers.training.loop import fit


class SparseAutoencoder(Network):
    """``autoencoder(x [..., D]) -> (reconstruction [..., D], features [..., F])``, k features above 0 at most at each token.

    Raises ValueError for a k that is not from 1 to ``n_features``.
    """

    def __init__(self, n_embd: int, n_features: int, k: int = 16):
        super().__init__()
        if not 1 <= k <= n_features:
            raise ValueError(f"k = {k} of {n_features} features: keep at least 1 and no more than there are")
        self.k = k
        self.register_buffer("center", torch.zeros(n_embd))  # of the activations it is trained on
        self.register_buffer("scale", torch.ones(()))  # their root mean square distance from the center, per number
        self.encoder, self.decoder = nn.Linear(n_embd, n_features), nn.Linear(n_features, n_embd, bias=False)
        nn.init.zeros_(self.encoder.bias)
        self.normalize()
        self.encoder.weight.data.copy_(self.decoder.weight.T)  # a feature begins by looking for what it writes

    def normalize(self) -> None:
        """Give each feature's direction, a column of ``decoder.weight`` [D, F], the norm 1, in place."""
        self.decoder.weight.data = functional.normalize(self.decoder.weight.data, dim=0)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Return the features [..., F] of activations [..., D]: the k largest, where they are above 0; the others are 0."""
        before = self.encoder((x - self.center) / self.scale).relu()
        kept = before.topk(self.k, dim=-1)
        return torch.zeros_like(before).scatter(-1, kept.indices, kept.values)

    def decode(self, features: torch.Tensor) -> torch.Tensor:
        """Return the activations [..., D] that features [..., F] stand for."""
        return self.decoder(features) * self.scale + self.center

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.encode(x)
        return self.decode(features), features


class ActivationBatch(NamedTuple):
    """Activations [B, D]; the targets are one number for each, so that ``fit`` counts tokens."""

    values: torch.Tensor
    targets: torch.Tensor
    first: bool = True


class ActivationBatches(NumberedBatches):
    """Activations [N, D] in batches, again and again, each pass in another order (see ``NumberedBatches``)."""

    drop_last = True

    def __init__(self, values: torch.Tensor, batch_size: int = 512, seed: int = 0):
        super().__init__(len(values), min(batch_size, max(len(values), 1)), seed)
        self.values = values

    def batch(self, part: np.ndarray, position: int) -> ActivationBatch:
        return ActivationBatch(self.values[torch.from_numpy(part)], torch.zeros(len(part), dtype=torch.int64))


def reconstruction_loss(autoencoder: SparseAutoencoder, batch: ActivationBatch) -> torch.Tensor:
    """Return the mean squared error of the reconstruction, in units of the activations' variance: 1 for the mean alone."""
    error = (autoencoder(batch.values)[0] - batch.values) / autoencoder.scale
    return error.square().mean()


def train_autoencoder(
    values: torch.Tensor,
    n_features: int = 1024,
    k: int = 16,
    steps: int = 600,
    batch_size: int = 512,
    learning_rate: float = 2e-3,
    seed: int = 0,
    progress: bool = False,
    callbacks=(),
) -> SparseAutoencoder:
    """Return a sparse autoencoder trained by ``fit`` on activations ``values`` [N, D], in evaluation mode, its parameters fixed.

    After each step the directions get the norm 1 again. Raises ValueError for values that are not a matrix of at least two
    rows, and as ``SparseAutoencoder`` does.
    """
    if values.ndim != 2 or len(values) < 2:
        raise ValueError(f"give activations [N, D], at least two; these have shape {list(values.shape)}")
    seed_everything(seed)
    autoencoder = SparseAutoencoder(values.shape[1], n_features, k)
    autoencoder.center.copy_(values.mean(dim=0))
    autoencoder.scale.copy_((values - autoencoder.center).square().mean().sqrt().clamp(min=1e-6))
    settings = {"steps": steps, "learning_rate": learning_rate, "loss": reconstruction_loss, "progress": progress}
    batches, unit = ActivationBatches(values, batch_size, seed), lambda history, model: model.normalize()
    fit(autoencoder, batches, callbacks=[unit, *callbacks], **settings)
    return autoencoder.requires_grad_(False)


def reconstruct_hook(autoencoder: SparseAutoencoder) -> Hook:
    """Return a function for a hook point [B, T, D] that puts the autoencoder's reconstruction in the activation's place."""
    return lambda x: autoencoder(x)[0]


def ablated_feature(autoencoder: SparseAutoencoder, feature: int) -> Hook:
    """Return a function for a hook point [B, T, D] that takes one feature's part away and leaves everything else.

    What the autoencoder does not reconstruct stays as well, so where the feature is 0 nothing changes. Raises ValueError for
    a feature that is not there.
    """
    n_features = autoencoder.decoder.in_features
    if not 0 <= feature < n_features:
        raise ValueError(f"there is no feature {feature}: they are numbered from 0 to {n_features - 1}")
    direction = autoencoder.decoder.weight[:, feature].detach() * autoencoder.scale
    return lambda x: x - autoencoder.encode(x)[..., feature, None] * direction
