"""Calibration: of the tokens a model is 70 % sure of, 70 % should be right (Guo et al. 2017, arXiv:1706.04599; notebook 11).

The confidence is the probability of the likeliest token. The expected calibration error compares it with the accuracy, bin by
bin. One temperature often repairs it; it is fitted on validation data, and what it brings is measured on test data.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch

from helpers.corpus.conversations import Conversation
from helpers.models.utils import device_of, evaluating

LOWEST, HIGHEST = 0.05, 20.0  # temperatures between which the best is searched


@torch.no_grad()
def held_out_logits(
    bot, conversations: Iterable[Conversation], most: int = 4000, seed: int = 0, batch_size: int = 8
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits float32 [N, V] for ``most`` tokens of ``conversations``, chosen at random, and these tokens, int64 [N].

    Each conversation is read from ``<end>``, as far as the bot sees at once. Raises ValueError for no conversation.
    """
    tokenizer, context = bot.tokenizer, getattr(bot.model, "context", None) or 256
    rows = [[tokenizer.end, *tokenizer.encode_conversation(talk)][: context + 1] for talk in conversations]
    if not rows or most < 1:
        raise ValueError("there is no token to predict: give one conversation at least, and most=1 or more")
    places = [(number, place) for number, row in enumerate(rows) for place in range(len(row) - 1)]
    chosen = np.random.default_rng(seed).permutation(len(places))[:most]
    wanted: dict[int, list[int]] = {}
    for index in sorted(chosen.tolist()):
        number, place = places[index]
        wanted.setdefault(number, []).append(place)
    logits, targets, device = [], [], device_of(bot.model)
    numbers = sorted(wanted, key=lambda number: len(rows[number]))
    with evaluating(bot.model):
        for start in range(0, len(numbers), batch_size):
            part = numbers[start : start + batch_size]
            longest = max(len(rows[number]) for number in part)
            # No model looks ahead: what fills a shorter row changes nothing before it.
            ids = torch.tensor([rows[number] + [tokenizer.pad] * (longest - len(rows[number])) for number in part])
            output = bot.model(ids[:, :-1].to(device))[0].float().cpu()
            for row, number in enumerate(part):
                logits.append(output[row, wanted[number]])
                targets.append(ids[row, 1:][wanted[number]])
    return torch.cat(logits), torch.cat(targets)


def confidences(logits, targets, temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of the likeliest class, float64 [N], and whether it is the target, bool [N].

    ``logits`` [N, C] are divided by ``temperature``, which never changes the answer. Raises ValueError for one not above 0.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature is {temperature}: give a number above 0; 1 changes nothing")
    confidence, answer = (torch.as_tensor(logits).double() / temperature).softmax(-1).max(-1)
    return confidence.numpy(), (answer == torch.as_tensor(targets)).numpy()


class Bin(NamedTuple):
    """Answers of similar confidence: how many, how sure on average, and the share that is right."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def reliability(confidence, right, bins: int = 10) -> list[Bin]:
    """Return the bins of a reliability diagram, each (low, high] of equal width; empty ones are left out.

    Raises ValueError for no answer, for confidences outside 0 to 1, and for less than one bin.
    """
    confidence, right = np.asarray(confidence, dtype=float), np.asarray(right, dtype=float)
    if len(confidence) != len(right) or not len(right) or bins < 1:
        raise ValueError(
            f"{len(confidence)} confidences, {len(right)} answers, {bins} bins: give as many of both, and a bin"
        )
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError("a confidence is not between 0 and 1: give probabilities, not logits")
    numbers = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    result = []
    for number in np.unique(numbers):
        inside = numbers == number
        means = float(confidence[inside].mean()), float(right[inside].mean())
        result.append(Bin(number / bins, (number + 1) / bins, int(inside.sum()), *means))
    return result


def expected_calibration_error(confidence, right, bins: int = 10) -> float:
    """Return Σ (count / N) |accuracy − confidence| over the bins: 0 is calibrated. Raises ValueError as ``reliability``."""
    table = reliability(confidence, right, bins)
    return sum(part.count * abs(part.accuracy - part.confidence) for part in table) / sum(part.count for part in table)


def calibrated_floor(confidence, bins: int = 10, samples: int = 20, seed: int = 0) -> float:
    """Return the error that a perfectly calibrated model would show with these confidences [N], by chance alone.

    The mean over ``samples`` simulations in which each answer is right with just the probability it states: with few answers
    a bin is never quite as accurate as it is sure. A measured error near this floor is no evidence of miscalibration.
    """
    rng, confidence = np.random.default_rng(seed), np.asarray(confidence, dtype=float)
    errors = (
        expected_calibration_error(confidence, rng.random(len(confidence)) < confidence, bins) for _ in range(samples)
    )
    return float(np.mean(list(errors)))


def fit_temperature(logits, targets) -> float:
    """Return the temperature for which the mean negative log-likelihood of ``targets`` [N] under logits [N, C] is least.

    Searched between 0.05 and 20 by golden section on log T: in 1 / T the loss has one minimum. Give *validation* logits: fitted
    on the test data it would report its own fit. Raises ValueError for no targets.
    """
    logits, targets = torch.as_tensor(logits).double(), torch.as_tensor(targets)
    if not len(targets) or len(targets) != len(logits):
        raise ValueError(f"{len(logits)} rows of logits and {len(targets)} targets: give as many of both, one at least")

    def loss(log_t: float) -> float:
        return float(torch.nn.functional.cross_entropy(logits / math.exp(log_t), targets))

    low, high, ratio = math.log(LOWEST), math.log(HIGHEST), (math.sqrt(5) - 1) / 2
    inner = [high - ratio * (high - low), low + ratio * (high - low)]
    values = [loss(point) for point in inner]
    while high - low > 1e-4:
        if values[0] < values[1]:
            high, inner[1], values[1] = inner[1], inner[0], values[0]
            inner[0] = high - ratio * (high - low)
            values[0] = loss(inner[0])
        else:
            low, inner[0], values[0] = inner[0], inner[1], values[1]
            inner[1] = low + ratio * (high - low)
            values[1] = loss(inner[1])
    return math.exp((low + high) / 2)
