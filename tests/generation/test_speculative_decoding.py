"""Speculative decoding is exact: greedily the same tokens, sampled the same distribution; what was rejected leaves no trace."""

from collections import Counter
from itertools import product

import pytest
import torch

from helpers.generation.sampling import distribution, generate
from helpers.generation.speculative_decoding import (
    Counts,
    accept,
    expected_tokens,
    residual,
    speculative_generate,
    speedup,
)
from tests import factories

P, Q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.1, 0.2, 0.7])


class Markov:
    """A toy language model: the next token's probabilities are a row of a table, chosen by the token before it."""

    context, ignores_left_padding = None, False

    def __init__(self, seed, vocab_size=3):
        generator = torch.Generator().manual_seed(seed)
        self.table = (2 * torch.randn(vocab_size, vocab_size, generator=generator, dtype=torch.float64)).softmax(-1)
        self.calls = 0

    def __call__(self, ids, state=None):
        self.calls += 1
        return self.table[ids].log(), None


def test_the_residual_by_hand():
    """p − q = (.4, .1, −.5): the third token was proposed often enough, the others share what is missing as 4 to 1."""
    torch.testing.assert_close(residual(P, Q), torch.tensor([0.8, 0.2, 0.0]))
    torch.testing.assert_close(residual(P, P), P)


def test_one_token_is_distributed_as_the_model_says():
    """Accepted are .1 + .2 + .2 of the proposals; the other half becomes (.4, .1, 0). From p it would be (.35, .35, .30)."""
    rng, counts, number = torch.Generator().manual_seed(0), Counter(), 12_000
    p = torch.stack((P, P))
    for _ in range(number):
        proposed = int(torch.multinomial(Q, 1, generator=rng))
        counts[accept(p, Q[None], [proposed], rng)[0]] += 1
    for token, probability in enumerate((0.5, 0.3, 0.2)):  # 5 standard errors are 0.023
        assert counts[token] / number == pytest.approx(probability, abs=0.023)


@pytest.mark.parametrize("look_ahead", [1, 3])
def test_whole_sequences_are_distributed_as_the_model_says(look_ahead):
    model, draft, number = Markov(0), Markov(1), 4_000
    counts = Counter(
        tuple(speculative_generate(model, draft, [0], look_ahead=look_ahead, max_tokens=3, seed=seed))
        for seed in range(number)
    )
    for tokens in product(range(3), repeat=3):
        probability = 1.0
        for before, token in zip((0, *tokens), tokens):
            probability *= model.table[before, token].item()
        error = (probability * (1 - probability) / number) ** 0.5
        assert counts[tokens] / number == pytest.approx(probability, abs=4.5 * error + 1e-3)


def test_the_settings_cut_both_distributions():
    """With top-k 2 and a forbidden token only what the model alone could have sampled comes out, as often."""
    model, draft, number = Markov(2, 5), Markov(3, 5), 3_000
    settings = {"top_k": 2, "temperature": 0.7, "forbidden": [1], "max_tokens": 2}
    counts = Counter(list(speculative_generate(model, draft, [4], seed=seed, **settings))[0] for seed in range(number))
    wanted = distribution(model.table[4].log().index_fill(0, torch.tensor([1]), float("-inf")), 0.7, 2)
    assert set(counts) == set(wanted.nonzero()[:, 0].tolist()) and wanted[1] == 0
    for token, times in counts.items():
        assert times / number == pytest.approx(wanted[token].item(), abs=0.045)


def drafts(vocab_size=16):
    return {
        "itself": factories.gpt(vocab_size, bigram_rows=31, std=0.3),
        "another GPT": factories.gpt(vocab_size, seed=5, std=0.3, context=12),
        "counts": factories.ngram(vocab_size, first=0),
        "an RNN": factories.rnn(vocab_size, scale=3).eval(),
        "no cache": factories.small_gpt(vocab_size).eval(),
    }


@pytest.mark.parametrize("name", drafts())
@pytest.mark.parametrize("look_ahead", [1, 4, 40])
def test_greedily_the_same_tokens_come_out_beyond_the_context_too(name, look_ahead):
    """The model reads 32 tokens at once and writes 90, with a table of pairs: the last token kept must be the right one."""
    model, counts = factories.gpt(bigram_rows=31, std=0.3), Counts()
    model.bigrams.weight.data *= 5
    for ids in ([3], [1, 2, 3, 4, 5, 6, 7], list(range(16)) * 3):
        wanted = list(generate(model, ids, max_tokens=90, temperature=0))
        told = list(
            speculative_generate(
                model, drafts()[name], ids, look_ahead=look_ahead, max_tokens=90, temperature=0, counts=counts
            )
        )
        assert told == wanted
    assert counts.tokens == 270 and counts.rejected > 20 and counts.target_calls > 20


