"""How large a step is, from the first to the last (built in notebook 02)."""

import math

SCHEDULES = ("cosine", "linear", "constant", "trapezoid")
DESCENT = 0.6  # of the time: the way down of a trapezoid


def learning_rate_at(progress: float, peak: float, warmup: float = 0.0, schedule: str = "cosine") -> float:
    """Return the learning rate when the share ``progress`` of the training (0 to 1) is done.

    Up in a line during the first ``warmup`` (a share, too), then from ``peak`` down to a tenth of it along a "cosine"
    (Loshchilov & Hutter 2016) or "linear", or "constant"; a "trapezoid" stays at ``peak`` and goes down to 0 in a line in
    the last 60 % (Zhai et al. 2022). Raises ValueError for another schedule.
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"there is no schedule {schedule!r}; known are {', '.join(SCHEDULES)}")
    if progress < warmup:
        return peak * max(progress / warmup, 0.01)  # the very first step should move a little, too
    if schedule == "constant":
        return peak
    if schedule == "trapezoid":
        return peak * min(1.0, max(0.0, 1 - progress) / DESCENT)
    way = min(1.0, (progress - warmup) / max(1e-9, 1 - warmup))
    left = (1 + math.cos(math.pi * way)) / 2 if schedule == "cosine" else 1 - way
    return peak * (0.1 + 0.9 * left)
