"""The oracle: true probabilities sum to one, its own sentences are the likeliest, and the published order holds."""

import math

import pytest
import torch

from helpers.evaluation.seqgan_oracle import (
    PUBLISHED,
    SEQ_LEN,
    START,
    CountModel,
    LSTMModel,
    evaluate_models,
    train_by_maximum_likelihood,
)

TINY = LSTMModel(seed=1, vocab_size=4, hidden_size=3)


def every_sentence(length, vocab_size=4):
    return torch.cartesian_prod(*[torch.arange(vocab_size)] * length).reshape(-1, length)


def test_the_probabilities_of_all_sentences_sum_to_one():
    total = sum(math.exp(-3 * TINY.nll(sentence[None])) for sentence in every_sentence(3))
    assert total == pytest.approx(1, abs=1e-5)


def test_what_it_says_is_what_it_finds_likely():
    """The shares among many drawn sentences are the probabilities that nll gives."""
    samples = TINY.sample(4000, seed=2, length=2)
    shares = (samples[:, 0] * 4 + samples[:, 1]).bincount(minlength=16) / 4000
    expected = torch.tensor([math.exp(-2 * TINY.nll(sentence[None])) for sentence in every_sentence(2)])
    assert (shares - expected).abs().max() < 0.03


def test_the_mean_over_sentences_is_the_mean_over_tokens():
    sentences = every_sentence(3)[:7]
    assert TINY.nll(sentences) == pytest.approx(sum(TINY.nll(sentence[None]) for sentence in sentences) / 7, abs=1e-5)
    many = sentences.repeat(40, 1)  # read in several parts
    assert TINY.nll(many) == pytest.approx(TINY.nll(sentences), abs=1e-5)


def test_the_seed_decides_and_parts_differ():
    first, again, other = TINY.sample(600, seed=1), TINY.sample(600, seed=1), TINY.sample(600, seed=2)
    assert first.shape == (600, SEQ_LEN) and torch.equal(first, again) and not torch.equal(first, other)
    assert not torch.equal(first[:250], first[250:500])
    assert torch.equal(LSTMModel(5, vocab_size=6).embed.weight, LSTMModel(5, vocab_size=6).embed.weight)


def test_greedy_takes_the_likeliest_at_each_step():
    greedy = TINY.sample(2, length=5, greedy=True)
    assert torch.equal(greedy[0], greedy[1])
    logits, _ = TINY(torch.cat((torch.tensor([[START]]), greedy[:1, :-1]), dim=1))
    assert torch.equal(logits.argmax(-1), greedy[:1])


def test_counts_by_hand():
    real = torch.tensor([[1, 2], [1, 3]])  # after the start twice 1, after 1 once 2 and once 3
    single, pairs = CountModel(real, 1, 4, weights=(0.5, 0.5)), CountModel(real, 2, 4, weights=(0.5, 0.5))
    p = {1: 0.5 * 2 / 4 + 0.5 / 4, 2: 0.5 * 1 / 4 + 0.5 / 4}
    assert single.nll(torch.tensor([[1, 2]])) == pytest.approx(-(math.log(p[1]) + math.log(p[2])) / 2)
    mixed = 0.5 * 1 + 0.5 * p[1], 0.5 * 0.5 + 0.5 * p[2]
    assert pairs.nll(torch.tensor([[1, 2]])) == pytest.approx(-(math.log(mixed[0]) + math.log(mixed[1])) / 2)
    after_two = pairs.nll(torch.tensor([[2, 1]]))  # nothing ever followed 2: the single tokens decide
    assert after_two == pytest.approx(-(math.log(0.5 * p[2]) + math.log(p[1])) / 2)
    with pytest.raises(ValueError, match="n is 3"):
        CountModel(real, 3)


def test_counts_give_every_sentence_a_probability_and_all_sum_to_one():
    real = TINY.sample(30, length=3)
    for n in (1, 2):
        counts = CountModel(real, n, 4)
        assert sum(math.exp(-3 * counts.nll(sentence[None])) for sentence in every_sentence(3)) == pytest.approx(1)


def test_pairs_are_drawn_as_often_as_they_were_seen():
    real = torch.tensor([[1, 2, 1], [1, 2, 3], [1, 2, 3]])
    said = CountModel(real, 2, 4).sample(3000, length=3)
    assert set(said[:, 0].tolist()) == {1} and set(said[:, 1].tolist()) == {2}
    assert (said[:, 2] == 3).float().mean().item() == pytest.approx(2 / 3, abs=0.04)
    alone = CountModel(real, 1, 4).sample(3000, length=3)
    assert (alone == 2).float().mean().item() == pytest.approx(3 / 9, abs=0.04)
    assert torch.equal(alone, CountModel(real, 1, 4).sample(3000, length=3))


def test_the_published_order_holds_for_our_oracle_and_collapse_wins():
    oracle = LSTMModel()
    real = oracle.sample(500, seed=100)
    found = {row["model"]: row for row in evaluate_models(oracle, real, 150)}
    quality = [found[name]["NLL_oracle"] for name in ("uniform", "unigram counts", "bigram counts", "real data")]
    assert all(worse > better + 0.5 for worse, better in zip(quality, quality[1:]))
    # A network nobody trained prefers some tokens, but its taste has nothing to do with the oracle's.
    assert abs(found["untrained LSTM"]["NLL_oracle"] - found["uniform"]["NLL_oracle"]) < 0.3
    assert found["uniform"]["NLL_test"] == pytest.approx(math.log(5000))
    likeliest = oracle.sample(1, greedy=True)
    assert oracle.nll(likeliest) < found["real data"]["NLL_oracle"] - 1.5
    assert list(PUBLISHED.values()) == sorted(PUBLISHED.values(), reverse=True)


def test_imitation_learns_and_is_repeatable():
    real = TINY.sample(200, length=6)
    torch.manual_seed(5)
    small = {"vocab_size": 4, "hidden_size": 3}
    first, again = (train_by_maximum_likelihood(real, 60, batch_size=32, **small) for _ in range(2))
    assert torch.equal(first.head.weight, again.head.weight)
    untrained = LSTMModel(1000, std=0.1, **small)
    assert first.nll(real) < untrained.nll(real) - 0.1


def test_wrong_input_gets_a_sentence():
    for sentences in (torch.zeros(0, 3, dtype=torch.long), torch.tensor([[4]]), torch.tensor([[-1]])):
        with pytest.raises(ValueError, match="tokens from 0 to 3"):
            TINY.nll(sentences)
