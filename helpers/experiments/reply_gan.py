"""The small message → reply GAN with its baselines, five seeds each (notebook 08).

    python -m helpers experiments reply_gan        run what data/reply_gan.csv lacks: some 15 seconds a run on one core

In the tiny world every right reply is known (``helpers.corpus.tiny_exchanges``), so quality and coverage are counted, not
estimated. Every model makes as many updates of the generator, on batches of the same size.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch.nn import functional

from helpers import data_path
from helpers.corpus.tiny_exchanges import TinyExchanges, tiny_exchanges
from helpers.experiments.run_missing import run_missing
from helpers.io import read_rows, write_rows
from helpers.models.reply_gan import MessageReplyDiscriminator, ReplyGenerator
from helpers.training.gan import discriminator_loss
from helpers.training.reply_gan import reinforce_loss, reply_gan_step, straight_through

STEPS, BATCH, SEEDS = 900, 64, 5
RATES = 2e-3, 1e-3  # the generator's and the discriminator's
SAMPLES = 32  # replies to each message, for quality and coverage
RUNS = ("untrained", "straight-through", "message hidden", "REINFORCE", "REINFORCE, no baseline", "MLE")
COLUMNS = ("run", "seed", "steps", "right", "right if held out", "fits some message", "coverage")


class ReplyGANRun(NamedTuple):
    """One training of one kind from one seed."""

    name: str
    seed: int

    @property
    def key(self) -> dict:
        return {"run": self.name, "seed": self.seed}


@torch.no_grad()
def measure_replies(generator, world: TinyExchanges) -> dict:
    """Return "right", "right if held out", "fits some message" and "coverage" of 32 sampled replies to each message.

    "right" is the share of replies to training messages that are among the four right ones, "right if held out" the same for
    messages never trained on, "fits some message" the share that is right for any message. "coverage" is the share of a
    training message's four right replies that occur among its 32.
    """
    number = len(world.messages)
    sampled = generator(world.messages.repeat_interleave(SAMPLES, 0)).argmax(-1).view(number, SAMPLES, -1)
    right = (sampled[:, :, None] == world.replies[:, None]).all(-1)  # [N, samples, R]
    anywhere = (sampled[:, :, None] == world.replies.flatten(0, 1).unique(dim=0)).all(-1).any(-1)
    seen = ~world.held_out
    return {
        "right": right[seen].any(-1).float().mean().item(),
        "right if held out": right[world.held_out].any(-1).float().mean().item(),
        "fits some message": anywhere[seen].float().mean().item(),
        "coverage": right[seen].any(1).float().mean().item(),
    }


def new_players(world: TinyExchanges, reads_message: bool = True, choose=straight_through):
    """Return an untrained generator and discriminator, and their optimizers as a pair."""
    size, messages, replies = len(world.vocabulary), world.messages.shape[-1], world.replies.shape[-1]
    generator = ReplyGenerator(size, replies, choose)
    discriminator = MessageReplyDiscriminator(size, messages if reads_message else 0, replies)
    return generator, discriminator, optimizers_of(generator, discriminator)


def optimizers_of(generator, discriminator) -> tuple:
    """Return the optimizers of both players: Adam with little momentum, as usual for GANs."""
    return tuple(
        torch.optim.Adam(network.parameters(), lr=rate, betas=(0.5, 0.99))
        for network, rate in zip((generator, discriminator), RATES)
    )


def likelihood_step(generator, optimizer, messages: torch.Tensor, replies: torch.Tensor) -> float:
    """Make one step of maximum likelihood on people's replies [B, T]; return the loss in nats per word."""
    loss = functional.cross_entropy(generator(messages, replies).flatten(0, 1), replies.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def reinforce_step(
    generator,
    discriminator,
    optimizer_g,
    optimizer_d,
    messages: torch.Tensor,
    replies: torch.Tensor,
    baseline: bool = True,
) -> tuple[float, float]:
    """Make one step like ``reply_gan_step``, the generator's by REINFORCE: its reward is log D of the whole reply.

    The baseline is the mean reward of the batch.
    """
    with torch.no_grad():
        sampled = generator(messages)
    real = functional.one_hot(replies, sampled.shape[-1]).to(sampled)
    loss_d = discriminator_loss(discriminator(messages, real), discriminator(messages, sampled))
    optimizer_d.zero_grad()
    loss_d.backward()
    optimizer_d.step()
    words = sampled.argmax(-1)
    log_p = generator(messages, words).log_softmax(-1).gather(-1, words[..., None])[..., 0]
    with torch.no_grad():
        rewards = functional.logsigmoid(discriminator(messages, sampled))[:, None].expand_as(log_p)
    expected = rewards.mean() if baseline else torch.zeros(())
    loss_g = reinforce_loss(log_p, rewards, expected, torch.ones_like(words, dtype=torch.bool))
    optimizer_g.zero_grad()
    loss_g.backward()
    optimizer_g.step()
    return loss_d.item(), loss_g.item()


def train(run: ReplyGANRun, world: TinyExchanges, steps: int = STEPS):
    """Return the generator after a run."""
    torch.manual_seed(run.seed)
    rng = torch.Generator().manual_seed(run.seed)
    generator, discriminator, optimizers = new_players(world, reads_message=run.name != "message hidden")
    for _ in range(0 if run.name == "untrained" else steps):
        messages, replies = world.sample(BATCH, rng)
        if run.name == "MLE":
            likelihood_step(generator, optimizers[0], messages, replies)
        elif run.name.startswith("REINFORCE"):
            reinforce_step(generator, discriminator, *optimizers, messages, replies, run.name == "REINFORCE")
        else:
            reply_gan_step(generator, discriminator, *optimizers, messages, replies)
    return generator


def read_table(folder: Path | None = None) -> list[dict]:
    """Return the rows of "reply_gan", as ``helpers.io.read_rows`` does."""
    return read_rows((folder or data_path()) / "reply_gan.csv")


def main(folder: Path | None = None, steps: int = STEPS, seeds: int = SEEDS) -> None:
    """Execute every run that the file lacks."""
    folder, world = folder or data_path(), tiny_exchanges()

    def execute(run: ReplyGANRun) -> list[dict]:
        torch.manual_seed(run.seed)
        measured = measure_replies(train(run, world, steps), world)
        return [
            run.key | {"steps": 0 if run.name == "untrained" else steps} | {k: round(v, 4) for k, v in measured.items()}
        ]

    runs = [ReplyGANRun(name, seed) for seed in range(seeds) for name in RUNS]
    run_missing(runs, read_table(folder), execute, lambda rows: write_rows(folder / "reply_gan.csv", COLUMNS, rows))
