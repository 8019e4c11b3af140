"""A new process for one answer: shut in, watched from outside, and ended with all that it started.

What it reports comes through a pipe, a line each, behind a password that the answer does not know.
"""

import json
import os
import random
import secrets
import select
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.marking import sandbox

NO_VERDICT = {"passed": False, "sentence": "", "seconds": 0, "remarks": [], "contained": ""}
LONGEST_REPORT = 200_000
POLL = 0.05  # seconds between two looks at the memory


def in_new_process(work, seconds: float, memory: int) -> dict:
    """Run ``work(report)`` shut in, in a new process, and return what it reported, or why it reported nothing."""
    password = secrets.token_hex(16)
    reading, writing = os.pipe()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="marking-", ignore_cleanup_errors=True) as folder:
        child = os.fork()
        if not child:
            _run(work, password, writing, Path(folder), seconds, memory)
        os.close(writing)
        why = "it could not be watched"
        try:
            text, why = _listen(reading, child, start + seconds, memory)
        finally:
            os.close(reading)
            status = _end(child, patience=0.0 if why else 0.5)
    spent = round(time.monotonic() - start, 2)
    return _verdict(text, password, why or _ending(status), spent)


def _end(child: int, patience: float) -> int:
    """End a process and all of its group, and return how it ended; for some seconds it may still end by itself."""
    until = time.monotonic() + patience
    ended, status = os.waitpid(child, os.WNOHANG)
    while not ended and time.monotonic() < until:
        time.sleep(0.002)
        ended, status = os.waitpid(child, os.WNOHANG)
    with suppress(ProcessLookupError, PermissionError):  # before its first step it has no group yet
        os.killpg(child, signal.SIGKILL)
    if not ended:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return status


def _run(work, password: str, writing: int, folder: Path, seconds: float, memory: int) -> None:
    """The new process, from beginning to end; it never returns."""
    refused: list[str] = []

    def report(**what) -> None:
        os.write(writing, f"\n{password}{json.dumps(what | {'refused': refused})}\n".encode())

    try:
        os.setsid()
        os.closerange(3, writing)
        os.closerange(writing + 1, 65536)
        sandbox.enter(folder, seconds, memory, refused)
        renew_threads()
        seed()
        work(report)
    except BaseException as error:  # also what only means to end the process
        with suppress(BaseException):
            kind = type(error).__name__
            report(
                sentence=f"✘ Your code ended the program with {kind}.", contained=f"it ended the program with {kind}"
            )
    finally:
        os._exit(0)


def renew_threads() -> None:
    """Make anew what a fork breaks in torch: its pool of threads, and the engine of its backward pass.

    Each is remade when it is first used; several threads that found it broken at the same moment would crash.
    """
    import torch

    torch.set_num_threads(1)
    torch.ones(1, requires_grad=True).sum().backward()


def seed() -> None:
    """Begin all random numbers anew, as each cell's check finds them in our tests."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def _listen(pipe: int, child: int, deadline: float, memory: int) -> tuple[str, str]:
    """Return what comes through the pipe, and why it was cut off: "" when the process ended by itself."""
    process, heard = psutil.Process(child), b""
    base = psutil.Process().memory_info().rss  # the new process begins with all of ours
    while True:
        ready, _, _ = select.select([pipe], [], [], POLL)
        if ready:
            part = os.read(pipe, 65536)
            heard += part
            if not part:
                return heard.decode("utf-8", "replace"), ""
            if len(heard) > LONGEST_REPORT:
                return heard.decode("utf-8", "replace"), "it wrote without end"
        if time.monotonic() > deadline:
            return heard.decode("utf-8", "replace"), "it took too long"
        with suppress(psutil.Error):
            if process.memory_info().rss > base + memory:
                return heard.decode("utf-8", "replace"), "it took too much memory"


def _ending(status: int) -> str:
    if not os.WIFSIGNALED(status):
        return "it stopped its process"
    number = os.WTERMSIG(status)
    if number == signal.SIGXCPU:
        return "it took too long"
    known = {one.value: one.name for one in signal.Signals}
    return f"its process was stopped by {known.get(number, f'signal {number}')}"


def _verdict(text: str, password: str, why: str, seconds: float) -> dict:
    """Return the verdict that the reports with the right password add up to."""
    verdict = NO_VERDICT | {"seconds": seconds, "remarks": []}
    for line in text.splitlines():
        if line.startswith(password):
            report = json.loads(line.removeprefix(password))
            verdict["remarks"] += report.pop("remarks", [])
            refused = report.pop("refused")
            verdict |= report
            verdict["contained"] = verdict["contained"] or " · ".join(f"it wanted to {what}" for what in refused)
    if not verdict["sentence"]:
        verdict |= {"passed": False, "sentence": f"✘ There is no verdict: {why}.", "contained": why}
    return verdict