def test_the_same_model_as_draft_is_never_rejected():
    model, counts = factories.gpt(bigram_rows=31, std=0.3), Counts()
    list(speculative_generate(model, model, [3], look_ahead=4, max_tokens=20, temperature=0, counts=counts))
    assert counts == Counts(target_calls=4, proposed=16, accepted=16, rejected=0, tokens=20)
    assert counts.acceptance_rate == 1 and counts.calls_per_token == 0.2


def test_it_stops_where_the_model_alone_stops_and_is_as_long():
    model, draft = factories.gpt(std=0.3), factories.ngram(16, first=0)
    wanted = list(generate(model, [3], max_tokens=40, temperature=0))
    for stop in set(wanted):
        same = list(generate(model, [3], max_tokens=40, temperature=0, stop=[stop]))
        assert list(speculative_generate(model, draft, [3], max_tokens=40, temperature=0, stop=[stop])) == same
    for number in range(7):
        assert len(list(speculative_generate(model, draft, [3], max_tokens=number))) == number


def test_the_same_seed_gives_the_same_tokens_and_leaves_the_global_generator_alone():
    model, draft = factories.gpt(std=0.3), factories.ngram(16, first=0)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, again, other = (
        list(speculative_generate(model, draft, [3], max_tokens=30, seed=seed)) for seed in (7, 7, 8)
    )
    assert first == again != other and torch.equal(torch.get_rng_state(), before)


def test_a_training_model_is_read_without_dropout():
    model = factories.gpt(std=0.3, dropout=0.5)
    wanted = list(speculative_generate(model, model, [3], max_tokens=20, temperature=0))
    assert list(speculative_generate(model.train(), model, [3], max_tokens=20, temperature=0)) == wanted
    assert model.training


def test_the_model_is_called_less_often_than_it_writes():
    model, draft, counts = Markov(0), Markov(0), Counts()
    list(speculative_generate(model, draft, [0], look_ahead=3, max_tokens=40, seed=0, counts=counts))
    assert model.calls == counts.target_calls == 10 and draft.calls == counts.proposed == 30


def test_expected_tokens_and_speedup_are_the_papers():
    assert expected_tokens(0.8, 5) == pytest.approx((1 - 0.8**6) / 0.2)
    assert (expected_tokens(0, 4), expected_tokens(1, 4)) == (1, 5)
    assert speedup(0.8, 5, 0.02) == pytest.approx((1 - 0.8**6) / (0.2 * 1.1))
    assert speedup(0.4, 3, 0.2, check=1.5) < 1 < speedup(0.4, 3, 0.2)


def test_what_makes_no_sense_is_said():
    model, draft = factories.gpt(std=0.3), factories.ngram(16, first=0)
    with pytest.raises(ValueError, match="nothing to go on from"):
        next(speculative_generate(model, draft, []))
    with pytest.raises(ValueError, match="look_ahead is 0"):
        next(speculative_generate(model, draft, [3], look_ahead=0))
    with pytest.raises(ValueError, match="16 and 20 tokens: give one vocabulary"):
        next(speculative_generate(model, factories.ngram(20), [3]))
    with pytest.raises(ValueError, match="state of CharRNN cannot be cut"):
        next(speculative_generate(factories.rnn(16), draft, [3]))
    with pytest.raises(ValueError, match="temperature is -1"):
        next(speculative_generate(model, draft, [3], temperature=-1))
    with pytest.raises(ValueError, match="1 proposed tokens do not fit"):
        accept(P[None], Q[None], [0], torch.Generator())
    with pytest.raises(ValueError, match="token 0 has probability 0.0 under the draft's q"):
        accept(torch.stack((P, P)), torch.tensor([[0.0, 0.5, 0.5]]), [0], torch.Generator())
    with pytest.raises(ValueError, match="acceptance 1.2"):
        expected_tokens(1.2, 4)
    with pytest.raises(ValueError, match="cost -1"):
        speedup(0.5, 4, -1)
