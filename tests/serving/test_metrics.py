"""What Prometheus reads: few labels, base units, every series from the start."""

import shutil
import subprocess

import pytest

pytest.importorskip("prometheus_client", reason="needs the extra [serve]: make extras")

from helpers.serving.metrics import Metrics


class Engine:
    waiting, running = 3, 2


def metrics(ready=True):
    return Metrics({"gpt": Engine()}, lambda: ready)


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels)


def test_every_series_of_a_bot_is_there_before_the_first_request():
    fresh = metrics()
    names = (
        "chat_tokens_read_total",
        "chat_tokens_written_total",
        "chat_first_token_seconds_count",
        "chat_answer_seconds_count",
    )
    assert [value(fresh, name, model="gpt") for name in names] == [0, 0, 0, 0]


def test_gauges_are_asked_when_they_are_read():
    some = metrics()
    assert (
        value(some, "chat_requests_waiting", model="gpt") == 3
        and value(some, "chat_requests_running", model="gpt") == 2
    )
    assert value(some, "chat_ready") == 1 and value(metrics(ready=False), "chat_ready") == 0


def test_what_is_counted():
    some = metrics()
    some.request("/v1/models", "GET", 200)
    some.request("/v1/models", "GET", 200)
    some.tokens("gpt", 10, 3)
    some.seconds("gpt", 0.03, None)
    assert value(some, "chat_requests_total", route="/v1/models", method="GET", status="200") == 2
    assert value(some, "chat_tokens_read_total", model="gpt") == 10
    assert value(some, "chat_tokens_written_total", model="gpt") == 3
    assert value(some, "chat_first_token_seconds_sum", model="gpt") == pytest.approx(0.03)
    assert value(some, "chat_first_token_seconds_bucket", model="gpt", le="0.025") == 0
    assert value(some, "chat_first_token_seconds_bucket", model="gpt", le="0.05") == 1
    assert value(some, "chat_answer_seconds_count", model="gpt") == 0


def test_invented_methods_make_no_series():
    some = metrics()
    for number in range(50):
        some.request("unmatched", f"METHOD{number}", 405)
    assert value(some, "chat_requests_total", route="unmatched", method="other", status="405") == 50


def test_two_apps_in_one_process_do_not_add_up():
    one, other = metrics(), metrics()
    one.tokens("gpt", 1, 1)
    assert value(other, "chat_tokens_read_total", model="gpt") == 0


def test_prometheus_finds_nothing_to_say_about_it():
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed (Debian's package prometheus has it)")
    some = metrics()
    some.request("/v1/models", "GET", 200)
    body, kind = some.exposition()
    assert kind.startswith("text/plain; version=")
    done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, timeout=30)
    assert (done.returncode, done.stderr.decode(), done.stdout.decode()) == (0, "", "")
