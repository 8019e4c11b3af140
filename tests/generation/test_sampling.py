"""From scores to a choice: every cut by hand, and a generator that repeats itself only when told to."""

import math

import pytest
import torch

from helpers.corpus.batches.base import IGNORED
from helpers.generation.sampling import distribution, generate, repetition_penalized, sample_tokens
from helpers.models.utils import device_of
from tests import factories
from tests.factories import rnn

LOGITS = torch.tensor([0.5, 0.125, 0.25, 0.125]).log()  # the probabilities themselves, as logits


def close(probabilities, expected):
    torch.testing.assert_close(probabilities, torch.tensor(expected).double(), atol=1e-7, rtol=0)
    return True


class Table:
    """A model without a memory: the scores of the next token depend on the latest one alone."""

    def __init__(self, rows):
        self.rows, self.calls = torch.tensor(rows), []

    def __call__(self, ids, state=None):
        self.calls.append(ids.tolist())
        return self.rows[ids], (state or 0) + ids.shape[1]


@pytest.fixture
def model(device):
    model = rnn(12, seed=1, hidden_size=8, embedding_size=4, dropout=0.5).eval()
    model.head.weight.data *= 20  # opinions strong enough for the state to matter
    return model.to(device)


def said(model, ids=(2,), **settings):
    return list(generate(model, ids, **settings))


# --- distribution ---------------------------------------------------------------------------------------------------


def test_without_settings_it_is_softmax():
    assert close(distribution(LOGITS), [0.5, 0.125, 0.25, 0.125])
    assert close(distribution(LOGITS.double() + 1000), [0.5, 0.125, 0.25, 0.125])


def test_temperature_by_hand():
    # Half the temperature squares the probabilities, twice takes their roots.
    squares = [0.25, 0.015625, 0.0625, 0.015625]
    assert close(distribution(LOGITS, 0.5), [p / sum(squares) for p in squares])
    roots = [0.5**0.5, 0.125**0.5, 0.5, 0.125**0.5]
    assert close(distribution(LOGITS, 2.0), [p / sum(roots) for p in roots])


def test_top_k_by_hand():
    assert close(distribution(LOGITS, top_k=2), [2 / 3, 0, 1 / 3, 0])
    assert close(distribution(LOGITS, top_k=1), [1, 0, 0, 0])
    for everything in (None, 0, 4, 100):
        assert close(distribution(LOGITS, top_k=everything), [0.5, 0.125, 0.25, 0.125])


@pytest.mark.parametrize(
    ("top_p", "expected"),
    [
        (0.01, [1, 0, 0, 0]),
        (0.45, [1, 0, 0, 0]),
        (0.55, [2 / 3, 0, 1 / 3, 0]),
        (0.7, [2 / 3, 0, 1 / 3, 0]),
        (0.8, [0.5 / 0.875, 0.125 / 0.875, 0.25 / 0.875, 0]),  # of two equal tokens the first
        (1.0, [0.5, 0.125, 0.25, 0.125]),
        (None, [0.5, 0.125, 0.25, 0.125]),
    ],
)
def test_top_p_by_hand(top_p, expected):
    assert close(distribution(LOGITS, top_p=top_p), expected)


def test_both_cuts_together_and_after_the_temperature():
    assert close(distribution(LOGITS, top_k=3, top_p=0.55), [2 / 3, 0, 1 / 3, 0])
    assert close(distribution(LOGITS, top_k=1, top_p=0.9), [1, 0, 0, 0])
    # At half the temperature the likeliest has 0.25 / 0.34375 = 0.727 of the probability: alone enough for 0.7.
    assert close(distribution(LOGITS, 0.5, top_p=0.7), [1, 0, 0, 0])


def test_greedy_and_ties():
    assert close(distribution(LOGITS, 0), [1, 0, 0, 0])
    assert close(distribution(LOGITS, 0, top_k=3, top_p=0.1), [1, 0, 0, 0])
    tied = torch.tensor([1.0, 3.0, 3.0, 0.0])
    assert close(distribution(tied, 0), [0, 1, 0, 0])
    assert close(distribution(tied, top_k=1), [0, 1, 0, 0])
    assert distribution(torch.zeros(5000), top_k=2).nonzero().flatten().tolist() == [0, 1]


