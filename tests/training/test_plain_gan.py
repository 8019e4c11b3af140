"""One plain step of a GAN and the plain cycle loss do what the loops with a record do."""

import torch

from helpers.models.gan import PointDiscriminator, PointGenerator
from helpers.training import gan, plain_gan


def players():
    torch.manual_seed(0)
    pair = PointGenerator(hidden_size=8), PointDiscriminator(hidden_size=8)
    return pair, [torch.optim.Adam(player.parameters(), lr=rate, betas=gan.BETAS) for player, rate in zip(pair, (2e-3, 7e-4))]


def flat(pair):
    return torch.cat([weights.detach().flatten() for player in pair for weights in player.parameters()])


def test_three_steps_are_those_of_fit_gan():
    real = torch.randn(50, 2, generator=torch.Generator().manual_seed(1))
    (ours, optimizers), (theirs, _) = players(), players()
    rng = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(3):
        batch = real[torch.randint(50, (16,), generator=rng)]
        losses.append(plain_gan.gan_step(*ours, *optimizers, batch, torch.randn(16, 2, generator=rng)))
    history = gan.fit_gan(*theirs, real, 3, batch_size=16, progress=False)
    torch.testing.assert_close(flat(ours), flat(theirs))
    torch.testing.assert_close(torch.tensor(losses), torch.tensor([row[1:3] for row in history.rows]))


def test_the_discriminators_step_leaves_the_generator_alone():
    pair, optimizers = players()
    seen = []
    pair[0].register_forward_hook(lambda network, inputs, output: output.register_hook(lambda gradient: seen.append(1)) and None)
    plain_gan.gan_step(*pair, *optimizers, torch.randn(8, 2), torch.randn(8, 2))
    assert seen == [1]  # of its own loss, and of no other


def test_the_cycle_loss_is_zero_for_inverses_and_adds_both_trips():
    x, y = torch.randn(3, 4), torch.randn(5, 4)
    assert plain_gan.cycle_loss(lambda a: 2 * a, lambda a: a / 2, x, y).item() == 0
    trips = plain_gan.cycle_loss(lambda a: a + 1, lambda a: a / 2, x, y)  # (x + 1) / 2 and y / 2 + 1
    torch.testing.assert_close(trips, ((x + 1) / 2 - x).square().mean() + (y / 2 + 1 - y).square().mean())
