"""Checks of notebook 08's first lesson: the two losses of a GAN and its training step; the cycle loss has its own file."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import gradient_of, number, refuse_known, same, scalar, shown
from helpers.checks.nb08_cycle import check_cycle_loss

__all__ = ["check_cycle_loss", "check_discriminator_loss", "check_gan_step", "check_generator_loss"]


def _logits():
    """Return logits of three real examples and of four generated ones, with gradients."""
    import torch

    real = torch.tensor([2.0, -0.5, 1.0], dtype=torch.float64, requires_grad=True)
    return real, torch.tensor([-1.5, 0.3, -3.0, 0.8], dtype=torch.float64, requires_grad=True)


@exercise
def check_discriminator_loss(discriminator_loss: Callable) -> str:
    """Build 1: logits real [B] and generated [B'] to −log D(real) − log (1 − D(generated)), two means added."""
    import torch
    from torch.nn import functional

    real, generated = _logits()
    answer = scalar(tried(discriminator_loss(real, generated)), "the loss, one number")
    low, high = (functional.softplus(-part).mean() for part in (real, generated))  # −log D
    trust, caught = (functional.softplus(part).mean() for part in (real, generated))  # −log (1 − D)
    total = 3 * low + 4 * caught
    refuse_known(
        answer,
        {
            "The generated half is always 0. Is log(1 − D) clamped? It is never above 0.": low,
            "The real half is missing: the discriminator must call the real ones real, too.": caught,
            "Both halves call everything real. For the generated ones take −log(1 − D), softplus of plus the logit.": low + high,
            "The labels are exchanged: this calls the generated ones real and the real ones generated.": trust + high,
            "You took sums over the batch. Take the means, or a larger batch makes larger steps.": total,
            "You took one mean over all logits together. Take a mean for each half, then add the two.": total / 7,
            "You halved it. Add the two means.": (low + caught) / 2,
            "The sign is the wrong way around: a loss is *minus* the log, and gets small when all is well.": -low - caught,
        },
    )
    if not same(answer, low + caught):
        raise Wrong(
            f"For real 2, −0.5, 1 and generated −1.5, 0.3, −3, 0.8 I expected {(low + caught).item():.3f}, not {shown(answer)}."
        )
    for name, part in (("real", real), ("generated", generated)):
        if not same(gradient_of(answer, part), gradient_of(low + caught, part)):
            raise Wrong(
                f"The value is right, and the gradient for the {name} logits is not. Was something detached, or made a plain "
                "number with .item()?"
            )
    far = scalar(discriminator_loss(torch.tensor([-300.0]), torch.tensor([300.0])), "the loss, one number")
    if not math.isclose(far.item(), 600, rel_tol=1e-4):
        raise Wrong("For logits −300 and 300 the loss is 600 nats, not infinite. Don't take sigmoid and log one by one.")
    return "Two halves: call the real ones real, and the generated ones generated."


@exercise
def check_generator_loss(generator_loss: Callable) -> str:
    """Build 2: logits of generated examples [B] to −log D, a mean: the loss that does not saturate."""
    import torch
    from torch.nn import functional

    _, generated = _logits()
    answer = scalar(tried(generator_loss(generated)), "the loss, one number")
    right, caught = functional.softplus(-generated).mean(), functional.softplus(generated).mean()
    refuse_known(
        answer,
        {
            "This is the saturating loss, log(1 − D). Take −log D: it has a slope where the discriminator is sure.": -caught,
            "This is the discriminator's half: lowering it, the generator would make itself easy to recognize.": caught,
            "You took the sum over the batch. Take the mean.": 4 * right,
            "The sign is the wrong way around: a loss is *minus* the log.": -right,
            "This is −D without a logarithm. The cost of a probability is its negative log.": -generated.sigmoid().mean(),
            "You took the logarithm of the mean. Take the log of each first, then the mean.": -generated.sigmoid().mean().log(),
        },
    )
    if not same(answer, right):
        raise Wrong(f"For generated −1.5, 0.3, −3, 0.8 the loss is {right.item():.3f}; I got {shown(answer)}.")
    if not same(gradient_of(answer, generated), gradient_of(right, generated)):
        raise Wrong("The loss has the right value and not its gradient. Was something detached?")
    far = scalar(generator_loss(torch.tensor([-300.0])), "the loss, one number")
    if not math.isclose(far.item(), 300, rel_tol=1e-4):
        raise Wrong("For a logit of −300 the loss is 300 nats, not infinite. Don't take sigmoid and log one by one.")
    return "It wants to be called real, and learns fastest while it is not believed."


def _players(seed: int = 0):
    """Return a generator, a discriminator and their plain optimizers, tiny and always alike."""
    import torch
    from torch import nn

    rng = torch.Generator().manual_seed(seed)
    generator = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2)).double()
    discriminator = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1), nn.Flatten(0)).double()
    with torch.no_grad():
        for weights in (*generator.parameters(), *discriminator.parameters()):
            weights.copy_(torch.randn(weights.shape, generator=rng))
    return generator, discriminator, *(torch.optim.SGD(player.parameters(), lr=0.1) for player in (generator, discriminator))


def _flat(network):
    import torch

    return torch.cat([weights.detach().flatten() for weights in network.parameters()])


