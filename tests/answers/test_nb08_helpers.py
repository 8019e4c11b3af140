"""What learners build in notebook 08, in its text and in its exercises, does what the package does."""

import ast
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from helpers.models.gan import PointDiscriminator, PointGenerator
from helpers.training import gan, reinforce
from tests.answers.solutions import run, solutions
from tests.notebooks import books, definitions

NOTEBOOK = "08_gan_replies"
SOLUTIONS = solutions(NOTEBOOK)


def solution(name):
    return run(SOLUTIONS[name], name)


def lifted(name):
    return definitions.lift(books.paths(["08"])[0], name)


def test_the_losses_are_the_packages():
    real, made = torch.randn(2, 9) * 5
    discriminator, generator = solution("gan_losses")(real, made)
    torch.testing.assert_close(discriminator, gan.discriminator_loss(real, made))
    torch.testing.assert_close(generator, gan.generator_loss(made))


@pytest.mark.parametrize("gamma", [0.0, 0.6, 1.0])
def test_returns_are_the_packages(gamma):
    rewards, lengths = torch.randn(5, 6), torch.tensor([6, 1, 3, 5, 2])
    counted = torch.arange(6) < lengths[:, None]
    torch.testing.assert_close(
        solution("discounted_returns")(rewards, lengths, gamma), reinforce.rewards_to_go(rewards, counted, gamma)
    )


def test_straight_through_is_the_packages_with_the_same_noise():
    logits, values = torch.randn(6, requires_grad=True), torch.randn(6)
    theirs = reinforce.gumbel_softmax(logits, 0.5, hard=True, generator=torch.Generator().manual_seed(3))
    noise = -torch.empty(6).exponential_(generator=torch.Generator().manual_seed(3)).log()
    ours = solution("straight_through")(logits, noise, 0.5)
    torch.testing.assert_close(ours, theirs)
    gradients = [torch.autograd.grad((draw * values).sum(), logits)[0] for draw in (ours, theirs)]
    torch.testing.assert_close(*gradients)


def test_reinforce_is_the_packages_for_replies_of_one_token():
    log_p, rewards, baseline = torch.randn(3, 7)
    ours = solution("reinforce")(log_p, rewards, baseline)
    counted = torch.ones(7, 1, dtype=torch.bool)
    torch.testing.assert_close(ours, reinforce.reinforce_loss(log_p[:, None], (rewards - baseline)[:, None], counted))


def test_the_cycle_loss_is_the_sum_of_the_packages():
    left, right = torch.randn(3, 1, 8, 8), torch.randn(5, 1, 8, 8)
    there, back = torch.nn.Linear(8, 8), torch.nn.Linear(8, 8)
    expected = gan.cycle_loss(left, back(there(left))) + gan.cycle_loss(right, there(back(right)))
    torch.testing.assert_close(solution("cycle_loss")(there, back, left, right), expected)


def test_the_listing_never_learns_while_it_clamps_and_has_a_layer_without_gradient():
    """Three of the listing's defects, as they stand in the notebook: each must really be one."""
    generator = lifted("Generator")(8, 16, 2)
    wrong, mended = (lifted("Discriminator")(size, 16) for size in (8, 2))
    messages, replies = torch.randn(16, 8), torch.randn(16, 2)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        lifted("train")(generator, wrong, messages, replies, steps=1)
    weights = [*generator.parameters(), *mended.parameters()]
    before = [each.detach().clone() for each in weights]
    assert lifted("train")(generator, mended, messages, replies, steps=3) == 0
    assert all(torch.equal(now, then) for now, then in zip(weights, before))
    torch.log(1 - mended(generator(messages))).mean().backward()  # without the clamp
    assert mended.layer_1.weight.grad.any() and mended.layer_2.weight.grad is None


def test_the_slopes_are_those_of_the_packages_losses():
    turned_round, be_real = lifted("slopes")(3.0)
    shift = torch.zeros((), requires_grad=True)
    logits = 3.0 * (torch.tensor([-1.0, 0.0, 1.0]) + shift - 1.5)
    for slope, saturating in ((turned_round, True), (be_real, False)):
        loss = gan.generator_loss(logits, saturating)
        assert torch.autograd.grad(loss, shift, retain_graph=True)[0].item() == pytest.approx(slope, abs=1e-5)
    assert lifted("believes")(2.5) == pytest.approx(functional.sigmoid(torch.tensor(1.0)).item())


def test_the_notebooks_loop_is_the_packages():
    play, real = lifted_play(), torch.randn(100, 2)
    ends = []
    for train in (play, lambda *game, steps: gan.fit_gan(*game, steps, progress=False)):
        torch.manual_seed(1)
        pair = PointGenerator(), PointDiscriminator()
        train(*pair, real, steps=4)
        ends.append(torch.cat([weights.detach().flatten() for network in pair for weights in network.parameters()]))
    torch.testing.assert_close(*ends)


def lifted_play():
    """The notebook's loop; it asks the setup cell's device, which here is the CPU."""
    code = next(cell.source for cell in books.read(books.paths(["08"])[0]).cells if "def play(" in cell.source)
    tree = ast.parse(code)
    tree.body = [part for part in tree.body if getattr(part, "name", "") == "play"]
    names = {"torch": torch, "functional": functional, "device": SimpleNamespace(torch=torch.device("cpu"))}
    exec(compile(tree, NOTEBOOK, "exec"), names)
    return names["play"]
