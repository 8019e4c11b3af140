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
import re
import sys
from contextlib import suppress

from tests.answers import mistakes, solutions
from tests.marking import integrity, process
from tests.marking.selection import Cells, Selection, Surroundings
from tests.marking.selection import select as choose
from tests.marking.submissions import printable
from tests.notebooks import books

TOO_MUCH = re.compile("^✘ Your (code|cell) stopped with (MemoryError|.*can't allocate memory)")


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
        self.made_of = integrity.fingerprint()


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
            verdict = process.NO_VERDICT | {"sentence": plans[task.name]}
        else:
            work = functools.partial(answer, ours, plans, own, task)
            verdict = process.in_new_process(work, request["seconds"], int(request["memory"] * 2**30))
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


def answer(ours: Notebook, plans: dict, own: list[str], task, report) -> None:
    """In the new process: run what the answer needs, call the check, report."""
    chosen, names = plans[task.name], ours.names
    report(remarks=chosen.remarks)
    for earlier in itertools.takewhile(lambda other: other != task, ours.tasks):
        if earlier.name in own:
            run(plans[earlier.name], names)
        elif earlier.name in ours.solutions:
            exec(compile(ours.solutions[earlier.name], f"<solution {earlier.name}>", "exec"), names)
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
    after = integrity.fingerprint()
    if changed := [name for name, value in ours.made_of.items() if after.get(name) is not value]:
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
