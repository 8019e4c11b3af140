"""The policy gradient: against gradients that can be enumerated, and against the errors others made with it."""

import itertools
import math

import pytest
import torch

from helpers.generation.scoring import token_log_probabilities
from helpers.training.reinforce import gumbel_softmax, kl_penalized_rewards, reinforce_loss, rewards_to_go, whiten

WORTH = torch.tensor([1.0, -0.5, 2.0])  # what each of the toy's three tokens earns


def rows(*lengths, size=None):
    """Return ``counted`` for replies of these lengths."""
    return torch.arange(size or max(lengths))[None] < torch.tensor(lengths)[:, None]


# --- REINFORCE on a toy: two draws of three tokens, nine replies -------------------------------------------------------


def toy():
    """Return logits of the first token [3], and of the second after each first one [3, 3]."""
    return (
        torch.tensor([0.3, -0.2, 0.1], dtype=torch.double, requires_grad=True),
        torch.tensor([[0.1, 0.5, -0.3], [1.0, 0.0, 0.2], [-0.4, 0.3, 0.9]], dtype=torch.double, requires_grad=True),
    )


def all_replies():
    return torch.tensor(list(itertools.product(range(3), repeat=2)))  # [9, 2]


def said(first, second, drawn):
    """Return log p [B, 2] of the tokens ``drawn`` [B, 2]."""
    logits = torch.stack([first.expand(len(drawn), 3), second[drawn[:, 0]]], dim=1)
    return token_log_probabilities(logits, drawn)[0]


def exact(gamma=1.0):
    """Return the gradient of the mean return, by adding up all nine replies."""
    first, second = toy()
    log_p = torch.log_softmax(first, -1)[:, None] + torch.log_softmax(second, -1)  # [3, 3]
    value = (log_p.exp() * (WORTH[:, None] + gamma * WORTH[None])).sum()
    return flat(torch.autograd.grad(value, [first, second]))


def flat(parts):
    return torch.cat([part.flatten() for part in parts])


def estimates(baseline, number=4000):
    """Return that many single-reply estimates of the gradient, [number, 12]: each reply has parameters of its own."""
    first, second = (part.detach().expand(number, *part.shape).clone().requires_grad_() for part in toy())
    random = torch.Generator().manual_seed(1)
    one = torch.multinomial(first.detach().softmax(-1), 1, generator=random)
    two = torch.multinomial(second.detach()[0].softmax(-1)[one[:, 0]], 1, generator=random)
    drawn = torch.cat([one, two], dim=1)
    logits = torch.stack([first, second[torch.arange(number), drawn[:, 0]]], dim=1)
    log_p, counted = token_log_probabilities(logits, drawn)
    advantages = rewards_to_go(WORTH[drawn].double(), counted) - baseline(drawn)
    reinforce_loss(log_p, advantages, counted).backward()
    return -number * torch.cat([first.grad, second.grad.flatten(1)], dim=1)


def critic(drawn):
    """Return the exact value before each token [B, 2]: what the policy earns on average from there on."""
    first, second = (part.detach() for part in toy())
    after = second.softmax(-1) @ WORTH.double()  # [3]
    before = first.softmax(-1) @ (WORTH.double() + after)
    return torch.stack([before.expand(len(drawn)), after[drawn[:, 0]]], dim=1)


@pytest.mark.parametrize("baseline", [lambda drawn: torch.zeros(len(drawn), 2), critic], ids=["none", "critic"])
def test_the_estimate_is_unbiased_with_and_without_a_critic(baseline):
    """Each reply weighted by its probability: the mean over all nine is the exact gradient, not nearly but exactly."""
    first, second = toy()
    drawn = all_replies()
    counted = torch.ones_like(drawn, dtype=torch.bool)
    weights = said(first, second, drawn).sum(1).double().exp().detach()
    advantages = rewards_to_go(WORTH[drawn].double(), counted) - baseline(drawn).double()
    total = 0
    for row, weight, value in zip(drawn, weights, advantages):
        loss = reinforce_loss(said(first, second, row[None]), value[None], counted[:1])
        total = total - weight * flat(torch.autograd.grad(loss, [first, second]))
    assert total == pytest.approx(exact(), abs=1e-5)


