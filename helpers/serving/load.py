"""Clients that ask a chat service for replies, all at once, and a watch beside each: a load test (notebook 14).

``together`` keeps a number of clients busy (closed loop: a slow service is asked less often), ``arriving`` lets requests come
at a rate of their own (open loop: it does not wait, as people do not). Only the standard library: raw HTTP/1.1 over asyncio.
"""

import asyncio
import json
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

from helpers.serving.sse import DONE, EventParser

PROMPTS = ("Hello!", "How was your weekend?", "Do you like music?", "What did you have for dinner yesterday?")


@dataclass
class Outcome:
    """What became of one request: its HTTP ``status`` (0: the connection failed), seconds to the first token and to the end.

    ``complete`` says whether the whole reply came; ``left`` that the client left early, on purpose.
    """

    status: int = 0
    first: float | None = None
    whole: float | None = None
    tokens: int = 0
    text: str = ""
    complete: bool = False
    left: bool = False


@dataclass(frozen=True)
class Load:
    """What every client asks: of which ``model`` at which address, for how many tokens, within how many seconds."""

    url: str
    model: str
    max_tokens: int = 40
    key: str | None = None
    timeout: float = 60.0
    prompts: Sequence[str] = PROMPTS

    def body(self, number: int) -> bytes:
        """Return the request with this number: its prompt and its seed come from it."""
        return json.dumps(
            {
                "model": self.model,
                "messages": [{"role": "user", "content": self.prompts[number % len(self.prompts)]}],
                "max_tokens": self.max_tokens,
                "seed": number,
                "stream": True,
                "stream_options": {"include_usage": True},
            }
        ).encode()


async def ask(load: Load, number: int, leave_after: int | None = None) -> Outcome:
    """Send one request and read its stream; with ``leave_after`` close the connection after so many pieces of text."""
    outcome, began = Outcome(), time.perf_counter()
    try:
        await asyncio.wait_for(_read(load, number, leave_after, outcome, began), load.timeout)
    except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError):
        pass  # what came until then is in the outcome
    return outcome


async def _read(load: Load, number: int, leave_after: int | None, outcome: Outcome, began: float) -> None:
    address, body = urlsplit(load.url), load.body(number)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        key = f"Authorization: Bearer {load.key}\r\n" if load.key else ""
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{key}Connection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        outcome.status = int((await reader.readline()).split()[1])
        chunked = False
        while (line := (await reader.readline()).strip().lower()) != b"":
            chunked = chunked or line == b"transfer-encoding: chunked"
        if outcome.status == 200:
            await _events(reader, chunked, leave_after, outcome, began)
    finally:
        writer.close()


async def _events(reader, chunked: bool, leave_after: int | None, outcome: Outcome, began: float) -> None:
    parser, pieces = EventParser(), 0
    while piece := await _piece(reader, chunked):
        for event in parser.feed(piece):
            if event == DONE:
                outcome.whole, outcome.complete = time.perf_counter() - began, True
                return
            data = json.loads(event)
            if "error" in data:
                return
            if data.get("usage"):
                outcome.tokens = data["usage"]["completion_tokens"]
            for choice in data["choices"]:
                if text := choice["delta"].get("content"):
                    outcome.first = outcome.first or time.perf_counter() - began
                    outcome.text += text
                    pieces += 1
            if leave_after is not None and pieces >= leave_after:
                outcome.left = True
                return


async def _piece(reader, chunked: bool) -> bytes:
    """Return the next bytes of a body, b"" at its end."""
    if not chunked:
        return await reader.read(65_536)
    size = int((await reader.readline()).split(b";")[0] or b"0", 16)
    piece = await reader.readexactly(size)
    await reader.readline()
    return piece


def together(
    load: Load, clients: int, requests: int, leaving: float = 0.0, seed: int = 0
) -> tuple[list[Outcome], float]:
    """Let ``clients`` ask again and again until ``requests`` have been sent; return the outcomes and the seconds it took.

    A share ``leaving`` of the requests, chosen at random, is left after a few pieces of text.
    """
    rng = random.Random(seed)
    leave = [rng.randint(1, 5) if rng.random() < leaving else None for _ in range(requests)]

    async def all_clients() -> list[Outcome]:
        left = iter(range(requests))

        async def client() -> list[Outcome]:
            return [await ask(load, number, leave[number]) for number in left]

        return [each for some in await asyncio.gather(*(client() for _ in range(clients))) for each in some]

    return _timed(all_clients)


def arriving(load: Load, rate: float, seconds: float, seed: int = 0) -> tuple[list[Outcome], float]:
    """Let requests arrive at random, ``rate`` a second on average (a Poisson process), for so many ``seconds``."""
    rng, times, now = random.Random(seed), [], 0.0
    while (now := now + rng.expovariate(rate)) < seconds:
        times.append(now)

    async def one(number: int, after: float) -> Outcome:
        await asyncio.sleep(after)
        return await ask(load, number)

    async def all_of_them() -> list[Outcome]:
        return list(await asyncio.gather(*(one(number, after) for number, after in enumerate(times))))

    return _timed(all_of_them)


def _timed(function) -> tuple[list[Outcome], float]:
    """Run a coroutine function in a thread of its own: a notebook's has an event loop that runs already."""
    from concurrent.futures import ThreadPoolExecutor

    def run():
        began = time.perf_counter()
        return asyncio.run(function()), time.perf_counter() - began

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def quantile(values: Sequence[float], q: float) -> float:
    """Return the smallest value that a share ``q`` of all do not exceed; NaN when there are none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)] if ordered else float("nan")


def summary(outcomes: Sequence[Outcome], seconds: float) -> dict[str, float]:
    """Return answers and tokens a second, the median and the 95th percentile of the seconds to the first token, and counts."""
    first = [each.first for each in outcomes if each.first is not None]
    tokens = sum(each.tokens for each in outcomes)
    return {
        "complete": sum(each.complete for each in outcomes),
        "refused": sum(each.status in (429, 503) for each in outcomes),
        "left": sum(each.left for each in outcomes),
        "failed": sum(not (each.complete or each.left or each.status in (429, 503)) for each in outcomes),
        "answers a second": sum(each.complete for each in outcomes) / seconds,
        "tokens a second": tokens / seconds,
        "first token, median": median(first) if first else float("nan"),
        "first token, p95": quantile(first, 0.95),
    }
