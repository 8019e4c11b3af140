"""The Makefile keeps its word: every target promised anywhere exists, works with old make, and leaves alone what is yours."""

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


@pytest.mark.parametrize("name", ["README.md", ".github/CONTRIBUTING.md", ".github/workflows/test.yml", ".ci/run"])
def test_what_the_texts_promise_exists(name):
    text = (books.ROOT / name).read_text(encoding="utf-8")
    spans = re.findall(r"`+([^`]+)`+", text) if name.endswith(".md") else text.splitlines()
    named = {word for span in spans for word in re.findall(r"\bmake ([a-z][a-z-]+)", span)}
    assert named <= set(TARGETS)
    assert named or name in (".ci/run",)  # there the names stand behind "part"
    if name == ".ci/run":
        assert re.findall(r"^part ([a-z-]+)$", text, re.MULTILINE) == ["test", "solved", "student", "test-book"]


def test_the_makefile_is_old_enough():
    # GNU make 3.81 comes with macOS: no .ONESHELL (3.82), no != (4.0), no $(file) (4.0), no ::= (4.0).
    assert not re.search(r"\.ONESHELL|^\w+ *(!=|::=)|\$\(file ", MAKEFILE, re.MULTILINE)


def test_lab_opens_the_first_notebook_and_passes_arguments_on():
    shown = make("-n", "lab", "ARGS=--no-browser --port 8899").stdout
    assert "/lab/tree/notebooks/00_start_here.ipynb --no-browser --port 8899" in shown


def test_mark_takes_a_folder_with_a_space_in_its_name():
    shown = make("-n", "mark", "DIR=week 3", "ARGS=--seconds 5").stdout
    assert '-m tests.marking "week 3" --seconds 5\n' in shown + "\n"


def test_an_extra_can_be_installed_without_the_course():
    done = [
        subprocess.run([sys.executable, ".make/extra.py", name], cwd=books.ROOT, capture_output=True, text=True)
        for name in ("book", "serve", "boo")
    ]
    extras = books.project()["optional-dependencies"]
    assert [one.stdout.splitlines() for one in done] == [extras["book"], extras["serve"], []]
    assert done[2].returncode and "no extra 'boo'" in done[2].stderr


def test_checkpoints_are_trained_by_the_zoo():
    shown = make("-n", "checkpoints", "ARGS=rnn").stdout
    assert "-m helpers bots train rnn\n" in shown + "\n"


ENDINGS_OF_TEXT = [f"a.{ending}" for ending in "sh py json jsonl csv md ipynb toml txt yml cfg svg".split()]
COPIED = ("Makefile", "pyproject.toml", "constraints.txt", ".make")


@pytest.fixture(params=["course", 'Anna\'s $HOME `try` "1"', "a,b (c) #d"])
def copy(request, tmp_path):
    """The Makefile and what it needs in a folder of an ordinary or a strange name, with an environment that looks made."""
    folder = tmp_path / request.param
    for name in ("helpers", "tests", "notebooks"):
        (folder / name).mkdir(parents=True)
    for name in COPIED:
        source = books.ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / "notebooks" / "00_start_here.ipynb").write_text("{}")
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "pyvenv.cfg").touch()
    python = folder / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\nprintf "%s|" "$@" >> ran; echo >> ran; env > environment\n', encoding="utf-8")
    python.chmod(0o755)
    (folder / ".venv" / ".installed").write_text(f"{folder.resolve()}\n")
    return folder


# What a person may have set for other work. (A `user = true` of pip's is in test_setup.py.)
THEIRS = """JUPYTER_CONFIG_DIR IPYTHONDIR MPLCONFIGDIR JUPYTER_DATA_DIR JUPYTER_CONFIG_PATH JUPYTER_PATH JUPYTER_TOKEN MPLBACKEND
MATPLOTLIBRC JUPYTERLAB_DIR JUPYTERLAB_SETTINGS_DIR PYTHONPATH PYTHONSTARTUP PYTHONOPTIMIZE PYTEST_ADDOPTS GIT_DIR""".split()


def test_lab_serves_the_course_whatever_a_person_has_set(copy, monkeypatch):
    for name in THEIRS:
        monkeypatch.setenv(name, "/theirs")
    done = make("lab", folder=copy)
    assert done.returncode == 0, done.stderr
    words = (copy / "ran").read_text().splitlines()[-1].split("|")
    assert f"--ServerApp.root_dir={copy.resolve()}" in words
    environment = (copy / "environment").read_text().splitlines()
    assert not [line for line in environment if line.endswith("=/theirs")]
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        assert any(line.startswith(f"{name}={copy.resolve()}/.venv/") for line in environment), name


