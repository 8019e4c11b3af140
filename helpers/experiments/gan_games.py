"""The small GANs of notebook 08 with several seeds: points in eight modes, and translators between two kinds of digits.

    python -m helpers experiments gan_games     run what data/gan_games.csv lacks (ten minutes)

"points": the discriminator reads points one at a time or in pairs; seeds choose weights, batches and noise. Measured on 4,000
samples: modes covered, and the share that lies within 0.15 (three standard deviations) of a mode. "digits": wide and local
translators, with the cycle loss and without; measured on the 397 unseen digits, and read by classifiers of both domains.
"""

import math
from typing import NamedTuple

import torch
from torch.nn import functional

from helpers import data_path
from helpers.corpus.digits import DigitBatches, Digits, light_on_dark, load_digits
from helpers.evaluation import gan_metrics
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.models import gan
from helpers.training import fit
from helpers.training.gan import fit_gan, fit_translators, generate_samples

COLUMNS = ("game", "variant", "seed", "modes", "in a mode", "kinds", "off by", "same digit")
RADIUS = 0.15
POINT_STEPS, DIGIT_STEPS = 1200, 160
PACKS = {"one at a time": 1, "in pairs": 2}
TRANSLATORS = {
    "wide, no cycle": (gan.WideTranslator, 0.0),
    "wide, cycle": (gan.WideTranslator, 5.0),
    "local, no cycle": (gan.LocalTranslator, 0.0),
    "local, cycle": (gan.LocalTranslator, 5.0),
}


class GameRun(NamedTuple):
    """One training: points or digits, its variant (a key of PACKS or of TRANSLATORS) and its seed."""

    game: str
    variant: str
    seed: int

    @property
    def key(self) -> dict:
        return dict(zip(COLUMNS, self))


RUNS = (
    *(GameRun("digits", variant, seed) for seed in range(3) for variant in TRANSLATORS),
    *(GameRun("points", variant, seed) for seed in range(5) for variant in PACKS),
)


def eight_modes(rows: int = 4000, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return points [rows, 2] in eight modes on a circle of radius 1, with standard deviation 0.05, and the centers [8, 2]."""
    angle, rng = torch.arange(8) * math.pi / 4, torch.Generator().manual_seed(seed)
    centers = torch.stack((angle.cos(), angle.sin()), dim=1)
    mode = torch.randint(8, (rows,), generator=rng)
    return centers[mode] + 0.05 * torch.randn(rows, 2, generator=rng), centers


def classifier_of(digits: Digits, steps: int = 250):
    """Return a classifier of digits, trained on their labels: it measures, and no GAN learns from it."""
    torch.manual_seed(0)
    classifier = gan.DigitClassifier()
    fit(classifier, DigitBatches(digits), steps=steps, loss=_label_loss, progress=False)
    return classifier


def _label_loss(model, batch):
    return functional.cross_entropy(model(batch.inputs), batch.targets)


def two_domains(digits: Digits) -> tuple[torch.Tensor, torch.Tensor]:
    """Return written digits and lit ones, half of the images each: no two are a pair."""
    half = len(digits.images) // 2
    return digits.images[:half], light_on_dark(digits.images[half:])


@torch.no_grad()
def translation_measures(there, back, unseen: Digits, classifier) -> dict:
    """Return what became of unseen written digits: how many kinds (over 1 % each), the way back, and whether they are the same.

    "off by" is the root mean square by which an image differs from itself after both trips; ``classifier`` reads lit digits.
    """
    arrived = there(unseen.images)
    counts = gan_metrics.recognized(classifier, arrived)[1]
    return {
        "kinds": int((counts > len(arrived) / 100).sum()),
        "off by": (back(arrived) - unseen.images).square().mean().sqrt().item(),
        "same digit": gan_metrics.accuracy(classifier, arrived, unseen.labels),
    }


def play_points(run: GameRun) -> dict:
    """Train on the eight modes and return the measures."""
    points, centers = eight_modes()
    torch.manual_seed(run.seed)
    generator, discriminator = gan.PointGenerator(), gan.PointDiscriminator(pack=PACKS[run.variant])
    check_finished(fit_gan(generator, discriminator, points, POINT_STEPS, seed=run.seed, progress=False))
    modes, share = gan_metrics.modes_covered(generate_samples(generator, 4000), centers, RADIUS)
    return {"modes": modes, "in a mode": share}


def play_digits(run: GameRun, classifier, train_set: Digits, unseen: Digits) -> dict:
    """Train the two translators and return the measures."""
    kind, cycle = TRANSLATORS[run.variant]
    torch.manual_seed(run.seed)
    there, back, *discriminators = kind(), kind(), gan.DigitDiscriminator(16), gan.DigitDiscriminator(16)
    domains = two_domains(train_set)
    check_finished(
        fit_translators(there, back, discriminators, *domains, DIGIT_STEPS, cycle=cycle, seed=run.seed, progress=False)
    )
    return translation_measures(there.eval(), back.eval(), unseen, classifier)


def read_table(game: str) -> list[dict]:
    """Return the stored rows of "points" or of "digits"."""
    return [row for row in read_rows(data_path() / "gan_games.csv") if row["game"] == game]


def main() -> None:
    """Execute every run that the file lacks."""
    path, (train_set, unseen) = data_path() / "gan_games.csv", load_digits()
    classifier = classifier_of(Digits(light_on_dark(train_set.images), train_set.labels))

    def execute(run: GameRun) -> list[dict]:
        measures = play_points(run) if run.game == "points" else play_digits(run, classifier, train_set, unseen)
        return [run.key | measures]

    run_missing(RUNS, read_rows(path), execute, lambda rows: write_rows(path, COLUMNS, rows))
