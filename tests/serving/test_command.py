"""python -m helpers serve: what it is told, what it says, and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from helpers.__main__ import main
from helpers.serving import command
from helpers.serving.keys import known_key, read_keys


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as end:
        main(["serve", "--help"])
    out = capsys.readouterr().out
    assert end.value.code == 0 and all(
        name in out for name in ("--port", "--keys-file", "--log", "--deadline", "default: 60")
    )


def test_without_the_extra_it_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr("helpers.extras.find_spec", lambda name: None)
    assert main(["serve", "gpt-chat"]) == 1
    assert "fastapi and uvicorn" in (err := capsys.readouterr().err) and "make extras" in err


def test_a_key_is_made_shown_once_and_kept_as_its_hash(tmp_path, capsys):
    path = tmp_path / "keys"
    assert main(["serve", "--keys-file", str(path), "--new-key", "anna"]) == 0
    key = capsys.readouterr().out.split()[0]
    assert known_key(key, read_keys(path)) == "anna" and key not in path.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--new-key", "anna"], "needs --keys-file"),
        (["--keys-file", "nowhere"], "nowhere"),
        (["--host", "0.0.0.0"], "give --keys-file"),
        (["--deadline", "0"], "deadline is 0"),
        (["--max-waiting", "-1"], "max_waiting is -1"),
        (["no-such-bot", "--port", "0"], "there is no bot 'no-such-bot'"),
    ],
)
def test_what_is_wrong_is_a_sentence(arguments, words, capsys):
    pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")
    assert main(["serve", *arguments]) == 1
    assert words in (err := capsys.readouterr().err) and "Traceback" not in err


def test_a_port_that_is_taken_is_told_before_any_bot_is_loaded(monkeypatch, capsys):
    server = pytest.importorskip("helpers.serving.server", reason="needs the extra [serve]: make extras")
    monkeypatch.setattr("helpers.bots.checkpoints.load", lambda name: 1 / 0)
    with server.bound("127.0.0.1", 0) as door:
        assert main(["serve", "--port", str(door.getsockname()[1])]) == 1
    assert "choose another with --port" in capsys.readouterr().err


def test_what_is_served_and_how(monkeypatch, tmp_path, capsys):
    pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")
    served = []
    monkeypatch.setattr("helpers.bots.checkpoints.load", lambda name: name)

    def serve(bots, settings, door):
        served.append((bots, settings))
        door.close()

    monkeypatch.setattr("helpers.serving.server.serve", serve)
    main(["serve", "--keys-file", str(tmp_path / "keys"), "--new-key", "anna"])
    arguments = ["serve", "rnn", "gpt", "rnn", "--port", "0", "--keys-file", str(tmp_path / "keys"), "--log", "x.log"]
    arguments += ["--allow-host", "bots.example", "--deadline", "5", "--batch-size", "2", "--requests-per-minute", "7"]
    assert main(arguments) == 0
    ((bots, settings),) = served
    assert bots == ["rnn", "gpt"] and set(settings.keys) == {"anna"} and settings.hosts[-1] == "bots.example"
    assert (settings.deadline, settings.batch_size, settings.requests_per_minute, settings.log) == (5, 2, 7, "x.log")
    assert settings.tokens_per_minute is None and settings.max_waiting == 32
    assert "rnn, gpt for those with a key (1) at http://127.0.0.1:" in capsys.readouterr().out


PROGRAM = """
import sys
from helpers.bots import checkpoints
from helpers.serving import app
from tests.serving.stub_engine import StubEngine
class Named(StubEngine):
    name = "gpt-chat"
checkpoints.load = lambda name: Named()
from helpers.__main__ import main
sys.exit(main(["serve", "--port", "0", "--log", sys.argv[1]]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to be caught")
def test_a_signal_ends_it_in_order(tmp_path):
    pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")
    log, pipe = tmp_path / "log", subprocess.PIPE
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [sys.executable, "-c", PROGRAM, str(log)]
    with subprocess.Popen(arguments, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            url = re.search(r"http://[\d.:]+", process.stdout.readline())[0]
            with urllib.request.urlopen(f"{url}/v1/models", timeout=10) as answer:
                assert json.load(answer)["data"][0]["id"] == "gpt-chat"
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0 and err == "" and "The service has stopped." in out
    assert json.loads(log.read_text())["route"] == "/v1/models"


def test_the_command_is_named_in_its_own_module():
    assert command.NEEDED == ("fastapi", "uvicorn", "pydantic", "prometheus_client", "limits")
