"""The pieces of the message → reply GAN: each equal to the package's own, and nothing moves that should not."""

import copy

import pytest
import torch

from helpers.models.reply_gan import MessageReplyDiscriminator, ReplyGenerator
from helpers.training import reinforce, reply_gan

MASK = torch.tensor([[True, True, True], [True, False, False]])


def test_straight_through_is_the_gumbel_softmax_with_the_same_noise():
    logits = torch.randn(4, 5, requires_grad=True)
    torch.manual_seed(1)
    expected = reinforce.gumbel_softmax(logits, 0.7, hard=True)
    torch.manual_seed(1)
    noise = -torch.empty_like(logits).exponential_().log()
    sampled = reply_gan.straight_through(logits, noise, 0.7)
    weights = torch.randn(5)
    torch.testing.assert_close(sampled, expected)
    torch.testing.assert_close(*(torch.autograd.grad((part * weights).sum(), logits)[0] for part in (sampled, expected)))


def test_the_loss_broadcasts_its_baseline_and_has_no_gradient_for_it():
    log_p, rewards = torch.randn(2, 3, requires_grad=True), torch.randn(2, 3, requires_grad=True)
    loss = reply_gan.reinforce_loss(log_p, rewards, torch.tensor(0.5), MASK)
    torch.testing.assert_close(loss, reinforce.reinforce_loss(log_p, rewards - 0.5, MASK))
    loss.backward()
    assert rewards.grad is None and log_p.grad[1, 1:].eq(0).all() and log_p.grad[0].ne(0).all()


def test_advantages_are_clipped_and_returns_are_not():
    rewards, values = torch.tensor([[1.0, 0.0, 20.0], [-30.0, 9.0, 9.0]]), torch.zeros(2, 3, requires_grad=True)
    better, returns = reply_gan.advantages(rewards, values, MASK, gamma=0.5, clip=4.0)
    assert returns.tolist() == [[6.0, 10.0, 20.0], [-30.0, 0.0, 0.0]]
    assert better.tolist() == [[4.0, 4.0, 4.0], [-4.0, 0.0, 0.0]] and not better.requires_grad


@pytest.fixture
def players():
    torch.manual_seed(0)
    generator, discriminator = ReplyGenerator(6, 3, reply_gan.straight_through), MessageReplyDiscriminator(6, 4, 3)
    return generator, discriminator


def test_a_step_moves_each_network_by_its_own_optimizer_only(players):
    messages, replies = torch.tensor([[1, 2, 3, 0]] * 4), torch.tensor([[1, 2, 3]] * 4)
    for still in (0, 1):
        networks = copy.deepcopy(players)
        before = [copy.deepcopy(network.state_dict()) for network in networks]
        optimizers = [torch.optim.SGD(network.parameters(), lr=0.0 if number == still else 0.1)
                      for number, network in enumerate(networks)]  # fmt: skip
        losses = reply_gan.reply_gan_step(*networks, *optimizers, messages, replies)
        assert all(isinstance(loss, float) and loss > 0 for loss in losses)
        same = [all(torch.equal(now, then[name]) for name, now in network.state_dict().items())
                for network, then in zip(networks, before)]  # fmt: skip
        assert same == [still == 0, still == 1]


def test_a_discriminator_learns_to_tell_real_replies_from_those_of_a_generator_that_stands_still(players):
    messages, replies = torch.tensor([[1, 2, 3, 0]] * 32), torch.tensor([[1, 2, 3]] * 32)
    optimizers = torch.optim.SGD(players[0].parameters(), lr=0.0), torch.optim.Adam(players[1].parameters(), lr=0.01)
    losses = [reply_gan.reply_gan_step(*players, *optimizers, messages, replies)[0] for _ in range(60)]
    assert losses[-1] < 0.4 < 1.2 < losses[0]
