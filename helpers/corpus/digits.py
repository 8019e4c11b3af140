"""Handwritten digits, 8 × 8: the smallest images on which a GAN can be watched (notebook 08).

They come with scikit-learn, so nothing is downloaded: 1,797 digits by 13 people, the test set of Alpaydin and Kaynak 1998.
"""

from typing import NamedTuple

import torch
from torch.nn import functional

from helpers.corpus.batches.base import Batch, NumberedBatches

TRAINING = 1400  # of 1,797: the rest is kept for tests


class Digits(NamedTuple):
    """``images`` float32 [N, 1, 8, 8], from −1 (paper) to 1 (ink); ``labels`` int64 [N], 0 to 9."""

    images: torch.Tensor
    labels: torch.Tensor


def load_digits() -> tuple[Digits, Digits]:
    """Return 1,400 digits to train on and 397 to test on, shuffled once and always alike.

    The same people wrote both parts. Raises ImportError with the remedy when scikit-learn is missing.
    """
    try:
        from sklearn import datasets
    except ImportError:
        raise ImportError("the digits come with scikit-learn, which is missing: pip install scikit-learn") from None
    data = datasets.load_digits()
    images = torch.tensor(data.images, dtype=torch.float32)[:, None] / 8 - 1  # ink goes from 0 to 16
    labels = torch.tensor(data.target, dtype=torch.long)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    train, test = order[:TRAINING], order[TRAINING:]
    return Digits(images[train], labels[train]), Digits(images[test], labels[test])


def light_on_dark(images: torch.Tensor) -> torch.Tensor:
    """Return images [N, 1, 8, 8] as neon signs: ink and paper exchanged, with a glow to the right of each stroke."""
    beside = functional.pad(images, (1, 0), value=-1.0)[..., :-1]  # one pixel to the right
    return -torch.maximum(images, (beside - 1) / 2)  # half as dark as the stroke it belongs to


class DigitBatches(NumberedBatches):
    """Batches for ``fit``: ``batches[t]`` is a Batch of images [B, 1, 8, 8] and labels [B], sampled with replacement.

    The same ``seed`` gives the same batches. Raises ValueError for no digits or a batch_size below 1.
    """

    def __init__(self, digits: Digits, batch_size: int = 64, seed: int = 0):
        super().__init__(len(digits.labels), batch_size, seed)
        self.digits = digits

    def plan(self, pass_number: int) -> list[torch.Tensor]:
        numbers = range(pass_number * len(self), (pass_number + 1) * len(self))
        return [torch.randint(self.size, (self.batch_size,), generator=self.torch_rng(number)) for number in numbers]

    def batch(self, part: torch.Tensor, position: int) -> Batch:
        return Batch(self.digits.images[part], self.digits.labels[part], first=True)
