"""What learners build in the second lesson of notebook 08 does what the package does."""

import copy

import pytest
import torch

from helpers.experiments.dialogue_gan_verdict import at_equal_diversity
from helpers.models import reply_gan as package_models
from helpers.training import reinforce, reply_gan
from helpers.training.reward_shaping import controlled
from tests.answers.solutions import run, solutions
from tests.notebooks import books, definitions

NOTEBOOK = "08_gan_replies"
SOLUTIONS = solutions(NOTEBOOK)
MASK = torch.arange(6) < torch.tensor([6, 1, 3, 5, 2])[:, None]
MESSAGES, REPLIES = torch.randint(7, (5, 4)), torch.randint(7, (5, 3))


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


def lifted(name):
    return definitions.lift(books.paths(["08"])[0], name)


@pytest.mark.parametrize("shape", [(4,), (3, 5), (2, 3, 6)])
def test_straight_through_is_the_packages_and_the_gumbel_softmax(shape):
    logits = torch.randn(shape, requires_grad=True)
    torch.manual_seed(2)
    expected = reinforce.gumbel_softmax(logits, 0.6, hard=True)
    torch.manual_seed(2)
    noise = package_models.gumbel_noise(logits)
    weights = torch.randn(shape[-1])
    for function in (solution("straight_through"), reply_gan.straight_through):
        sampled = function(logits, noise, 0.6)
        torch.testing.assert_close(sampled, expected)
        torch.testing.assert_close(*(torch.autograd.grad((part * weights).sum(), logits, retain_graph=True)[0]
                                     for part in (sampled, expected)))  # fmt: skip


@pytest.mark.parametrize("baseline", [torch.tensor(0.4), torch.randn(5, 6)])
def test_the_loss_is_the_packages(baseline):
    log_p, rewards = torch.randn(5, 6, requires_grad=True), torch.randn(5, 6)
    mine, theirs = solution("reinforce_loss"), reply_gan.reinforce_loss
    losses = [function(log_p, rewards, baseline, MASK) for function in (mine, theirs)]
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(losses[0], reinforce.reinforce_loss(log_p, (rewards - baseline).expand(5, 6), MASK))
    torch.testing.assert_close(*(torch.autograd.grad(loss, log_p)[0] for loss in losses))


def test_advantages_are_the_packages():
    rewards, values = torch.randn(5, 6) * 4, torch.randn(5, 6, requires_grad=True)
    mine, theirs = solution("advantages"), reply_gan.advantages
    for gamma, clip in ((1.0, 5.0), (0.9, 1.0)):
        torch.testing.assert_close(mine(rewards, values, MASK, gamma, clip), theirs(rewards, values, MASK, gamma, clip))


def test_a_step_leaves_the_weights_that_the_packages_leaves():
    torch.manual_seed(0)
    players = (
        package_models.ReplyGenerator(7, 3, reply_gan.straight_through),
        package_models.MessageReplyDiscriminator(7, 4, 3),
    )
    after = []
    for step in (solution("reply_gan_step"), reply_gan.reply_gan_step):
        networks = copy.deepcopy(players)
        optimizers = [torch.optim.Adam(network.parameters(), lr=0.01) for network in networks]
        torch.manual_seed(1)
        losses = [step(*networks, *optimizers, MESSAGES, REPLIES) for _ in range(3)]
        after.append((losses, [network.state_dict() for network in networks]))
    torch.testing.assert_close(*after)


def test_the_notebooks_networks_are_the_packages():
    generator = lifted("ReplyGenerator")
    generator.forward.__globals__["straight_through"] = reply_gan.straight_through  # the lifted one is an empty stub
    pairs = (
        (generator(7, 3), package_models.ReplyGenerator(7, 3, reply_gan.straight_through)),
        (lifted("MessageReplyDiscriminator")(7, 4, 3), package_models.MessageReplyDiscriminator(7, 4, 3)),
        (lifted("MessageReplyDiscriminator")(7, 0, 3), package_models.MessageReplyDiscriminator(7, 0, 3)),
    )
    one_hot = torch.nn.functional.one_hot(REPLIES, 7).float()
    for number, (mine, theirs) in enumerate(pairs):
        theirs.load_state_dict(mine.state_dict())
        for given in ((MESSAGES,), (MESSAGES, REPLIES)) if not number else ((MESSAGES, one_hot),):
            results = []
            for network in (mine, theirs):
                torch.manual_seed(0)
                results.append(network(*given))
            torch.testing.assert_close(*results)


def test_shuffled_rewards_are_the_packages_control():
    rewards, mask = torch.randn(5, 6), MASK
    rng = torch.Generator().manual_seed(3)
    order = torch.randperm(5, generator=torch.Generator().manual_seed(3))
    clean = rewards.where(mask, 0.0)  # the package's rewards are 0 at padding
    torch.testing.assert_close(solution("shuffled_rewards")(rewards, mask, order), controlled(clean, mask, "shuffled", rng))


@pytest.mark.parametrize("level", [0.1, 0.25, 0.3, 0.5, 0.77, 0.9, 1.2])
def test_quality_at_a_level_is_the_packages(level):
    diversity, quality = [0.5, 0.25, 0.9, 0.7], [3.0, 2.0, 6.0, 3.5]
    rows = [{"distinct-2": d, "nats": q} for d, q in zip(diversity, quality)]
    assert solution("quality_at")(diversity, quality, level) == pytest.approx(at_equal_diversity(rows, level))
