"""Two networks trained against each other (Goodfellow et al. 2014, 1406.2661), and two that translate into each other's
domain (DiscoGAN, Kim et al. 2017, 1703.05192). Built in notebook 08.

Why not ``fit``: there is no loss to make small. Each network has its own, each step of one changes what the other is up
against, and two optimizers take turns. The same is true of the text GAN (``dialogue_gan``).
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch.nn import functional

from helpers.models.utils import device_of, evaluating

BETAS = (0.5, 0.99)  # Adam's: a long memory of earlier gradients keeps pushing where the other network no longer stands


def discriminator_loss(real: torch.Tensor, generated: torch.Tensor) -> torch.Tensor:
    """Return −log D(real) − log (1 − D(generated)) in nats, each a mean, from logits: 2 ln 2 = 1.386 for one that guesses.

    From logits, because softplus never takes the logarithm of 0. It is the cross-entropy of "real or generated?".
    """
    return functional.softplus(-real).mean() + functional.softplus(generated).mean()


def generator_loss(generated: torch.Tensor, saturating: bool = False) -> torch.Tensor:
    """Return −log D(generated) in nats, a mean, from logits: the generator wants its samples to be called real.

    ``saturating=True`` returns log (1 − D(generated)) instead, the discriminator's loss with its sign turned: the same goal,
    but its gradient vanishes where the discriminator is sure, which is at the beginning (Goodfellow et al. 2014, section 3).
    """
    return -functional.softplus(generated).mean() if saturating else functional.softplus(-generated).mean()


def cycle_loss(start: torch.Tensor, returned: torch.Tensor) -> torch.Tensor:
    """Return the mean square by which pictures differ from themselves after the trip there and back again."""
    return (returned - start).square().mean()


@dataclass
class GANHistory:
    """The record of an adversarial training: a row per step of (step, discriminator's loss, generator's loss, right).

    Losses in nats; ``right`` is the discriminator's accuracy on the batch, half real, half generated: 0.5 when it can only
    guess. ``stopped`` says in a sentence why the training ended early, or is empty.
    """

    rows: list[tuple[int, float, float, float]] = field(default_factory=list)
    stopped: str = ""

    @property
    def steps(self) -> int:
        """The number of steps so far."""
        return len(self.rows)

    @property
    def frame(self):
        """The record as a pandas DataFrame, a row per step."""
        import pandas

        return pandas.DataFrame(self.rows, columns=["step", "discriminator", "generator", "right"])

    def recent(self, steps: int = 50) -> tuple[float, float, float]:
        """Return the means of the latest steps: discriminator's loss, generator's loss, accuracy; NaN before the first."""
        latest = self.rows[-steps:]
        return tuple(sum(column) / len(latest) for column in list(zip(*latest))[1:]) if latest else (math.nan,) * 3

    def add(self, losses: tuple[float, float], right: float) -> None:
        """Write down a step."""
        self.rows.append((self.steps + 1, *losses, right))

    def __repr__(self) -> str:
        if not self.rows:
            return "GAN training that has not begun."
        discriminator, generator, right = self.recent(min(50, self.steps))
        words = (
            f"GAN training of {self.steps:,} steps: at the end the discriminator loses {discriminator:.2f} nats and is "
        )
        return f"{words}right in {right:.0%} of all cases, the generator loses {generator:.2f}. {self.stopped}".strip()


def generate_samples(generator, rows: int, seed: int = 0) -> torch.Tensor:
    """Return what a generator makes of ``rows`` rows of noise, without gradient and in evaluation mode."""
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
    """Train both in place on ``real`` [N, …], a step each in turn, and return the GANHistory.

    ``learning_rates`` are the generator's and the discriminator's; ``callbacks`` are called as ``callback(history, generator)``
    after every step. The same ``seed`` gives the same batches and noise on every device. A loss that is no number ends the
    training before it is learned from: ``history.stopped`` says at which step, the networks keep their last good weights.
    Raises ValueError for no steps or no data.
    """
    _check(steps, real)
    history, rng = GANHistory(), torch.Generator().manual_seed(seed)
    optimizers = _optimizer([generator], learning_rates[0]), _optimizer([discriminator], learning_rates[1])
    for _ in _training(steps, progress, generator, discriminator):
        batch = _sampled(real, batch_size, rng, generator)
        generated = generator(_noise(generator, batch_size, rng))
        logits = discriminator(batch), discriminator(generated.detach())  # no gradient into the generator
        loss = discriminator_loss(*logits)
        if not _step(loss, optimizers[1], history, "discriminator"):
            break
        with _frozen(discriminator):
            other = generator_loss(discriminator(generated), saturating)
        if not _step(other, optimizers[0], history, "generator"):
            break
        history.add((loss.item(), other.item()), _accuracy(*logits))
        for callback in callbacks:
            callback(history, generator)
    return history


def fit_translators(
    a_to_b,
    b_to_a,
    discriminators: tuple,
    domain_a: torch.Tensor,
    domain_b: torch.Tensor,
    steps: int,
    *,
    cycle: float = 5.0,
    batch_size: int = 32,
    learning_rate: float = 2e-3,
    seed: int = 0,
    progress: bool = True,
) -> GANHistory:
    """Train two translators in place on two sets of pictures [N, …] of which no two are pairs.

    ``discriminators`` are those of domains A and B. ``cycle`` weighs the mean square by which a picture
    differs after the trip there and back again, from both sides; 0 leaves two separate GANs. The losses recorded are sums over
    both sides. ``seed``, what ends a training early and the errors are as in ``fit_gan``.
    """
    _check(steps, domain_a, domain_b)
    history, rng = GANHistory(), torch.Generator().manual_seed(seed)
    optimizers = _optimizer([a_to_b, b_to_a], learning_rate), _optimizer(discriminators, learning_rate)
    for _ in _training(steps, progress, a_to_b, b_to_a, *discriminators):
        a, b = (_sampled(domain, batch_size, rng, a_to_b) for domain in (domain_a, domain_b))
        as_b, as_a = a_to_b(a), b_to_a(b)
        sides = list(zip(discriminators, (a, b), (as_a, as_b)))
        logits = [(network(real), network(generated.detach())) for network, real, generated in sides]
        loss = sum(discriminator_loss(*pair) for pair in logits)
        if not _step(loss, optimizers[1], history, "discriminator"):
            break
        with _frozen(*discriminators):
            other = sum(generator_loss(network(generated)) for network, _, generated in sides)
        returned = cycle * (cycle_loss(a, b_to_a(as_b)) + cycle_loss(b, a_to_b(as_a))) if cycle else 0.0
        if not _step(other + returned, optimizers[0], history, "generator"):
            break
        history.add((loss.item(), other.item()), sum(_accuracy(*pair) for pair in logits) / 2)
    return history


def _check(steps: int, *data: torch.Tensor) -> None:
    if steps < 1 or not all(map(len, data)):
        sizes = " and ".join(str(len(part)) for part in data)
        raise ValueError(f"{steps} steps on {sizes} examples: give at least one of each")


def _training(steps: int, progress: bool, *networks) -> Iterator[int]:
    """Yield the number of each step, with a bar if ``progress``; the networks are in training mode until the last."""
    from tqdm.auto import tqdm

    for network in networks:
        network.train()
    try:
        yield from tqdm(range(steps), unit="step", disable=not progress, mininterval=0.5)
    finally:
        for network in networks:
            network.eval()


@contextmanager
def _frozen(*networks):
    """Inside, no gradient is gathered for these networks: it only passes through."""
    weights = [weights for network in networks for weights in network.parameters() if weights.requires_grad]
    for part in weights:
        part.requires_grad_(False)
    try:
        yield
    finally:
        for part in weights:
            part.requires_grad_(True)


def _optimizer(networks, rate: float):
    return torch.optim.Adam([weights for network in networks for weights in network.parameters()], lr=rate, betas=BETAS)


def _step(loss: torch.Tensor, optimizer, history: GANHistory, who: str) -> bool:
    """Learn from a loss and return True; leave the weights as they are, and say so, when it is no number."""
    optimizer.zero_grad()
    loss.backward()
    weights = [part for group in optimizer.param_groups for part in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(weights, math.inf).item()  # measured, not clipped
    for name, value in (("loss", loss.item()), ("gradient", norm)):
        if not math.isfinite(value):
            history.stopped = (
                f"Stopped at step {history.steps + 1:,}: the {who}'s {name} was {value}. Lower the learning rates."
            )
            return False
    optimizer.step()
    return True


def _sampled(data: torch.Tensor, rows: int, rng: torch.Generator, generator) -> torch.Tensor:
    """Return rows of the data at random, on the generator's device."""
    return data[torch.randint(len(data), (rows,), generator=rng)].to(device_of(generator))


def _noise(generator, rows: int, rng: torch.Generator) -> torch.Tensor:
    """Noise [rows, noise]: sampled on the CPU, so that every device gets the same."""
    return torch.randn(rows, generator.noise, generator=rng).to(device_of(generator))


def _accuracy(real: torch.Tensor, generated: torch.Tensor) -> float:
    return ((real > 0).float().mean() + (generated <= 0).float().mean()).item() / 2
