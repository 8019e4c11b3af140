"""The fast gradient method on embeddings, and training against it (notebook 11).

A step of size ε along the gradient of the loss is the worst small change, to first order (Goodfellow, Shlens & Szegedy 2014,
arXiv:1412.6572). Text cannot take it, but its embeddings can: training on them is a regularizer (Miyato, Dai & Goodfellow
2016, arXiv:1605.07725). The control is a step of the same size in a random direction.
"""

import torch
from torch.nn import functional

from helpers.models.utils import device_of
from helpers.robustness.hotflip import embedding_gradient, hotflips
from helpers.robustness.letter_classifier import LetterClassifier, class_loss, decode_letters, encode_letters
from helpers.robustness.questions import Examples

DIRECTIONS = ("gradient", "random", "none")


def gradient_step(gradient: torch.Tensor, epsilon: float, mask: torch.Tensor) -> torch.Tensor:
    """Return ε g / ‖g‖, [B, T, D]: a step of Euclidean length ε for each text, 0 where ``mask`` [B, T] is False (Miyato).

    Where there is no gradient there is no step. Raises ValueError for a negative ε.
    """
    _check(epsilon)
    gradient = gradient * mask[..., None]
    size = gradient.flatten(1).norm(dim=1)[:, None, None]
    return epsilon * gradient / size.clamp(min=torch.finfo(gradient.dtype).tiny)


def sign_step(gradient: torch.Tensor, epsilon: float, mask: torch.Tensor) -> torch.Tensor:
    """Return ε sign(g), [B, T, D]: every number moves by ε, 0 where ``mask`` is False (Goodfellow's FGSM)."""
    _check(epsilon)
    return epsilon * gradient.sign() * mask[..., None]


def random_step(
    like: torch.Tensor, epsilon: float, mask: torch.Tensor, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Return a step as long as ``gradient_step``'s, in a direction that is uniformly random: the control."""
    noise = torch.randn(like.shape, generator=generator, dtype=like.dtype)
    return gradient_step(noise.to(like.device), epsilon, mask)


def _check(epsilon: float) -> None:
    if not 0 <= epsilon < float("inf"):
        raise ValueError(f"epsilon is {epsilon}: give the size of the step, 0 or more")


def embedding_steps(model, ids, targets, epsilon: float, direction: str, generator=None) -> torch.Tensor:
    """Return the step [B, T, D] for texts in ids [B, T], in one of DIRECTIONS. Raises ValueError for another one."""
    if direction not in DIRECTIONS:
        raise ValueError(f"there is no direction {direction!r}; known are {', '.join(DIRECTIONS)}")
    mask = ids != 0
    if direction == "gradient":
        return gradient_step(embedding_gradient(model, ids, targets), epsilon, mask)
    like = model.embed(ids).detach()
    return random_step(like, epsilon if direction == "random" else 0.0, mask, generator)


def perturbed_loss(model: LetterClassifier, batch, step: torch.Tensor) -> torch.Tensor:
    """Return half the loss on a clean batch and half that after ``step`` [B, T, D] on its embeddings, a scalar in nats.

    The step counts as a constant: no gradient goes through it.
    """
    logits = model.from_embedded(model.embed(batch.ids) + step.detach(), batch.ids != 0)
    return 0.5 * class_loss(model, batch) + 0.5 * functional.cross_entropy(logits.float(), batch.targets)


class PerturbedLoss:
    """The loss of ``train_classifier`` for adversarial training: half of it clean, half after a step of size ``epsilon``.

    ``direction`` is one of DIRECTIONS: "random" is the control with a step of the same size, "none" the control that is
    trained on the clean texts twice.
    """

    def __init__(self, epsilon: float, direction: str = "gradient", seed: int = 0):
        _check(epsilon)
        self.epsilon, self.direction = epsilon, direction
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, model: LetterClassifier, batch) -> torch.Tensor:
        step = embedding_steps(model, batch.ids, batch.targets, self.epsilon, self.direction, self.generator)
        return perturbed_loss(model, batch, step)


class HotFlipLoss:
    """The same with texts that HotFlip attacked with ``flips`` letters, found anew for each batch."""

    def __init__(self, flips: int = 1):
        self.flips = flips

    def __call__(self, model: LetterClassifier, batch) -> torch.Tensor:
        texts = [decode_letters(row) for row in batch.ids]
        attacked = encode_letters(hotflips(model, texts, batch.targets.tolist(), self.flips), batch.ids.shape[1])
        logits = model(attacked.to(batch.ids.device))
        return 0.5 * class_loss(model, batch) + 0.5 * functional.cross_entropy(logits.float(), batch.targets)


@torch.no_grad()
def accuracy_after_step(
    model: LetterClassifier, examples: Examples, epsilon: float, direction: str = "gradient", seed: int = 0
) -> float:
    """Return the accuracy when every text's embeddings take a step of size ``epsilon``; with "none" the clean accuracy."""
    ids = encode_letters(examples.texts).to(device_of(model))
    targets, generator = torch.as_tensor(examples.labels).to(ids.device), torch.Generator().manual_seed(seed)
    right = 0
    for rows in torch.arange(len(ids)).split(512):
        step = embedding_steps(model, ids[rows], targets[rows], epsilon, direction, generator)
        logits = model.from_embedded(model.embed(ids[rows]) + step, ids[rows] != 0)
        right += int((logits.argmax(-1) == targets[rows]).sum())
    return right / len(ids)
