"""What learners write in notebook 02 does what the package and torch do."""

import math

import pytest
import torch

from helpers.corpus.batches.token_stream import StreamBatches
from helpers.generation.sampling import distribution, generate
from helpers.models import ngram_from_scratch, rnn
from helpers.models.ngram import NGram
from helpers.training import CarriedState, plain_loop
from tests import factories
from tests.answers.solutions import run, solutions

SOLUTIONS = solutions("02_the_rnn_reddit_bot")
TEXT = "abracadabra and hocus pocus, a bra and a focus"


def solution(name):
    return run(SOLUTIONS[name], name)


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("tokens", [TEXT, bytes(TEXT, "ascii")])
def test_ngrams_are_counted_as_the_package_counts_them(n, tokens):
    assert solution("count_ngrams")(tokens, n) == ngram_from_scratch.count_ngrams(tokens, n)


def test_bigrams_without_a_discount_are_the_packages():
    letters = sorted(set(TEXT))
    ids = torch.tensor([letters.index(letter) for letter in TEXT])
    model, counts = NGram.count(ids, 2, len(letters), discount=1e-9), solution("count_ngrams")(TEXT, 2)
    for letter in "abroc":
        counted = model.log_probabilities([letters.index(letter)])
        for following, count in counts[letter].items():
            assert math.exp(counted[letters.index(following)]) == pytest.approx(count / counts[letter].total(), abs=1e-6)


@pytest.mark.parametrize("context", ["", "a", "br", "zbr", "zzz"])
def test_the_mixed_probability_is_the_packages(context):
    counts = ngram_from_scratch.count_ngrams(TEXT, 4)
    for token in "abz ":
        expected = ngram_from_scratch.mixed_probability(counts, context, token, 30)
        assert solution("mixed_probability")(counts, context, token, 30) == pytest.approx(expected)


@pytest.mark.parametrize("temperature", [0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("cuts", [{}, {"top_k": 3}, {"top_p": 0.8}, {"top_k": 5, "top_p": 0.6}])
def test_probabilities_are_the_samplers_distribution(temperature, cuts):
    logits = torch.randn(20, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3
    answer = solution("sampling_probabilities")(logits, temperature, **cuts)
    torch.testing.assert_close(answer, distribution(logits, temperature, **cuts))


def test_a_bot_says_the_same_with_the_learners_sampler():
    model, settings = factories.rnn(11), {"max_tokens": 20, "temperature": 0.8, "top_p": 0.9, "seed": 3}
    ours = list(generate(model, [2, 3], **settings, distribution=solution("sampling_probabilities")))
    assert ours == list(generate(model, [2, 3], **settings))


def test_the_loop_is_the_packages():
    batches = StreamBatches(torch.randint(0, 11, (900,), generator=torch.Generator().manual_seed(1)), 4, 8)
    results = []
    for train in (solution("train"), plain_loop.train):
        model = factories.rnn(11, seed=0)
        optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
        losses = train(model, [batches[step] for step in range(6)], optimizer, CarriedState())
        results.append((losses, [parameter.detach() for parameter in model.parameters()]))
    torch.testing.assert_close(*results)


def test_the_lstm_cell_is_the_packages_and_torchs():
    torch.manual_seed(0)
    ours = solution("LSTMCell")(4, 6).double()
    theirs = rnn.LSTMCell(4, 6).double()
    assert ours.b.equal(theirs.b)
    theirs.load_state_dict(ours.state_dict())
    x, state = torch.randn(3, 4).double(), (torch.randn(3, 6).double(), torch.randn(3, 6).double())
    for other in (theirs, rnn.torch_cell(ours)):
        torch.testing.assert_close(ours(x, state), other(x, state), atol=1e-12, rtol=0)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.7, 1.0])
def test_min_p_keeps_what_is_likely_enough(share):
    p = torch.rand(50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    p = p / p.sum()
    answer = solution("min_p_probabilities")(p, share)
    kept = p >= share * p.max()
    torch.testing.assert_close(answer, torch.where(kept, p / p[kept].sum(), 0.0))


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
    cell, steps = rnn.RNNCell(3, 4).double(), 6
    inputs, goal = torch.randn(steps, 3, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
    states = [torch.zeros(4, dtype=torch.float64)]
    for x in inputs:
        states.append(cell(x[None], states[-1][None])[0])
    (0.5 * ((states[-1] - goal) ** 2).sum()).backward()

    step_backward, total = solution("step_backward"), [0, 0, 0]
    with torch.no_grad():
        d_h = states[-1] - goal
        for step in reversed(range(steps)):
            *parts, d_h = step_backward(inputs[step], states[step], states[step + 1], cell.W_hh, d_h)
            total = [a + b for a, b in zip(total, parts)]
    for ours, parameter in zip(total, (cell.W_xh, cell.W_hh, cell.b)):
        torch.testing.assert_close(ours, parameter.grad, rtol=0, atol=1e-12)
