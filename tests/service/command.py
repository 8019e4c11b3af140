"""The service as its users start it: a process of its own, with an address, that ends with the test."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

from tests.notebooks import books

PATIENCE = 60  # seconds


@contextmanager
def started(*arguments, bots=("n-gram",), port=0, prefix=(), **settings):
    """Start ``python -m helpers serve``; the value is (process, address). It is ended with SIGTERM, or killed."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **settings.pop("environment", {}),
    }
    command = [*prefix, sys.executable, "-m", "helpers", "serve", *bots, "--port", str(port), *arguments]
    process = subprocess.Popen(
        command, cwd=books.ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings
    )
    try:
        line = process.stdout.readline()
        address = re.search(r"http://[\d.]+:\d+", line)
        assert address, line + process.stdout.read() + process.stderr.read()
        yield process, address[0]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
