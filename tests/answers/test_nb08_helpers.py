"""What learners build in notebook 08's first lesson, in its text and in its build cells, does what the package does."""

import ast
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from helpers.models.gan import DigitDiscriminator, LocalTranslator, PointDiscriminator, PointGenerator
from helpers.training import gan, plain_gan
from tests.answers.solutions import run, solutions
from tests.notebooks import books, definitions

NOTEBOOK = "08_gan_replies"
SOLUTIONS = solutions(NOTEBOOK)


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


def lifted(name, **more):
    """One definition of the notebook, with the setup cell's device, which here is the CPU, and what the learner wrote."""
    code = next(cell.source for cell in books.read(books.paths(["08"])[0]).cells if f"def {name}(" in cell.source)
    tree = ast.parse(code)
    tree.body = [part for part in tree.body if getattr(part, "name", "") == name]
    names = {"torch": torch, "functional": functional, "gan": __import__("helpers.models.gan", fromlist=["gan"])}
    names |= {"device": SimpleNamespace(torch=torch.device("cpu")), "generate_samples": gan.generate_samples}
    names |= {part: solution(part) for part in ("discriminator_loss", "generator_loss", "gan_step", "cycle_loss")} | more
    exec(compile(tree, NOTEBOOK, "exec"), names)
    return names[name]


def weights_of(*networks):
    return torch.cat([weights.detach().flatten() for network in networks for weights in network.parameters()])


def test_the_losses_are_the_packages():
    real, generated = torch.randn(9) * 5, torch.randn(7) * 5
    ours = solution("discriminator_loss")(real, generated)
    torch.testing.assert_close(ours, gan.discriminator_loss(real, generated))
    torch.testing.assert_close(ours, functional.binary_cross_entropy_with_logits(real, torch.ones(9))
                               + functional.binary_cross_entropy_with_logits(generated, torch.zeros(7)))  # fmt: skip
    torch.testing.assert_close(solution("generator_loss")(generated), gan.generator_loss(generated))


def test_the_step_is_the_packages_plain_one():
    real, noise, ends = torch.randn(6, 2), torch.randn(2, 6, 2), []
    for step in (solution("gan_step"), plain_gan.gan_step):
        torch.manual_seed(1)
        players = PointGenerator(hidden_size=8), PointDiscriminator(hidden_size=8)
        optimizers = [torch.optim.Adam(player.parameters()) for player in players]
        losses = [step(*players, *optimizers, real, part) for part in noise]
        ends.append((weights_of(*players), torch.tensor(losses)))
    torch.testing.assert_close(*ends)


def test_the_notebooks_loop_is_fit_gan():
    real, ends = torch.randn(100, 2), []
    for train in (lifted("train"), lambda *game, steps: gan.fit_gan(*game, steps, progress=False)):
        torch.manual_seed(1)
        players = PointGenerator(), PointDiscriminator()
        train(*players, real, steps=4)
        ends.append(weights_of(*players))
    torch.testing.assert_close(*ends)


def test_the_notebooks_translators_are_fit_translators():
    written, lit = torch.rand(2, 40, 1, 8, 8) * 2 - 1
    torch.manual_seed(1)
    there, back = lifted("train_translators", written=written, lit=lit)(LocalTranslator(), LocalTranslator(), 5.0, steps=3)
    torch.manual_seed(1)
    theirs = LocalTranslator(), LocalTranslator()
    discriminators = DigitDiscriminator(16), DigitDiscriminator(16)
    gan.fit_translators(*theirs, discriminators, written, lit, steps=3, cycle=5.0, progress=False)
    torch.testing.assert_close(weights_of(there, back), weights_of(*theirs))


def test_the_cycle_loss_is_the_packages():
    x, y = torch.randn(3, 1, 8, 8), torch.randn(5, 1, 8, 8)
    there, back = nn.Linear(8, 8), nn.Linear(8, 8)
    expected = gan.cycle_loss(x, back(there(x))) + gan.cycle_loss(y, there(back(y)))
    for ours in (solution("cycle_loss"), plain_gan.cycle_loss):
        torch.testing.assert_close(ours(there, back, x, y), expected)


def test_the_listing_looks_healthy_while_the_generator_never_moves():
    names = ("ListingGenerator", "ListingDiscriminator", "train_listing")
    build_g, build_d, train = (definitions.lift(books.paths(["08"])[0], name) for name in names)
    torch.manual_seed(0)
    messages, replies = torch.randn(20, 10), torch.randn(20, 10)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        train(build_g(10, 20, 1), build_d(10, 20), messages, replies, epochs=1)
    generator, discriminator = build_g(10, 20, 10), build_d(10, 20)
    before = weights_of(generator), weights_of(discriminator.layer_1), weights_of(discriminator.layer_2)
    losses = train(generator, discriminator, messages, replies, epochs=20)
    assert losses[-1] < losses[0]
    assert torch.equal(weights_of(generator), before[0]) and torch.equal(weights_of(discriminator.layer_2), before[2])
    assert not torch.equal(weights_of(discriminator.layer_1), before[1])


def test_the_slopes_are_those_of_the_packages_losses():
    sign_turned, called_real = lifted("slopes", noise=[-1.0, 0.0, 1.0])(3.0)
    shift = torch.zeros((), requires_grad=True)
    logits = 3.0 * (torch.tensor([-1.0, 0.0, 1.0]) + shift - 1.5)
    for slope, saturating in ((sign_turned, True), (called_real, False)):
        loss = gan.generator_loss(logits, saturating)
        assert torch.autograd.grad(loss, shift, retain_graph=True)[0].item() == pytest.approx(slope, abs=1e-5)
    assert lifted("D", math=__import__("math"))(2.5) == pytest.approx(functional.sigmoid(torch.tensor(1.0)).item())
