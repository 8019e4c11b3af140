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


def _with_middles(confidence, right, where: float) -> float:
    """Return the error when each of ten bins counts as confident as its middle (0.5) or its upper edge (1.0)."""
    place = np.floor(confidence * 10).astype(int)
    return float(sum((place == b).mean() * abs((b + where) / 10 - right[place == b].mean()) for b in set(place.tolist())))


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
            "You took the middle of each bin for its confidence. Take the mean of the confidences inside.": _with_middles(
                confidence, right, 0.5
            ),
            "You took the upper edge of each bin for its confidence. Take the mean of the confidences inside.": _with_middles(
                confidence, right, 1.0
            ),
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
    if near(answer := ask(*sure), 0.03):
        raise Wrong("You divided by 100, and here are four predictions: divide by len(confidence).")
    if not near(answer, 0.75):
        raise Wrong(
            f"Of four predictions with confidence 1.0 one is right: 0.75, and yours is {answer:.2f}. The last bin includes 1.0."
        )
    edge = np.array([0.5, 0.5, 0.5, 0.5]), np.array([True, False, False, False])
    if not near(answer := ask(*edge, 2), 0.25):
        raise Wrong(f"Four predictions lie on the edge of two bins: 0.25, and yours is {answer:.2f}. Each belongs to one bin.")
    share, gaps = _errors(confidence, right, 1)
    if not near(answer := ask(confidence, right, 1), float(abs(gaps[0]))):
        raise Wrong(f"With bins=1 I expected {abs(gaps[0]):.4f} and got {answer:.4f}: use the argument.")
    mixed = np.array([0.5, 0.25, 0.75, 0.75]), np.array([True, False, True, True])
    if near(answer := ask(*mixed, 2), 0.3125):
        raise Wrong("With bins=2 a confidence of 0.5 belongs to the first bin: a bin holds its upper edge, not its lower one.")
    if not near(answer, 0.1875):
        raise Wrong(f"For the confidences 0.5, 0.25, 0.75, 0.75 and bins=2 I expected 0.1875 and got {answer:.4f}.")
    return "Zero would mean: of all predictions made with 70 % confidence, 70 % are right."


@exercise
def check_fit_temperature(fit_temperature: Callable) -> str:
    """Build: the temperature with the least negative log-likelihood."""
    import torch

    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(3000, 6, generator=generator)

    def case(times: float, where: str, noise: float = 0.0) -> None:
        targets = torch.multinomial((logits / times).softmax(-1), 1, generator=generator)[:, 0]
        other = torch.randint(6, targets.shape, generator=generator)
        targets = torch.where(torch.rand(len(targets), generator=generator) < noise, other, targets)
        best = _best_temperature(logits, targets)
        changed = "You changed the logits that you were given: compute new ones."
        answer = call(fit_temperature, logits, targets, changed=changed)
        if getattr(answer, "requires_grad", False):
            raise Wrong("The temperature still carries its gradient: return a float, `.item()` makes one.")
        answer = number(answer, "the temperature")
        refuse_known(
            answer,
            {
                "That is 1/T: the logits are *divided* by the temperature.": 1 / best,
                "That is the logarithm of the temperature.": math.log(best),
                "cross_entropy takes logits, and yours got probabilities: it does the softmax itself.": _best_temperature(
                    logits, targets, twice=True
                ),
                "It is 1, where you began: nothing was fitted.": 1.0,
            },
            alike=lambda value, wrong: abs(value - wrong) < 0.02 * abs(wrong),
        )
        if not answer > 0:
            raise Wrong(f"A temperature is above 0; yours is {answer:.3g}.")
        if answer > 5 * best or answer < best / 5:
            raise Wrong(
                f"Yours ran away to {answer:.3g}, where the likelihood is low: minimize the *negative* log-likelihood of targets."
            )
        if abs(answer / best - 1) > 0.015:
            raise Wrong(f"{where} I expected {best:.3f} and got {answer:.3f}.")

    case(1.6, "Where the model is too sure of itself,")
    case(0.6, "Where the model is not sure enough,")
    case(0.6, "Where some tokens came by mere chance (is it the cross-entropy that you minimize?),", 0.15)
    return "One number, from held-out data, and the order of the tokens is as it was."


def _best_temperature(logits, targets, twice: bool = False) -> float:
    import torch

    grid = torch.linspace(math.log(0.2), math.log(5), 400).exp().tolist()
    scaled = [(logits / value).softmax(-1) if twice else logits / value for value in grid]
    losses = [torch.nn.functional.cross_entropy(each, targets).item() for each in scaled]
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
    if same(answer - right, torch.full_like(right, (answer - right).mean().item())):
        if not same(answer, right):
            raise Wrong("Yours is off by the same number everywhere: subtract log M, with M = len(log_p).")
    elif not same(answer, right):
        raise Wrong(f"Something else is in yours: {difference(answer, right)}.")
    far = torch.tensor([[-1000.0, 0.0], [-1002.0, 0.0]])
    if torch.isinf(answer := tensor(mean_log_probabilities(far), (2,), "log-probabilities")).any():
        raise Wrong(
            "A log-probability of −1000 became −∞: exp(−1000) is 0. Stay with logarithms, torch.logsumexp does."
        )
    if abs(answer[0].item() + 1000) > 20:
        raise Wrong(f"Of e^−1000 and e^−1002 yours made e^{answer[0].item():.0f}. Add nothing, clamp nothing: torch.logsumexp.")
    if not same(answer, far.double().logsumexp(0) - math.log(2)):
        raise Wrong("For two models it is wrong: use the number of models that you are given.")
    return "The mean of the opinions is again a distribution."