def test_lab_signs_the_course_and_takes_any_name_of_a_learner_s_notebook(copy):
    for name in ("My notes", "01_it's mine", "$HOME", "a:b"):
        (copy / "notebooks" / f"{name}.ipynb").write_text("")
    assert make("lab", folder=copy).returncode == 0
    signed = "-m|nbformat.sign|notebooks/00_start_here.ipynb|notebooks/01_it's mine.ipynb|"
    assert (copy / "ran").read_text().splitlines()[0] == signed
    assert make("lab", folder=copy).returncode == 0
    assert (copy / "ran").read_text().count("nbformat.sign") == 1
    os.utime(copy / "notebooks" / "01_it's mine.ipynb", (2e9, 2e9))  # saved again
    assert make("lab", folder=copy).returncode == 0
    assert (copy / "ran").read_text().count("nbformat.sign") == 2


def test_the_environment_of_colab_s_versions_keeps_its_settings_to_itself(copy):
    (copy / ".venv").rename(copy / ".venv-colab")
    (copy / ".venv-colab" / ".installed").touch()
    (copy / "tests" / "notebooks").mkdir()
    (copy / "tests" / "notebooks" / "colab-constraints.txt").touch()
    os.utime(copy / ".venv-colab" / ".installed", (2e9, 2e9))  # newer than what it was made from
    assert make("test-colab", folder=copy).returncode == 0
    environment = (copy / "environment").read_text().splitlines()
    for name in ("JUPYTER_CONFIG_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        assert any(line.startswith(f"{name}={copy.resolve()}/.venv-colab/") for line in environment), name
    # Else .venv would be a folder without an environment, which nothing dares to delete.
    assert not (copy / ".venv").exists()


def test_clean_touches_only_what_make_made(copy):
    kept = [
        "notebooks/week/homework.ipynb",
        "notebooks/__pycache__ of mine/a.txt",
        "dist/thesis.pdf",
        "build/house.txt",
    ]
    kept += ["build/training/gpt.pt", "elsewhere/.ipynb_checkpoints/a.ipynb", ".venv-colab/mine.txt"]
    gone = ["notebooks/week 1/.ipynb_checkpoints/a.ipynb", "notebooks/Anna's try/.ipynb_checkpoints/b.ipynb"]
    gone += ["helpers/a\nb/__pycache__/c.pyc", "build/student/00.ipynb", "build/solved/00.ipynb"]
    gone += ["build/book/index.html", "build/kit/index.html"]
    for name in kept + gone:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("mine")
    (copy / "notebooks" / "link").symlink_to(copy / "elsewhere")
    (copy / "notebooks" / ".ipynb_checkpoints").symlink_to(copy / "elsewhere")
    done = make("clean", folder=copy)
    assert done.returncode == 0, done.stderr
    assert [name for name in kept if not (copy / name).exists()] == []
    assert [name for name in [*gone, ".venv"] if (copy / name).exists()] == []
    assert (copy / "notebooks" / ".ipynb_checkpoints").is_symlink()  # Jupyter makes folders, a person made the link
    assert make("clean", folder=copy).returncode == 0  # nothing left to do


def test_clean_does_not_follow_a_link(copy):
    (copy / "elsewhere" / "student").mkdir(parents=True)
    (copy / "elsewhere" / "pyvenv.cfg").touch()
    for name in ("build", ".venv-colab", ".pytest_cache"):
        (copy / name).symlink_to("elsewhere")
    assert make("clean", folder=copy).returncode == 0
    assert sorted(path.name for path in (copy / "elsewhere").iterdir()) == ["pyvenv.cfg", "student"]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_checkout_with_other_line_ends_is_the_same(tmp_path):
    def git(*arguments: str):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", *author, *arguments], cwd=tmp_path, env=environment, check=True, capture_output=True)

    files = dict.fromkeys(("Makefile", "LICENSE", "a b.ipynb", ".gitignore", *ENDINGS_OF_TEXT), b"one\ntwo\n")
    files |= {
        f"a.{ending}": b"no zero byte\n in the first\r\n eight thousand" for ending in ("safetensors", "npz", "zst")
    }
    origin = tmp_path / "origin"
    origin.mkdir()
    for name, content in files.items():
        (origin / name).write_bytes(content)
    shutil.copy(books.ROOT / ".gitattributes", origin)
    git("init", "--quiet", "origin")
    git("-C", "origin", "add", "--all")
    git("-C", "origin", "commit", "--quiet", "--message", "state")
    git("clone", "--quiet", "--config", "core.autocrlf=true", "--config", "core.eol=crlf", "origin", "checkout")
    assert {name: (tmp_path / "checkout" / name).read_bytes() for name in files} == files