def _reference(real, noise, mistake: str = "", steps: int = 1):
    """Return the weights of both players and both losses after steps of a GAN, with a known mistake or without."""
    from torch.nn import functional

    generator, discriminator, optimizer_g, optimizer_d = _players()
    losses = {}

    def discriminator_turn(generated, step: bool = True):
        fake = discriminator(generated.detach())
        losses["D"] = functional.softplus(-discriminator(real)).mean() + functional.softplus(fake).mean()
        optimizer_d.zero_grad()
        losses["D"].backward()
        if step:
            optimizer_d.step()

    def generator_turn(generated):
        logits = discriminator(generated)
        signs = {"saturating": (-1, 1), "shared": (1, 1)}.get(mistake, (1, -1))
        losses["G"] = signs[0] * functional.softplus(signs[1] * logits).mean()
        optimizer_g.zero_grad()
        losses["G"].backward()
        optimizer_g.step()

    for _ in range(steps):
        generated = generator(noise)
        if mistake == "generator first":
            generator_turn(generated)
            discriminator_turn(generated)
            continue
        discriminator_turn(generated, step=mistake != "one step")
        generator_turn(generated)
        if mistake in ("one step", "discriminator helps"):  # the generator's backward has left its gradients there, too
            optimizer_d.step()
    return _flat(generator), _flat(discriminator), losses["D"].item(), losses["G"].item()


OLD_LOGITS = (
    "The generator's loss uses logits from *before* the discriminator's step, whose weights have changed since. "
    "Let the discriminator read `generated` once more."
)
DETACH = "The detach is forgotten: the gradient of the discriminator's loss went on into the generator."


def _count_gradients(output, passed: list) -> None:
    """Add to ``passed`` whenever a gradient passes this output of the generator on its way back."""
    if output.requires_grad:
        output.register_hook(lambda gradient: passed.append(1))


@exercise
def check_gan_step(gan_step: Callable) -> str:
    """Build 3: a step of the discriminator, then one of the generator, on one batch; both losses as floats."""
    import torch

    rng = torch.Generator().manual_seed(1)
    real, noise = torch.randn(6, 2, generator=rng).double() + 2, torch.randn(6, 2, generator=rng).double()
    players, before, passed = _players(), _players(), []
    players[0].register_forward_hook(lambda network, inputs, output: _count_gradients(output, passed))
    try:
        answer = tried(gan_step(*players, real, noise))
    except RuntimeError as error:
        if "a second time" in str(error):
            raise Wrong(f"{DETACH} Its backward has used up the path that the generator's own step needs.") from None
        if "inplace operation" in str(error):
            raise Wrong(OLD_LOGITS) from None
        raise
    if len(passed) > 1:
        raise Wrong(DETACH)
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise Wrong(f"Return two losses, the discriminator's and the generator's, and not {shown(answer)}.")
    losses = [number(part, "a loss") for part in answer]
    mine = _flat(players[0]), _flat(players[1])
    right = _reference(real, noise)
    _refuse_steps(mine, right, [_flat(player) for player in before[:2]], real, noise)
    if same(torch.tensor(losses[::-1]), torch.tensor(right[2:])):
        raise Wrong("Both steps are right. Return the discriminator's loss first.")
    if not same(torch.tensor(losses), torch.tensor(right[2:])):
        raise Wrong(f"Both steps are right; their losses are {right[2]:.3f} and {right[3]:.3f}, and you return {shown(losses)}.")
    if any(torch.is_tensor(part) for part in answer):
        raise Wrong("Return the losses as Python numbers, with .item(): a tensor keeps the whole step in memory.")
    gan_step(*players, real, noise)
    if not same(_flat(players[0]), _reference(real, noise, steps=2)[0]) or not same(
        _flat(players[1]), _reference(real, noise, steps=2)[1]
    ):
        raise Wrong("The first step is right, the second is not: gradients add up unless zero_grad comes before each backward.")
    return "One learned to tell them apart, the other to be believed, and neither moved the other."


def _refuse_steps(mine, right, before, real, noise) -> None:
    """Hold the weights after one step against those of known mistakes."""
    generator, discriminator = mine
    if same(generator, before[0]) and same(discriminator, before[1]):
        raise Wrong("Neither network has moved. Does each optimizer make its step, after backward?")
    if same(generator, before[0]):
        raise Wrong("The generator has not moved. Detach `generated` in the discriminator's step only, not in the generator's.")
    if same(discriminator, before[1]):
        raise Wrong("The discriminator has not moved. Its own optimizer makes a step after its loss's backward.")
    known = {
        "Both losses went backward before a step was made, so the discriminator got the generator's gradient, too.": "one step",
        "The generator made its step first, against the old discriminator. Update the discriminator first.": "generator first",
        "The discriminator made a second step, along the generator's loss: it learned to be fooled. Step optimizer_g only.": (
            "discriminator helps"
        ),
        "The generator lowered log(1 − D), which saturates. Take generator_loss.": "saturating",
        "The generator lowered the discriminator's loss: it learned to be recognized. Take generator_loss.": "shared",
    }
    for message, mistake in known.items():
        wrong = _reference(real, noise, mistake)
        if same(generator, wrong[0]) and same(discriminator, wrong[1]):
            raise Wrong(message)
    if not same(discriminator, right[1]):
        raise Wrong("The discriminator's step is not the one of its loss on `real` and on the detached `generated`.")
    if not same(generator, right[0]):
        raise Wrong("The discriminator's step is right, the generator's is not: generator_loss of discriminator(generated).")
