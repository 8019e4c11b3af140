"""Adversarial training: losses against hand-computed values, and the bugs of the usual listing, each as a test."""

import math

import pytest
import torch
from torch import nn

from helpers.evaluation.gan_metrics import modes_covered
from helpers.models.gan import DigitDiscriminator, LocalTranslator, PointDiscriminator, PointGenerator
from helpers.training.gan import (
    GANHistory,
    cycle_loss,
    discriminator_loss,
    fit_gan,
    fit_translators,
    generate_samples,
    generator_loss,
)

REAL = torch.tensor([[2.0, -1.0]]) + 0.1 * torch.randn(256, 2, generator=torch.Generator().manual_seed(0))


def pair(seed=0, width=16, **fields):
    torch.manual_seed(seed)
    return PointGenerator(2, width), PointDiscriminator(width, **fields)


def weights(network):
    return torch.cat([part.detach().flatten().clone() for part in network.parameters()])


# --- the two losses ---------------------------------------------------------------------------------------------------


def test_losses_by_hand():
    real, made = torch.tensor([0.0, math.log(3)]), torch.tensor([-math.log(3), math.log(1)])  # D: 1/2, 3/4 and 1/4, 1/2
    expected = -(math.log(1 / 2) + math.log(3 / 4)) / 2 - (math.log(3 / 4) + math.log(1 / 2)) / 2
    assert discriminator_loss(real, made).item() == pytest.approx(expected)
    assert generator_loss(made).item() == pytest.approx(-(math.log(1 / 4) + math.log(1 / 2)) / 2)
    assert generator_loss(made, saturating=True).item() == pytest.approx((math.log(3 / 4) + math.log(1 / 2)) / 2)
    nothing = torch.zeros(5)
    assert discriminator_loss(nothing, nothing).item() == pytest.approx(2 * math.log(2))


def test_losses_are_the_cross_entropy_and_survive_extreme_logits():
    real, made = torch.randn(7), torch.randn(7)
    bce = nn.functional.binary_cross_entropy_with_logits
    torch.testing.assert_close(discriminator_loss(real, made), bce(real, torch.ones(7)) + bce(made, torch.zeros(7)))
    torch.testing.assert_close(generator_loss(made), bce(made, torch.ones(7)))
    far = torch.tensor([1000.0])
    assert (
        discriminator_loss(-far, far).item() == 2000 and generator_loss(-far).item() == 1000
    )  # sigmoid, then log: inf


def slope(loss, logit):
    x = torch.tensor([logit], requires_grad=True)
    loss(x).backward()
    return x.grad.item()


def test_the_clamped_loss_has_no_gradient_and_ours_has_the_most_where_it_is_needed():
    """log(1 − D) is never above 0: clamped from below at 0 it is 0, whatever the discriminator says."""
    for logit in (-6.0, 0.0, 6.0):
        assert slope(lambda x: torch.log(1 - x.sigmoid()).clamp(min=0).mean(), logit) == 0
    # dL/dlogit of −log D is −(1 − D), of log(1 − D) it is −D.
    for logit in (-6.0, 0.0, 6.0):
        share = 1 / (1 + math.exp(-logit))
        assert slope(generator_loss, logit) == pytest.approx(-(1 - share), abs=1e-6)
        assert slope(lambda x: generator_loss(x, saturating=True), logit) == pytest.approx(-share, abs=1e-6)


# --- who learns from what -----------------------------------------------------------------------------------------------


