"""Two networks trained against each other (Goodfellow et al. 2014, 1406.2661), and two that translate into each other's
world (DiscoGAN, Kim et al. 2017, 1703.05192). Built in notebook 08.

Why not ``fit``: there is no loss to make small. Each network has its own, each step of one changes what the other is up
against, and two optimizers take turns. The same is true of the text GAN (``adversarial_text``).
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch.nn import functional

from helpers.models.utils import device_of

BETAS = (0.5, 0.99)  # Adam's: a long memory of earlier gradients keeps pushing where the other player no longer stands


def discriminator_loss(real: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """Return −log D(real) − log (1 − D(made)) in nats, each a mean, from logits: 2 ln 2 = 1.386 for one who only guesses.

    From logits, because softplus never takes the logarithm of 0. Minimising it is the cross-entropy of "real or made?".
    """
    return functional.softplus(-real).mean() + functional.softplus(made).mean()


def generator_loss(made: torch.Tensor, saturating: bool = False) -> torch.Tensor:
    """Return −log D(made) in nats, a mean, from logits: the generator wants to be called real.

    ``saturating=True`` returns log (1 − D(made)) instead, the other player's loss with its sign turned: the same goal, but
    its gradient vanishes where the discriminator is sure, which is at the beginning (Goodfellow et al. 2014, section 3).
    """
    return -functional.softplus(made).mean() if saturating else functional.softplus(-made).mean()


@dataclass
class GANHistory:
    """The record of an adversarial training: a row per step of (step, discriminator's loss, generator's loss, right).

    Losses in nats; ``right`` is the share of the batch, real and made, that the discriminator calls by its name: 0.5 when
    it can only guess. ``stopped`` says in a sentence why the training ended early, or is empty.
    """

    rows: list[tuple[int, float, float, float]] = field(default_factory=list)
    stopped: str = ""

    @property
    def steps(self) -> int:
        """How many steps were made."""
        return len(self.rows)

    @property
    def frame(self):
        """The record as a pandas DataFrame, a row per step."""
        import pandas

        return pandas.DataFrame(self.rows, columns=["step", "discriminator", "generator", "right"])

    def recent(self, steps: int = 50) -> tuple[float, float, float]:
        """Return the means of the latest steps: discriminator's loss, generator's loss, share that is right."""
        latest = self.rows[-steps:]
        return (
            tuple(sum(row[place] for row in latest) / len(latest) for place in (1, 2, 3)) if latest else (math.nan,) * 3
        )

    def add(self, losses: tuple[float, float], right: float) -> None:
        """Write down a step."""
        self.rows.append((self.steps + 1, *losses, right))

    def __repr__(self) -> str:
        if not self.rows:
            return "Duel that has not begun."
        judge, maker, right = self.recent(min(50, self.steps))
        words = f"Duel of {self.steps:,} steps: at the end the discriminator loses {judge:.2f} nats and is right in "
        return f"{words}{right:.0%} of all cases, the generator loses {maker:.2f}. {self.stopped}".strip()


def draw(generator, rows: int, seed: int = 0) -> torch.Tensor:
    """Return what a generator makes of ``rows`` rows of noise, without gradient and in evaluation mode."""
    from helpers.models.utils import evaluating

    with torch.no_grad(), evaluating(generator):
        return generator(_noise(generator, rows, torch.Generator().manual_seed(seed)))


def fit_gan(
    generator,
    discriminator,
    real: torch.Tensor,
    steps: int,
    *,
    batch_size: int = 128,
    learning_rates: tuple[float, float] = (2e-3, 7e-4),
    saturating: bool = False,
    seed: int = 0,
    callbacks: Iterable[Callable] = (),
    progress: bool = True,
) -> GANHistory:
    """Train both in place on ``real`` [N, …], a step each in turn, and return the Duel.

    ``learning_rates`` are the generator's and the discriminator's; ``callbacks`` are called as ``callback(duel, generator)``
    after every step. The same ``seed`` gives the same batches and noise on every device. A loss that is no number ends the
    training before it is learned from: ``duel.stopped`` says at which step, the networks keep their last good weights.
    Raises ValueError for no steps or no data.
    """
    if steps < 1 or not len(real):
        raise ValueError(f"{steps} steps on {len(real)} examples: give at least one of each")
    device, dice, duel = device_of(generator), torch.Generator().manual_seed(seed), GANHistory()
    makers, judges = _optimizer([generator], learning_rates[0]), _optimizer([discriminator], learning_rates[1])
    generator.train(), discriminator.train()
    for _ in _bar(steps, progress):
        batch = real[torch.randint(len(real), (batch_size,), generator=dice)].to(device)
        made = generator(_noise(generator, batch_size, dice))
        said_real, said_made = discriminator(batch), discriminator(made.detach())  # no gradient into the generator
        loss = discriminator_loss(said_real, said_made)
        if not _step(loss, judges, duel, "discriminator"):
            break
        with _still(discriminator):
            loss_made = generator_loss(discriminator(made), saturating)
        if not _step(loss_made, makers, duel, "generator"):
            break
        duel.add((loss.item(), loss_made.item()), _right(said_real, said_made))
        for callback in callbacks:
            callback(duel, generator)
    generator.eval(), discriminator.eval()
    return duel


def fit_translators(
    there,
    back,
    judges: tuple,
    left: torch.Tensor,
    right: torch.Tensor,
    steps: int,
    *,
    cycle: float = 5.0,
    batch_size: int = 32,
    learning_rate: float = 2e-3,
    seed: int = 0,
    progress: bool = True,
) -> GANHistory:
    """Train two translators in place, ``there`` from left to right and ``back``, on two sets of which no two are pairs.

    ``judges`` are discriminators of the left and of the right world. ``cycle`` weighs the mean square by which a picture
    differs after the trip there and back again, from both sides; 0 leaves two separate GANs. The Duel's losses are sums over
    both sides. ``seed``, what ends a training early and the errors are as in ``fit_gan``.
    """
    if steps < 1 or not (len(left) and len(right)):
        raise ValueError(f"{steps} steps on {len(left)} and {len(right)} examples: give at least one of each")
    device, dice, duel = device_of(there), torch.Generator().manual_seed(seed), GANHistory()
    makers, keepers = _optimizer([there, back], learning_rate), _optimizer(judges, learning_rate)
    everyone = [there, back, *judges]
    for network in everyone:
        network.train()
    for _ in _bar(steps, progress):
        a, b = (part[torch.randint(len(part), (batch_size,), generator=dice)].to(device) for part in (left, right))
        as_b, as_a = there(a), back(b)
        said = [(judge(x), judge(made.detach())) for judge, x, made in zip(judges, (a, b), (as_a, as_b))]
        loss = sum(discriminator_loss(*pair) for pair in said)
        if not _step(loss, keepers, duel, "discriminator"):
            break
        with _still(*judges):
            fooled = sum(generator_loss(judge(made)) for judge, made in zip(judges, (as_a, as_b)))
        returned = cycle * (cycle_loss(a, back(as_b)) + cycle_loss(b, there(as_a))) if cycle else 0.0
        if not _step(fooled + returned, makers, duel, "generator"):
            break
        duel.add((loss.item(), fooled.item()), sum(_right(*pair) for pair in said) / 2)
    for network in everyone:
        network.eval()
    return duel


def cycle_loss(start: torch.Tensor, returned: torch.Tensor) -> torch.Tensor:
    """Return the mean square by which pictures differ from themselves after the trip there and back again."""
    return (returned - start).square().mean()


class _still:
    """Inside, no gradient is gathered for these networks: they judge, the gradient only passes through."""

    def __init__(self, *networks):
        self.weights = [weights for network in networks for weights in network.parameters() if weights.requires_grad]

    def __enter__(self):
        for weights in self.weights:
            weights.requires_grad_(False)

    def __exit__(self, *error):
        for weights in self.weights:
            weights.requires_grad_(True)


def _optimizer(networks, rate: float):
    return torch.optim.Adam([weights for network in networks for weights in network.parameters()], lr=rate, betas=BETAS)


def _step(loss: torch.Tensor, optimizer, duel: GANHistory, who: str) -> bool:
    """Learn from a loss and return True; leave the weights as they are, and say so, when it is no number."""
    optimizer.zero_grad()
    loss.backward()
    weights = [each for group in optimizer.param_groups for each in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(weights, math.inf).item()  # measured, not clipped
    for name, value in (("loss", loss.item()), ("gradient", norm)):
        if not math.isfinite(value):
            duel.stopped = (
                f"Stopped at step {duel.steps + 1:,}: the {who}'s {name} was {value}. Lower the learning rates."
            )
            return False
    optimizer.step()
    return True


def _noise(generator, rows: int, dice: torch.Generator) -> torch.Tensor:
    """Noise [rows, noise]: drawn on the CPU, so that every device gets the same."""
    return torch.randn(rows, generator.noise, generator=dice).to(device_of(generator))


def _right(real: torch.Tensor, made: torch.Tensor) -> float:
    return ((real > 0).float().mean() + (made <= 0).float().mean()).item() / 2


def _bar(steps: int, shown: bool):
    from tqdm.auto import tqdm

    return tqdm(range(steps), unit="step", disable=not shown, mininterval=0.5)
