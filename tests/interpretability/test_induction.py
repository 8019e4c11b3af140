"""Induction: a head that does exactly that scores 1, its neighbors little; the losses part where copying begins."""

import math

import pytest
import torch

from helpers.corpus.batches.repeated_sequences import repeated_ids
from helpers.interpretability.induction import copying_losses, head_scores, induction_score, previous_token_score
from tests import factories


def attends_back(distance, length=12, heads=2):
    """Attention weights [3, heads, T, T] of heads whose second attends ``distance`` back, or to the first token before that."""
    pattern = torch.zeros(3, heads, length, length)
    pattern[:, :, :, 0] = 1
    for query in range(distance, length):
        pattern[:, 1, query] = 0
        pattern[:, 1, query, query - distance] = 1
    return pattern


def test_a_previous_token_head_scores_one():
    scores = previous_token_score(attends_back(1))
    assert scores[1] == 1 and scores[0] == pytest.approx(1 / 11)  # one query in eleven has the first token before it
    assert previous_token_score(attends_back(2))[1] < 0.1


def test_an_induction_head_attends_to_the_token_after_the_last_occurrence():
    scores = induction_score(attends_back(4), period=5)
    assert scores[1] == 1 and scores[0] == 0
    for distance in (3, 5, 6):  # the token two after it, the occurrence itself, the one before it
        assert induction_score(attends_back(distance), period=5)[1] < 0.2
    uniform = torch.full((1, 1, 12, 12), 1.0).tril()
    uniform = uniform / uniform.sum(-1, keepdim=True)
    expected = sum(1 / (query + 1) for query in range(5, 12)) / 7  # the first query of the second time is number 5
    assert induction_score(uniform, 5).item() == pytest.approx(expected)


def test_the_heads_of_a_model_are_scored_as_their_patterns_are():
    model, ids = factories.gpt(noise=0.3), repeated_ids(16, 6, 4, 20)[:, :-1]
    previous, induction = head_scores(model, ids, 6)
    assert previous.shape == induction.shape == (2, 2)
    pattern = torch.stack(model.attention_weights(ids[:1]))[1][None]
    previous, induction = head_scores(model, ids[:1], 6)
    assert torch.allclose(previous[1], previous_token_score(pattern)) and torch.allclose(
        induction[1], induction_score(pattern, 6)
    )


class Copies:
    """A model that predicts what stood ``distance`` tokens before the next one, as soon as it has seen two of the same."""

    def __init__(self, distance):
        self.distance = distance

    def __call__(self, ids):
        logits = torch.zeros(*ids.shape, 16)
        for t in range(self.distance, ids.shape[1]):
            logits[torch.arange(len(ids)), t, ids[:, t - self.distance + 1]] = 50.0
        return logits, None


def test_losses_are_parted_where_copying_begins():
    ids = repeated_ids(16, 6, 40, 20)
    first, second = copying_losses(Copies(6), ids, 6)
    assert first == pytest.approx(math.log(16)) and second == pytest.approx(0, abs=1e-4)
    first, second = copying_losses(Copies(5), ids, 6)  # copying over another distance is as bad as can be
    assert first == pytest.approx(math.log(16)) and second > 40


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(ValueError, match=r"\[B, n_head, T, T\]; these have shape \[2, 3\]"):
        previous_token_score(torch.ones(2, 3))
    with pytest.raises(ValueError, match="the rows have 12 tokens: none comes 12 after another"):
        induction_score(attends_back(1), 12)
    with pytest.raises(ValueError, match="the period is 1"):
        induction_score(attends_back(1), 1)
    for period in (1, 20):
        with pytest.raises(ValueError, match="there is nothing to copy"):
            copying_losses(Copies(6), repeated_ids(16, 6, 2, 20), period)