@pytest.mark.parametrize("temperature", [1e-3, 1e-10, 1e-307])
def test_a_tiny_temperature_is_greedy_without_overflow(temperature):
    assert close(distribution(torch.tensor([900.0, -900.0, 901.0]), temperature), [0, 0, 1])


def test_a_huge_temperature_makes_all_alike():
    assert close(distribution(torch.tensor([9.0, -9.0]), 1e12), [0.5, 0.5])


def test_minus_infinity_has_no_probability():
    logits = torch.tensor([0.0, float("-inf"), 0.0])
    for settings in ({}, {"temperature": 1e-5}, {"top_k": 3}, {"top_p": 1.0}, {"temperature": 100.0}):
        assert close(distribution(logits, **settings), [0.5, 0, 0.5])


@pytest.mark.parametrize("logits", [[-math.inf, -math.inf], [0.0, math.nan], [0.0, math.inf]])
@pytest.mark.parametrize("temperature", [0, 1])
def test_scores_of_which_nothing_can_be_drawn_are_refused(logits, temperature):
    with pytest.raises(ValueError, match="no token can be sampled"):
        distribution(torch.tensor(logits), temperature)


def test_it_sums_to_one_and_leaves_the_logits_alone():
    for seed in range(20):
        logits = torch.randn(50, generator=torch.Generator().manual_seed(seed)) * 4
        before = logits.clone()
        for settings in ({}, {"temperature": 0.3}, {"top_k": 7}, {"top_p": 0.6}, {"top_k": 5, "top_p": 0.9}):
            probabilities = distribution(logits, **settings)
            assert probabilities.sum().item() == pytest.approx(1, abs=1e-12) and (probabilities >= 0).all()
            assert int((probabilities > 0).sum()) <= settings.get("top_k", 50)
        assert torch.equal(logits, before)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"temperature": -0.1}, "temperature is -0.1: give 0"),
        ({"temperature": math.inf}, "temperature is inf"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"top_k": -1}, "top_k is -1: give how many"),
        ({"top_p": 0}, "top_p is 0: give a share"),
        ({"top_p": 1.1}, "top_p is 1.1"),
    ],
)
def test_senseless_settings_are_refused_in_words(settings, words):
    with pytest.raises(ValueError, match=words):
        distribution(LOGITS, **settings)
    with pytest.raises(ValueError, match=words):
        said(Table([[0.0]]), [0], **settings)


# --- generate -------------------------------------------------------------------------------------------------------


def test_tokens_are_drawn_as_often_as_the_distribution_says():
    drawn = said(Table([LOGITS.tolist()] * 4), [0], max_tokens=4000, seed=0)
    shares = torch.bincount(torch.tensor(drawn), minlength=4) / 4000
    assert (shares - torch.tensor([0.5, 0.125, 0.25, 0.125])).abs().max() < 0.03
    drawn = said(Table([LOGITS.tolist()] * 4), [0], max_tokens=500, top_k=2, seed=0)
    assert set(drawn) == {0, 2}


def test_a_seed_repeats_and_another_differs(model):
    first = said(model, seed=0, max_tokens=30)
    assert len(first) == 30 and said(model, seed=0, max_tokens=30) == first
    assert said(model, seed=1, max_tokens=30) != first


def test_without_a_seed_the_generator_takes_one_from_the_system(model, monkeypatch):
    drawn = iter([0, 1])

    class Unseeded(torch.Generator):
        def seed(self):
            self.manual_seed(number := next(drawn))
            return number

    expected = [said(model, seed=seed, max_tokens=30) for seed in (0, 1)]
    monkeypatch.setattr(torch, "Generator", Unseeded)
    assert [said(model, max_tokens=30) for _ in range(2)] == expected


def test_the_global_generator_is_left_alone(model):
    before = torch.get_rng_state()
    said(model, max_tokens=5)
    said(model, seed=3, max_tokens=5)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_model_in_training_is_read_without_dropout_and_goes_on_training(model):
    expected, before = said(model, seed=0, max_tokens=20), torch.get_rng_state()
    model.train()
    assert said(model, seed=0, max_tokens=20) == expected
    assert model.training and torch.equal(torch.get_rng_state(), before)


def test_gradients_stay_on_for_whoever_takes_the_tokens(model):
    for _ in generate(model, [2], max_tokens=2, seed=0):
        assert torch.is_grad_enabled()


