"""The Makefile keeps its word: every target promised anywhere exists, works with old make, and finds a Python."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.notebooks import books

MAKEFILE = (books.ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE)
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments: str, folder=books.ROOT):
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, timeout=120)


def test_help_is_the_default_and_lists_every_target():
    shown = make().stdout
    assert shown == make("help").stdout
    assert re.findall(r"^  make ([a-z-]+) +\S", shown, re.MULTILINE) == TARGETS


def test_every_target_is_phony():
    phony = re.search(r"^\.PHONY: (help .*)$", MAKEFILE, re.MULTILINE)[1].split()
    assert phony == TARGETS


@pytest.mark.parametrize(
    "name", ["README.md", ".github/CONTRIBUTING.md", ".github/workflows/test.yml", ".ci/run"]
)
def test_what_the_texts_promise_exists(name):
    text = (books.ROOT / name).read_text(encoding="utf-8")
    spans = re.findall(r"`+([^`]+)`+", text) if name.endswith(".md") else text.splitlines()
    named = {word for span in spans for word in re.findall(r"\bmake ([a-z][a-z-]+)", span)}
    assert named <= set(TARGETS)
    assert named or name in (".ci/run",)  # there the names stand behind "part"
    if name == ".ci/run":
        assert re.findall(r"^part ([a-z-]+)$", text, re.MULTILINE) == ["test", "test-portable"]


def test_the_makefile_is_old_enough():
    # GNU make 3.81 comes with macOS: no .ONESHELL (3.82), no != (4.0), no $(file) (4.0), no ::= (4.0).
    assert not re.search(r"\.ONESHELL|^\w+ *(!=|::=)|\$\(file ", MAKEFILE, re.MULTILINE)


def test_lab_opens_the_first_notebook_and_passes_arguments_on():
    shown = make("-n", "lab", "ARGS=--no-browser --port 8899").stdout
    assert "/lab/tree/notebooks/00_start_here.ipynb --no-browser --port 8899" in shown


def test_checkpoints_are_trained_by_the_zoo():
    shown = make("-n", "checkpoints", "ARGS=rnn").stdout
    assert "-m helpers bots train rnn\n" in shown + "\n"


@pytest.fixture
def path(tmp_path):
    """A PATH on which only this test's commands stand, and the few that the shell script needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("rm", "sh", "cat"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def command(folder, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def venv_script(path, *arguments: str):
    line = [shutil.which("sh"), str(books.ROOT / ".make" / "venv.sh"), *arguments]
    environment = {"PATH": str(path), "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(line, cwd=path.parent, env=environment, capture_output=True, text=True, timeout=120)


def test_it_takes_the_first_python_that_really_runs(path):
    command(
        path, "python3", "echo 'pyenv: python3: command not found' >&2; exit 127"
    )  # a stub without a Python
    command(path, "python3.13", 'case "$2" in *version_info*) exit 1;; esac')  # says it is too old
    command(path, "python3.12", f'exec "{sys.executable}" "$@"')
    done = venv_script(path, "new")
    assert done.returncode == 0, done.stderr
    assert (path.parent / "new" / "bin" / "python").exists()
    # A second run keeps what works.
    marker = path.parent / "new" / "marker"
    marker.touch()
    assert venv_script(path, "new").returncode == 0 and marker.exists()


def test_no_python_is_one_clear_sentence(path):
    done = venv_script(path, "new")
    assert done.returncode == 1 and "No Python 3.10 or newer was found" in done.stderr
    done = venv_script(path, "new", "python9")
    assert done.returncode == 1 and "PYTHON=python9 does not run" in done.stderr


def test_debian_without_venv_is_one_clear_sentence(path):
    # A Python without ensurepip and without pip, as Debian ships it: -m anything fails, `import ensurepip` too.
    refuse = 'case "$*" in *ensurepip*|"-m "*) exit 1;; esac'
    command(path, "python3", f'{refuse}\nexec "{sys.executable}" "$@"')
    done = venv_script(path, "new")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f"sudo apt install python{version}-venv")
    assert not (path.parent / "new").exists()


def test_debian_with_pip_alone_is_enough(path):
    refuse = 'case "$*" in *ensurepip*) exit 1;; esac'
    # pip is asked to install itself into the new environment; without a network a file in its place must do.
    stand_in = 'case "$1 $2" in "-m pip") [ "$3" = --python ] && touch "${4%python}pip"; exit 0;; esac'
    command(path, "python3", f'{refuse}\n{stand_in}\nexec "{sys.executable}" "$@"')
    (path / "touch").symlink_to(shutil.which("touch"))
    done = venv_script(path, "new")
    assert done.returncode == 0, done.stderr
    assert (path.parent / "new" / "bin" / "pip").exists()
