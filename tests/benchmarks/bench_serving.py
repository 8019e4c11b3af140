"""What a batch buys a chat service, and what a bounded queue protects: ratios in one run; stop all other work first.

1. The engine with 8 requests at once writes at least 2.5 times the tokens a second of one at a time.
2. Through HTTP, 8 clients: at least 1.5 times, and the median first token comes at least 10 times sooner.
3. Twice as many requests arrive as can be answered: because the queue is bounded, the 95th percentile of the first token stays
   below the time in which a full queue is worked off; the rest is refused at once (503), and nothing fails.
4. 1,000 requests, of which 20 % leave in the middle: the gauges are back at 0, and the memory is where it was.

    python tests/benchmarks/bench_serving.py [--rounds 3] [--write]

Needs the extra [serve]. All computing is on one thread. --write puts the numbers into data/serving.csv (notebook 14).
"""

import argparse
import gc
import sys
import threading
import time
from pathlib import Path
from statistics import median

import torch

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))  # so that it runs in a clone that nobody installed

from helpers import data_path  # noqa: E402
from helpers.bots import checkpoints  # noqa: E402
from helpers.extras import missing  # noqa: E402
from helpers.io import write_rows  # noqa: E402
from helpers.serving.engine import Engine  # noqa: E402
from helpers.serving.load import Load, arriving, summary, together  # noqa: E402
from helpers.serving.requests import Request  # noqa: E402

BOT, CLIENTS, TOKENS, GROWTH = "gpt-chat", (1, 2, 4, 8, 16), 40, 30e6
COLUMNS = ("clients", "batch_size", "tokens_a_second", "first_median", "first_p95", "answers_a_second")


def engine_speed(bot, size: int, requests: int = 32) -> float:
    """Return the tokens a second of the engine alone."""
    written, ended = [], threading.Semaphore(0)

    def hear(event) -> None:
        written.append(event.tokens)
        if event.finish is not None:
            ended.release()

    with Engine(bot, batch_size=size, max_waiting=requests) as engine:
        began = time.perf_counter()
        for number in range(requests):
            engine.submit(Request(["How was your weekend?"], seed=number, max_tokens=TOKENS), hear)
        for _ in range(requests):
            ended.acquire()
        return sum(written) / (time.perf_counter() - began)


def through_http(bot, size: int, clients: int, requests: int) -> dict[str, float]:
    from helpers.serving.server import serving
    from helpers.serving.settings import Settings

    with serving([bot], Settings(batch_size=size, max_waiting=64, notice=0)) as url:
        together(Load(url, bot.name, 4), 1, 2)  # the first requests find everything cold
        return summary(*together(Load(url, bot.name, TOKENS), clients, requests))


def overload(bot, rate: float, seconds: float) -> tuple[dict[str, float], int]:
    from helpers.serving.server import serving
    from helpers.serving.settings import Settings

    settings = Settings(batch_size=8, max_waiting=8, notice=0)
    with serving([bot], settings) as url:
        outcomes = arriving(Load(url, bot.name, TOKENS), rate, seconds)
        return summary(*outcomes), settings.batch_size + settings.max_waiting


def leaving(bot, requests: int) -> tuple[dict[str, float], float, dict[str, float]]:
    """Return what became of the requests, by how many bytes the memory grew in the second half, and the gauges after it."""
    import psutil

    from helpers.serving.server import serving
    from helpers.serving.settings import Settings

    with serving([bot], Settings(notice=0, max_waiting=64)) as url:
        load = Load(url, bot.name, 10)
        together(load, 16, requests // 2, leaving=0.2)
        gc.collect()
        before = psutil.Process().memory_info().rss
        outcomes = together(load, 16, requests // 2, leaving=0.2, seed=1)
        time.sleep(0.5)
        gc.collect()
        return summary(*outcomes), psutil.Process().memory_info().rss - before, gauges(url)


def gauges(url: str) -> dict[str, float]:
    """Return the numbers waiting and running that the service shows."""
    from urllib.request import urlopen

    with urlopen(url + "/metrics", timeout=10) as answer:
        lines = [line for line in answer.read().decode().splitlines() if line.startswith("chat_requests_")]
    return {
        line.split("{")[0]: float(line.rsplit(" ", 1)[1])
        for line in lines
        if "_waiting{" in line or "_running{" in line
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_known_args()[0]
    if sentence := missing("fastapi", "uvicorn", "prometheus_client", "limits"):
        print(sentence)
        return 0
    torch.set_num_threads(1)
    bot, failed = checkpoints.load(BOT), []

    def check(name: str, value: float, least: float) -> None:
        print(f"{name}: {value:.2f} (at least {least:g})")
        if not value >= least:
            failed.append(name)

    speeds = [(engine_speed(bot, 1), engine_speed(bot, 8)) for _ in range(options.rounds)]
    check("engine, 8 at once against one at a time, tokens a second", median(b / a for a, b in speeds), 2.5)

    table = {
        (clients, size): through_http(bot, size, clients, max(16, 4 * clients))
        for size in (1, 8)
        for clients in CLIENTS
    }
    for (clients, size), row in table.items():
        print(
            f"{clients:3} clients, batch {size}: {row['tokens a second']:6.0f} tokens/s, first token "
            f"{row['first token, median']:.3f} s, p95 {row['first token, p95']:.3f} s"
        )
    one, eight = table[8, 1], table[8, 8]
    check("through HTTP, 8 clients, tokens a second", eight["tokens a second"] / one["tokens a second"], 1.5)
    check(
        "median first token at 8 clients, times sooner", one["first token, median"] / eight["first token, median"], 10
    )

    rate = 2 * table[16, 8]["answers a second"]
    result, room = overload(bot, rate, 10)
    longest = (room + 8) / result["answers a second"]  # a full queue, and the batch before it, worked off
    print(f"twice too many ({rate:.1f} a second): {result}")
    check("overload: time to work off a full queue / p95 of the first token", longest / result["first token, p95"], 1.0)
    check("overload: refused", result["refused"], 1)
    check("overload: failed (negative)", -result["failed"], 0)

    result, growth, after = leaving(bot, 1_000)
    print(f"20 % leave: {result}, {growth / 1e6:+.1f} MB, {after}")
    check("megabytes of growth (negative)", -growth / 1e6, -GROWTH / 1e6)
    check("requests still waiting or running (negative)", -sum(after.values()), 0)
    check("leaving: failed (negative)", -result["failed"], 0)

    if options.write:
        names = ("tokens a second", "first token, median", "first token, p95", "answers a second")
        rows = [(clients, size, *(round(row[name], 4) for name in names)) for (clients, size), row in table.items()]
        write_rows(data_path() / "serving.csv", COLUMNS, [dict(zip(COLUMNS, row)) for row in rows])
    print("All as it should be." if not failed else f"NOT as it should be: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
