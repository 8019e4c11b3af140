"""Find the notebooks that were handed in, read them without running anything, and say whose they are and which.

Which notebook a file is, its cells say: their ids; where a tool has lost these, the checks they import, the stubs they
define, and the headings. Whose it is, the folder says, or else the name of the file.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.answers import mistakes
from tests.notebooks import books

LARGEST = 30 * 2**20  # bytes; with its outputs our largest notebook has a few million
ARCHIVES = {".zip", ".gz", ".tgz", ".tar", ".7z", ".rar"}
EXPORTS = {".py", ".html", ".pdf", ".json", ".docx"}  # what is handed in instead of a notebook


class Unreadable(ValueError):
    """A file that cannot be marked; its text says why, for the teacher."""


@dataclass
class Submission:
    """A notebook that was handed in: ``cells`` are (label, source) of its code cells, ``places`` {task: cell number}."""

    path: Path
    learner: str
    stem: str = ""
    cells: list[tuple[str, str]] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Course:
    """One of our notebooks, for recognizing: ids that no other one has, its headings, its tasks."""

    stem: str
    ids: frozenset[str]
    headings: frozenset[str]
    tasks: tuple[mistakes.Task, ...]


@cache
def courses() -> list[Course]:
    """Return what each of our notebooks is recognized by."""
    found = {path.stem: books.read(path) for path in books.paths()}
    everywhere = [cell.id for book in found.values() for cell in book.cells]
    repeated = {name for name in everywhere if everywhere.count(name) > 1}
    return [
        Course(
            stem,
            frozenset(cell.id for cell in book.cells) - repeated,
            frozenset(headings(cell.source for cell in book.cells if cell.cell_type == "markdown")),
            tuple(mistakes.tasks(book)),
        )
        for stem, book in found.items()
    ]


def headings(texts) -> list[str]:
    """Return the headings in Markdown texts."""
    return [line for text in texts for line in re.findall(r"^#{1,3} (.+?)\s*$", text, re.MULTILINE)]


def find(folder: Path) -> list[Submission]:
    """Return all submissions below a folder, in order of their paths; what cannot be read has a ``problem``.

    Hidden files, and those in hidden folders such as ``.ipynb_checkpoints``, are left out. A learner who handed in other
    files only (a .py, a .html) has one submission, with a problem.
    """
    paths = sorted(
        path
        for path in folder.rglob("*")
        if not any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts) and not path.is_dir()
    )
    found = {path: read(path, folder) for path in paths if path.suffix.lower() in {".ipynb", *ARCHIVES}}
    seen = {one.learner for one in found.values()}
    for path in paths if found else ():
        name = learner(path.relative_to(folder), "")
        handed_in = path.parent != folder or path.suffix.lower() in EXPORTS or ".ipynb" in path.name.lower()
        if handed_in and path not in found and name not in seen:
            found[path] = Submission(path, name, problem="this is no notebook (.ipynb): ask for that file")
            seen.add(name)
    return [found[path] for path in sorted(found)]


def read(path: Path, folder: Path) -> Submission:
    """Read one submission below ``folder``; never raises because of what the file holds."""
    submission = Submission(path, printable(path.stem))
    try:
        cells = cells_of(path)
        course = recognize(cells)
        submission.stem = course.stem
        code = [cell for cell in cells if cell["kind"] == "code"]
        submission.cells = [(f"<cell {number + 1}>", cell["source"]) for number, cell in enumerate(code)]
        submission.places = places(code, course)
    except Unreadable as error:
        submission.problem = str(error)
    submission.learner = learner(path.relative_to(folder), submission.stem)
    return submission


def cells_of(path: Path) -> list[dict]:
    """Return the cells of a notebook's file as {"id", "kind", "source"}. Raises Unreadable with the reason."""
    if path.is_symlink():
        raise Unreadable("this is a link to another file: not followed")
    if path.suffix.lower() in ARCHIVES:
        raise Unreadable("this is an archive: unpack it first")
    try:
        if path.stat().st_size > LARGEST:
            raise Unreadable(f"this file is larger than {LARGEST // 2**20} MB: clear its outputs and save it again")
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"this file cannot be read ({error.strerror})") from None
    if not data.strip():
        raise Unreadable("this file is empty")
    if data.startswith(b"PK\x03\x04"):
        raise Unreadable("this is an archive with the name of a notebook: unpack it first")
    try:
        book = json.loads(data)  # bytes: with a mark at the beginning or without, UTF-8 or UTF-16
        cells = book["cells"] if "cells" in book else book["worksheets"][0]["cells"]
        return [_cell(cell) for cell in cells]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Unreadable("this file is damaged: it is no whole notebook") from None


def _cell(cell: dict) -> dict:
    source = cell.get("source", cell.get("input", ""))
    return {
        "id": str(cell.get("id") or cell.get("metadata", {}).get("id", "")),  # Colab keeps it in the metadata
        "kind": str(cell["cell_type"]),
        "source": source if isinstance(source, str) else "".join(source),
    }


def recognize(cells: list[dict]) -> Course:
    """Return which of our notebooks these cells are from. Raises Unreadable when they are from none."""
    ids = {cell["id"] for cell in cells}
    code = "\n".join(cell["source"] for cell in cells if cell["kind"] == "code")
    titles = set(headings(cell["source"] for cell in cells if cell["kind"] == "markdown"))

    def likeness(course: Course) -> tuple[int, int, int]:
        checks = sum(f"from {task.check.replace('.check_', ' import check_')}" in code for task in course.tasks)
        named = sum(bool(re.search(rf"^\s*(def|class) {task.name}\b", code, re.MULTILINE)) for task in course.tasks)
        return len(ids & course.ids), checks, min(named, 2 * len(titles & course.headings))

    best = max(courses(), key=likeness)
    if not any(likeness(best)):
        raise Unreadable("this is not a notebook of this course")
    return best


def places(code: list[dict], course: Course) -> dict[str, int]:
    """Return {task: number of its code cell}: by the cell's id, else by the check it imports, else by what it defines."""
    found = {}
    for task in course.tasks:
        name = re.escape(task.name)
        imported, defined = rf"import .*\bcheck_{name}\b", rf"^(def|class) {name}\b|^{name} *="
        numbers = [number for number, cell in enumerate(code) if cell["id"] == task.cell]
        for pattern in (imported, defined):
            numbers += [number for number, cell in enumerate(code) if re.search(pattern, cell["source"], re.MULTILINE)]
        if numbers:
            found[task.name] = numbers[0]
    return found


def learner(path: Path, stem: str) -> str:
    """Return whose a submission is, from its path below the folder: the first folder's name, else what the file's name adds."""
    if len(path.parts) > 1:
        return printable(path.parts[0])
    rest = re.sub(rf"^{stem[:2]}\b|\b{stem[:2]}$", "", path.stem.replace(stem, "")) if stem else path.stem
    return printable(rest.strip(" -_.()") or path.stem)


def printable(text: str) -> str:
    """Return a text in one line, without what a terminal or a table could take for a command."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
