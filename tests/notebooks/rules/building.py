"""Rules of the second edition: the learner's code is in the machine, a picture and a formula for every mechanism."""

import ast
import re
import symtable

from tests.notebooks import minutes
from tests.notebooks.rules import FENCE, Book, bound, calls, rule, tags, texts

BUILDS = (3, 5)  # at least in a notebook, at most in a lesson
STUB = re.compile(r"^\s+\.\.\.", re.MULTILINE)
FIRST = 0.25  # of the cells, before the learner writes code
EQUATIONS, DRAWINGS = 4, 4
MOST_TRUE = 6
WITHOUT_NETWORKS = ("00", "01")  # about data: neither equations nor drawings are counted


@rule
def learners_build_early(book: Book) -> list[str]:
    """Three to five build cells a lesson, the first in the first quarter of the notebook; what each stub gives is run later."""
    if not book.builds:
        return []
    found, places = [], [i for i, cell in enumerate(book.cells) if any(cell is build for build in book.builds)]
    most = BUILDS[1] * (1 + sum("lesson-break" in tags(cell) for cell in book.cells))
    if not BUILDS[0] <= len(places) <= most:
        found.append(f"{book.path.name}: {len(places)} build cells, expected {BUILDS[0]} to {most}")
    if places[0] > FIRST * len(book.cells):
        found.append(f"{book.path.name}: the learner first writes code in cell {places[0]} of {len(book.cells)}")
    for cell, tree in book.trees:
        if "build" not in tags(cell):
            continue
        if not STUB.search(cell.source):
            found.append(f"{book.where(cell)}: the stub to fill, a line of `...`, is missing")
        handed_on = {
            statement.targets[0].id
            for statement in tree.body
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
            if any(name == "checked" for name, _ in calls(statement))
        }
        if not handed_on & {s.name for s in tree.body if isinstance(s, ast.FunctionDef | ast.ClassDef)}:
            found.append(f"{book.where(cell)}: what checked(…) returns must keep the name that the learner wrote")
        if not any("this notebook runs the package's" in text for text in texts(cell)):
            found.append(f"{book.where(cell)}: with an empty stub the package's version must run")
    return found


@rule
def mechanisms_are_drawn_and_written(book: Book) -> list[str]:
    """Four typeset equations and four drawings at least."""
    if not book.builds or book.path.name.startswith(WITHOUT_NETWORKS):
        return []
    equations = sum(len(re.findall(r"\$[^$\n]+\$", FENCE.sub("", cell.source))) for cell in book.markdown)
    drawings = sum("image/svg+xml" in output.get("data", {}) for cell in book.code for output in cell.outputs)
    found = [f"{book.path.name}: {equations} equations, at least {EQUATIONS}"] * (equations < EQUATIONS)
    return found + [f"{book.path.name}: {drawings} drawings, at least {DRAWINGS}"] * (drawings < DRAWINGS)


@rule
def numbers_are_shown(book: Book) -> list[str]:
    """A printed True is for a proof; where the number is the lesson, the number is printed."""
    if not book.builds:
        return []
    streams = [output.text for cell in book.code for output in cell.outputs if output.output_type == "stream"]
    count = sum(len(re.findall(r"\b(?:True|False)\b", text)) for text in streams)
    return [f"{book.path.name}: {count} printed True or False, at most {MOST_TRUE}"] * (count > MOST_TRUE)


@rule
def deeper_sections_can_be_skipped(book: Book) -> list[str]:
    """They say so in their heading, and no cell of the core path uses a name that only they define."""
    found, before = [], False
    skipped, kept = set(), set()
    for cell in book.cells:
        deeper = "deeper" in tags(cell)
        if deeper and not before and not re.match(r"#+ Deeper\b", cell.source):
            found.append(f"{book.where(cell)}: a deeper section begins with a heading '### Deeper · …'")
        before = deeper
    for cell, tree in book.trees:
        (skipped if "deeper" in tags(cell) else kept).update(name for statement in tree.body for name in bound(statement))
    for cell, _ in book.trees:
        if "deeper" not in tags(cell):
            found += [
                f"{book.where(cell)}: uses {name}, which only a deeper section defines"
                for name in sorted(_used(cell.source) & (skipped - kept))
            ]
    return found


def _used(source: str) -> set[str]:
    """Return the names that a cell takes from the notebook."""
    tables, names = [symtable.symtable(source, "cell", "exec")], set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        names |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module")
        }
    return names


@rule
def a_lesson_fits_its_hour(book: Book) -> list[str]:
    """The core path of each lesson, without what the learner writes, takes an hour at most."""
    if not book.builds:
        return []
    lessons = minutes.clock(book.notebook, book.path).lessons
    return [
        f"{book.path.name}: the core path of lesson {number} takes {lesson:.0f} minutes, at most {minutes.CORE}"
        for number, lesson in enumerate(lessons, 1)
        if lesson > minutes.CORE
    ]
