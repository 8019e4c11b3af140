"""The code is free of slips that a tool can see, and the rooms of the package know only those before them."""

import ast
import subprocess
import sys

import pytest

from tests.notebooks import books

# In the order data flows: a room may import from those before it, never from those after it. Checks may use any.
ROOMS = ("corpus", "models", "training", "evaluation", "chat", "show", "checks")
PACKAGE = books.ROOT / "helpers"


def test_ruff_finds_nothing():
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "."],
        cwd=books.ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [".make/venv.sh", ".make/install.sh", ".ci/run"])
def test_shell_scripts_parse(name):
    shell = "bash" if name == ".ci/run" else "sh"
    done = subprocess.run([shell, "-n", str(books.ROOT / name)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def imports(source: str, room: str) -> set[str]:
    """Return the rooms that a module in `room` imports from, relative imports included."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = {0: "", 1: f"helpers.{room}.", 2: "helpers."}[node.level]
            base = f"{start}{node.module or ''}".rstrip(".")
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("helpers.")}
    return found & set(ROOMS)


def too_far(source: str, room: str) -> set[str]:
    return {other for other in imports(source, room) if ROOMS.index(other) > ROOMS.index(room)}


def test_rooms_know_only_those_before_them():
    faults = {
        str(path.relative_to(PACKAGE)): sorted(wrong)
        for room in ROOMS
        for path in (PACKAGE / room).rglob("*.py")
        if (wrong := too_far(path.read_text(encoding="utf-8"), room))
    }
    assert not faults


@pytest.mark.parametrize(
    "line",
    [
        "from helpers.show import plots",
        "import helpers.show.plots",
        "from ..show import plots",
        "from .. import show",
    ],
)
def test_an_import_against_the_flow_is_seen(line):
    assert too_far(line, "corpus") == {"show"}
    assert not too_far(line, "checks")
