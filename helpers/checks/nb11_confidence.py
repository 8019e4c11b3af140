"""Checks of notebook 11, confidence: the expected calibration error, a fitted temperature, the mean of several models."""

import math
from collections.abc import Callable

import numpy as np

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, near, number, refuse_known, same, tensor


def _errors(confidence, right, bins: int, edges=None) -> tuple[np.ndarray, np.ndarray]:
    """Return (share, confidence − accuracy) of the bins that hold something."""
    edges = np.linspace(0, 1, bins + 1) if edges is None else edges
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    inside = [place == b for b in range(bins) if (place == b).any()]
    gaps = [confidence[each].mean() - right[each].mean() for each in inside]
    return np.array([each.mean() for each in inside]), np.array(gaps)


@exercise
def check_expected_calibration_error(expected_calibration_error: Callable) -> str:
    """Build: the mean gap between confidence and accuracy over ten bins, weighted by how many fall into each."""
    rng = np.random.default_rng(0)
    confidence = np.concatenate([rng.uniform(0.31, 0.39, 10), rng.uniform(0.51, 0.59, 60), rng.uniform(0.91, 0.99, 30)])
    right = np.arange(100) % 10 < np.repeat([7, 4, 8], [10, 60, 30])
    share, gaps = _errors(confidence, right, 10)
    expected = float((share * abs(gaps)).sum())

    def ask(*given) -> float:
        kept = given[0].copy()
        answer = tried(expected_calibration_error(*given))
        if not np.array_equal(given[0], kept):
            raise Wrong("You changed the confidences that you were given: work on a new array.")
        return number(answer, "the expected calibration error")

    answer = ask(confidence, right)
    refuse_known(
        answer,
        {
            "Every bin counts alike in yours. Weight each gap by the share of the predictions in its bin.": abs(
                gaps
            ).mean(),
            "Gaps of different signs cancel in yours. Take the absolute value of each bin's gap.": abs(
                (share * gaps).sum()
            ),
            "Gaps of different signs cancel in yours, and the sum kept its sign: absolute values first.": -abs(
                (share * gaps).sum()
            ),
            "That is the largest gap of a bin. Take the mean, weighted by the share of the predictions.": abs(
                gaps
            ).max(),
            "You squared the gaps. Take their absolute values.": (share * gaps**2).sum(),
            "That is the mean distance of single predictions from 0 or 1. Average within each bin first.": abs(
                confidence - right
            ).mean(),
            "You summed over the predictions. Divide by their number.": 100 * expected,
            "You summed the gaps of the bins without weights.": abs(gaps).sum(),
        },
        alike=near,
    )
    if math.isnan(answer):
        raise Wrong("It came out as NaN: seven bins are empty. Leave out bins without a prediction.")
    if not near(answer, expected):
        raise Wrong(f"For my 100 predictions I expected {expected:.4f} and got {answer:.4f}.")
    sure = np.array([1.0, 1.0, 1.0, 1.0]), np.array([True, False, False, False])
    if not near(answer := ask(*sure), 0.75):
        raise Wrong(
            f"Of four predictions with confidence 1.0 one is right: 0.75, and yours is {answer:.2f}. The last bin includes 1.0."
        )
    share, gaps = _errors(confidence, right, 1)
    if not near(answer := ask(confidence, right, 1), float(abs(gaps[0]))):
        raise Wrong(f"With bins=1 I expected {abs(gaps[0]):.4f} and got {answer:.4f}: use the argument.")
    return "Zero would mean: of all predictions made with 70 % confidence, 70 % are right."


@exercise
def check_fit_temperature(fit_temperature: Callable) -> str:
    """Build: the temperature with the least negative log-likelihood."""
    import torch

    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(3000, 6, generator=generator)

    def case(times: float, where: str) -> None:
        targets = torch.multinomial((logits / times).softmax(-1), 1, generator=generator)[:, 0]
        best = _best_temperature(logits, targets)
        changed = "You changed the logits that you were given: compute new ones."
        answer = number(call(fit_temperature, logits, targets, changed=changed), "the temperature")
        refuse_known(
            answer,
            {
                "That is 1/T: the logits are *divided* by the temperature.": 1 / best,
                "That is the logarithm of the temperature.": math.log(best),
                "It is 1, where you began: nothing was fitted.": 1.0,
            },
            alike=lambda value, wrong: abs(value - wrong) < 0.02 * abs(wrong),
        )
        if not answer > 0:
            raise Wrong(f"A temperature is above 0; yours is {answer:.3g}.")
        if answer > 5 * best or answer < best / 5:
            raise Wrong(
                f"Yours ran away to {answer:.3g}, where the likelihood is low: the *negative* log-likelihood is minimized."
            )
        if abs(answer / best - 1) > 0.02:
            raise Wrong(f"{where} I expected {best:.3f} and got {answer:.3f}.")

    case(1.6, "Where the model is too sure of itself,")
    case(0.6, "Where the model is not sure enough,")
    return "One number, from held-out data, and the order of the tokens is as it was."


def _best_temperature(logits, targets) -> float:
    import torch

    grid = torch.linspace(math.log(0.2), math.log(5), 400).exp().tolist()
    losses = [torch.nn.functional.cross_entropy(logits / value, targets).item() for value in grid]
    return grid[int(np.argmin(losses))]


@exercise
def check_mean_log_probabilities(mean_log_probabilities: Callable) -> str:
    """Exercise 2: the logarithm of the mean probability of M models."""
    import torch

    log_p = torch.randn(3, 2, 4, 5, generator=torch.Generator().manual_seed(0)).mul(2).log_softmax(-1)
    right = log_p.double().exp().mean(0).log()
    changed = "You changed the log-probabilities that you were given: compute new ones."
    answer = tensor(call(mean_log_probabilities, log_p, changed=changed), (2, 4, 5), "log-probabilities")
    refuse_known(
        answer,
        {
            "That is the mean of the logarithms: one model that finds a token impossible then forbids it to all. Average the "
            "probabilities.": log_p.mean(0),
            "That is the mean of the logarithms, normalized: a product of the models. Average the probabilities.": log_p.mean(
                0
            ).log_softmax(-1),
            "You forgot to divide by the number of models: your probabilities sum to 3.": log_p.logsumexp(0),
            "These are probabilities. Return their logarithms.": log_p.exp().mean(0),
            "You took the likeliest opinion for each token. Take the mean of the models.": log_p.amax(0),
        },
    )
    if not same(answer, right):
        raise Wrong(f"Something else is in yours: {difference(answer, right)}.")
    far = torch.tensor([[-1000.0, -0.5], [-1002.0, -0.5]])
    if torch.isinf(answer := tensor(mean_log_probabilities(far), (2,), "log-probabilities")).any():
        raise Wrong(
            "A log-probability of −1000 became −∞: exp(−1000) is 0. Stay with logarithms, torch.logsumexp does."
        )
    if not same(answer, far.double().logsumexp(0) - math.log(2)):
        raise Wrong("For two models it is wrong: use the number of models that you are given.")
    return "The mean of the opinions is again a distribution."