def test_stop_tokens_end_it_and_are_not_yielded():
    counting = Table(
        [[0.0 if column == row + 1 else -math.inf for column in range(6)] for row in range(5)] + [[0.0] * 6]
    )
    assert said(counting, [0], stop={4}) == [1, 2, 3]
    assert said(counting, [0], stop={1}) == []
    assert said(counting, [0], max_tokens=2) == [1, 2]
    assert said(counting, [0], max_tokens=0) == []


def test_forbidden_tokens_are_never_drawn():
    table = Table([LOGITS.tolist()] * 4)
    assert set(said(table, [0], forbidden=[0, 2], max_tokens=200, seed=0)) == {1, 3}
    assert said(table, [0], forbidden=[0], temperature=0, max_tokens=2) == [2, 2]
    with pytest.raises(ValueError, match="Is every token forbidden"):
        said(table, [0], forbidden=range(4))


def test_the_prompt_is_read_once_and_then_each_token_as_it_comes():
    table = Table([[0.0, 1.0]] * 2)
    said(table, [1, 0, 1], temperature=0, max_tokens=3)
    assert table.calls == [[[1, 0, 1]], [[1]], [[1]]]


def test_keeping_the_state_is_as_good_as_reading_everything_again(model):
    class Forgetful:
        """The same model without a memory: it is given all tokens so far, each time."""

        def __call__(self, ids, state=None):
            ids = ids if state is None else torch.cat([state, ids], 1)
            return model(ids.to(device_of(model)))[0], ids

    kept = said(model, [2, 5, 7], seed=4, max_tokens=40)
    assert kept == said(Forgetful(), [2, 5, 7], seed=4, max_tokens=40) and len(set(kept)) > 4
    assert kept != said(model, [2, 5, 8], seed=4, max_tokens=40)  # and the prompt matters


def test_a_model_that_keeps_no_state_is_given_everything_again():
    calls = []

    def stateless(ids, state=None):
        calls.append(ids.tolist())
        return torch.tensor([[0.0, 1.0]] * 2)[ids], None

    assert said(stateless, [1, 0], temperature=0, max_tokens=3) == [1, 1, 1]
    assert calls == [[[1, 0]], [[1, 0, 1]], [[1, 0, 1, 1]]]


def test_the_repetition_penalty_by_hand():
    logits = torch.tensor([0.5, 0.25, 0.25]).log()
    # Token 0 was said: its log-probability doubles, so it weighs 0.25 beside 0.25 and 0.25.
    twice, none = torch.tensor([[0, 0]]), torch.zeros(1, 0, dtype=torch.long)
    assert close(distribution(repetition_penalized(logits[None], twice, 2.0))[0], [1 / 3] * 3)
    assert torch.equal(repetition_penalized(logits[None], twice, 1.0)[0], logits)
    assert torch.equal(repetition_penalized(logits[None], none, 2.0)[0], logits)
    assert logits[0].item() == pytest.approx(math.log(0.5))  # not changed in place


def test_the_repetition_penalty_lowers_also_scores_above_zero():
    logits, previous = torch.tensor([[9.0, 8.0, 7.0], [9.0, 8.0, 7.0]]), torch.tensor([[0, 2], [1, 1]])
    lower = repetition_penalized(logits, previous, 1.5) < logits
    assert lower.tolist() == [[True, False, True], [False, True, False]]


def test_the_repetition_penalty_makes_repeats_rarer():
    table = Table([[0.0, -0.1, -0.2, -0.3, -0.4, -0.5, -0.6, -0.7]] * 8)
    kinds = [len(set(said(table, [0], repetition_penalty=p, temperature=0, max_tokens=6))) for p in (1.0, 1.1, 4.0)]
    assert kinds == [1, 2, 6]


@pytest.mark.parametrize("penalty", [0.5, -1, math.nan, math.inf])
def test_a_penalty_that_rewards_repeats_is_refused(penalty):
    with pytest.raises(ValueError, match="repetition_penalty is .*give 1.0"):
        said(Table([[0.0]]), [0], repetition_penalty=penalty)


def test_an_empty_prompt_is_refused():
    with pytest.raises(ValueError, match="one token at least, such as the tokenizer's <end>"):
        said(Table([[0.0]]), [])


# --- with and without a cache, alone and side by side -----------------------------------------------------------------
PROMPTS = ([1, 2, 3], [4, 5, 6, 7, 8, 9], [3])


