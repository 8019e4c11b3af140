"""The metrics and the alert rules, as Prometheus' own tool sees them; where it is not installed, the names alone are compared."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client", reason="needs the extra [serve]: make extras")

FOLDER = Path(__file__).resolve().parents[2] / "helpers" / "serving"
needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed (Debian: apt install prometheus)"
)


@pytest.fixture
def exposition():
    """What the service shows after three requests, an error among them."""
    from helpers.serving.metrics import Metrics
    from tests.serving.stub_engine import StubEngine

    metrics = Metrics({"gpt": StubEngine()}, lambda: True)
    metrics.request("/v1/chat/completions", "POST", 200)
    metrics.request("/v1/chat/completions", "BREW", 503)
    metrics.tokens("gpt", 3, 4)
    metrics.seconds("gpt", 0.2, 1.5)
    return metrics.exposition()[0].decode()


def promtool(*arguments, folder=FOLDER, text=None):
    return subprocess.run(["promtool", *arguments], cwd=folder, input=text, capture_output=True, text=True, timeout=60)


@needs_promtool
def test_prometheus_accepts_what_is_shown(exposition):
    done = promtool("check", "metrics", text=exposition)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert promtool("check", "metrics", text=exposition + "# TYPE a counter\na 1\n").returncode  # it can complain


@needs_promtool
def test_prometheus_accepts_what_a_running_service_shows():
    pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")
    from urllib.request import Request, urlopen

    from helpers.serving.server import serving
    from helpers.serving.settings import Settings
    from tests.serving.stub_engine import StubEngine

    body = b'{"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}'
    with serving({"gpt": StubEngine()}, Settings(notice=0)) as url:
        with urlopen(
            Request(url + "/v1/chat/completions", body, {"Content-Type": "application/json"}), timeout=10
        ) as answer:
            assert answer.status == 200
        with urlopen(url + "/metrics", timeout=10) as answer:
            shown = answer.read().decode()
    done = promtool("check", "metrics", text=shown)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert 'chat_first_token_seconds_count{model="gpt"} 1.0' in shown


@needs_promtool
def test_the_rules_are_rules():
    done = promtool("check", "rules", "alerts.yml")
    assert done.returncode == 0 and "4 rules found" in done.stdout


@needs_promtool
def test_the_rules_fire_when_they_should_and_not_before():
    done = promtool("test", "rules", "alerts_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (
            "histogram_quantile(0.95, sum by (model, le) (rate(chat_first_token_seconds_bucket[5m])))",
            "sum by (model) (rate(chat_first_token_seconds_sum[5m])) / sum by (model) (rate(chat_first_token_seconds_count[5m]))",
        ),
        ("        for: 10m\n", ""),
        ("        for: 5m\n        labels: {severity: page}", "        labels: {severity: page}"),
        ('status=~"5.."', 'status=~"[45].."'),
        ('{route=~"/v1/.*"}', ""),
        ("sum by (model) (chat_requests_waiting) > 8", "sum by (model) (chat_requests_waiting) > 7"),
        ('up{job="chat"} == 0', 'up{job="chat"} == 1'),
    ],
    ids=[
        "mean for p95",
        "no for",
        "errors without for",
        "clients' mistakes",
        "all routes",
        "one more waits",
        "up is down",
    ],
)
def test_a_wrong_rule_fails_its_test(right, wrong, tmp_path):
    rules = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
    assert right in rules
    (tmp_path / "alerts.yml").write_text(rules.replace(right, wrong), encoding="utf-8")
    shutil.copy(FOLDER / "alerts_test.yml", tmp_path)
    assert promtool("test", "rules", "alerts_test.yml", folder=tmp_path).returncode


def test_the_rules_ask_for_metrics_that_there_are(exposition):
    asked = set(
        re.findall(r"chat_\w+", "".join(re.findall(r"expr:.*(?:\n {10}.*)*", (FOLDER / "alerts.yml").read_text())))
    )
    shown = set(re.findall(r"^(chat_\w+)", exposition, re.MULTILINE))
    assert len(asked) == 3 and asked <= shown
