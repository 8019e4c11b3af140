"""Quality at equal diversity: what a game gained or lost against maximum likelihood, beside the noise floor (notebook 08).

A bot at six temperatures is a curve, and a model trained only by maximum likelihood has one, too. Two points are comparable
where the curves have the same diversity; between two measured temperatures a straight line stands for the curve, and beyond
its ends there is nothing to compare. All functions read the rows of ``data/gan_starts.csv``
(``helpers.experiments.dialogue_gan_starts.read_table``).
"""

from collections.abc import Iterable, Sequence
from statistics import mean, stdev

import numpy as np

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)  # of distinct-2


def curve(rows: Iterable[dict], start: int, run: str, seed: int = 0) -> list[dict]:
    """Return the rows of one bot, in order of temperature."""
    key = {"start": start, "run": run, "seed": seed}
    return sorted((row for row in rows if key.items() <= row.items()), key=lambda row: row["temperature"])


def at_equal_diversity(
    points: Sequence[dict], level: float, diversity: str = "distinct-2", quality: str = "nats"
) -> float | None:
    """Return the ``quality`` that a curve has where its ``diversity`` is ``level``; None outside the measured range."""
    known = sorted((row[diversity], row[quality]) for row in points if row[diversity] is not None)
    if len(known) < 2 or not known[0][0] <= level <= known[-1][0]:
        return None
    return float(np.interp(level, *zip(*known)))


def seeds_of(rows: Iterable[dict], start: int, run: str) -> list[int]:
    """Return the seeds with which a run was repeated from a start."""
    return sorted({row["seed"] for row in rows if (row["start"], row["run"]) == (start, run)})


def difference(rows: Sequence[dict], start: int, run: str, level: float, seed: int = 0, **measures) -> float | None:
    """Return the quality of a run minus that of maximum likelihood from the same start, both at the diversity ``level``.

    Maximum likelihood is the mean of its seeds, an "MLE" run itself left out: then the difference is one of the noise floor.
    With nats as the quality, above 0 is worse. None where a curve does not reach the level.
    """
    others = [other for other in seeds_of(rows, start, "MLE") if (run, seed) != ("MLE", other)]
    curves = [curve(rows, start, run, seed), *(curve(rows, start, "MLE", other) for other in others)]
    own, *references = (at_equal_diversity(points, level, **measures) for points in curves)
    return None if own is None or not references or None in references else own - mean(references)


def differences(rows: Sequence[dict], run: str, levels: Sequence[float], **measures) -> dict[tuple[int, int], float]:
    """Return the ``difference`` of a run for each (start, seed), its mean over ``levels``; only where all are reached."""
    found = {}
    for start, seed in sorted({(row["start"], row["seed"]) for row in rows if row["run"] == run}):
        values = [difference(rows, start, run, level, seed, **measures) for level in levels]
        if None not in values:
            found[start, seed] = mean(values)
    return found


def verdict(rows: Sequence[dict], runs: Sequence[str], levels: Sequence[float], **measures) -> list[dict]:
    """Return a row for each run: "mean" and "sd" (standard deviation) of its differences over the starts, and their "number".

    Of "MLE" they are over starts and seeds: its mean is 0 but for rounding, its sd is the noise floor.
    """
    table = []
    for run in runs:
        values = list(differences(rows, run, levels, **measures).values())
        spread = stdev(values) if len(values) > 1 else None
        table.append({"run": run, "mean": mean(values) if values else None, "sd": spread, "number": len(values)})
    return table
