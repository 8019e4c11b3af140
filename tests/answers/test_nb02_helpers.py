"""What learners build in the exercises of notebook 02 does what the package and torch do."""

import math

import pytest
import torch

from helpers.evaluation import text_metrics
from helpers.generation.sampling import distribution
from helpers.models.ngram import NGram
from helpers.models.rnn import RNNCell
from tests.answers.solutions import run, solutions

SOLUTIONS = solutions("02_the_rnn_reddit_bot")


def solution(name):
    return run(SOLUTIONS[name], name)


def test_next_characters_are_the_bigrams_the_package_counts():
    text = "abracadabra and hocus pocus"
    letters = sorted(set(text))
    ids = torch.tensor([letters.index(letter) for letter in text])
    model = NGram.count(ids, 2, len(letters), discount=1e-9)  # no discount to speak of: counts alone
    for letter in "abroc":
        counted = model.log_probabilities([letters.index(letter)])
        for following, share in solution("next_characters")(text, letter).items():
            assert math.exp(counted[letters.index(following)]) == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("text", ["plain", "naïve café", "🐕 and ☃"])
def test_bits_per_byte_is_the_packages(text):
    assert solution("bits_per_byte")(7.5, text) == pytest.approx(text_metrics.bits_per_byte(7.5, text))


@pytest.mark.parametrize("temperature", [0, 1e-30, 0.3, 1.0, 2.5])
def test_with_temperature_is_the_samplers_distribution(temperature):
    logits = torch.randn(20, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 5
    torch.testing.assert_close(solution("with_temperature")(logits, temperature), distribution(logits, temperature))


@pytest.mark.parametrize("limit", [0.1, 1.0, 1000.0])
def test_clip_gradients_is_torchs(limit):
    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(3, 4)), torch.nn.Parameter(torch.randn(5))]
    for weight in weights:
        weight.grad = torch.randn_like(weight)
    clipped = solution("clip_gradients")([weight.grad.clone() for weight in weights], limit)
    torch.nn.utils.clip_grad_norm_(weights, limit)
    torch.testing.assert_close(clipped, [weight.grad for weight in weights], rtol=1e-4, atol=1e-6)


def test_steps_backward_in_a_loop_are_autograd_through_time():
    torch.manual_seed(0)
    cell, steps = RNNCell(3, 4).double(), 6
    inputs, goal = torch.randn(steps, 3, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
    memories = [torch.zeros(4, dtype=torch.float64)]
    for x in inputs:
        memories.append(cell(x[None], memories[-1][None])[0])
    (0.5 * ((memories[-1] - goal) ** 2).sum()).backward()

    step_backward, total = solution("step_backward"), [0, 0, 0]
    with torch.no_grad():
        d_h = memories[-1] - goal
        for step in reversed(range(steps)):
            *parts, d_h = step_backward(inputs[step], memories[step], memories[step + 1], cell.U, d_h)
            total = [a + b for a, b in zip(total, parts)]
    for ours, parameter in zip(total, (cell.W, cell.U, cell.b)):
        torch.testing.assert_close(ours, parameter.grad, rtol=0, atol=1e-12)
