"""Run notebooks in place and store their outputs, so that two builds differ only where an author printed unstably.

usage: python -m tests.notebooks.build [--only 01 …] [--check] [--timeout SECONDS]

Measures each notebook's seconds (kernel start included) and the largest memory of its kernel, compares them with what
the course promises, and writes both into the README's map. Stamps the minutes (`minutes.py`) on the way. Why not nbconvert
or papermill: their executor loses replies on widget cells now and then, and then waits for the whole time-out
(nbclient#312).
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tests.notebooks import books, minutes
from tests.notebooks.kernels import no_votes, start_again

GIGABYTES = 2.0
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
CELL_FILE = re.compile(r"\S*ipykernel_\d+[/\\]\d+\.py")
INSTALLED = re.compile(r"[^\s\"']*[/\\](?:site-packages|lib[/\\]python3\.\d+)[/\\]")
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
MAP = re.compile(r"(<!-- map -->\n).*?(<!-- /map -->)", re.DOTALL)
HEAD = "| | notebook | years | you build | minutes | seconds | memory |\n|---|---|---|---|---|---|---|\n"


@dataclass
class Run:
    """What one run of a notebook cost."""

    seconds: float
    gigabytes: float


def normalize(book):
    """Take out of a notebook what changes from run to run or from computer to computer, and return it."""
    book.metadata = nbformat.from_dict(METADATA)
    for cell in book.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            # Random ids; beside them stand the widget's words, which stay.
            output.get("data", {}).pop(WIDGET_VIEW, None)
            if output.output_type == "error":
                output.traceback = [_anywhere(line) for line in output.traceback]
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if output.get("data") != {}]
    return book


def _anywhere(line: str) -> str:
    return INSTALLED.sub("", CELL_FILE.sub("<cell>", line)).replace(f"{books.ROOT}{os.sep}", "")


def execute(book, folder: Path, timeout: float = 300, after: Callable | None = None) -> Run:
    """Run a notebook's cells in order in a fresh kernel, keep their outputs in it, and return what the run cost.

    ``after(client, cell)`` is called after each code cell, while its kernel waits for the next.
    Raises CellExecutionError when a cell fails, CellTimeoutError when it takes longer than `timeout` seconds.
    """
    client = NotebookClient(
        book,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    # nbclient's own Output widget is what loses replies; without it, output lands in its cell, as in nbval.
    client.comm_open_handlers = {}
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HELPERS_")}
    ours.pop("MPLBACKEND", None)
    ours["HELPERS_VOTES"] = no_votes()
    started = time.perf_counter()
    with ExitStack() as kernel:
        start_again(lambda: kernel.enter_context(client.setup_kernel(env=ours)))()
        for index, cell in enumerate(book.cells):
            client.execute_cell(cell, index)
            if after is not None and cell.cell_type == "code":
                after(client, cell)
        seconds = time.perf_counter() - started
        gigabytes = _largest_memory(client)
    normalize(book)
    return Run(seconds, gigabytes)


def _largest_memory(client) -> float:
    """Ask the kernel for the largest memory it ever held, in gigabytes."""
    # Linux hands getrusage's figure on from the process that started the kernel, however large that was; macOS does not.
    expression = "__import__('resource').getrusage(0).ru_maxrss"
    if sys.platform == "linux":
        expression = "1024 * int(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])"
    question = client.kc.execute("", silent=True, user_expressions={"bytes": expression})
    reply = client.wait_for_reply(question)
    return int(reply["content"]["user_expressions"]["bytes"]["data"]["text/plain"]) / 1e9


def faults(book, path: Path) -> list[str]:
    """Say what shows that a stored notebook was not written by this builder."""
    found = []
    counts = [cell.execution_count for cell in book.cells if cell.cell_type == "code"]
    if counts != list(range(1, len(counts) + 1)):
        found.append(f"{path.name}: the cells were not run once, from top to bottom")
    if path.read_text(encoding="utf-8") != books.text(normalize(book)):
        found.append(f"{path.name}: holds what changes from run to run")
    return found


def measured(text: str) -> dict[str, tuple[str, str]]:
    """Return {file: (seconds, memory)} of the notebooks whose rows in a README's map have been measured."""
    rows = [row.split("|") for row in text.splitlines() if "](notebooks/" in row and row.startswith("|")]
    return {row[2].split("](notebooks/")[1].split(")")[0]: (row[6].strip(), row[7].strip()) for row in rows}


def course_map(text: str, runs: dict[Path, Run]) -> str:
    """Return a README's text with its map made anew: the rows of `runs` freshly measured, the others as they were."""
    known = measured(text) | {
        path.name: (str(max(1, round(run.seconds))), f"{run.gigabytes:.1f} GB") for path, run in runs.items()
    }
    rows = []
    for entry in json.loads((books.ROOT / "data" / "course.json").read_text(encoding="utf-8")):
        path = books.NOTEBOOKS / entry["file"]
        name, time, costs = entry["title"], entry["minutes"], ("to come", "")
        if path.exists():
            name = f"[{name}](notebooks/{path.name})"
            time = minutes.total(path)
            costs = known.get(path.name, ("?", "?"))
        columns = [entry["notebook"], name, entry["years"], entry["you build"], str(time), *costs]
        rows.append(f"| {' | '.join(columns)} |\n".replace("|  |", "| |"))
    return MAP.sub(lambda found: found[1] + HEAD + "".join(rows) + found[2], text)


def write_map(runs: dict[Path, Run]) -> None:
    readme = books.ROOT / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    if not MAP.search(text):
        print("The README has no place for the map: <!-- map -->, a line break, <!-- /map -->.")
        return
    readme.write_text(course_map(text, runs), encoding="utf-8")


def build(paths: list[Path], timeout: float) -> int:
    runs, problems = {}, 0
    for path in paths:
        book = books.read(path)
        try:
            run = runs[path] = execute(book, path.parent, timeout)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            print(f"{path.name} was not changed: {error}")
            problems += 1
            continue
        changed = books.write(minutes.stamp(book, path), path)
        print(
            f"{path.name}: {run.seconds:.1f} s of {minutes.limit(path)} s, {run.gigabytes:.2f} GB of {GIGABYTES:.0f} GB, "
            f"{'stored' if changed else 'the same as before'}",
            flush=True,
        )
        if run.seconds > minutes.limit(path) or run.gigabytes > GIGABYTES:
            print(f"{path.name} costs more than the course promises.")
            problems += 1
    if runs:
        minutes.write_course(list(runs))
        write_map(runs)
    return problems


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description="Run notebooks in place and store their outputs.")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="beginnings of names: --only 00 01")
    parser.add_argument("--check", action="store_true", help="run nothing; fail if a notebook was not built by this")
    parser.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help="for one cell (default 300)")
    options = parser.parse_args(arguments)
    paths = books.paths(options.only)
    if not paths:
        print("There are no notebooks in notebooks/ yet.")
    if options.check:
        found = [fault for path in paths for fault in faults(books.read(path), path)]
        print("\n".join(found) if found else f"{len(paths)} notebooks are as the builder left them.")
        return bool(found)
    return bool(build(paths, options.timeout))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(str(error))
