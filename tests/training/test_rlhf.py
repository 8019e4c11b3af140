"""The policy gradient on a GPT: rewards, the KL penalty, and a reward that is no number."""

import copy

import pytest
import torch

from helpers.corpus.batches.base import IGNORED
from helpers.corpus.batches.prompts import ContextBatches
from helpers.generation.rollout import sample_rollout
from helpers.generation.scoring import reply_log_probabilities, token_log_probabilities
from helpers.models.lora import add_lora
from helpers.models.reward_model import RewardModel
from helpers.training import fit
from helpers.training.rlhf import (
    PolicyGradient,
    leave_one_out_advantages,
    policy_gradient_loss,
    reward_function,
)
from tests import factories
from tests.factories import CONTEXTS
from tests.factories import SPECIAL_IDS as MARKS

LIKED = 11


def gpt(seed=0, **changes):
    return factories.gpt(seed=seed, zero_output=False, embedding=10, **changes)


def batch(replies=3):
    return ContextBatches.of(CONTEXTS, replies, pad=0)


def drawn(model, seed=0, most=6, **changes):
    return sample_rollout(model, batch(), most, generator=torch.Generator().manual_seed(seed), **{**MARKS, **changes})


def likes(said):
    """A reward: how often the liked token was said."""
    return (said.targets == LIKED).sum(1).float()


# --- the reward ---------------------------------------------------------------------------------------------------------


def test_the_judge_gives_a_rollout_what_it_gives_its_pairs():
    judge = RewardModel(gpt(1), 2, **MARKS)
    torch.nn.init.normal_(judge.head.weight)
    said = drawn(gpt())
    torch.testing.assert_close(reward_function(judge)(said), judge.score(said.pairs()), atol=1e-5, rtol=1e-4)


# --- the loss ----------------------------------------------------------------------------------------------------------


def loss_of(reward=likes, beta=0.1, **changes):
    reference = gpt()
    return PolicyGradient(reward, reference, beta, replies=3, max_tokens=6, watched=[LIKED], **{**MARKS, **changes})


def test_log_probabilities_and_distance_are_those_of_the_whole_replies():
    loss, policy = loss_of(), gpt(3)
    loss(policy, batch())
    said = sample_rollout(policy, batch(), 6, generator=torch.Generator().manual_seed(0), **MARKS)
    moved = [reply_log_probabilities(model, said.pairs(), 0) for model in (policy, loss.reference)]
    assert loss.records[0]["kl"] == pytest.approx((moved[0] - moved[1]).mean().item(), abs=1e-4)
    assert loss.records[0]["score"] == pytest.approx(likes(said).mean().item())
    assert loss.records[0]["tokens"] == pytest.approx((said.targets != IGNORED).sum(1).float().mean().item())
    assert loss.records[0]["watched"] == pytest.approx((said.targets == LIKED).any(1).float().mean().item())


def test_at_the_beginning_the_distance_is_0_even_with_dropout():
    model = gpt(dropout=0.5)
    loss = PolicyGradient(likes, copy.deepcopy(model), 0.1, replies=3, max_tokens=6, **MARKS)
    loss(model.train(), batch())
    assert loss.records[0]["kl"] == pytest.approx(0, abs=1e-5) and model.training


@pytest.mark.parametrize("size", [1.0, 0.01, 300.0])
def test_the_gradient_makes_a_reply_likelier_that_scores_higher_than_its_neighbors(size):
    """Two replies to one context, one liked: without a KL penalty, the gradient is that of their difference.

    How much it is liked does not matter, for advantages are whitened.
    """
    model, chosen = gpt(), []

    def first_wins(said):
        chosen.append(said)
        return torch.tensor([size, 0.0])

    loss = PolicyGradient(first_wins, gpt(), 0.0, replies=2, max_tokens=1, **MARKS)
    loss(model, ContextBatches.of([CONTEXTS[0]], 2, 0)).backward()
    found = model.embed.weight.grad.clone()
    model.zero_grad()
    said = chosen[0]
    logits, _ = model(said.ids[:, :-2], None, said.padding)
    log_p, _ = token_log_probabilities(logits, said.targets)
    first, second = log_p.sum(1)
    (-(first - second) / 2).backward()  # whitened, the two advantages are 1 and −1; the loss is a mean over two
    torch.testing.assert_close(found, model.embed.weight.grad, atol=1e-5, rtol=1e-3)


def test_the_baseline_is_the_mean_of_the_others():
    scores = torch.tensor([[1.0, 2.0, 6.0], [0.0, 0.0, 3.0]])
    baseline = torch.tensor([[4.0, 3.5, 1.5], [1.5, 1.5, 0.0]])
    torch.testing.assert_close(leave_one_out_advantages(scores), scores - baseline)


def test_no_gradient_flows_through_the_rewards():
    torch.manual_seed(0)
    log_p, mask = torch.randn(3, 5, requires_grad=True), torch.ones(3, 5, dtype=torch.bool)
    rewards = torch.randn(3, 5)
    wanted = torch.autograd.grad(policy_gradient_loss(log_p, rewards, mask), log_p)[0]
    found = torch.autograd.grad(policy_gradient_loss(log_p, rewards + 0 * log_p, mask), log_p)[0]
    torch.testing.assert_close(found, wanted)
    returns = rewards.flip(1).cumsum(1).flip(1)
    torch.testing.assert_close(wanted, -(returns - returns.mean()) / returns.std(correction=0) / 3)


def tuned(beta, steps=25):
    policy = add_lora(gpt(), 4)
    loss = loss_of(beta=beta)
    batches = ContextBatches(CONTEXTS, 4, 3, pad=0)
    history = fit(policy, batches, steps=steps, learning_rate=0.02, loss=loss, progress=False)
    assert not history.stopped
    return loss.records


def test_the_score_rises_and_the_leash_holds():
    free, held = tuned(0.0), tuned(1.0)
    assert free[-1]["score"] > free[0]["score"] + 1
    assert free[-1]["kl"] > 2 * abs(held[-1]["kl"]) and free[-1]["score"] > held[-1]["score"]


def test_a_reward_that_is_no_number_ends_the_training_and_the_last_good_weights_stay():
    policy, calls, kept = add_lora(gpt(), 2), [], {}

    def fails(said):
        calls.append(0)
        scores = likes(said)
        if len(calls) == 4:
            scores[5] = float("nan")
        return scores

    def keep(history, model):
        if history.steps == 3:
            kept.update(copy.deepcopy(model.state_dict()))

    loss = loss_of(fails)
    batches = ContextBatches(CONTEXTS, 4, 3, pad=0)
    history = fit(
        policy, batches, steps=9, learning_rate=0.02, loss=loss, callbacks=[keep], progress=False
    )  # fmt: skip
    assert history.stopped.startswith("Stopped at step 4: the reward of reply 5 was nan")
    assert history.steps == 4 and len(loss.records) == 3
    assert all(torch.equal(kept[name], value) for name, value in policy.state_dict().items())
    assert all(torch.isfinite(value).all() for value in policy.state_dict().values())


def test_prices_that_make_no_sense_are_refused():
    for changes in ({"beta": -0.1}, {"beta": float("nan")}):
        with pytest.raises(ValueError, match="give 0 or more"):
            loss_of(**changes)
