"""`.ci/run` adds up what its parts counted, and fails when a part fails, counts nothing, or could not be watched."""

import os
import shutil
import subprocess

import pytest

from tests.notebooks import books

GREEN = "\\033[32m====== \\033[1m12 passed\\033[0m, 1 skipped\\033[32m in 34.56s ======\\033[0m"
GREEN_TOO = "== 40 passed in 100.00s (0:01:40) =="
ONE = "== 1 passed in 9s =="
# What the script may use: a PATH with nothing else has no browser and no apt-get.
TOOLS = ("bash", "cat", "dirname", "grep", "head", "id", "mktemp", "printf", "rm", "sed", "sh", "tail", "tee")
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the script with a `make` whose parts print a line and end with a status."""
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(shutil.which(tool))
    command(tmp_path, "chromium", "exit 0")  # there is a browser: nothing to install

    def run(test=(GREEN, 0), solved=(GREEN_TOO, 0), copies=(ONE, 0), book=(ONE, 0), **variables):
        parts = {"test": test, "solved": solved, "student": copies, "test-book": book}
        cases = [f"{name}) printf 'collected\\n{line}\\n'; exit {status};;" for name, (line, status) in parts.items()]
        command(tmp_path, "make", f"case $1 in {' '.join(cases)} esac")
        done = subprocess.run(
            ["bash", str(books.ROOT / ".ci" / "run")], env=os.environ | {"PATH": str(tmp_path)} | variables,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.stdout.splitlines(), done.returncode

    return run


def command(folder, name: str, script: str) -> None:
    path = folder / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.parametrize(
    "solved, closing",
    [
        (("== 1 failed, 39 passed in 9.00s ==", 1), "53 passed, 1 failed, 1 skipped"),
        (("== 2 failed, 3 errors, 4 passed in 9s ==", 1), "18 passed, 5 failed, 1 skipped"),
        (("== 5 passed, 2 xfailed, 3 xpassed in 9s ==", 0), "19 passed, 3 failed, 1 skipped"),
        (("== 3 xpassed in 9s ==", 0), "14 passed, 3 failed, 1 skipped"),
        # Every test passed and pytest failed all the same, as our audit of cells that did not run makes it.
        (("== 40 passed in 9s ==", 1), "54 passed, 1 failed, 1 skipped"),
        (("make: *** no rule", 2), "14 passed, 1 failed, 1 skipped"),
        (("", 0), "14 passed, 1 failed, 1 skipped"),
    ],
)
def test_one_bad_part_is_enough(run, solved, closing):
    lines, code = run(solved=solved)
    assert (lines[-1], code) == (closing, 1)


def test_it_closes_on_the_sum(run):
    lines, code = run()
    assert (lines[-1], code) == ("54 passed, 0 failed, 1 skipped", 0)
    lines, code = run(solved=("== 40 passed, 2 xfailed in 9s ==", 0))
    assert (lines[-1], code) == ("54 passed, 0 failed, 1 skipped", 0)


def test_no_test_is_no_success(run):
    lines, code = run(("== no tests ran in 0.01s ==", 5), ("", 0), ("", 0), ("", 0))
    assert (lines[-1], code) == ("0 passed, 4 failed, 0 skipped", 1)
    lines, code = run(*[("== 3 skipped in 0.01s ==", 0)] * 4)
    assert (lines[-1], code) == ("0 passed, 0 failed, 12 skipped", 1)


def test_a_temporary_folder_that_cannot_be_written(run, tmp_path):
    lines, code = run(TMPDIR=str(tmp_path / "gone"))
    assert lines[0] == f"The temporary folder {tmp_path / 'gone'} cannot be written: nothing was tested."
    assert (lines[-1], code) == ("0 passed, 1 failed, 0 skipped", 1)
    # It fills up meanwhile: the rest of the log is lost, even though what is left of it looks like a success.
    command(tmp_path, "tee", 'cat >"$1"; cat "$1"; exit 1')
    lines, code = run()
    assert (lines[-1], code) == ("54 passed, 4 failed, 1 skipped", 1)


@pytest.mark.parametrize("apt", [None, "exit 100"], ids=["no apt", "apt fails"])
def test_without_a_browser_it_is_not_green(run, tmp_path, apt):
    (tmp_path / "chromium").unlink()
    command(tmp_path, "sudo", 'shift; exec "$@"')
    if apt:
        command(tmp_path, "apt-get", apt)
    lines, code = run()
    assert lines[0].startswith("There is no Chromium or Chrome and none could be installed")
    assert (lines[-1], code) == ("54 passed, 1 failed, 1 skipped", 1)


def test_it_installs_a_browser_where_it_can(run, tmp_path):
    (tmp_path / "chromium").rename(tmp_path / "new")
    command(tmp_path, "sudo", 'shift; exec "$@"')
    command(tmp_path, "apt-get", f"[ $1 = update ] || cat {tmp_path}/new >{tmp_path}/google-chrome; "
            f"[ $1 = update ] || {shutil.which('chmod')} +x {tmp_path}/google-chrome")  # fmt: skip
    lines, code = run()
    assert (lines[-1], code) == ("54 passed, 0 failed, 1 skipped", 0)
