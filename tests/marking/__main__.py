"""Mark the notebooks that learners handed in, with our own checks.

usage: python -m tests.marking FOLDER [--out FILE] [--seconds 20] [--memory 2] [--jobs 2]

FOLDER holds one notebook for each learner and lesson, at any depth and under any name. Of each, only the build cells and
exercises are run, with the imports, definitions, and plain constants that they need; each answer by itself, with the
learner's earlier answers where these are right and the solutions where they are not, so that no mistake counts twice. Then
*our* check is called: a ✔ that a notebook prints, or a check that it defines itself, counts for nothing. The table
(FOLDER/marks.csv) has a row for each learner and task: ✔ right, ✘ wrong with the mistake's name, ○ not tried. On the screen:
the most common mistake in each task.

This runs other people's code. How it is contained, and what that does not promise, is said in ``tests/marking/sandbox.py``: it
keeps mistakes and pranks away from your computer, and is no protection against an attacker. Works on Linux and macOS; on
Windows, in WSL.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.answers import mistakes
from tests.marking import report, submissions
from tests.notebooks import books
from tests.notebooks.kernels import no_votes

KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "MPLCONFIGDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
ONE_THREAD = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


class Server:
    """A process that marks, started when it is first asked, and again when a submission has brought it down."""

    def __init__(self, modules: tuple[str, ...] = ()):
        self.modules, self.process = modules, None

    def mark(self, request: dict) -> list[dict] | None:
        """Return the verdicts on a submission; None when the process ended without them."""
        if self.process is None or self.process.poll() is not None:
            self._start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except (BrokenPipeError, UnicodeDecodeError):
            line = ""
        if not line.endswith("\n"):
            self.close()
            return None
        return json.loads(line)

    def _start(self) -> None:
        # No tokens and keys of yours: an answer may read its environment, and that of the process that started it.
        environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        environment |= dict.fromkeys(ONE_THREAD, "1") | {"MPLBACKEND": "agg", "HELPERS_VOTES": no_votes()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.marking.server", *self.modules],
            cwd=books.ROOT,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


def mark(
    found: list[submissions.Submission], seconds=20.0, memory=2.0, servers=(), said=lambda text: None
) -> list[dict]:
    """Return the rows of the table for these submissions, in their order; each server marks one at a time.

    ``seconds`` and ``memory`` (GB) are the limits of one answer; ``said`` is told who is done.
    """
    free = queue.SimpleQueue()
    for server in servers:
        free.put(server)
    known, count = mistakes.stored(), Counter((one.learner, one.stem) for one in found if one.stem)

    def one(submission) -> list[dict]:
        if submission.problem:
            return [
                _row(
                    submission,
                    remark=f"not marked: {submissions.printable(submission.path.name)}: {submission.problem}",
                )
            ]
        server = free.get()
        try:
            request = {"stem": submission.stem, "cells": submission.cells, "places": submission.places}
            verdicts = server.mark(request | {"seconds": seconds, "memory": memory})
        finally:
            free.put(server)
        said(f"{submission.learner}, {submission.stem}")
        twice = count[submission.learner, submission.stem] > 1
        remark = (
            f"one of {count[submission.learner, submission.stem]} files: {submissions.printable(submission.path.name)}"
            if twice
            else ""
        )
        if verdicts is None:
            return [_row(submission, remark=f"not marked: it ended the marking process. {remark}")]
        return [_verdict_row(submission, verdict, known, remark) for verdict in verdicts]

    with ThreadPoolExecutor(len(servers)) as pool:
        return [row for rows in pool.map(one, found) for row in rows]


def _row(submission, **more) -> dict:
    empty = dict.fromkeys(report.COLUMNS, "")
    return empty | {"learner": submission.learner, "notebook": submission.stem} | more


def _verdict_row(submission, verdict: dict, known: dict, remark: str) -> dict:
    sentence = verdict["sentence"]
    marked = "✔" if verdict["passed"] else "○" if sentence.startswith("○") else "✘"
    contained = [f"contained: {verdict['contained']}"] if verdict["contained"] else []
    return _row(
        submission,
        task=verdict["task"],
        kind=known[submission.stem][verdict["task"]]["kind"],
        mark=marked,
        mistake=report.named(submission.stem, verdict["task"], sentence, known) if marked == "✘" else "",
        sentence=sentence.lstrip("✔✘○ "),
        seconds=verdict["seconds"],
        remark="; ".join(dict.fromkeys([*contained, *verdict["remarks"], *([remark] if remark else [])])),
    )


def main(arguments: list[str]) -> int:
    """Mark a folder; returns 0, 1 where no file could be marked, or 2 with a sentence where there is nothing to mark."""
    parser = argparse.ArgumentParser(prog="python -m tests.marking", description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="where the notebooks are that were handed in")
    parser.add_argument("--out", type=Path, help="the table to write (default: marks.csv in the folder)")
    parser.add_argument("--seconds", type=float, default=20, help="the longest that one answer may take (default: 20)")
    parser.add_argument("--memory", type=float, default=2, help="the gigabytes that one answer may take (default: 2)")
    parser.add_argument("--jobs", type=int, default=2, help="how many to mark at a time (default: 2)")
    chosen = parser.parse_args(arguments)
    folder = Path(chosen.folder).expanduser()
    if not chosen.folder or not folder.is_dir():
        print(f"There is no folder {chosen.folder!r}: make mark DIR=path/to/the/folder", file=sys.stderr)
        return 2
    if not hasattr(os, "fork"):
        print("Marking needs Linux or macOS. On Windows, run it in WSL.", file=sys.stderr)
        return 2
    target = chosen.out or folder / "marks.csv"
    try:
        report.check_target(target)
    except FileExistsError as error:
        print(error, file=sys.stderr)
        return 2
    found = submissions.find(folder)
    if not found:
        print(f"There is no notebook in {folder}.", file=sys.stderr)
        return 2
    print(f"{len(found)} {'file' if len(found) == 1 else 'files'} to mark. {report.NO_PROMISE}\n")
    servers = [Server() for _ in range(max(1, chosen.jobs))]
    try:
        rows = mark(found, chosen.seconds, chosen.memory, servers, said=print)
    finally:
        for server in servers:
            server.close()
    print(f"\n{report.summary(rows)}\n")
    try:
        report.write(rows, target)
    except OSError as error:  # open in a spreadsheet, or a folder that cannot be written: no mark is lost
        print(error, file=sys.stderr)
        target = Path(tempfile.mkdtemp()) / "marks.csv"
        report.write(rows, target)
    print(f"The table is {target}.")
    if any(row["mark"] for row in rows):
        return 0
    print("Not one file could be marked: the remarks say why.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
