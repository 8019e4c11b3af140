"""Are drawn pictures what their captions ask for, and as different as real ones? Measured from outside (notebook 16).

The reader is no network and never saw a code or a caption: a support vector machine on the 64 pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from helpers.corpus.pictures import Captioner, Pictures, caption_numbers
from helpers.evaluation.gan_metrics import nearest

Reader = Callable[[torch.Tensor], torch.Tensor]


def digit_reader(train: Pictures) -> Reader:
    """Return ``read(images [N, 8, 8]) -> digits int64 [N]``, trained on real pictures and their labels.

    A support vector machine with a Gaussian kernel (Cortes & Vapnik 1995); the same pictures give the same reader. Raises
    ImportError with the remedy when scikit-learn is missing.
    """
    try:
        from sklearn.svm import SVC
    except ImportError:
        raise ImportError("the reader needs scikit-learn, which is missing: pip install scikit-learn") from None
    machine = SVC(gamma=0.064).fit(train.images.flatten(1).numpy(), train.labels.numpy())

    def read(images: torch.Tensor) -> torch.Tensor:
        _some(images)
        return torch.as_tensor(machine.predict(images.flatten(1).numpy()), dtype=torch.long)

    return read


def caption_accuracy(written: Sequence[str], captions: Sequence[str]) -> dict[str, float]:
    """Return which shares of the captions written are right: "thickness", "slant", "digit", and "all three".

    A word that stands where another kind belongs is wrong. Raises ValueError when there are not as many, or none.
    """
    if len(written) != len(captions) or not len(captions):
        raise ValueError(f"{len(written)} captions written and {len(captions)} right ones: give as many, one at least")
    right = [[a == b for a, b in zip(one.split(), other.split())] for one, other in zip(written, captions)]
    shares = torch.tensor(right, dtype=torch.float32)
    return dict(zip(("thickness", "slant", "digit"), shares.mean(0).tolist())) | {
        "all three": shares.prod(1).mean().item()
    }


def as_asked(read: Reader, captioner: Captioner, images: torch.Tensor, captions: Sequence[str]) -> dict[str, float]:
    """Return which shares of drawn ``images`` [N, 8, 8] are as their captions say: "thickness", "slant", "digit".

    The digit is what ``read`` sees; thickness and slant are measured as in real pictures of the digit asked for. Raises
    ValueError when there are not as many captions, or none.
    """
    if len(images) != len(captions):
        raise ValueError(f"{len(images)} pictures and {len(captions)} captions: give one caption for each")
    _some(images)
    asked = caption_numbers(captions)
    shares = (captioner.attributes(images, asked[:, 2]) == asked[:, :2]).float().mean(0).tolist()
    return dict(zip(("thickness", "slant"), shares)) | {"digit": (read(images) == asked[:, 2]).float().mean().item()}


def spread(images: torch.Tensor, labels: torch.Tensor) -> float:
    """Return how different the pictures of one digit are: the root mean square distance from the digit's mean picture.

    ``images`` [N, 8, 8]; the mean over the digits among ``labels`` [N], each weighing the same. Compare it with real pictures
    of the same captions. Raises ValueError when no digit has two pictures.
    """
    groups = [images[labels == digit].flatten(1) for digit in labels.unique()]
    squares = [(group - group.mean(0)).square().sum(1).sum() / (len(group) - 1) for group in groups if len(group) > 1]
    if not squares:
        raise ValueError("no digit has two pictures, and one alone has no spread: give more of them")
    return torch.stack(squares).mean().sqrt().item()


def copies(images: torch.Tensor, known: torch.Tensor) -> float:
    """Return the share of ``images`` [N, 8, 8] that are equal, pixel by pixel, to one of ``known`` [M, 8, 8].

    Of pictures made of codes, ``known`` must be made of codes too. Raises ValueError for no pictures.
    """
    return (nearest(images, known)[0] < 1e-4).float().mean().item()


def _some(images: torch.Tensor) -> None:
    if not len(images):
        raise ValueError("there is nothing to measure: give at least one picture")
