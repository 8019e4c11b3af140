"""How long a notebook takes a learner: computed from its cells, stamped into its title and its headings.

usage: python -m tests.notebooks.minutes [--check]

Reading 180 words or 6 lines of code takes a minute, a prediction or a quiz one more; what the learner writes takes the minutes
of its stars; the live runs take what the notebook may take. Folded text, solutions, and boxes for the teacher or for the time
of a training cost a reader nothing. (The builder stamps each notebook that it runs.)
"""

import argparse
import ast
import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.notebooks import books

SECONDS = {"00": 20, "01": 45, "08": 120}  # what all cells of a notebook may take; any other has OTHERS
OTHERS = 90
WORDS, LINES = 180, 6  # a minute
STARS = {1: 4, 2: 8, 3: 15}  # minutes to write a build cell or an exercise
CORE = 60  # minutes of one lesson, without what the learner writes and the deeper sections
UNREAD = {"solution", "instructor", "while-it-trains", "setup"}
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
TIME = re.compile(r"\*\*Time:\*\*.*?(?= \*\*You need|$)", re.MULTILINE)


def limit(path: Path) -> int:
    """Return the seconds that the notebook at `path` may take."""
    return SECONDS.get(path.name[:2], OTHERS)


def stars(cell) -> float:
    """Return the minutes that the stars in a task's heading promise, 0 where there is none."""
    found = re.search(r"^#+ .*?([★⭐]+)", cell.source, re.MULTILINE)
    return STARS[min(len(found[1]), max(STARS))] if found else 0


def reading(cell) -> float:
    """Return the minutes to read a cell, to predict and to answer; what the learner writes there is not in it."""
    if UNREAD & set(books.tags(cell)):
        return 0
    if cell.cell_type == "code":
        stub = {"build", "exercise"} & set(books.tags(cell)) and "quiz(" not in cell.source
        return ("quiz(" in cell.source) + (0 if stub else len(_lines(cell.source)) / LINES)
    text = FOLDED.sub(" ", cell.source)
    lines = sum(len(fence.splitlines()) - 2 for fence in CODE.findall(text))
    words = re.sub(r"<[^>]+>|!?\[([^\]]*)\]\([^)]*\)", r" \1 ", CODE.sub(" ", text)).split()
    return len(words) / WORDS + lines / LINES + text.count("**Predict.")


def _lines(source: str) -> list[str]:
    """Return the lines of a cell that are read: no empty ones, no imports."""
    try:
        skipped = {
            number
            for node in ast.parse(source).body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for number in range(node.lineno, node.end_lineno + 1)
        }
    except SyntaxError:
        skipped = set()
    return [line for number, line in enumerate(source.splitlines(), 1) if line.strip() and number not in skipped]


@dataclass
class Clock:
    """Where the minutes of a notebook go."""

    lessons: list[float] = field(default_factory=lambda: [0.0])  # the core path, without what the learner writes
    written: list[float] = field(default_factory=lambda: [0.0])  # what the learner writes in each lesson's build cells
    deeper: float = 0  # sections that may be skipped, with what is written there
    exercises: float = 0

    @property
    def building(self) -> float:
        return sum(self.written)

    @property
    def total(self) -> float:
        return sum(self.lessons) + self.building + self.deeper + self.exercises


def clock(book, path: Path) -> Clock:
    """Add up the minutes of a notebook."""
    found = Clock()
    for cell in book.cells:
        tags = set(books.tags(cell))
        if "lesson-break" in tags:
            found.lessons.append(0.0)
            found.written.append(0.0)
        if "deeper" in tags:
            found.deeper += reading(cell) + stars(cell)
        elif "exercise" in tags and "quiz(" not in cell.source:
            found.exercises += reading(cell) + stars(cell)
        else:
            found.lessons[-1] += reading(cell)
            found.written[-1] += stars(cell) if "build" in tags else 0
    for number in range(len(found.lessons)):
        found.lessons[number] += limit(path) / 60 / len(found.lessons)
    return found


def five(minutes: float) -> int:
    """Round to five minutes, at least five."""
    return max(5, 5 * round(minutes / 5))


def sentence(book, path: Path) -> str:
    """Return what the title says about time."""
    time = clock(book, path)
    lessons = [five(read + written) for read, written in zip(time.lessons, time.written)]
    words = f"about {five(sum(time.lessons) + time.building)} minutes for the core path"
    if len(lessons) > 1:
        words += f", in {len(lessons)} lessons of {', '.join(map(str, lessons[:-1]))} and {lessons[-1]}"
    words += f" ({five(time.building)} of them for the code you write)" if time.building else ""
    more = [f"{five(time.deeper)} more for the sections marked *Deeper*"] if time.deeper else []
    more += [f"{five(time.exercises)}{'' if more else ' more'} for the exercises"] if time.exercises else []
    words += f"; {' and '.join(more)}" if more else ""
    return f"**Time:** {words}. The cells run in under {limit(path)} seconds on a CPU."


def sections(book) -> dict[int, int]:
    """Return {index of the cell that begins a section (# or ##): its minutes}, with all that the learner writes there."""
    found, start = {}, 0
    for index, cell in enumerate(book.cells):
        if cell.cell_type == "markdown" and re.match(r"##? ", cell.source):
            start = index
        found[start] = found.get(start, 0) + reading(cell) + stars(cell)
    return {index: max(1, round(minutes)) for index, minutes in found.items()}


def stamp(book, path: Path):
    """Write the minutes into a notebook's title and headings, and return it."""
    minutes = sections(book)
    for index, cell in enumerate(book.cells):
        cell.metadata.pop("minutes", None)
        if index in minutes:
            cell.metadata["minutes"] = minutes[index]
    if book.cells:
        book.cells[0].source = TIME.sub(lambda _: sentence(book, path), book.cells[0].source, count=1)
    return book


def total(path: Path) -> int:
    """Return the minutes of everything in the notebook at `path`."""
    return five(clock(books.read(path), path).total)


def write_course(paths: list[Path]) -> None:
    """Write the minutes of these notebooks into the course's list, data/course.json."""
    file = books.ROOT / "data" / "course.json"
    course = json.loads(file.read_text(encoding="utf-8"))
    known = {path.name: total(path) for path in paths}
    rows = [json.dumps(entry | {"minutes": known.get(entry["file"], entry["minutes"])}, ensure_ascii=False) for entry in course]
    file.write_text("[\n  " + ",\n  ".join(rows) + "\n]\n", encoding="utf-8")


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description="Stamp the minutes into all notebooks.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail where the minutes are not the computed ones")
    options = parser.parse_args(arguments)
    stale = 0
    for path in books.paths():
        stored = path.read_text(encoding="utf-8")
        book = stamp(books.read(path), path)
        stale += books.text(book) != stored
        time = clock(book, path)
        lessons = " + ".join(f"{lesson:.0f}" for lesson in time.lessons)
        rest = f"build {time.building:<4.0f} deeper {time.deeper:<4.0f} exercises {time.exercises:.0f}"
        print(f"{path.stem:<34} core {lessons:<8} {rest}")
        if not options.check:
            books.write(book, path)
    if not options.check:
        write_course(books.paths())
    return int(options.check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
