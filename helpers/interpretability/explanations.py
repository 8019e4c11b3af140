"""An explanation in words, scored: it must predict activations on text it was not made from (Bills et al. 2023; notebook 10).

Bills et al. let GPT-4 read the sentence and guess each activation. Here the sentence becomes a *rule*, a function from the
tokens of a text to one number per token, such as those of ``helpers.interpretability.text_features``; its score is the
correlation with the true activations. A high score says when the feature is active, not what the model uses it for: for that
the feature is ablated, and the loss must change where the rule says.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Rule = Callable[[Sequence[str]], Sequence[float]]  # the tokens of a text -> how active each should be
SHIFTS, RESAMPLES = 20, 1000
LEAST_SHIFT = 0.1  # of the text: a smaller shift leaves neighbors in place that are much alike


class ExplanationScore(NamedTuple):
    """How well a rule predicts activations on held-out text."""

    correlation: float  # Pearson's, over all tokens
    low: float  # its 95 % interval: a bootstrap over texts
    high: float
    chance: float  # the highest |correlation| of the same predictions, shifted in a circle by 20 random distances


def explanation_score(predicted: Sequence[float], true: Sequence[float]) -> float:
    """Return Pearson's correlation of predicted with true activations [N], from −1 to 1; 0 where one of them is constant.

    Raises ValueError when they are not two rows of one length.
    """
    predicted, true = np.asarray(predicted, float), np.asarray(true, float)
    if predicted.ndim != 1 or predicted.shape != true.shape or not len(true):
        raise ValueError(
            f"give one predicted for each true activation: these are {list(predicted.shape)} and {list(true.shape)}"
        )
    return float(_correlation(_moments(predicted, true)))


def score_explanation(
    rule: Rule, texts: Sequence[Sequence[str]], true: Sequence[Sequence[float]], seed: int = 0
) -> ExplanationScore:
    """Score a rule on held-out ``texts``, lists of tokens, with the ``true`` activation of each token.

    Raises ValueError when the rule does not give one number per token, or there is not one activation for each.
    """
    if not texts or len(texts) != len(true):
        raise ValueError(
            f"give the activations of each text: got {len(texts)} texts and {len(true)} rows of activations"
        )
    predictions = []
    for tokens, activations in zip(texts, true):
        predictions.append(np.asarray(rule(tokens), float))
        if predictions[-1].shape != (len(tokens),) or len(activations) != len(tokens):
            raise ValueError(
                f"a text has {len(tokens)} tokens, the rule gave {predictions[-1].size} numbers and there are "
                f"{len(activations)} activations: one each is needed"
            )
    rng, predicted, measured = (
        np.random.default_rng(seed),
        np.concatenate(predictions),
        np.concatenate(true).astype(float),
    )
    sums = np.stack([_moments(one, np.asarray(two, float)) for one, two in zip(predictions, true)])  # [texts, 6]
    drawn = rng.integers(len(texts), size=(RESAMPLES, len(texts)))
    low, high = np.percentile(_correlation(sums[drawn].sum(axis=1)), [2.5, 97.5])
    least = max(int(LEAST_SHIFT * len(measured)), 1)
    shifts = rng.integers(least, max(len(measured) - least, least) + 1, SHIFTS)
    chance = max(abs(explanation_score(np.roll(predicted, shift), measured)) for shift in shifts)
    return ExplanationScore(explanation_score(predicted, measured), float(low), float(high), chance)


class Contrast(NamedTuple):
    """How much a loss changes on average where a rule predicts activity, and elsewhere; standard errors over tokens."""

    inside: float
    outside: float
    inside_error: float
    outside_error: float


def ablation_contrast(change: Sequence[float], predicted: Sequence[float]) -> Contrast:
    """Compare the ``change`` of each token's loss [N] where ``predicted`` [N] is above 0 with that everywhere else.

    Raises ValueError when their lengths differ, or when the rule predicts activity at fewer than two tokens, or at all but one.
    """
    change, active = np.asarray(change, float), np.asarray(predicted, float) > 0
    if change.ndim != 1 or change.shape != active.shape:
        raise ValueError(f"give one prediction per change: these are {list(change.shape)} and {list(active.shape)}")
    if not 2 <= active.sum() <= len(active) - 2:
        raise ValueError(
            f"the rule is above 0 at {active.sum()} of {len(active)} tokens: two of each kind are needed to compare"
        )
    parts = change[active], change[~active]
    errors = (part.std(ddof=1) / len(part) ** 0.5 for part in parts)
    return Contrast(*(float(number) for number in (*(part.mean() for part in parts), *errors)))


def _moments(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return what a correlation needs, as sums that can be added over texts: float64 [6]."""
    return np.array([len(x), x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()])


def _correlation(moments: np.ndarray) -> np.ndarray:
    """Return the correlations [...] of sums [..., 6]; 0 where one of the two does not vary."""
    n, x, y, xx, yy, xy = np.moveaxis(moments, -1, 0)
    size = np.sqrt(np.maximum(n * xx - x * x, 0) * np.maximum(n * yy - y * y, 0))
    flat = size <= 1e-12 * n * np.sqrt(xx * yy)
    return np.where(flat, 0.0, (n * xy - x * y) / np.where(flat, 1, size))
