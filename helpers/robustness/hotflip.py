"""HotFlip: the gradient says which letter to swap (Ebrahimi et al. 2017, arXiv:1712.06751; built in notebook 11).

A swap moves one embedding from e_old to e_new; to first order the loss then grows by (e_new − e_old)·g, where g is the gradient
with respect to that embedding. One backward pass so compares every swap at every position. Attacks return *texts*: what is
attacked is what a person could type, and read again it must be the letters that were attacked.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from helpers.models.utils import device_of, evaluating
from helpers.robustness.letter_classifier import IDS, LetterClassifier, decode_letters, encode_letters, predictions
from helpers.robustness.noise import LETTERS
from helpers.robustness.questions import Examples

SWAPS = tuple(IDS[letter] for letter in LETTERS)  # a letter becomes another one of these; spaces and digits stay


def embedding_gradient(model: LetterClassifier, ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the gradient of the summed cross-entropy with respect to the embedded letters, [B, T, D]; 0 at padding.

    Computed in evaluation mode, because dropout would give a gradient of another network each time. The model, its mode and
    its gradients stay as they were.
    """
    device = device_of(model)
    ids, targets = ids.to(device), torch.as_tensor(targets).to(device)
    with evaluating(model), torch.enable_grad():
        x = model.embed(ids).detach().requires_grad_()
        loss = functional.cross_entropy(model.from_embedded(x, ids != 0), targets, reduction="sum")
        return torch.autograd.grad(loss, x)[0]


def swap_scores(gradient: torch.Tensor, table: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Return what the loss gains by each swap, to first order, [T, V]: (e_v − e_old)·g. A letter swapped for itself: 0.

    ``gradient`` [T, D] of one text, ``table`` [V, D] of all letters' embeddings, ``ids`` [T] of the text.
    """
    return gradient @ table.T - (gradient * table[ids]).sum(-1, keepdim=True)


def hotflip(model: LetterClassifier, text: str, label: int, flips: int = 1) -> str:
    """Return ``text`` (as ``plain_letters`` has it) with at most ``flips`` letters swapped so that ``label`` becomes wrong.

    Greedy: the best swap, then the gradient anew; every position once; it stops as soon as the answer is wrong. Letters
    become other letters, so the length and the words' borders stay. Raises ValueError for a negative number of flips.
    """
    return hotflips(model, [text], [label], flips)[0]


def hotflips(model: LetterClassifier, texts: Sequence[str], labels: Sequence[int], flips: int = 1) -> list[str]:
    """Return what ``hotflip`` does for each text, computed side by side."""

    def choose(ids: torch.Tensor, targets: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
        gradient = embedding_gradient(model, ids, targets)
        table = model.embed.weight.detach()
        scores = torch.stack([swap_scores(part, table, row) for part, row in zip(gradient, ids)])  # [B, T, V]
        return scores.masked_fill(~allowed, -torch.inf).flatten(1).argmax(1)

    return _flipped(model, texts, labels, flips, choose)


def random_flips(
    model: LetterClassifier, texts: Sequence[str], labels: Sequence[int], flips: int, rng: np.random.Generator
) -> list[str]:
    """Return the control: the same rules, but each swap is one at random. It stops at a wrong answer, as ``hotflip`` does."""

    def choose(ids: torch.Tensor, targets: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
        chance = torch.as_tensor(rng.random(allowed.shape))
        return chance.to(ids.device).masked_fill(~allowed, -1.0).flatten(1).argmax(1)

    return _flipped(model, texts, labels, flips, choose)


@torch.no_grad()
def _flipped(model, texts: Sequence[str], labels: Sequence[int], flips: int, choose: Callable) -> list[str]:
    if flips < 0:
        raise ValueError(f"flips is {flips}: give how many letters may be swapped, 0 or more")
    if len(texts) != len(labels):
        raise ValueError(f"{len(texts)} texts and {len(labels)} labels: give one label for each text")
    if not len(texts):
        return []
    ids, targets = encode_letters(texts).to(device_of(model)), torch.as_tensor(np.asarray(labels))
    swaps = torch.zeros(len(model.embed.weight), dtype=torch.bool, device=ids.device)
    swaps[list(SWAPS)] = True
    free = swaps[ids]  # [B, T]: positions not swapped yet
    for _ in range(flips):
        rows = torch.arange(len(ids), device=ids.device)
        with evaluating(model):
            right = model(ids).argmax(-1) == targets.to(ids.device)
        rows = rows[right & free.any(1)]
        if not len(rows):
            break
        allowed = free[rows][..., None] & swaps & (torch.arange(len(swaps), device=ids.device) != ids[rows][..., None])
        best = choose(ids[rows], targets[rows.cpu()], allowed)
        position, letter = best // len(swaps), best % len(swaps)
        ids[rows, position], free[rows, position] = letter, False
    return [decode_letters(row) for row in ids]


class AttackResult(NamedTuple):
    """How a classifier does under attack, beside how it does without."""

    clean: float  # accuracy on the unchanged texts: never tell the next number without it
    attacked: float  # accuracy on the attacked texts
    flipped: float  # of the texts answered right before, the share answered wrong after: (clean − attacked) / clean


def under_attack(
    model: LetterClassifier, examples: Examples, flips: int, rng: np.random.Generator | None = None
) -> AttackResult:
    """Return the accuracy on ``examples`` before and after ``flips`` swaps each: HotFlip's, with ``rng`` random ones.

    The attacked texts are read again as texts. Raises ValueError when there is no example or no right answer to attack.
    """
    texts, labels = examples.texts, examples.labels
    right = (predictions(model, texts) > 0.5) == (labels == 1)
    if not right.any():
        raise ValueError("no example is answered right: there is nothing to attack; train the classifier first")
    attacked = hotflips(model, texts, labels, flips) if rng is None else random_flips(model, texts, labels, flips, rng)
    still = (predictions(model, attacked) > 0.5) == (labels == 1)
    return AttackResult(float(right.mean()), float(still.mean()), float((right & ~still).sum() / right.sum()))
