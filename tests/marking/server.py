"""Mark submissions, one a line: a process that has imported what the checks need and forks a new one for each answer.

Started by ``tests.marking`` with an environment that holds no secrets. Reads from standard input, one JSON object a line,

    {"stem": notebook, "cells": [[label, source], …], "places": {task: number of its cell}, "seconds": 20, "memory": 2 (GB)}

and answers in order, each with one line, [{"task", "passed", "sentence", "seconds", "remarks", "contained"}, …]. The new
process runs the answer and calls our check; what it reports goes through a pipe with a password that the answer does not
know, and this process decides: where no report comes in time, the answer has stopped its process.
"""

import ast
import functools
import gc
import importlib
import itertools
import json
import linecache
import os
import random
import re
import secrets
import select
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import FunctionType

import psutil

from tests.answers import mistakes, solutions
from tests.marking import sandbox
from tests.marking.selection import Cells, Selection, Surroundings
from tests.marking.selection import select as choose
from tests.marking.submissions import printable
from tests.notebooks import books

NO_VERDICT = {"passed": False, "sentence": "", "seconds": 0, "remarks": [], "contained": ""}
LONGEST_REPORT = 200_000
TOO_MUCH = re.compile("^✘ Your (code|cell) stopped with (MemoryError|.*can't allocate memory)")
POLL = 0.05  # seconds between two looks at the memory
# What the checks compare with. Where an answer has put something else in its place, its verdict is none.
TRUSTED = ("builtins", "math", "copy", "random", "re", "dis", "traceback", "torch", "torch.nn.functional", "numpy")


class Notebook:
    """What the answers of one notebook find, from our own copy of it: tasks, names, and solutions."""

    def __init__(self, stem: str):
        book = books.read(books.NOTEBOOKS / f"{stem}.ipynb")
        self.tasks = mistakes.tasks(book)
        self.solutions = solutions.solutions(stem)
        self.names: dict = {"__name__": "__main__"}
        statements = [*solutions.imports(stem), *solutions.functions(stem)]
        for statement in statements:
            with suppress(NameError, ImportError):  # a default that is computed on the page; an optional package
                exec(statement, self.names)
        code = [cell.source for cell in book.cells if cell.cell_type == "code"]
        given = [ast.parse(source).body for source in self.solutions.values()]
        self.around = Surroundings(
            run=frozenset(ast.unparse(ast.parse(text)) for text in statements),
            ours=frozenset(ast.unparse(node) for source in code for node in ast.parse(source).body),
            given=frozenset(node.name for tree in given for node in tree if hasattr(node, "name"))
            | {task.name for task in self.tasks},
        )
        self.checks = {task.name: task.verdict() for task in self.tasks}


@functools.cache
def notebook(stem: str) -> Notebook:
    """Return the surroundings of a notebook's answers; the first call imports what it imports."""
    found = Notebook(stem)
    gc.collect()
    gc.freeze()  # so that new processes share this memory
    return found


def mark(request: dict) -> list[dict]:
    """Return the verdict on each task of a submission, in order; an answer that passes serves those after it."""
    ours = notebook(request["stem"])
    for label, source in request["cells"]:  # so that an error can show its line
        linecache.cache[label] = (len(source), None, source.splitlines(keepends=True), label)
    cells = Cells([tuple(cell) for cell in request["cells"]])
    plans = {task.name: plan(cells, request["places"].get(task.name), task.name, ours) for task in ours.tasks}
    own: list[str] = []
    verdicts = []
    for task in ours.tasks:
        if isinstance(plans[task.name], str):
            verdict = NO_VERDICT | {"sentence": plans[task.name]}
        else:
            work = functools.partial(answer, ours, plans, own, task)
            verdict = in_new_process(work, request["seconds"], int(request["memory"] * 2**30))
        own += [task.name] * verdict["passed"]
        verdicts.append({"task": task.name} | verdict)
    return verdicts


def plan(cells: Cells, place: int | None, task: str, ours: Notebook) -> Selection | str:
    """Return what to run for an answer, or the sentence that says why there is nothing to run."""
    try:
        chosen = choose(cells, place, task, ours.around)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f" in line {error.lineno}" if getattr(error, "lineno", None) else ""
        return tidy(f"✘ The cell is not Python{line}: {getattr(error, 'msg', error)}.")
    chosen.remarks = [tidy(remark, 200) for remark in chosen.remarks[:5]]
    if chosen.untouched:
        return "○ Not tried yet."
    return chosen if chosen.defined else f"○ No cell defines {task}."


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
    """Make torch's pool of threads anew, which a fork loses: of several threads that found it gone, one would crash."""
    import torch

    torch.set_num_threads(1)


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