def test_with_gamma_0_each_token_is_blamed_for_its_own_reward_alone():
    first, second = toy()
    drawn = all_replies()
    weights = said(first, second, drawn).sum(1).double().exp().detach()
    total = 0
    for row, weight in zip(drawn, weights):
        counted = torch.ones(1, 2, dtype=torch.bool)
        loss = reinforce_loss(said(first, second, row[None]), rewards_to_go(WORTH[row][None], counted, 0.0), counted)
        total = total - weight * flat(torch.autograd.grad(loss, [first, second]))
    alone = torch.autograd.grad((first.softmax(-1) * WORTH).sum(), first)[0]
    assert total[:3] == pytest.approx(alone, abs=1e-5)
    assert not torch.allclose(alone, exact()[:3], atol=1e-2)


def test_the_variance_falls_with_the_critic():
    plain, steady = estimates(lambda drawn: 0.0), estimates(critic)
    assert plain.mean(0) == pytest.approx(exact(), abs=0.12)
    assert steady.mean(0) == pytest.approx(exact(), abs=0.06)
    assert steady.var(0).sum() < 0.6 * plain.var(0).sum()


def test_rewards_that_are_all_positive_need_a_baseline():
    """Without one every token that was drawn becomes likelier, and the noise grows with what all replies earn alike."""
    high = estimates(lambda drawn: torch.full((len(drawn), 2), -10.0), number=1000)
    steady = estimates(lambda drawn: critic(drawn), number=1000)
    assert high.var(0).sum() > 20 * steady.var(0).sum()
    counted = torch.ones(1, 1, dtype=torch.bool)
    log_p = torch.zeros(1, 1, requires_grad=True)
    reinforce_loss(log_p, torch.tensor([[0.2]]), counted).backward()
    assert log_p.grad.item() < 0  # a step against it makes even the worst draw likelier, if its reward is above 0


# --- returns -----------------------------------------------------------------------------------------------------------


def test_returns_by_hand():
    rewards = torch.tensor([[1.0, 2.0, 4.0], [8.0, 16.0, 99.0]])
    counted = rows(3, 2)
    expected = torch.tensor([[1 + 0.5 * (2 + 0.5 * 4), 2 + 0.5 * 4, 4], [8 + 0.5 * 16, 16, 0]])
    assert torch.equal(rewards_to_go(rewards, counted, 0.5), expected)


def test_each_return_comes_back_to_its_own_reply_and_step():
    """A reward that spells its own row and step must arrive there: nothing is reshaped on the way."""
    rewards = torch.arange(5)[:, None] * 100.0 + torch.arange(4)
    assert torch.equal(rewards_to_go(rewards, rows(4, 4, 4, 4, 4), 0.0), rewards)


@pytest.mark.parametrize("gamma", [0.0, 0.7, 1.0])
def test_what_stands_at_padding_changes_nothing(gamma):
    counted, rewards, log_p = rows(2, 4), torch.randn(2, 4), torch.randn(2, 4)
    other = rewards.masked_fill(~counted, float("nan"))
    assert torch.equal(rewards_to_go(rewards, counted, gamma), rewards_to_go(other, counted, gamma))
    assert torch.equal(
        reinforce_loss(log_p, rewards, counted), reinforce_loss(log_p.masked_fill(~counted, 7.0), other, counted)
    )
    assert torch.equal(whiten(rewards, counted), whiten(rewards.masked_fill(~counted, 1e6), counted))


def test_the_loss_is_the_mean_over_replies_of_sums_over_tokens():
    log_p, advantages = torch.tensor([[-1.0, -2.0], [-3.0, -9.0]]), torch.tensor([[0.5, 2.0], [1.0, 50.0]])
    assert reinforce_loss(log_p, advantages, rows(2, 1)).item() == pytest.approx((0.5 + 4 + 3) / 2)


def test_whitened_has_mean_0_and_variance_1_over_what_is_counted():
    counted = rows(2, 5, 1)
    values = whiten(torch.randn(3, 5) * 4 + 3, counted)
    assert values[counted].mean().item() == pytest.approx(0, abs=1e-6)
    assert values[counted].var(correction=0).item() == pytest.approx(1, abs=1e-5)
    assert not values[~counted].any()
    assert not whiten(torch.full((1, 3), 5.0), rows(3)).any()


# --- the score at the last token ---------------------------------------------------------------------------------------


