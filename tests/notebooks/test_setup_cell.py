"""The setup cell as Colab runs it: unchanged, in an empty folder, against a local clone, without a network."""

import os
import shutil
import subprocess
import sys
import sysconfig
import types
import venv
from importlib import metadata
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
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(books.ROOT / name, folder)
    return commit(folder)


@pytest.fixture
def colab(tmp_path) -> Path:
    """A Python like Colab's: torch and the like are there, helpers is not. Returns its executable."""
    venv.create(tmp_path / "python", with_pip=False, symlinks=True)
    own = next((tmp_path / "python").glob("lib/python3*/site-packages"))
    # All packages of ours by way of links, except the course itself and what leads to it.
    links = tmp_path / "python" / "packages"
    links.mkdir()
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for path in Path(place).iterdir():
            if path.suffix != ".pth" and "one_conversation" not in path.name:
                links.joinpath(path.name).symlink_to(path)
    own.joinpath("colab.pth").write_text(f"{links}\n")
    return tmp_path / "python" / "bin" / "python"


@pytest.fixture
def small(tmp_path) -> Path:
    """A repository that is quick to fetch: the same pyproject.toml, and a package that can only start."""
    folder = tmp_path / "small"
    for name in ("helpers", "data"):
        (folder / name).mkdir(parents=True)
    shutil.copy(books.ROOT / "helpers" / "LICENSE", folder / "helpers")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(books.ROOT / name, folder)
    (folder / "helpers" / "__init__.py").write_text("")
    (folder / "helpers" / "runtime.py").write_text("def start(seed):\n    print('Running on', __file__)\n")
    (folder / "data" / "numbers.txt").write_text("1\n" * 100_000)
    return commit(folder)


def commit(folder: Path) -> Path:
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "--quiet"], ["add", "--all"], [*author, "commit", "--quiet", "-m", "state"]):
        subprocess.run(["git", *command], cwd=folder, check=True, env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull})
    return folder


def run(python: Path, folder: Path, origin: Path, code: str, **variables: str):
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
    } | variables
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
    assert not list(folder.iterdir())  # pip clones elsewhere, and tidies up
    # Nothing but the course was installed: Colab's torch, numpy and widgets stay as they are.
    assert {path.name.split("-")[0] for path in own.iterdir()} == {"colab.pth", "helpers", "one_conversation"}
    assert not Path(places["torch"]).is_relative_to(own)
    # A second run, as after "Restart session", finds the course and fetches nothing.
    again = run(colab, folder, tmp_path / "gone", code)
    assert again.returncode == 0 and "cannot" not in again.stderr, again.stdout + again.stderr


def test_it_can_be_run_again_after_any_failure(colab, small, tmp_path):
    """Each failure ends in one sentence; whatever it left, and whatever lies in the folder, the next run succeeds."""
    limit = "import os, resource as r\nr.setrlimit(r.RLIMIT_FSIZE, 2 * [int(os.environ.get('COLAB_LIMIT', -1))])\n"
    folder, code = tmp_path / "content", limit + IN_COLAB + setup_cell.source(books.address())
    (folder / "one-conversation").mkdir(parents=True)  # is there, and empty
    damaged = shutil.copytree(small, tmp_path / "damaged")
    largest = max(damaged.glob(".git/objects/??/*"), key=lambda path: path.stat().st_size)
    largest.chmod(0o644)
    largest.write_bytes(largest.read_bytes()[:-9])
    failures = {
        "no network, or a wrong address": (tmp_path / "gone", {}),
        "the connection breaks in the middle of cloning": (damaged, {}),
        "the clone is there, and pip fails: nothing to build it with": (small, {"PIP_NO_BUILD_ISOLATION": "1"}),
        "the disk is full, as far as these programs see": (small, {"COLAB_LIMIT": "9999"}),
    }
    for what, (origin, variables) in failures.items():
        done = run(colab, folder, origin, code, **variables)
        last = done.stderr.splitlines()[-1]
        assert last.startswith(f"RuntimeError: git+{books.address()} cannot be installed."), f"{what}: {done.stderr}"
        assert not list((folder / "one-conversation").iterdir())
    # What a wrong folder may hold: a clone half done, and files named like what the cell needs, all the learner's own.
    theirs = [
        "one-conversation/.git/HEAD",
        "one-conversation/note.txt",
        "helpers/own.py",
        "pip.py",
        "chitchat-dataset/x",
    ]
    for name in theirs:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("raise SystemExit('not this one')")
    own = next(colab.parents[1].glob("lib/python3*/site-packages"))
    (own / "helpers").mkdir()  # pip was interrupted while it copied: its list of files, which comes last, is missing
    (own / "helpers" / "__init__.py").write_text("raise ImportError('a half of the course')")
    done = run(colab, folder, small, code)
    assert done.returncode == 0 and done.stdout == f"Running on {own / 'helpers' / 'runtime.py'}\n", done.stderr
    files = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert sorted(files) == sorted(theirs) and (folder / theirs[1]).read_text().startswith("raise")


def test_one_session_and_a_folder_that_is_gone(colab, small, tmp_path):
    """The same Python goes on after the failure, and the folder it works in was deleted meanwhile."""
    folder = tmp_path / "content"
    folder.mkdir()
    moved = small.rename(tmp_path / "offline")
    code = f"""{IN_COLAB}import os
cell = {setup_cell.source(books.address())!r}
try:
    exec(cell)
except RuntimeError:
    print("first", flush=True)
os.rename({str(moved)!r}, {str(small)!r})
os.rmdir({str(folder)!r})
exec(cell)
"""
    done = run(colab, folder, small, code)
    assert done.returncode == 0, done.stderr
    first, then = done.stdout.splitlines()
    assert first == "first" and then.startswith("Running on")


@pytest.mark.parametrize("missing", ["one-conversation", "chitchat-dataset", "zstandard", None])
def test_it_installs_when_any_of_its_packages_is_missing(monkeypatch, missing):
    calls = []
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setattr(metadata, "distributions", lambda name: [] if name == missing else [name])
    monkeypatch.setattr(
        subprocess, "run", lambda *command, **_: calls.append(command) or types.SimpleNamespace(returncode=0)
    )
    exec(setup_cell.source(books.address()).partition("from helpers import")[0], {})
    assert len(calls) == (missing is not None)


def test_elsewhere_it_fetches_nothing(colab, repository, tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    done = run(colab, folder, repository, setup_cell.source(books.address()))
    assert "ModuleNotFoundError: No module named 'helpers'" in done.stderr
    assert not list(folder.iterdir()) and "cannot" not in done.stderr


def test_where_the_course_is_installed_it_only_starts(tmp_path):
    done = run(Path(sys.executable), tmp_path, tmp_path / "gone", setup_cell.source(books.address()))
    assert done.returncode == 0 and done.stdout.startswith("Running on"), done.stderr
    assert not list(tmp_path.iterdir())
