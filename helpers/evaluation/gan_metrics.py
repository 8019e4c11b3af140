"""How good are a generator's samples? Modes covered, digits recognized, nothing copied. Built in notebook 08.

A GAN's own losses do not tell: each depends on an opponent that learns too. So the measure comes from outside.
"""

import torch

from helpers.models.utils import device_of, evaluating

SURE = 0.9  # probability from which a classifier counts as sure


def modes_covered(points: torch.Tensor, centers: torch.Tensor, radius: float) -> tuple[int, float]:
    """Return how many centers [K, 2] are covered, and the share of the points [N, 2] that lie within ``radius`` of one.

    A center is covered when it has at least a tenth of its fair share, N / K. Raises ValueError for no points.
    """
    _some(points)
    distances, nearest = torch.cdist(points.float().cpu(), centers.float().cpu()).min(1)
    near = distances < radius
    counts = torch.bincount(nearest[near], minlength=len(centers))
    return int((counts >= len(points) / len(centers) / 10).sum()), near.float().mean().item()


@torch.no_grad()
def recognized(classifier, images: torch.Tensor) -> tuple[float, torch.Tensor]:
    """Return the share of the images of which the classifier is sure (0.9 or more), and how many it takes for each class.

    The first is a measure of quality, the second of diversity: a generator that generates one perfect digit over and over has
    only the first. Raises ValueError for no images.
    """
    _some(images)
    with evaluating(classifier):
        shares = classifier(images.to(device_of(classifier))).softmax(-1).cpu()
    return (shares.amax(-1) >= SURE).float().mean().item(), shares.argmax(-1).bincount(minlength=shares.shape[-1])


@torch.no_grad()
def accuracy(classifier, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the share of the images for which the classifier's likeliest class is the label. ValueError for no images."""
    _some(images)
    with evaluating(classifier):
        scores = classifier(images.to(device_of(classifier)))
    return (scores.argmax(-1).cpu() == labels.cpu()).float().mean().item()


def nearest(images: torch.Tensor, known: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return, for each image [N, …], the distance to the nearest of ``known`` [M, …] and which it is: 0 is a copy.

    The distance is the root of the summed squares. Compare it with that of real images that are not in ``known``.
    """
    _some(images)
    return torch.cdist(images.float().cpu().flatten(1), known.float().cpu().flatten(1)).min(1)


def _some(examples: torch.Tensor) -> None:
    if not len(examples):
        raise ValueError("there is nothing to measure: give at least one example")