def test_the_score_lies_at_the_last_token_of_each_reply_however_short():
    counted = rows(4, 2, 1)
    zero = torch.zeros(3, 4)
    rewards = kl_penalized_rewards(torch.tensor([1.0, 2.0, 3.0]), zero, zero, 0.1, counted)
    assert torch.equal(rewards, torch.tensor([[0, 0, 0, 1.0], [0, 2.0, 0, 0], [3.0, 0, 0, 0]]))


def test_a_score_lies_at_the_last_counted_token_even_where_the_prompt_is_not_counted():
    counted = torch.tensor([[False, False, True, True, False]])
    zero = torch.zeros(1, 5)
    assert kl_penalized_rewards(torch.ones(1), zero, zero, 0.1, counted).tolist() == [[0, 0, 0, 1, 0]]


def test_the_penalty_is_paid_at_each_token_and_sums_to_the_divergence():
    policy, reference, counted = torch.randn(2, 3), torch.randn(2, 3), rows(3, 2)
    rewards = kl_penalized_rewards(torch.zeros(2), policy, reference, 0.5, counted)
    assert torch.allclose(rewards, (-0.5 * (policy - reference)) * counted)
    assert torch.allclose(
        rewards_to_go(rewards, counted)[:, 0], -0.5 * ((policy - reference) * counted).sum(1), atol=1e-6
    )


# --- no gradient where none belongs ------------------------------------------------------------------------------------


def test_no_gradient_reaches_what_judges():
    judge, value = torch.randn(2, 3, requires_grad=True), torch.randn(2, 3, requires_grad=True)
    log_p = torch.randn(2, 3, requires_grad=True)
    reinforce_loss(log_p, rewards_to_go(judge, rows(3, 2)) - value, rows(3, 2)).backward()
    assert judge.grad is None and value.grad is None and log_p.grad.any()
    scores, policy = torch.randn(2, requires_grad=True), torch.randn(2, 3, requires_grad=True)
    assert not kl_penalized_rewards(scores, policy, policy.detach(), 0.1, rows(3, 2)).requires_grad


# --- numbers that are none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_reward_that_is_no_number_is_named_with_its_place(wrong):
    values = torch.zeros(3, 4)
    values[1, 2] = wrong
    with pytest.raises(ValueError, match="a reward is no number: .* in row 1 at step 2"):
        rewards_to_go(values, rows(4, 3, 2))
    with pytest.raises(ValueError, match="an advantage is no number"):
        reinforce_loss(torch.zeros(3, 4), values, rows(4, 3, 2))
    rewards_to_go(values, rows(4, 2, 2))  # at padding it does not matter


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="gamma is 1.5"):
        rewards_to_go(torch.zeros(1, 2), rows(2), 1.5)
    with pytest.raises(ValueError, match="each token needs a reward"):
        rewards_to_go(torch.zeros(2, 1), rows(2, 2))
    with pytest.raises(ValueError, match="reply 1 is empty"):
        kl_penalized_rewards(torch.zeros(2), torch.zeros(2, 3), torch.zeros(2, 3), 0.1, rows(3, 0))
    with pytest.raises(ValueError, match="temperature is 0"):
        gumbel_softmax(torch.zeros(3), 0)


# --- Gumbel ------------------------------------------------------------------------------------------------------------


def test_gumbel_softmax_draws_as_the_softmax_says_and_lets_the_gradient_through():
    logits = torch.tensor([1.0, 0.0, -1.0], requires_grad=True)
    dice = torch.Generator().manual_seed(0)
    drawn = gumbel_softmax(logits.expand(20_000, 3), 0.5, hard=True, generator=dice)
    assert torch.allclose(drawn.sort(-1).values.detach(), torch.tensor([0.0, 0.0, 1.0]), atol=1e-6)
    assert drawn.mean(0).detach() == pytest.approx(logits.softmax(-1).detach(), abs=0.012)
    (drawn @ torch.tensor([0.0, 0.0, 1.0])).mean().backward()
    assert logits.grad[2] > 0 > logits.grad[0]


def test_gumbel_softmax_hardens_as_its_temperature_falls():
    logits = torch.zeros(500, 4)
    soft, sharp = (gumbel_softmax(logits, t, generator=torch.Generator().manual_seed(0)) for t in (5.0, 0.05))
    assert soft.max(-1).values.mean() < 0.5 < 0.95 < sharp.max(-1).values.mean()
    assert soft.sum(-1) == pytest.approx(torch.ones(500), abs=1e-5)
    assert torch.equal(soft.argmax(-1), sharp.argmax(-1))  # the same noise, the same draw
