"""How long one waits in a line, request by request, and what queueing theory says of the mean (built in notebook 14).

One server, first come, first served. Sources: Lindley 1952 (the recursion), Khinchin 1932 and Pollaczek 1930 (the mean for any
distribution of service times), Little 1961 (how many wait).
"""

import math
from collections.abc import Sequence


def waits(arrivals: Sequence[float], services: Sequence[float], room: float = math.inf) -> list[float | None]:
    """Return how many seconds each request waits until its service begins; None for one that is refused.

    ``arrivals`` are the times at which they come (seconds, in order), ``services`` how long each keeps the server. A request
    is refused when ``room`` others wait already, those being served not counted; it takes none of the server's time. Raises
    ValueError when there are not as many services as arrivals.
    """
    if len(arrivals) != len(services):
        raise ValueError(f"{len(arrivals)} arrivals and {len(services)} services: give one service for each request")
    found: list[float | None] = []
    starts: list[float] = []  # of those that were let in: they never begin in another order
    begun, free = 0, 0.0  # how many of them have begun; when the server is free
    for arrival, service in zip(arrivals, services):
        while begun < len(starts) and starts[begun] <= arrival:
            begun += 1
        start = max(arrival, free)
        if len(starts) - begun >= room and start > arrival:
            found.append(None)
            continue
        starts.append(start)
        free = start + service
        found.append(start - arrival)
    return found


def mean_wait(utilization: float, service: float = 1.0, variation: float = 1.0) -> float:
    """Return the mean wait in seconds when requests arrive at random: ρ / (1 − ρ) · (1 + c²) / 2 · service.

    ``utilization`` ρ is the share of its time that the server is busy, ``service`` the mean service time in seconds and
    ``variation`` c its standard deviation over its mean: 1 for exponential times (M/M/1), 0 when all are equal (M/D/1). Raises
    ValueError for a utilization that is not from 0 to below 1: at 1 the line has no end.
    """
    if not 0 <= utilization < 1:
        raise ValueError(
            f"utilization is {utilization}: give a share from 0 to below 1; from 1 on the line grows for ever"
        )
    return utilization / (1 - utilization) * (1 + variation**2) / 2 * service
