"""What learners build in notebook 09, in its text and in its exercises, does what the package does."""

import numpy as np
import pytest
import torch

from helpers.corpus.implicit_feedback import BASELINES, accuracy, preference_pairs
from helpers.evaluation.best_of_n import best_of
from helpers.evaluation.intervals import bootstrap_interval
from helpers.training import dpo, reinforce, reward_modeling, rlhf
from tests.answers.solutions import run, solutions
from tests.corpus.test_implicit_feedback import talk
from tests.notebooks import books, definitions

NOTEBOOK = "09_from_votes_to_rewards"
SOLUTIONS = solutions(NOTEBOOK)


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


def lifted(name):
    return definitions.lift(books.paths(["09"])[0], name)


def replies():
    """Log-probabilities of three replies of different length under policy and reference, their mask, and scores."""
    torch.manual_seed(0)
    log_p, log_p_ref = -torch.rand(2, 3, 6)
    return log_p, log_p_ref, torch.arange(6) < torch.tensor([[6], [2], [4]]), torch.tensor([1.0, -2.0, 0.5])


def test_the_loss_of_a_reward_model_is_the_packages():
    torch.manual_seed(0)
    chosen, rejected = torch.randn(2, 20, dtype=torch.double)
    expected = reward_modeling.bradley_terry_loss(chosen, rejected)
    torch.testing.assert_close(solution("bradley_terry_loss")(chosen, rejected), expected)


def test_the_interval_is_the_packages():
    rng = np.random.default_rng(0)
    groups, values = np.sort(rng.integers(0, 9, 60)), rng.random(60)
    groups = np.unique(groups, return_inverse=True)[1]
    expected = bootstrap_interval(values, groups, np.random.default_rng(1), 300)
    assert solution("bootstrap_interval")(values, groups, np.random.default_rng(1), 300) == pytest.approx(expected)


def test_the_trained_row_of_weights_is_the_packages():
    torch.manual_seed(0)
    pairs = torch.randn(50, 2, 4)
    expected = reward_modeling.train_reward_head(pairs, 20, 0.1)
    torch.testing.assert_close(solution("train_reward_head")(pairs, 20, 0.1), expected)


@pytest.mark.parametrize("shape", [(3, 4), (1, 2)])
def test_the_advantages_are_the_packages(shape):
    torch.manual_seed(0)
    scores = torch.randn(shape)
    expected = rlhf.leave_one_out_advantages(scores)
    torch.testing.assert_close(solution("leave_one_out_advantages")(scores), expected)


def test_rewards_and_loss_are_the_packages_for_replies_of_any_length():
    log_p, log_p_ref, mask, scores = replies()
    expected = reinforce.kl_penalized_rewards(scores, log_p, log_p_ref, 0.2, mask)
    rewards = solution("kl_penalized_rewards")(scores, log_p, log_p_ref, 0.2, mask)
    torch.testing.assert_close(rewards, expected)
    loss = solution("policy_gradient_loss")(log_p, rewards, mask)
    torch.testing.assert_close(loss, rlhf.policy_gradient_loss(log_p, expected, mask))


def test_with_an_infinite_interval_the_clipped_loss_has_the_gradient_of_reinforce():
    log_p, _, mask, _ = replies()
    advantages = torch.randn(3, 6) * mask
    moving = log_p.clone().requires_grad_()
    loss = solution("clipped_policy_loss")(moving, log_p, advantages, mask, 0.2)
    plain = reinforce.reinforce_loss(moving, advantages, mask)
    found, expected = (torch.autograd.grad(each, moving)[0] for each in (loss, plain))
    torch.testing.assert_close(found, expected)


def test_dpo_is_the_packages():
    torch.manual_seed(0)
    parts = torch.randn(4, 7)
    torch.testing.assert_close(solution("dpo_loss")(*parts, 0.3), dpo.dpo_loss(*parts, 0.3))
    logits, labels = torch.randn(3, 5, 6), torch.randint(6, (3, 5))
    labels[:, :2] = -100
    expected = dpo.reply_log_probability(logits, labels)
    torch.testing.assert_close(solution("reply_log_probability")(logits, labels), expected)


@pytest.mark.parametrize("n", [1, 3, 6])
def test_the_best_of_n_is_the_packages(n):
    scores = [0.3, -1.0, 2.5, 0.7, 0.1, -0.4]
    assert solution("expected_best")(scores, n) == pytest.approx(best_of(torch.tensor([scores]), n))


def test_a_direction_taken_out_is_gone():
    torch.manual_seed(0)
    weights, direction = torch.randn(2, 24)
    rest = solution("remove_direction")(weights, direction)
    assert rest @ direction == pytest.approx(0, abs=1e-5)
    torch.testing.assert_close(solution("remove_direction")(rest, direction), rest)


@pytest.mark.parametrize("guess", BASELINES.values(), ids=BASELINES)
def test_what_is_correct_on_the_page_adds_up_to_the_packages_accuracy(guess):
    sizes = [12, 4, 11, 30, 25, 3, 5, 22, 10, 2, 24, 40, 4, 9, 12, 1] * 4
    pairs = preference_pairs([talk(*sizes[start:], name=str(start)) for start in range(6)], matched=None)
    assert lifted("correct")(pairs, guess).mean() == pytest.approx(accuracy(pairs, guess))
