"""A service under load, simulated: who waits how long for the first token, and who is refused (built in notebook 14).

Continuous batching as in ``helpers.serving.continuous_batch``: a request joins between two steps of the model when a slot is
free, gets a token a step, and leaves. A step with B rows takes a + b · B seconds; reading the prompt costs nothing here. All is
deterministic: the same seed, the same requests, whatever the service is like.
"""

import math
from collections import deque
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

STEP = (0.0016, 0.00014)  # a, b in seconds: the bot gpt-chat on one thread, 1.7 ms for 1 row and 3.9 ms for 16


class Simulated(NamedTuple):
    """What became of each request, in the order of arrival, and of the service. Times in seconds; None for a refused request."""

    waits: list  # from arrival until it joins the batch
    firsts: list  # from arrival to the first token
    wholes: list  # from arrival to the last token
    refused: float  # share of all requests
    utilization: float  # share of all slots in use, over the whole time
    waiting: float  # how many wait, on average over time
    rate: float  # requests let in per second
    tokens: float  # written per second

    def first(self, q: float) -> float:
        """Return below which time to the first token a share ``q`` of the requests let in lies; NaN when all were refused."""
        let_in = sorted(first for first in self.firsts if first is not None)
        return let_in[min(len(let_in) - 1, math.ceil(q * len(let_in)) - 1 if q else 0)] if let_in else math.nan


def traffic(per_second: float, tokens: float, requests: int, seed: int = 0) -> tuple[list[float], list[int]]:
    """Return the times at which ``requests`` arrive (seconds, at random) and each reply's tokens (geometric, the mean given).

    Raises ValueError for a rate that is not above 0, fewer than one token on average, or no request.
    """
    if not (0 < per_second < math.inf and tokens >= 1 and requests >= 1):
        raise ValueError(
            f"{per_second} arrivals per second, {tokens} tokens and {requests} requests: "
            "give a rate above 0, and at least 1 of each"
        )
    gaps, ends = Random(2 * seed), Random(2 * seed + 1)  # two streams: other replies, the same arrivals
    now, arrivals, lengths = 0.0, [], []
    for _ in range(requests):
        now += gaps.expovariate(1.0) / per_second
        arrivals.append(now)
        share = 1 - ends.random()  # above 0
        lengths.append(1 if tokens == 1 else 1 + int(math.log(share) / math.log(1 - 1 / tokens)))
    return arrivals, lengths


def simulate(
    arrivals: Sequence[float], lengths: Sequence[int], slots: int, room: float = math.inf, step: tuple = STEP
) -> Simulated:
    """Serve requests that arrive at ``arrivals`` (seconds, in order) and get ``lengths`` tokens each; see ``Simulated``.

    slots     rows of the batch, 1 or more
    room      how many may wait besides those in the batch; who finds them all is refused
    step      (a, b): a step of B rows takes a + b · B seconds

    Raises ValueError for numbers that do not fit.
    """
    if not arrivals or len(arrivals) != len(lengths) or min(lengths) < 1:
        raise ValueError(
            f"{len(arrivals)} arrivals and {len(lengths)} lengths: give at least one of each, equally many, from 1 on"
        )
    if slots < 1 or room < 0 or not step[0] + step[1] > 0 or step[1] < 0:
        raise ValueError(
            f"{slots} slots, room for {room}, step {step}: give 1 slot or more, room from 0 on, and a time above 0"
        )
    count = len(arrivals)
    starts, firsts, ends = [None] * count, [None] * count, [None] * count
    running, waiting = {}, deque()  # request -> tokens still to write; requests
    now = begin = float(arrivals[0])
    coming, used, waited = 0, 0.0, 0.0  # the next to arrive; slot-seconds in use; request-seconds in the queue
    while coming < count or waiting or running:
        if not (running or waiting):
            now = max(now, arrivals[coming])
            waiting.append(coming)
            coming += 1
        joined = []
        while waiting and len(running) < slots:
            request = waiting.popleft()
            running[request], starts[request] = lengths[request], now
            joined.append(request)
        long = step[0] + step[1] * len(running)
        steps = min(running.values())  # nothing changes before one is done,
        if len(running) < slots and coming < count:  # or somebody joins
            steps = min(steps, max(1, math.ceil((arrivals[coming] - now) / long)))
        after = now + steps * long
        used, waited = used + len(running) * (after - now), waited + len(waiting) * (after - now)
        while coming < count and arrivals[coming] < after:
            if len(running) + len(waiting) < slots + room:
                waiting.append(coming)
                waited += after - arrivals[coming]
            coming += 1
        for request in joined:
            firsts[request] = now + long
        for request in list(running):
            running[request] -= steps
            if not running[request]:
                del running[request]
                ends[request] = after
        now = after

    def since(times):
        return [None if time is None else time - arrival for time, arrival in zip(times, arrivals)]

    let_in = [request for request in range(count) if starts[request] is not None]
    return Simulated(
        since(starts),
        since(firsts),
        since(ends),
        refused=1 - len(let_in) / count,
        utilization=used / (slots * (now - begin)),
        waiting=waited / (now - begin),
        rate=len(let_in) / (now - begin),
        tokens=sum(lengths[request] for request in let_in) / (now - begin),
    )
