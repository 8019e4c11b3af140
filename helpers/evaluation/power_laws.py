"""Power laws: how a loss falls as models, texts or budgets grow, and what a line through points can promise (notebook 06)."""

from collections.abc import Sequence
from typing import NamedTuple

from helpers import data_path

# Exponents of the loss as published: for parameters and for tokens. Kaplan et al. 2020 fit a line without a floor, Hoffmann
# et al. 2022 (their third approach) a sum of two power laws above a floor of 1.69 nats per token.
KAPLAN = {"parameters": 0.076, "tokens": 0.095}
HOFFMANN = {"parameters": 0.34, "tokens": 0.28}


class PowerLaw(NamedTuple):
    """loss = floor + factor · size ** −exponent."""

    factor: float
    exponent: float
    floor: float = 0.0

    def at(self, size: float) -> float:
        """Return the loss that the law expects at ``size``."""
        return self.floor + self.factor * size**-self.exponent


def fit_power_law(sizes: Sequence[float], losses: Sequence[float], floor: float = 0.0) -> PowerLaw:
    """Return the power law nearest to the points, by least squares on the logarithms of both.

    ``floor`` is what would be left of the loss for an endless size; it is given, not fitted: a handful of points cannot
    tell it. Raises ValueError for fewer than two different sizes, a size that is not above 0, and a loss that is not
    above the floor.
    """
    import numpy as np

    sizes, losses = np.asarray(sizes, dtype=float), np.asarray(losses, dtype=float)
    if sizes.shape != losses.shape or sizes.ndim != 1 or len(np.unique(sizes)) < 2:
        raise ValueError("a power law needs two different sizes at least, with a loss for each")
    if not (sizes > 0).all() or not (losses > floor).all():
        raise ValueError(f"sizes must be above 0 and losses above the floor, {floor}: their logarithms are taken")
    slope, height = np.polyfit(np.log(sizes), np.log(losses - floor), 1)
    return PowerLaw(float(np.exp(height)), float(-slope), floor)


class Intervals(NamedTuple):
    """What refits of a power law say of it: (low, high) of the exponent, and of the loss at some size."""

    exponent: tuple[float, float]
    loss: tuple[float, float]


def power_law_intervals(
    sizes: Sequence[float],
    losses: Sequence[float],
    at: float,
    floor: float = 0.0,
    confidence: float = 0.9,
    draws: int = 1000,
    seed: int = 0,
) -> Intervals:
    """Return how far the exponent and the loss at the size ``at`` move when the points are sampled anew (Efron 1979).

    A bootstrap: ``draws`` times as many points are drawn with replacement as there are, and the law is fitted to them; the
    middle ``confidence`` of all fits stays. Give a point for each training, several seeds of a size included. It says what
    other points of the same kind would have changed. It says nothing of what all points have in common, such as a bend
    beyond the largest size or another floor. Raises ValueError as ``fit_power_law`` does.
    """
    import numpy as np

    fit_power_law(sizes, losses, floor)  # refuses what has no law
    sizes, losses = np.asarray(sizes, dtype=float), np.asarray(losses, dtype=float)
    rng, fits = np.random.default_rng(seed), []
    while len(fits) < draws:
        chosen = rng.integers(len(sizes), size=len(sizes))
        if len(np.unique(sizes[chosen])) > 1:  # one size alone has no slope
            fits.append(fit_power_law(sizes[chosen], losses[chosen], floor))
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    found = (np.quantile([law.exponent for law in fits], ends), np.quantile([law.at(at) for law in fits], ends))
    return Intervals(*((float(low), float(high)) for low, high in found))


def read_runs(seeds: bool = False):
    """Return the runs of ``python -m helpers experiments scaling_laws`` as a pandas DataFrame, a row for each size.

    Columns: series ("parameters": models of different size read the same text; "tokens": one size reads more and more),
    width, parameters (those of the layers, without the tables), tokens (read in training), loss (nats per character on the
    validation conversations, the mean of the seeds) and spread (their standard deviation). With ``seeds`` a row for each
    training, with its seed, and no spread.
    """
    import pandas

    runs = pandas.read_csv(data_path("scaling.csv"))
    if seeds:
        return runs
    sizes = runs.groupby(["series", "width", "parameters", "tokens"], sort=False)["loss"]
    return sizes.agg(loss="mean", spread="std").reset_index()
