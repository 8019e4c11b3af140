"""How a bot is paid: sums by hand, what length costs, and controls that know nothing of a reply."""

import math

import pytest
import torch

from helpers.training.reward_shaping import controlled, discriminator_rewards, length_normalized, reward_differences


def test_a_reward_is_0_where_the_judge_cannot_tell_and_below_where_it_smells_a_machine():
    counted = torch.tensor([[True, True, True, False]])
    found = discriminator_rewards(torch.tensor([[0.0, 30.0, -30.0, 5.0]]), counted)
    assert found.tolist() == [[pytest.approx(0), pytest.approx(math.log(2)), pytest.approx(math.log(2) - 30), 0]]


def test_rewards_are_finite_where_a_sigmoid_rounds_to_zero():
    assert discriminator_rewards(torch.tensor([[-200.0]]), torch.tensor([[True]])).item() == pytest.approx(
        math.log(2) - 200
    )


def test_changes_sum_to_the_last_verdict_however_long_the_reply():
    counted = torch.tensor([[True, True, True], [True, False, False]])
    rewards = discriminator_rewards(torch.tensor([[1.0, -2.0, 0.5], [0.5, 9.0, 9.0]]), counted)
    found = reward_differences(rewards, counted)
    assert found[0].tolist() == pytest.approx(
        [rewards[0, 0].item(), (rewards[0, 1] - rewards[0, 0]).item(), (rewards[0, 2] - rewards[0, 1]).item()]
    )
    assert found.sum(1).tolist() == pytest.approx([rewards[0, 2].item(), rewards[1, 0].item()])
    assert found.sum(1)[0] == pytest.approx(found.sum(1)[1].item()) and found[1].tolist()[1:] == [0, 0]


def test_the_controls_pay_out_the_same_sum_at_the_last_token_of_each_reply():
    counted = torch.tensor([[True, True, True], [True, False, False], [True, True, False]])
    paid = torch.randn(3, 3).where(counted, 0.0)
    assert torch.equal(controlled(paid, counted, "discriminator"), paid)
    constant = controlled(paid, counted, "constant")
    shuffled = controlled(paid, counted, "shuffled", torch.Generator().manual_seed(1))
    for control in (constant, shuffled):
        assert (control != 0).nonzero().tolist() == [[0, 2], [1, 0], [2, 1]]
        assert control.sum().item() == pytest.approx(paid.sum().item(), abs=1e-6)
    assert constant.sum(1).tolist() == pytest.approx([paid.sum().item() / 3] * 3)
    assert torch.allclose(shuffled.sum(1).sort().values, paid.sum(1).sort().values)
    assert not torch.allclose(shuffled.sum(1), paid.sum(1))


def test_evened_pay_no_longer_depends_on_length():
    counted = torch.arange(6)[None] < torch.tensor([1, 2, 4, 6, 3, 5])[:, None]
    paid = (torch.randn(6, 6) - 2).where(counted, 0.0)
    lengths, found = counted.sum(1).float(), length_normalized(paid, counted)
    covariance = lambda values: ((lengths - lengths.mean()) * (values - values.mean())).mean().item()  # noqa: E731
    assert covariance(paid.sum(1)) < -1 and covariance(found.sum(1)) == pytest.approx(0, abs=1e-5)
    assert not found[~counted].any() and (found - paid)[counted].unique().numel() <= 6
    same = torch.ones(2, 3, dtype=torch.bool)
    assert torch.equal(length_normalized(paid[:2, :3], same), paid[:2, :3])  # of one length only: nothing to even