def answer(ours: Notebook, plans: dict, own: list[str], task, report) -> None:
    """In the new process: run what the answer needs, call the check, report."""
    chosen, names = plans[task.name], ours.names
    report(remarks=chosen.remarks)
    for earlier in itertools.takewhile(lambda other: other != task, ours.tasks):
        if earlier.name in own:
            run(plans[earlier.name], names)
        elif earlier.name in ours.solutions:
            exec(compile(ours.solutions[earlier.name], f"<solution {earlier.name}>", "exec"), names)
    before = fingerprint()
    try:
        run(chosen, names)
        passed, sentence = ours.checks[task.name](names[task.name])
    except Exception as error:  # at the top of the cell, outside of the check
        passed, sentence = False, f"✘ Your cell stopped with {type(error).__name__}: {error}."
    remarks = [
        f"needs {name}, which another cell computes and marking does not" for name in chosen.missing if name in sentence
    ]
    if "✔" in getattr(sys.stdout, "kept", ""):
        remarks.append("prints a ✔ itself, which counts for nothing")
    after = fingerprint()
    if changed := [name for name, value in before.items() if after.get(name) is not value]:
        return report(
            sentence="✘ There is no verdict: the cell changes what the check is made of.",
            contained=f"it changed {', '.join(sorted(changed)[:3])}",
            remarks=remarks,
        )
    memory = "it took too much memory" if TOO_MUCH.search(sentence) else ""
    report(passed=passed is True, sentence=tidy(sentence), remarks=remarks, contained=memory)


def run(chosen: Selection, names: dict) -> None:
    """Run the chosen statements in ``names``."""
    for label, body in chosen.parts:
        exec(compile(ast.Module(body, type_ignores=[]), label, "exec"), names)


def fingerprint() -> dict:
    """Return what the checks are made of, by name: functions and classes of ours and of the libraries they compare with."""
    ours = [name for name in sys.modules if name.startswith("helpers")]
    spaces = {name: vars(sys.modules[name]) for name in [*TRUSTED, *ours] if name in sys.modules}
    spaces["torch.Tensor"] = vars(sys.modules["torch"].Tensor) if "torch" in sys.modules else {}
    found: dict = {}
    for space, names in spaces.items():
        for name, value in dict(names).items():
            if callable(value):
                found[f"{space}.{name}"] = value
                if type(value) is FunctionType and value.__module__.startswith("helpers.checks"):
                    found.update(inner(f"{space}.{name}", value))
                elif type(value) is FunctionType:
                    found[f"{space}.{name} inside"] = value.__code__
    return found


def inner(name: str, function: FunctionType) -> dict:
    """Return what a function is made of: its code, its defaults, what it has closed over, and the functions tied to it."""
    found = {f"{name} inside": function.__code__, f"{name} defaults": function.__defaults__}
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    for number, value in enumerate([*cells, *vars(function).values()]):
        found[f"{name} part {number}"] = value
        if type(value) is FunctionType and value is not function:
            found |= {f"{name} part {number} inside": value.__code__}
            found |= {
                f"{name} part {number} closes over {n}": c.cell_contents for n, c in enumerate(value.__closure__ or ())
            }
    return found


def tidy(sentence: str, longest: int = 600) -> str:
    """Return a sentence in one line, without control characters, not too long: an answer's own repr may stand in it."""
    text = printable(str(sentence)[: 2 * longest])
    return text if len(text) <= longest else text[: longest - 1] + "…"


def warm_up() -> None:
    """Import what PyTorch imports when it is first used, once and for all: its optimizers take seconds to come."""
    import torch

    torch.set_num_threads(1)
    weight = torch.nn.Parameter(torch.ones(1))
    (weight * 2).sum().backward()
    torch.optim.AdamW([weight]).step()


def main(modules: list[str]) -> None:
    """Answer requests until standard input ends; ``modules`` are imported before."""
    for name in modules:
        importlib.import_module(name)
    warm_up()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a module prints while it is imported is no answer
    for line in sys.stdin:
        print(json.dumps(mark(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
