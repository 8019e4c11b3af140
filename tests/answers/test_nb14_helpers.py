"""What learners build in notebook 14, in its text and in its exercises, does what the package does."""

import json
import math
import random
from collections import deque

import pytest
import torch

from helpers.checks.nb14_batch import Asked, small_gpt
from helpers.serving import alert, continuous_batch, histogram, keys, plain, sse, text_stream, token_bucket, waiting
from tests.answers.solutions import run, solutions

NOTEBOOK = "14_serving_the_bot"
SOLUTIONS = solutions(NOTEBOOK)


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


def test_the_route_gives_the_packages_status():
    route, rng = solution("route"), random.Random(0)
    models = {"echo": lambda request: {"ok": 1}, "broken": lambda request: 1 / 0}
    bodies = [b"", b"{", b"[]", b"\xff", b"[" * 100_000]
    for model in ("echo", "broken", "gpt-9", 5, [], None):
        for messages in ([{"role": "user", "content": "hi"}], [], "hi", [5], [{"content": 5}]):
            bodies.append(json.dumps({"model": model, "messages": messages}).encode())
    for body in bodies:
        path, method = rng.choice(["/v1/chat/completions"] * 3 + ["/x"]), rng.choice(["POST"] * 3 + ["GET"])
        mine, theirs = route(method, path, body, models), plain.route(method, path, body, models)
        assert mine[0] == theirs[0]
        assert mine[1].get("error", {}).get("param") == theirs[1].get("error", {}).get("param")


def test_the_parser_reads_what_the_packages_does():
    rng, parser = random.Random(1), solution("EventParser")
    stream = b"".join(sse.event(text) for text in ("hi", "né😀", "two\nlines", '{"a": 1}', sse.DONE))
    for _ in range(50):
        mine, theirs, start, events = parser(), sse.EventParser(), 0, ([], [])
        while start < len(stream):
            piece = stream[start : (start := start + rng.randint(1, 9))]
            events[0].extend(mine.feed(piece))
            events[1].extend(theirs.feed(piece))
        assert events[0] == events[1] and len(events[0]) == 5


def test_what_is_settled_is_the_packages():
    rng, settled = random.Random(2), solution("settled")
    for _ in range(500):
        text = "".join(rng.choices("ab", k=rng.randint(0, 6)))
        stops = ["".join(rng.choices("ab", k=rng.randint(1, 4))) for _ in range(rng.randint(0, 3))]
        assert settled(text, stops) == text_stream.settled(text, stops)


def test_caches_are_joined_and_rows_are_kept_as_in_the_package():
    model, join, keep = small_gpt(), solution("join_caches"), run(SOLUTIONS["ContinuousBatch"], "keep_rows", NOTEBOOK)
    caches = [model(torch.tensor([ids]))[1] for ids in ([1, 5], [2, 7, 3, 8], [3])]
    mine, theirs = join(caches), continuous_batch.join_caches(caches)
    for one, other in ((mine, theirs), (keep(mine, [0, 2]), continuous_batch.keep_rows(theirs, [0, 2]))):
        assert all(map(torch.equal, (*one.keys, *one.values), (*other.keys, *other.values)))
        assert torch.equal(one.padding, other.padding) and torch.equal(one.last, other.last)


def test_the_batch_takes_the_packages_steps():
    model, written = small_gpt(), []
    for kind in (solution("ContinuousBatch"), continuous_batch.ContinuousBatch):
        requests = [Asked([1 + number, 5, 9][: 2 + number % 2], 2 + number % 4) for number in range(7)]
        batch, waiting_, steps = kind(model, 3), deque(requests), 0
        while not all(request.done for request in requests):
            batch.step(waiting_)
            steps += 1
        written.append((steps, [request.tokens for request in requests]))
    assert written[0] == written[1]


def test_waits_are_the_packages():
    rng, waits = random.Random(3), solution("waits")
    for room in (math.inf, 0, 1, 3):
        arrivals = sorted(rng.uniform(0, 50) for _ in range(80))
        services = [rng.expovariate(1) for _ in arrivals]
        assert waits(arrivals, services, room) == waiting.waits(arrivals, services, room)


def test_keys_buckets_quantiles_and_alerts_are_the_packages():
    rng = random.Random(4)
    known = {name: keys.digest(f"sk-{name}") for name in "abc"}
    known_key = solution("known_key")
    for key in ("sk-a", "sk-c", "sk-d", ""):
        assert known_key(key, known) == keys.known_key(key, known)
    mine, theirs, now = solution("TokenBucket")(1.5, 4), token_bucket.TokenBucket(1.5, 4), 0.0
    for _ in range(200):
        now += rng.expovariate(2)
        assert mine.take(now) == pytest.approx(theirs.take(now))
    bounds = [0.1, 0.5, 2.0]
    estimate = solution("quantile")
    for _ in range(100):
        counts, q = [rng.randint(0, 5) for _ in range(4)], rng.random()
        assert estimate(q, bounds, counts) == pytest.approx(histogram.quantile(q, bounds, counts), nan_ok=True)
    times = sorted(rng.sample(range(1_000), 60))
    values = [rng.choice([0.5, 1.0, 1.5, math.nan]) if rng.random() < 0.4 else 2.0 for _ in times]
    assert solution("alert_states")(times, values, 1.0, 60) == alert.alert_states(times, values, 1.0, 60)
