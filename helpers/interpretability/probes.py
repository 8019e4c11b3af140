"""Probes: can a linear classifier read something off a model's activations? And what would it read anyway? (notebook 10)

A probe is a softmax regression on activations (Alain & Bengio 2016). High accuracy alone proves little, for a probe can
memorize which token has which label. So it is trained a second time on a *control task* (Hewitt & Liang 2019), where every
token type has a label of its own by the toss of a coin: what it scores there, it owes to memory. The difference is the probe's
*selectivity*. A probe is never scored on the texts it was trained on.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from helpers.interpretability.token_activations import TokenActivations


class Probe:
    """A linear classifier: ``classes[argmax((x − mean) / scale @ weight + bias)]``."""

    def __init__(self, mean, scale, weight, bias, classes):
        self.mean, self.scale, self.weight, self.bias, self.classes = mean, scale, weight, bias, classes

    def logits(self, values: torch.Tensor) -> torch.Tensor:
        """Return a score for each class, [N, C], for activations [N, D]."""
        return (values - self.mean) / self.scale @ self.weight + self.bias

    def predict(self, values: torch.Tensor) -> torch.Tensor:
        """Return the label, int64 [N], of activations [N, D]."""
        return self.classes[self.logits(values).argmax(dim=-1)]

    def accuracy(self, values: torch.Tensor, labels: torch.Tensor) -> float:
        """Return the share of activations [N, D] whose label [N] is predicted."""
        _check(values, labels)
        return (self.predict(values) == labels).double().mean().item()


class ProbeResult(NamedTuple):
    """What a probe scores on texts it was not trained on, beside its controls: shares from 0 to 1."""

    accuracy: float
    majority: float  # what predicting the commonest label of the training texts scores
    control: float  # the accuracy of the same probe on the control task
    control_majority: float  # of the control task

    @property
    def selectivity(self) -> float:
        """Accuracy minus control accuracy (Hewitt & Liang 2019): low when the probe could have memorized the answer."""
        return self.accuracy - self.control


def train_probe(values: torch.Tensor, labels: torch.Tensor, penalty: float = 1e-3, steps: int = 60) -> Probe:
    """Return a softmax regression for activations ``values`` [N, D] and ``labels`` int64 [N], the same one each time.

    Each of the D numbers is first brought to mean 0 and standard deviation 1. ``penalty`` times half the weights' squared
    length is added to the mean cross-entropy, which ``steps`` steps of L-BFGS make small. Raises ValueError when there is not
    one label per activation, or only one label.
    """
    _check(values, labels)
    classes, targets = labels.unique(return_inverse=True)
    if len(classes) < 2:
        raise ValueError("all tokens have the same label: there is nothing to tell apart")
    mean, scale = values.mean(dim=0), values.std(dim=0).clamp(min=1e-6)
    standard = (values - mean) / scale
    weight = torch.zeros(values.shape[1], len(classes), requires_grad=True)
    bias = torch.zeros(len(classes), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = functional.cross_entropy(standard @ weight + bias, targets) + penalty / 2 * weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return Probe(mean, scale, weight.detach(), bias.detach(), classes)


def control_labels(ids: torch.Tensor, seed: int = 0, share: float = 0.5) -> torch.Tensor:
    """Return the labels of the control task, int64 [N] of 0 and 1: one for each token type in ``ids`` [N], 1 with ``share``.

    The same type has the same label wherever it stands and in whichever texts, so training and test texts agree. Raises
    ValueError for a share outside 0 to 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share}: give the chance of a 1, between 0 and 1")
    if not len(ids):
        return torch.zeros(0, dtype=torch.int64)
    coins = (
        np.random.default_rng(seed).random(int(ids.max()) + 1) < share
    )  # for more types it begins with the same coins
    return torch.from_numpy(coins).long()[ids]


def probe_task(
    train: TokenActivations,
    train_labels: torch.Tensor,
    test: TokenActivations,
    test_labels: torch.Tensor,
    seed: int = 0,
    penalty: float = 1e-3,
) -> ProbeResult:
    """Train a probe and its control on the texts ``train``, score both on the texts ``test``; labels are int64 [N], 0 or 1.

    The control's coin shows 1 as often as the labels do. Raises ValueError when a text is in both (a probe that is scored on
    its own tokens measures memory; number the texts apart with ``token_activations(…, first_row=…)``), when there is not one
    label per token, and when the training labels are all the same.
    """
    _check(test.values, test_labels)
    if shared := set(train.rows.tolist()) & set(test.rows.tolist()):
        raise ValueError(
            f"text {min(shared)} is in the training and in the test set: a probe is never scored on tokens it was trained on"
        )
    probe = train_probe(train.values, train_labels, penalty)
    share = train_labels.double().mean().item()
    controls = [control_labels(acts.ids, seed, share) for acts in (train, test)]
    control = train_probe(train.values, controls[0], penalty)
    return ProbeResult(
        probe.accuracy(test.values, test_labels),
        _majority(train_labels, test_labels),
        control.accuracy(test.values, controls[1]),
        _majority(*controls),
    )


def _majority(train_labels: torch.Tensor, test_labels: torch.Tensor) -> float:
    return (test_labels == train_labels.mode().values).double().mean().item()


def _check(values: torch.Tensor, labels: torch.Tensor) -> None:
    """Raise ValueError unless there is one label for each row of a matrix of activations."""
    if values.ndim != 2 or labels.shape != values.shape[:1] or not len(labels):
        raise ValueError(
            f"give one label [N] for each row of the activations [N, D]: these are {list(labels.shape)} and {list(values.shape)}"
        )