def one_step(monkeypatch=None, **settings):
    """Return the logit of what was made, before and after one step, and how far each network moved."""
    generator, discriminator = pair()
    start, judged = weights(generator), weights(discriminator)
    z = torch.randn(512, 2, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        before = discriminator(generator(z)).mean()
    fit_gan(generator, discriminator, REAL, 1, progress=False, **settings)
    with torch.no_grad():
        after = discriminator(generator(z)).mean()
    return before, after, (weights(generator) - start).abs().max(), (weights(discriminator) - judged).abs().max()


def test_the_two_pull_in_opposite_directions():
    """With one loss for both they would pull the same way."""
    before, after, moved, judged = one_step(learning_rates=(1e-2, 0.0))
    assert after > before and moved > 0 and judged == 0  # the generator alone: what it makes looks more real
    before, after, moved, judged = one_step(learning_rates=(0.0, 1e-2))
    assert after < before and moved == 0 and judged > 0  # the discriminator alone: it looks less real


def test_no_gradient_of_one_reaches_the_other(monkeypatch):
    generator, discriminator = pair()
    seen = []
    steps = torch.optim.Adam.step

    def watching(self, *arguments):
        seen.append(
            {
                who: any(w.grad is not None for w in net.parameters())
                for who, net in (("g", generator), ("d", discriminator))
            }
        )
        held = [w.grad.clone() for w in discriminator.parameters()]
        seen[-1]["held"] = torch.cat([part.flatten() for part in held])
        return steps(self, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", watching)
    fit_gan(generator, discriminator, REAL, 1, progress=False)
    assert [(look["g"], look["d"]) for look in seen] == [(False, True), (True, True)]
    assert torch.equal(seen[0]["held"], seen[1]["held"])  # the generator's step added nothing to the discriminator's
    assert all(part.requires_grad for part in discriminator.parameters())


def test_the_real_data_matter():
    """The listing never uses them: here other data lead to another discriminator."""
    found = []
    for shift in (0.0, 3.0):
        generator, discriminator = pair()
        fit_gan(generator, discriminator, REAL + shift, 3, progress=False)
        found.append(weights(discriminator))
    assert not torch.allclose(*found)


# --- the whole ----------------------------------------------------------------------------------------------------------


def test_it_finds_the_cloud_and_the_seed_decides():
    ends = []
    for seed in (1, 1, 2):
        generator, discriminator = pair(width=32)
        duel = fit_gan(generator, discriminator, REAL, 120, batch_size=64, seed=seed, progress=False)
        ends.append(generate_samples(generator, 500))
        assert not generator.training and not discriminator.training
    assert torch.equal(ends[0], ends[1]) and not torch.equal(ends[0], ends[2])
    generator, _ = pair(width=32)
    before, after = (
        modes_covered(points, torch.tensor([[2.0, -1.0]]), 0.8)[1]
        for points in (generate_samples(generator, 500), ends[0])
    )
    assert before < 0.05 and after > 0.5
    assert duel.steps == 120 and list(duel.frame.columns) == ["step", "discriminator", "generator", "right"]
    assert str(duel).startswith("GAN training of 120 steps: at the end the discriminator loses")


def test_the_record_counts_what_the_discriminator_calls_by_its_name():
    class Sure(nn.Module):
        """Says "real" to what lies right of 1: all real points, none of the generator's."""

        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(1.0))

        def forward(self, points):
            return (points[:, 0] - 1) * self.scale

    generator, _ = pair()
    duel = fit_gan(generator, Sure(), REAL, 1, learning_rates=(1e-3, 0.0), progress=False)
    assert duel.rows[0][3] == 1.0
    assert not generator.training


def test_callbacks_are_called_after_every_step():
    generator, discriminator = pair()
    seen = []

    def note(duel, network):
        seen.append((duel.steps, network is generator))

    fit_gan(generator, discriminator, REAL, 3, progress=False, callbacks=[note])
    assert seen == [(1, True), (2, True), (3, True)]


@pytest.mark.parametrize("kind", ["data", "weights"])
def test_a_loss_that_is_no_number_ends_the_training_and_changes_nothing(kind):
    generator, discriminator = pair()
    real = torch.full_like(REAL, math.nan) if kind == "data" else REAL
    if kind == "weights":
        with torch.no_grad():
            generator.net[-1].bias.fill_(math.inf)
    before = weights(generator), weights(discriminator)
    duel = fit_gan(generator, discriminator, real, 5, progress=False)
    assert duel.stopped.startswith("Stopped at step 1: the discriminator's loss was") and duel.steps == 0
    assert duel.stopped in str(GANHistory([(1, 1.0, 1.0, 0.5)], duel.stopped))
    assert torch.equal(weights(generator), before[0]) and torch.equal(weights(discriminator), before[1])


def test_wrong_input_gets_a_sentence():
    with pytest.raises(ValueError, match="0 steps on 256 examples"):
        fit_gan(*pair(), REAL, 0)
    with pytest.raises(ValueError, match="3 steps on 0 examples"):
        fit_gan(*pair(), REAL[:0], 3)
    with pytest.raises(ValueError, match="3 steps on 4 and 0 examples"):
        fit_translators(None, None, (), torch.zeros(4, 1), torch.zeros(0, 1), 3)
    assert str(GANHistory()) == "GAN training that has not begun." and math.isnan(GANHistory().recent()[0])


# --- two translators ----------------------------------------------------------------------------------------------------


class Shift(nn.Module):
    """The smallest translator: adds one number to every pixel."""

    def __init__(self, by=0.0):
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, images):
        return images + self.by


