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


def read_runs():
    """Return the runs of ``python -m helpers experiments scaling_laws`` as a pandas DataFrame, a row each.

    Columns: series ("parameters": models of different size read the same text; "tokens": one size reads more and more),
    width, parameters (those of the layers, without the tables), tokens (read in training), loss (nats per character on the
    validation conversations).
    """
    import pandas

    return pandas.read_csv(data_path("scaling.csv"))
