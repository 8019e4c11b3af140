"""The two networks of the message → reply GAN."""

import torch

from helpers.models.reply_gan import MessageReplyDiscriminator, ReplyGenerator, gumbel_noise
from helpers.training.reply_gan import straight_through

MESSAGES = torch.tensor([[1, 2, 3, 0], [4, 1, 2, 3]])


def generator():
    torch.manual_seed(0)
    return ReplyGenerator(6, 3, straight_through)


def test_a_sampled_reply_is_one_hot_and_lets_a_gradient_through():
    network = generator()
    sampled = network(MESSAGES)
    assert sampled.shape == (2, 3, 6)
    torch.testing.assert_close(sampled.sort(-1).values, torch.eye(6)[-1].expand(2, 3, 6).sort(-1).values)
    (sampled * torch.randn(6)).sum().backward()
    assert all(weights.grad.abs().sum() > 0 for weights in network.parameters())


def test_the_logits_of_a_reply_do_not_see_what_comes_after():
    network = generator()
    replies = torch.tensor([[1, 2, 3], [3, 2, 1]])
    changed = replies.clone()
    changed[:, 1:] = 5
    torch.testing.assert_close(network(MESSAGES, replies)[:, :2], network(MESSAGES, changed)[:, :2])
    assert not torch.allclose(network(MESSAGES, replies)[:, 2], network(MESSAGES, changed)[:, 2])


def test_replies_are_sampled_with_the_probabilities_of_the_logits():
    network, many = generator(), MESSAGES[:1].expand(20_000, 4)
    with torch.no_grad():
        frequencies = network(many)[:, 0].mean(0)
        expected = network(MESSAGES[:1], torch.zeros(1, 3, dtype=torch.int64))[0, 0].softmax(-1)
    torch.testing.assert_close(frequencies, expected, atol=0.02, rtol=0)


def test_gumbel_noise_has_the_mean_of_its_distribution():
    torch.manual_seed(0)
    assert abs(gumbel_noise(torch.zeros(200_000)).mean() - 0.5772) < 0.01


def test_the_discriminator_reads_the_message_unless_it_is_hidden():
    replies = torch.nn.functional.one_hot(torch.tensor([[1, 2, 3], [1, 2, 3]]), 6).float()
    torch.manual_seed(0)
    reads, blind = (MessageReplyDiscriminator(6, length, 3).eval() for length in (4, 0))
    first, second = reads(MESSAGES, replies).tolist()
    assert abs(first - second) > 1e-3
    first, second = blind(MESSAGES, replies).tolist()
    assert abs(first - second) < 1e-6