def test_cycle_loss_by_hand():
    assert cycle_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 5.0])).item() == 4.5


def test_the_cycle_alone_makes_the_way_back_the_inverse_of_the_way_there():
    there, back, judges = Shift(0.5), Shift(0.0), (DigitDiscriminator(4), DigitDiscriminator(4))
    pictures = torch.zeros(8, 1, 8, 8)
    fit_translators(
        there, back, judges, pictures, pictures, 60, cycle=1e4, batch_size=4, learning_rate=2e-2, progress=False
    )
    assert abs(there.by + back.by).item() < 0.05
    free = Shift(0.5), Shift(0.0)
    fit_translators(*free, judges, pictures, pictures, 1, cycle=0.0, batch_size=4, learning_rate=0.0, progress=False)
    assert (free[0].by.item(), free[1].by.item()) == (0.5, 0.0)


def test_translators_learn_from_their_own_judge():
    """The judge of the right world sees what goes there, and the real pictures of that world."""
    seen = {"left": [], "right": []}

    class Discriminator(nn.Module):
        def __init__(self, name):
            super().__init__()
            self.name, self.weight = name, nn.Parameter(torch.tensor(1.0))

        def forward(self, images):
            seen[self.name].append(images.mean().item())
            return images.mean((1, 2, 3)) * self.weight

    left, right = torch.full((4, 1, 8, 8), -1.0), torch.full((4, 1, 8, 8), 1.0)
    fit_translators(
        Shift(0.25),
        Shift(0.125),
        (Discriminator("left"), Discriminator("right")),
        left,
        right,
        1,
        learning_rate=0.0,
        progress=False,
    )
    assert seen["left"] == [-1.0, 1.125, 1.125]  # real, translated from the right, and once more for the translators
    assert seen["right"] == [1.0, -0.75, -0.75]


def test_translators_the_seed_decides_and_both_learn():
    ends = []
    for seed in (0, 0, 1):
        torch.manual_seed(3)
        nets = LocalTranslator(4), LocalTranslator(4), (DigitDiscriminator(4), DigitDiscriminator(4))
        before = [weights(net) for net in nets[:2]]
        pictures = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
        duel = fit_translators(*nets, pictures, -pictures, 3, batch_size=8, seed=seed, progress=False)
        assert all((weights(net) != old).any() for net, old in zip(nets[:2], before))
        ends.append(weights(nets[0]))
    assert duel.steps == 3 and torch.equal(ends[0], ends[1]) and not torch.equal(ends[0], ends[2])
    poisoned = torch.full_like(pictures, math.nan)
    assert "Stopped at step 1" in fit_translators(*nets, poisoned, pictures, 3, batch_size=8, progress=False).stopped
