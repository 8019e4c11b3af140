"""The setup cell as Colab runs it: unchanged, in an empty folder, against a local clone, without a network."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.notebooks import books, setup_cell

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

# What Colab has done before the first cell: its own package is loaded.
IN_COLAB = "import sys, types\nsys.modules['google.colab'] = types.ModuleType('google.colab')\n"
AFTERWARDS = """
import helpers, torch
print("helpers from", helpers.__file__)
print("data from", helpers.data_path("sample_comments.jsonl"))
print("torch from", torch.__file__)
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """A repository with the present state of what gets installed, committed or not."""
    folder = tmp_path_factory.mktemp("origin")
    for name in ("helpers", "data", "notebooks"):
        shutil.copytree(books.ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    shutil.copy(books.ROOT / "pyproject.toml", folder)
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "--all"], [*author, "commit", "--quiet", "-m", "state"]):
        subprocess.run(["git", *command], cwd=folder, check=True, env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull})
    return folder


@pytest.fixture
def colab(tmp_path) -> Path:
    """A Python like Colab's: torch and the like are there, helpers is not. Returns its executable."""
    venv.create(tmp_path / "python", with_pip=False, symlinks=True)
    own = next((tmp_path / "python").glob("lib/python3*/site-packages"))
    # By way of a path file our packages are visible, but not those that they link to in turn: helpers is not.
    own.joinpath("colab.pth").write_text(sysconfig.get_path("purelib") + "\n" + sysconfig.get_path("platlib") + "\n")
    return tmp_path / "python" / "bin" / "python"


def run(python: Path, folder: Path, origin: Path, code: str):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_", "GIT_"))}
    environment |= {
        "GIT_CONFIG_COUNT": "1",  # git itself leads the address to the local clone
        "GIT_CONFIG_KEY_0": f"url.{origin.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": books.address(),
        "GIT_TERMINAL_PROMPT": "0",
        "PIP_NO_INDEX": "1",  # no network: what is asked for by name must be there already
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this as "--no-build-isolation": hatchling comes from our environment
        "PIP_CONFIG_FILE": os.devnull,
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [str(python), "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def test_in_colab_it_clones_and_installs(colab, repository, tmp_path):
    folder = tmp_path / "content"
    folder.mkdir()
    code = IN_COLAB + setup_cell.source(books.address()) + AFTERWARDS
    done = run(colab, folder, repository, code)
    assert done.returncode == 0, done.stdout + done.stderr
    places = dict(line.split(" from ") for line in done.stdout.splitlines() if " from " in line)
    own = next(colab.parents[1].glob("lib/python3*/site-packages"))
    assert Path(places["helpers"]) == own / "helpers" / "__init__.py"
    assert Path(places["data"]) == own / "helpers" / "_data" / "sample_comments.jsonl"
    assert "Running on" in done.stdout
    assert [path.name for path in folder.iterdir()] == ["one-conversation"]
    # Nothing but the course was installed: Colab's torch, numpy and widgets stay as they are.
    assert {path.name.split("-")[0] for path in own.iterdir()} == {"colab.pth", "helpers", "one_conversation"}
    assert not Path(places["torch"]).is_relative_to(own)
    # A second run, as after "Restart session", finds the course and fetches nothing.
    again = run(colab, folder, tmp_path / "gone", code)
    assert again.returncode == 0 and "could not" not in again.stdout, again.stdout + again.stderr


def test_without_a_repository_it_says_so(colab, tmp_path):
    folder = tmp_path / "content"
    folder.mkdir()
    done = run(colab, folder, tmp_path / "gone", IN_COLAB + setup_cell.source(books.address()))
    assert f"The course could not be fetched from {books.address()}." in done.stdout
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'helpers'"


def test_elsewhere_it_fetches_nothing(colab, repository, tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    done = run(colab, folder, repository, setup_cell.source(books.address()))
    assert "ModuleNotFoundError: No module named 'helpers'" in done.stderr
    assert not list(folder.iterdir()) and "could not" not in done.stdout


def test_where_the_course_is_installed_it_only_starts(tmp_path):
    done = run(Path(sys.executable), tmp_path, tmp_path / "gone", setup_cell.source(books.address()))
    assert done.returncode == 0 and done.stdout.startswith("Running on"), done.stderr
    assert not list(tmp_path.iterdir())
