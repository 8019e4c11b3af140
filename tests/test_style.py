"""The code is free of slips that a tool can see."""

import subprocess
import sys

import pytest

from tests.notebooks import books


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
