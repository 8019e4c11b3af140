"""`python -m helpers about`: what a report of a differing number needs, and nothing of the person who makes it."""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import helpers
from helpers import about
from helpers.__main__ import main
from tests.notebooks import books


def test_it_names_the_course_the_computer_and_every_package(capsys):
    assert main(["about"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["one-conversation"].startswith(helpers.__version__)
    assert lines["torch"].startswith(metadata.version("torch"))
    assert lines["Python"].startswith(sys.version.split()[0])
    asked = {name.partition(">")[0] for name in books.project()["dependencies"]}
    assert asked | {"threads", "instructions", "device", "settings", "onnx"} <= set(lines)
    assert not asked & {"sphinx"} and "sphinx" not in lines  # what only makes the book changes no number


def test_it_names_no_path_and_no_person(monkeypatch):
    monkeypatch.setenv("PYTORCH_KERNEL_CACHE_PATH", "/home/ada/cache")
    assert str(Path.home()) not in about.report() and "ada" not in about.report()


def test_another_version_than_the_recorded_one_is_marked(monkeypatch):
    monkeypatch.setattr(about, "pinned", lambda path: {"torch": "1.0", "numpy": metadata.version("numpy")})
    lines = about.report().splitlines()
    assert [line.split()[0] for line in lines if "the outputs were made with" in line] == ["torch"]
    assert any(line.startswith("torch ") and line.endswith("(the outputs were made with 1.0)") for line in lines)


def test_a_build_of_torch_is_its_version(monkeypatch):
    here = metadata.version("torch").partition("+")[0]
    monkeypatch.setattr(about, "installed", lambda name: f"{here}+cu128" if name == "torch" else None)
    monkeypatch.setattr(about, "pinned", lambda path: {"torch": here})
    assert "outputs were made" not in about.report()


def test_pins_are_those_of_this_python(tmp_path):
    file = tmp_path / "constraints.txt"
    file.write_text('# pins\na==1.0 ; python_version < "3.5"\na==2.0 ; python_version >= "3.5"\n\nb==3\n')
    assert about.pinned(file) == {"a": "2.0", "b": "3"} and about.pinned(tmp_path / "none") == {}


def test_what_is_set_and_changes_numbers_is_told():
    known = {"OMP_NUM_THREADS": "1", "HOME": "/home/ada", "HELPERS_DEVICE": "cpu", "HELPERS_VOTES": "/x/y"}
    assert about.settings(known) == "HELPERS_DEVICE=cpu, OMP_NUM_THREADS=1"
    assert about.settings({"HOME": "/home/ada"}) == "none"


@pytest.mark.skipif(not about._git(books.ROOT, "--version"), reason="git is not installed")
def test_a_clone_names_its_commit_and_says_whether_it_was_changed(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]

    def git(*arguments: str) -> str:
        command = ["git", *author, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout

    (tmp_path / "a").write_text("1")
    git("init", "--quiet")
    git("add", "a")
    git("commit", "--quiet", "-m", "state")
    commit = git("rev-parse", "--short", "HEAD").strip()
    assert about.course(tmp_path) == f"{helpers.__version__}, a clone at {commit}"
    (tmp_path / "a").write_text("2")
    assert about.course(tmp_path) == f"{helpers.__version__}, a clone at {commit}, with changes of your own"


def test_a_course_that_pip_fetched_names_its_commit(tmp_path, monkeypatch):
    origin = json.dumps({"url": "https://x", "vcs_info": {"vcs": "git", "commit_id": "0123456789abcdef"}})
    words = {"version": "1.2", "read_text": lambda self, name: origin if name == "direct_url.json" else None}
    monkeypatch.setattr(metadata, "distribution", lambda name: type("Fetched", (), words)())
    assert about.course(tmp_path) == "1.2, installed at 0123456"


def test_the_version_is_that_of_pyproject_and_any_other_name_is_an_error():
    assert helpers.__version__ == books.project()["version"], "run: make setup"
    with pytest.raises(AttributeError, match="no attribute 'version'"):
        _ = helpers.version
