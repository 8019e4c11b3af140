"""`.ci/run` adds up what its parts counted, and fails when a part fails or counts nothing."""

import os
import shutil
import subprocess

import pytest

from tests.notebooks import books

GREEN = "\\033[32m====== \\033[1m12 passed\\033[0m, 1 skipped\\033[32m in 34.56s ======\\033[0m"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


@pytest.mark.parametrize(
    "test, portable, closing, code",
    [
        (GREEN, "== 40 passed in 100.00s (0:01:40) ==", "52 passed, 0 failed, 1 skipped", 0),
        (GREEN, "== 1 failed, 39 passed in 9.00s ==", "51 passed, 1 failed, 1 skipped", 1),
        (GREEN, "== 2 failed, 3 errors, 4 passed in 9s ==", "16 passed, 5 failed, 1 skipped", 1),
        (GREEN, "make: *** no rule", "12 passed, 1 failed, 1 skipped", 1),
        ("== no tests ran in 0.01s ==", "", "0 passed, 2 failed, 0 skipped", 1),
    ],
)
def test_it_closes_on_the_sum(tmp_path, test, portable, closing, code):
    fails = "failed|rule|no tests|^$"
    make = f"""#!/bin/sh
case $1 in test) line='{test}';; test-portable) line='{portable}';; esac
printf "collected\\n$line\\n"
! printf '%s' "$line" | grep -qE '{fails}' && [ -n "$line" ]
"""
    (tmp_path / "make").write_text(make, encoding="utf-8")
    (tmp_path / "make").chmod(0o755)
    (tmp_path / "chromium").symlink_to("/bin/true")  # there is a browser: nothing to install
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    script = books.ROOT / ".ci" / "run"
    done = subprocess.run(["bash", str(script)], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == closing
    assert done.returncode == code
