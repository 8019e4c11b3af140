"""Training the reward models of notebook 09: halves that share nothing, and heads along a few directions."""

import torch

from helpers.experiments.reward_models import halves, train_reward_model


def test_halves_share_nothing():
    first, second = halves(list("abcde")).values()
    assert first == ["a", "c", "e"] and second == ["b", "d"]


def test_a_reward_model_of_few_numbers_scores_along_its_directions(preference_course):
    torch.manual_seed(0)
    basis, truth = torch.randn(16, 3), torch.tensor([1.0, -2.0, 0.0])
    pairs = torch.randn(400, 2, 3)
    won = ((pairs[:, 0] - pairs[:, 1]) @ truth > 0)[:, None, None]
    pairs = torch.where(won, pairs, pairs.flip(1))
    head = train_reward_model(pairs, basis).head.weight[0]
    weights = basis.pinverse() @ head
    assert weights[0] > 0.3 and weights[1] < -0.6 and abs(weights[2]) < 0.2
    torch.testing.assert_close(basis @ weights, head)
