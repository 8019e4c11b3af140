"""The known wrong answers of every task, each with its name and the sentence that a learner hears, in one file.

usage: python -m tests.answers.mistakes     (writes data/mistakes.json, in about a minute)

The wrong answers stand in the tests beside this file, as ``WRONG``: {task: {answer: words of its own message}}. Answers with
the same words hear the same message and are one mistake here, under the name of the first. A mistake is called as its answer
is in the tests; an answer without a name of its own there is called after its words. ``data/mistakes.json`` is

    {notebook: {task: {"title", "cell", "kind": "build" | "exercise", "check": "module.name",
                       "mistakes": [{"name", "words", "says", "same_message": [other names]}]}}}

with the tasks in the order of the notebook. The marking of submissions and the teacher's kit read it.
"""

import ast
import importlib
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from helpers.io import write_text
from tests.notebooks import books

PATH = books.ROOT / "data" / "mistakes.json"
KINDS = ("build", "exercise")
# What a test calls an answer for want of a name: it says nothing about the mistake.
NAMELESS = {"<lambda>", "_step", "Layer"}
# Where another computer, or another version of Python or PyTorch, may say it in other words: all after the error's kind.
OF_THIS_COMPUTER = re.compile(r"(?<=stopped with )(\w+): .*", re.DOTALL)


@dataclass(frozen=True)
class Mistake:
    """One mistake that a task's check knows: its ``name``, the ``words`` of its message, and all that the message ``says``."""

    name: str
    words: str
    says: str
    same_message: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """A build cell or an exercise: what to write (``name``), in which cell, under which heading, and what checks it."""

    name: str
    cell: str
    kind: str
    title: str
    check: str

    def verdict(self) -> Callable[..., tuple[bool, str]]:
        """Return the check's verdict: a function from an answer to (passed, sentence)."""
        module, _, name = self.check.rpartition(".")
        return getattr(importlib.import_module(module), name).verdict


def tasks(book) -> list[Task]:
    """Return the tasks of a notebook, in order: the cells tagged build or exercise that import a check."""
    found, title = [], ""
    for cell in book.cells:
        if cell.cell_type == "markdown":
            title = (re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE) or [title])[-1]
        kind = next((kind for kind in KINDS if kind in books.tags(cell)), None)
        if cell.cell_type == "code" and kind and (checks := imported_checks(cell.source)):
            check = checks[-1]
            found.append(Task(check.partition(".check_")[2], cell.id, kind, title, check))
    return found


def imported_checks(source: str) -> list[str]:
    """Return the checks that a cell imports, as "helpers.checks.nb00.check_bits"; none from a cell that is not Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return [
        f"{node.module}.{alias.name}"
        for node in imports
        for alias in node.names
        if (node.module or "").startswith("helpers.checks.") and alias.name.startswith("check_")
    ]


def modules(stem: str) -> list[ModuleType]:
    """Return the modules with the wrong answers of a notebook, those with the tests before those that they import from.

    They are imported anew: some wrong answers remember what an earlier check has done, and hear another sentence then.
    """
    folder = books.ROOT / "tests" / "answers"
    number = stem[:2]
    files = [
        path
        for pattern in (f"test_nb{number}.py", f"test_nb{number}_text.py", f"nb{number}_*.py")
        for path in sorted(folder.glob(pattern))
    ]
    with forgotten([path.stem for path in files]):
        return [importlib.import_module(f"tests.answers.{path.stem}") for path in files]


@contextmanager
def forgotten(names: list[str]) -> Iterator[None]:
    """Inside, the modules of tests.answers with these names count as not imported; afterwards they are what they were."""
    package = vars(importlib.import_module("tests.answers"))
    places = [(sys.modules, f"tests.answers.{name}") for name in names] + [(package, name) for name in names]
    kept = [(place, name, place.pop(name)) for place, name in places if name in place]
    try:
        yield
    finally:
        for place, name, module in kept:
            place[name] = module


def wrong_answers(stem: str) -> dict[str, dict[str, tuple[Callable, str]]]:
    """Return {task: {name: (wrong answer, words of its message)}} of a notebook."""
    places = modules(stem)
    tests = [place for place in places if place.__name__.rpartition(".")[2].startswith("test_")]
    return {task: named(task, answers, places) for test in tests for task, answers in test.WRONG.items()}


def named(task: str, answers: dict[Callable, str], places: list[ModuleType]) -> dict[str, tuple[Callable, str]]:
    """Return the wrong answers of a task by name. Raises ValueError when two of them come to have the same one."""
    own = Counter(getattr(answer, "__name__", "") for answer in answers)
    names = {}
    for answer, words in answers.items():
        name = next((name for place in places for name, value in vars(place).items() if value is answer), "")
        if not name and answer.__name__ not in NAMELESS | {task} and own[answer.__name__] == 1:
            name = answer.__name__
        name = identifier(name or words)
        if name in names:
            raise ValueError(f"{task}: two wrong answers are called {name}")
        names[name] = answer, words
    return names


def identifier(words: str) -> str:
    """Return words as a name: "Those are seconds" gives "Those_are_seconds"; long ones are cut after a word."""
    name = "_".join(re.findall(r"\w+", words))
    return name if len(name) <= 60 else name[:60].rpartition("_")[0]


def says(verdict: Callable, answer: Callable) -> str:
    """Return the sentence that a wrong answer hears, without its mark and without what differs between computers."""
    import numpy
    import torch

    random.seed(0)
    numpy.random.seed(0)
    torch.manual_seed(0)
    passed, sentence = verdict(answer)
    if passed:
        raise ValueError(f"a wrong answer passes: {sentence}")
    return OF_THIS_COMPUTER.sub(r"\1.", sentence).removeprefix("✘ ")


def known(stem: str) -> dict[str, list[Mistake]]:
    """Return {task: its known mistakes} of a notebook, by running every wrong answer through its check."""
    wrong = wrong_answers(stem)
    return {task.name: grouped(task, wrong[task.name]) for task in tasks(books.read(books.NOTEBOOKS / f"{stem}.ipynb"))}


def grouped(task: Task, wrong: dict[str, tuple[Callable, str]]) -> list[Mistake]:
    """Return the mistakes of a task; wrong answers with the same words of their message are one."""
    names: dict[str, list[str]] = {}
    for name, (_, words) in wrong.items():
        names.setdefault(words, []).append(name)
    verdict = task.verdict()
    return [
        Mistake(first, words, says(verdict, wrong[first][0]), tuple(others))
        for words, (first, *others) in names.items()
    ]


def table() -> dict:
    """Return what data/mistakes.json holds."""
    found = {}
    for path in books.paths():
        mistakes = known(path.stem)
        found[path.stem] = {
            task.name: {
                "title": task.title,
                "cell": task.cell,
                "kind": task.kind,
                "check": task.check,
                "mistakes": [
                    vars(mistake) | {"same_message": list(mistake.same_message)} for mistake in mistakes[task.name]
                ],
            }
            for task in tasks(books.read(path))
        }
    return found


def stored() -> dict:
    """Return data/mistakes.json."""
    return json.loads(PATH.read_text(encoding="utf-8"))


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    found = table()
    write_text(PATH, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    every = [mistake for of_notebook in found.values() for task in of_notebook.values() for mistake in task["mistakes"]]
    print(f"{len(every)} mistakes of {sum(map(len, found.values()))} tasks are in data/mistakes.json.")
