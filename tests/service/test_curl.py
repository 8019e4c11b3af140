"""What a terminal sees: curl against the service, as the notebook shows it."""

import json
import shutil
import subprocess
import time

import pytest

pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")
pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
CHAT = {"model": "n-gram", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 30, "seed": 1}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    from tests.service.command import started

    log = tmp_path_factory.mktemp("log") / "requests.log"
    with started("--log", str(log)) as (_, url):
        yield url, log


def curl(*arguments, **settings):
    command = ["curl", "--silent", "--show-error", "--max-time", "20", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=30, **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def post(url, body, *more):
    return curl("-H", "Content-Type: application/json", "-d", json.dumps(body), *more, url + "/v1/chat/completions")


def test_a_whole_answer_and_its_usage(service):
    answer = json.loads(post(service[0], CHAT))
    assert answer["object"] == "chat.completion" and answer["choices"][0]["message"]["content"]
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"]


def test_a_stream_as_it_is_on_the_wire(service):
    text = post(service[0], {**CHAT, "stream": True}, "--no-buffer")
    events = text.split("\n\n")
    assert (
        events[-1] == "" and events[-2] == "data: [DONE]" and all(event.startswith("data: ") for event in events[:-1])
    )
    pieces = [json.loads(event[6:])["choices"][0]["delta"].get("content") or "" for event in events[:-2]]
    assert "".join(pieces) == json.loads(post(service[0], CHAT))["choices"][0]["message"]["content"] and len(pieces) > 5


def test_the_head_of_an_answer(service):
    head = curl("--include", service[0] + "/health/ready").partition("\r\n\r\n")[0].lower()
    assert head.startswith("http/1.1 200") and "x-request-id: req" in head and "server:" not in head
    assert "text/event-stream" in post(service[0], {**CHAT, "stream": True}, "--include").lower()


def test_health_metrics_and_the_page(service):
    assert json.loads(curl(service[0] + "/health/live")) == {"status": "ok"}
    assert "chat_ready 1.0" in curl(service[0] + "/metrics")
    assert curl(service[0] + "/").startswith("<!doctype html>")


def test_a_body_of_a_hundred_megabytes_is_refused_before_it_has_come(service, tmp_path):
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(100_000_000)
    for how in ("Content-Type: application/json",), ("Content-Type: application/json", "Transfer-Encoding: chunked"):
        headers = [part for header in how for part in ("-H", header)]
        form = "%{http_code} %{size_upload}"
        command = [
            "curl",
            "-s",
            "-o",
            "/dev/null",
            "-w",
            form,
            "--max-time",
            "20",
            *headers,
            "-X",
            "POST",
            "-T",
            str(large),
        ]
        done = subprocess.run(
            [*command, service[0] + "/v1/chat/completions"], capture_output=True, text=True, timeout=30
        )
        status, sent = done.stdout.split()
        assert status == "413" and int(sent) < 50_000_000


def test_the_log_has_a_line_each_and_no_word_of_what_was_said(service):
    url, log = service
    post(url, {**CHAT, "messages": [{"role": "user", "content": "my secret is xyzzy"}]})
    for _ in range(200):  # a request's line is written after its answer
        line = json.loads(log.read_text().splitlines()[-1])
        if line["status"] == 200:
            break
        time.sleep(0.05)
    assert line["status"] == 200 and line["route"] == "/v1/chat/completions"
    assert "xyzzy" not in log.read_text() and "secret" not in log.read_text()