@pytest.fixture(params=["gpt2", "modern"])
def gpt(request, device):
    return factories.gpt(40, request.param, context=24, n_embd=32, std=0.3).double().to(device)


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_with_and_without_a_cache_the_tokens_are_the_same(gpt, temperature):
    for seed, prompt in enumerate(PROMPTS):
        cached, again = (said(gpt, prompt, seed=seed, temperature=temperature, max_tokens=18, cache=c) for c in (1, 0))
        assert cached == again and len(cached) == 18


def test_a_full_context_goes_on_from_its_latter_half_with_and_without_a_cache(gpt):
    cached, again = (said(gpt, seed=1, max_tokens=90, cache=cache) for cache in (True, False))
    assert cached == again and len(cached) == 90


def test_a_prompt_beyond_the_context_is_cut_to_its_latter_half(gpt):
    long = list(range(40)) * 2
    assert said(gpt, long, seed=1, max_tokens=5) == said(gpt, long[-12:], seed=1, max_tokens=5)


# --- many texts at once -----------------------------------------------------------------------------------------------


def test_many_distributions_are_those_of_each():
    logits = torch.randn(6, 30) * 3
    for settings in (
        {},
        {"temperature": 0},
        {"temperature": 0.4, "top_k": 5},
        {"top_p": 0.7},
        {"top_k": 9, "top_p": 0.5},
    ):
        rows = torch.stack([distribution(row, **settings) for row in logits])
        torch.testing.assert_close(distribution(logits, **settings), rows)
        assert distribution(logits, **settings, dtype=torch.float32).dtype == torch.float32


def in_rows(rows, **settings):
    """Sample from a Table several rows at once; the tokens [B, T]."""
    table, start = torch.tensor(rows), settings.pop("start")
    read = lambda tokens: table[torch.tensor(start) if tokens is None else tokens]  # noqa: E731
    return torch.stack(list(sample_tokens(read, generator=torch.Generator().manual_seed(0), **settings)), dim=1)


COUNTING = [[0.0 if column == row + 1 else -math.inf for column in range(7)] for row in range(6)] + [[0.0] * 7]


def test_each_row_ends_for_itself_and_the_rest_is_ignored():
    rows = in_rows(COUNTING, start=[0, 2], max_tokens=9, stop=[4])
    assert rows.tolist() == [[1, 2, 3, 4], [3, 4, IGNORED, IGNORED]]
    assert in_rows(COUNTING, start=[0, 2], max_tokens=2, stop=[4]).tolist() == [[1, 2], [3, 4]]


def test_no_row_ends_before_its_least_number_of_tokens():
    even = [[0.0, 0.0, 0.0]] * 3
    rows = in_rows(even, start=[0] * 400, max_tokens=3, stop=[1, 2], min_tokens=2)
    assert not rows[:, :2].any() and set(rows[:, 2].tolist()) == {0, 1, 2}


def test_the_end_may_be_asked_for_more_rarely():
    rows = in_rows(COUNTING[:5] + [[0.0] * 7] * 2, start=[2], max_tokens=9, stop=[4], check_every=4)
    assert rows.tolist() == [[3, 4, IGNORED, IGNORED]]


def test_the_repetition_penalty_counts_the_tokens_of_each_row_alone():
    falling = [[0.0, -0.1, -0.2, -0.3, -0.4, -0.5]] * 6
    rows = in_rows(falling, start=[0, 0], max_tokens=5, temperature=0, repetition_penalty=4.0)
    assert rows[0].tolist() == rows[1].tolist() and len(set(rows[0].tolist())) == 5


def test_a_distribution_of_ones_own_is_sampled_from(gpt):
    asked = []

    def own(logits, temperature, top_k, top_p):
        asked.append((tuple(logits.shape), temperature, top_k, top_p))
        return distribution(logits, temperature, top_k, top_p)

    settings = {"max_tokens": 6, "temperature": 0.8, "top_k": 3, "seed": 4}
    assert list(generate(gpt, [1, 2], **settings, distribution=own)) == list(generate(gpt, [1, 2], **settings))
    assert asked == [((asked[0][0][0],), 0.8, 3, None)] * 6
    always = torch.eye(asked[0][0][0])[3]
    assert list(generate(gpt, [1, 2], max_tokens=4, distribution=lambda *_: always)) == [3] * 4
