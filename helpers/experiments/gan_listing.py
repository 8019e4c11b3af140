"""The "chatbot GAN" that is often shown, repaired, and each repair left out once (notebook 08).

    python -m helpers experiments gan_listing     run what data/gan_listing.csv lacks (five minutes)

The networks are the listing's: two linear layers each, 20 hidden units, a sigmoid at the end of the discriminator. Messages are
normal noise, as there. So that imitation can be measured, messages and replies have two numbers, and the replies lie on a ring.
"""

import math
from typing import NamedTuple

import torch
from torch import nn

from helpers import data_path
from helpers.experiments.run_missing import run_missing
from helpers.io import read_rows, write_rows

REPAIRS = ("log(1 − D) not clamped", "both layers of D used", "replies shown as real", "a loss for each network")
COLUMNS = ("left out", "seed", "distance", "to a reply", "from a reply")
STEPS, SEEDS = 1000, range(5)


class ListingRun(NamedTuple):
    """One training: which repair is left out ("nothing", "everything"), and the seed of the weights and the data."""

    left_out: str
    seed: int

    @property
    def key(self) -> dict:
        return dict(zip(COLUMNS, self))


RUNS = tuple(ListingRun(left_out, seed) for left_out in ("nothing", *REPAIRS, "everything") for seed in SEEDS)


def messages_and_replies(seed: int, rows: int = 100) -> tuple[torch.Tensor, torch.Tensor]:
    """Return messages [rows, 2], normal noise, and replies [rows, 2] on a ring of radius 1 around (2, −1)."""
    rng = torch.Generator().manual_seed(seed)
    messages, angle = torch.randn(rows, 2, generator=rng), 2 * math.pi * torch.rand(rows, generator=rng)
    ring = torch.stack((2 + angle.cos(), angle.sin() - 1), dim=1)
    return messages, ring + 0.1 * torch.randn(rows, 2, generator=rng)


def both_distances(generated: torch.Tensor, replies: torch.Tensor) -> tuple[float, float]:
    """Return how far a generated point is from the nearest reply, and a reply from the nearest generated point: means."""
    apart = torch.cdist(generated, replies)
    return apart.min(1).values.mean().item(), apart.min(0).values.mean().item()


def networks(seed: int) -> tuple[nn.Sequential, nn.Linear, nn.Linear]:
    """Return the listing's generator and the two layers of its discriminator, for points of two numbers."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 20), nn.ReLU(), nn.Linear(20, 2)), nn.Linear(2, 20), nn.Linear(20, 1)


def train(left_out: str = "nothing", seed: int = 0, steps: int = STEPS) -> nn.Sequential:
    """Train the repaired listing without one repair, or without all but the shape ("everything"); return the generator.

    Raises ValueError for a repair that is not among REPAIRS.
    """
    if left_out not in {"nothing", "everything", *REPAIRS}:
        raise ValueError(f"there is no repair {left_out!r}; known are {', '.join(REPAIRS)}")
    not_clamped, both_layers, replies_real, own_losses = (left_out not in (repair, "everything") for repair in REPAIRS)
    messages, replies = messages_and_replies(seed)
    G, first, second = networks(seed)
    optimizers = [
        torch.optim.Adam(weights, lr=5e-3, betas=(0.5, 0.99))
        for weights in (G.parameters(), [*first.parameters(), *second.parameters()])
    ]

    def D(points):
        return (second(first(points).relu()) if both_layers else first(points)).sigmoid()

    def log(p):
        return torch.log(p + 1e-7)

    def loss_of(generated):
        fake = log(1 - D(generated))
        return -log(D(replies if replies_real else messages)).mean() + (-fake if not_clamped else fake.clamp(min=0)).mean()

    for step in range(2 * steps):  # the generator's turn and the discriminator's, one after the other
        generator_turn = step % 2 == 0
        loss = -log(D(G(messages))).mean() if own_losses and generator_turn else loss_of(G(messages))
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers if not own_losses else [optimizers[0 if generator_turn else 1]]:
            optimizer.step()
    return G


@torch.no_grad()
def measure(run: ListingRun) -> list[dict]:
    """Train as the run says and return its row: distances between 400 generated points and the 100 replies."""
    with torch.enable_grad():
        G = train(run.left_out, run.seed)
    there, back = both_distances(G(torch.randn(400, 2)), messages_and_replies(run.seed)[1])
    return [run.key | {"distance": (there + back) / 2, "to a reply": there, "from a reply": back}]


def read_table() -> list[dict]:
    """Return the stored rows."""
    return read_rows(data_path() / "gan_listing.csv")


def main() -> None:
    """Execute every run that the file lacks."""
    path = data_path() / "gan_listing.csv"
    run_missing(RUNS, read_rows(path), measure, lambda rows: write_rows(path, COLUMNS, rows))
