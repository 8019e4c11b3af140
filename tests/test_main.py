"""The one command line: it explains itself, and whatever goes wrong is a sentence."""

import os
import subprocess
import sys

import pytest

from helpers import __main__ as command
from helpers.__main__ import main


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_without_a_command_it_lists_what_there_is(arguments, capsys):
    try:
        assert main(arguments) == 0
    except SystemExit as end:
        assert end.code == 0
    out = capsys.readouterr().out
    assert "python -m helpers chat gpt-chat " in out and "python -m helpers bots verify " in out


@pytest.mark.parametrize("arguments", [["bots", "trian"], ["experiments", "alchemy"], ["serf"]])
def test_an_unknown_command_is_answered_with_the_known_ones(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2 and "choose from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (ValueError("there is no bot 'x'"), "there is no bot 'x'\n"),
        (OSError("cannot write x: the disk is full"), "cannot write x: the disk is full\n"),
        (KeyboardInterrupt(), "\nInterrupted.\n"),
    ],
)
def test_what_goes_wrong_is_a_sentence(monkeypatch, capsys, fault, words):
    def fails(action, names):
        raise fault

    monkeypatch.setattr(command, "run_bots", fails)
    assert main(["bots", "list"]) == 1
    assert capsys.readouterr().err == words


def test_a_bug_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(command, "run_bots", lambda action, names: [][1])
    with pytest.raises(IndexError):
        main(["bots", "list"])


def test_every_experiment_can_be_run(monkeypatch):
    ran = []
    for name, module in command.EXPERIMENTS.items():
        monkeypatch.setattr(f"{module}.main", lambda *arguments, name=name, **settings: ran.append(name))
        assert main(["experiments", name]) == 0 and ran[-1] == name


def test_a_reader_that_has_seen_enough_is_no_error():
    code = "import sys; from helpers.__main__ import main\nimport helpers.__main__ as m\n"
    code += "m.run_bots = lambda action, names: print('line\\n' * 100_000)\nsys.exit(main(['bots', 'list']))"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], env=env, **pipes) as process:
        assert process.stdout.readline().strip() == b"line"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
