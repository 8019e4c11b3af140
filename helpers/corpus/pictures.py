"""Handwritten digits with a caption each: pictures for a model that also reads words (notebook 16).

A caption is three words, "thick upright seven": how thick, how slanted, which digit. Thick and slanted are measured in the
pixels and compared with the other training pictures of the same digit: a thick one has more ink than two thirds of them. So
the adjectives say nothing about the digit, and each of the 90 captions fits about as many pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from helpers.corpus.digits import load_digits

THICKNESS = ("thin", "medium", "thick")
SLANTS = ("left-leaning", "upright", "right-leaning")
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WORDS = (*THICKNESS, *SLANTS, *NAMES)  # in this order a caption names them: thickness, slant, digit
CAPTIONS = tuple(f"{thick} {slant} {name}" for name in NAMES for thick in THICKNESS for slant in SLANTS)


class Pictures(NamedTuple):
    """``images`` float32 [N, 8, 8] from −1 (paper) to 1 (ink); ``labels`` int64 [N], the digits; ``captions`` N strings."""

    images: torch.Tensor
    labels: torch.Tensor
    captions: list[str]


def load_pictures() -> tuple[Pictures, Pictures]:
    """Return 1,400 pictures to train on and 397 to test on, those of ``load_digits``, with captions.

    What counts as thick and as slanted is decided by the training pictures alone, for both parts. Raises ImportError with the
    remedy when scikit-learn is missing.
    """
    train, test = load_digits()
    captioner = Captioner.fit(train.images[:, 0], train.labels)
    return tuple(
        Pictures(part.images[:, 0], part.labels, captioner.captions(part.images[:, 0], part.labels))
        for part in (train, test)
    )


# --- patches -----------------------------------------------------------------------------------------------------------


def patches(images: torch.Tensor, size: int = 2) -> torch.Tensor:
    """Cut images [N, H, W] into squares of size × size pixels: [N, H·W / size², size²].

    Patches are in reading order, row by row from the top left; so are the pixels of a patch. Raises ValueError for images of
    another shape, and where the squares do not fill the image.
    """
    if images.ndim != 3:
        raise ValueError(f"images have shape {list(images.shape)}: give [N, height, width]")
    number, height, width = images.shape
    if size < 1 or height % size or width % size:
        raise ValueError(f"squares of {size} pixels do not fill an image of {height} × {width}: take a divisor of both")
    rows = images.reshape(number, height // size, size, width // size, size)
    return rows.transpose(2, 3).reshape(number, -1, size * size)


def from_patches(rows: torch.Tensor, size: int = 2, width: int = 8) -> torch.Tensor:
    """Put patches [N, L, size²] together again, ``width`` pixels wide: [N, L·size² / width, width]. Undoes ``patches``.

    Raises ValueError when they make no rectangle of that width.
    """
    if rows.ndim != 3 or rows.shape[-1] != size * size:
        raise ValueError(f"patches have shape {list(rows.shape)}: give [N, patches, {size * size}]")
    number, length, _ = rows.shape
    if width % size or length % (width // size):
        raise ValueError(f"{length} patches of {size} pixels make no picture {width} pixels wide")
    grid = rows.reshape(number, -1, width // size, size, size)
    return grid.transpose(2, 3).reshape(number, -1, width)


# --- what a caption says -----------------------------------------------------------------------------------------------


def ink(images: torch.Tensor) -> torch.Tensor:
    """Return how much ink is on each image [N, H, W]: [N], a black pixel counts 1, white paper 0."""
    return ((images + 1) / 2).sum((-2, -1))


def slant(images: torch.Tensor) -> torch.Tensor:
    """Return how far each image [N, H, W] leans: [N], how many pixels to the right per pixel up; below 0 to the left.

    The line through the ink by least squares, column on row: the shear that handwriting recognition takes out first. 0 where
    all ink is in one row.
    """
    weight = ((images + 1) / 2).double()
    weight = weight / weight.sum((-2, -1), keepdim=True).clamp(min=1e-9)
    rows = torch.arange(images.shape[-2], dtype=torch.float64)[:, None]
    columns = torch.arange(images.shape[-1], dtype=torch.float64)
    down = rows - (weight * rows).sum((-2, -1), keepdim=True)
    right = columns - (weight * columns).sum((-2, -1), keepdim=True)
    variance = (weight * down**2).sum((-2, -1))
    lean = -(weight * down * right).sum((-2, -1)) / variance.clamp(min=1e-9)
    return lean.masked_fill(variance < 1e-9, 0.0).float()


class Captioner:
    """Says in three words what a picture shows. ``thresholds`` [10, 2, 2]: of each digit, the tertiles of ink and of slant."""

    MEASURES = (ink, slant)

    def __init__(self, thresholds: torch.Tensor):
        if thresholds.shape != (10, 2, 2):
            raise ValueError(
                f"thresholds have shape {list(thresholds.shape)}: give [10 digits, ink and slant, 2 tertiles]"
            )
        self.thresholds = thresholds

    @classmethod
    def fit(cls, images: torch.Tensor, labels: torch.Tensor) -> Captioner:
        """Return a captioner for which a third of each digit's ``images`` [N, H, W] is thin, a third medium, a third thick.

        Hand over training pictures alone. Raises ValueError when a digit has fewer than three.
        """
        counts = labels.bincount(minlength=10)
        if len(counts) > 10 or counts.min() < 3:
            raise ValueError(f"tertiles need three pictures of each digit, 0 to 9; there are {counts.tolist()}")
        thirds = torch.tensor([1 / 3, 2 / 3])
        rows = [
            [torch.quantile(measure(images[labels == digit]), thirds) for measure in cls.MEASURES]
            for digit in range(10)
        ]
        return cls(torch.stack([torch.stack(row) for row in rows]))

    def attributes(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return, for images [N, H, W] of the digits ``labels`` [N], the numbers of their adjectives, int64 [N, 2]: 0 to 2."""
        measured = torch.stack([measure(images) for measure in self.MEASURES], dim=1)
        return (measured[..., None] > self.thresholds[labels]).sum(-1)

    def captions(self, images: torch.Tensor, labels: torch.Tensor) -> list[str]:
        """Return a caption for each image [N, H, W] of the digits ``labels`` [N]."""
        adjectives = self.attributes(images, labels).tolist()
        return [f"{THICKNESS[a]} {SLANTS[b]} {NAMES[digit]}" for (a, b), digit in zip(adjectives, labels.tolist())]


def caption_numbers(captions: Sequence[str]) -> torch.Tensor:
    """Return what captions say as numbers, int64 [N, 3]: thickness 0 to 2, slant 0 to 2, digit 0 to 9.

    Raises ValueError for a caption that is not three of the known words in their order.
    """
    rows, kinds = [], (THICKNESS, SLANTS, NAMES)
    for caption in captions:
        words = caption.split()
        if len(words) != 3 or any(word not in kind for word, kind in zip(words, kinds)):
            raise ValueError(
                f"no caption: {caption!r}. Write three words, as in 'thick upright seven': {', '.join(WORDS)}"
            )
        rows.append([kind.index(word) for word, kind in zip(words, kinds)])
    return torch.tensor(rows, dtype=torch.long).reshape(-1, 3)
