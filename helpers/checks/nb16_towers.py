"""Check of notebook 16's two towers: the contrastive loss of a batch of pictures and captions."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, gradient_of, near, refuse_known, scalar

CHANGED = "You changed what you were given: it is needed again. Compute something new."


def batch(rows: int = 4, width: int = 3, seed: int = 0):
    """Return vectors of pictures and of captions, [rows, width] float64 each; matching ones are alike, none has length 1."""
    import torch

    rng = torch.Generator().manual_seed(seed)
    pictures = torch.randn(rows, width, generator=rng).double() * torch.linspace(0.5, 2.0, rows).double()[:, None]
    captions = pictures + 0.9 * torch.randn(rows, width, generator=rng).double()
    return pictures, captions


def cosines(pictures, captions):
    from torch.nn import functional

    return functional.normalize(pictures, dim=-1) @ functional.normalize(captions, dim=-1).T


def _near(answer, expected) -> bool:
    return near(answer.item(), expected.item())


@exercise
def check_contrastive_loss(contrastive_loss: Callable) -> str:
    """Build: the mean of two cross-entropies, over the captions of each picture and over the pictures of each caption."""
    import torch
    from torch.nn import functional

    (pictures, captions), temperature = batch(), 0.2
    pictures.requires_grad_(True)
    answer = scalar(call(contrastive_loss, pictures, captions, temperature, changed=CHANGED), "a loss, one number")
    own, inside = torch.arange(4), cosines(pictures, captions) / temperature
    of_pictures, of_captions = functional.cross_entropy(inside, own), functional.cross_entropy(inside.T, own)
    expected = (of_pictures + of_captions) / 2
    raw = pictures @ captions.T / temperature
    times = inside * temperature**2
    half = functional.normalize(pictures, dim=-1) @ captions.T / temperature
    columns = functional.normalize(pictures, dim=0) @ functional.normalize(captions, dim=0).T / temperature

    def both(logits):
        return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2

    refuse_known(
        answer,
        {
            "That is one direction: which caption belongs to each picture. Add the other one, and halve.": of_pictures,
            "That is one direction: which picture belongs to each caption. Add the other one, and halve.": of_captions,
            "That is the sum of both directions. The mean, please.": of_pictures + of_captions,
            "Your vectors keep their lengths: a long one wins everywhere. Normalize both to length 1.": both(raw),
            "Only the pictures are normalized: the captions, too.": both(half),
            "You normalized over the batch. Each vector for itself: dim=-1.": both(columns),
            "You multiplied by the temperature. Divide: a small one makes the differences large.": both(times),
            "The temperature has no effect in yours: the cosines are divided by it.": both(inside * temperature),
            "Your temperature is 0.1, whatever `temperature` says.": both(inside * temperature / 0.1),
            "You took a softmax before cross_entropy, which takes one itself: give it the scores.": (
                (functional.cross_entropy(inside.softmax(-1), own) + functional.cross_entropy(inside.T.softmax(-1), own)) / 2
            ),
            "You took a softmax over the rows before cross_entropy, which takes one itself: give it the scores.": (
                both(inside.softmax(-1))
            ),
            "Your product compares the D numbers with each other. Compare every picture with every caption, [B, B]: "
            "pictures @ captions.T.": _of_numbers(pictures, captions, temperature),
            "The diagonal alone is no loss: without a softmax no caption is pushed away.": -inside.diagonal().mean(),
            "That is the sum over the batch. The mean, as cross_entropy gives it.": 4 * expected,
            "That is a yes or no for each of the 16 pairs. Here each row is one choice among all captions: a softmax.": (
                functional.binary_cross_entropy_with_logits(inside, torch.eye(4).double())
            ),
            "The sign is turned: the loss must fall when matching pairs come closer.": -expected,
        },
        _near,
    )
    if not near(answer, expected.item()):
        raise Wrong(
            f"For my four pairs with temperature 0.2 the loss is {expected.item():.4f}, yours is {answer.item():.4f}."
        )
    wanted, given = gradient_of(expected, pictures), gradient_of(answer, pictures)
    if not torch.allclose(wanted, given, rtol=1e-4, atol=1e-6):
        raise Wrong("The number is right, but its gradient is not: no .item(), no detach() on the way.")
    small, other = batch(3, 5, seed=1)
    if not near(float(contrastive_loss(small, other, 0.5)), float(_loss(small, other, 0.5))):
        raise Wrong("For a batch of three it is wrong: the right answers are 0, 1, 2, …, len(batch) − 1.")
    return "Both directions, every other pair of the batch as a wrong answer."


def _of_numbers(pictures, captions, temperature):
    """Return the loss of the product the wrong way around, [D, D]."""
    from torch.nn import functional

    return _loss(*(functional.normalize(side, dim=-1).T for side in (pictures, captions)), temperature, normalized=True)


def _loss(pictures, captions, temperature, normalized: bool = False):
    import torch
    from torch.nn import functional

    scores = pictures @ captions.T if normalized else cosines(pictures, captions)
    logits, own = scores / temperature, torch.arange(len(pictures))
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2
