"""The n-gram model that learners write: by hand, and against counting in another way."""

import math

import numpy as np
import pytest
import torch

from helpers.models.ngram_from_scratch import InterpolatedNGram, count_ngrams, mixed_probability

TEXT = "abracadabra"


def test_counts_by_hand():
    counts = count_ngrams(TEXT, 3)
    assert counts[""] == {"a": 5, "b": 2, "r": 2, "c": 1, "d": 1}
    assert counts["a"] == {"b": 2, "c": 1, "d": 1}  # the last a is followed by nothing
    assert counts["ra"] == {"c": 1} and "aa" not in counts
    assert count_ngrams(TEXT, 1).keys() == {""}


def test_the_mixed_probability_by_hand():
    counts = count_ngrams(TEXT, 2)
    first = 11 / 16 * 2 / 11 + 5 / 16 / 26  # p(b), from 11 letters of 5 kinds
    assert mixed_probability(counts, "", "b", 26) == pytest.approx(first)
    assert mixed_probability(counts, "a", "b", 26) == pytest.approx(4 / 7 * 2 / 4 + 3 / 7 * first)
    assert mixed_probability(counts, "z", "b", 26) == pytest.approx(first)  # never seen: the shorter context decides
    assert "z" not in counts


@pytest.mark.parametrize("context", [b"", b"\x01", b"\x01\x02", b"\x09\x02", b"\x09\x09"])
def test_probabilities_sum_to_one(context):
    counts = count_ngrams(bytes([1, 2, 3, 1, 2, 4, 1, 2, 3]), 3)
    assert math.fsum(mixed_probability(counts, context, token, 10) for token in range(10)) == pytest.approx(1)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_the_model_scores_and_predicts_with_the_same_probabilities(n):
    tokens = [1, 2, 3, 1, 2, 4, 1, 2, 3, 5]
    model = InterpolatedNGram(count_ngrams(bytes(tokens), n), n, 7)
    nats, state = model.negative_log_likelihood(np.array(tokens)), None
    for i, token in enumerate(tokens[:-1]):
        logits, state = model(torch.tensor([[token]]), state)
        assert -logits[0, -1, tokens[i + 1]].item() == pytest.approx(nats[i], rel=1e-5)
    whole, _ = model(torch.tensor([tokens[:-1]]))
    torch.testing.assert_close(whole, logits)
    assert model.parameter_count() == sum(len({tuple(tokens[i : i + k]) for i in range(11 - k)}) for k in range(1, n + 1))


def test_it_reads_one_text_at_a_time():
    with pytest.raises(ValueError, match="one text at a time, not 2"):
        InterpolatedNGram({}, 2, 5)(torch.zeros(2, 3, dtype=torch.int64))
