"""What a lesson plan knows of a notebook: its sections on a clock, what is written, predicted, run and needed in them.

Nothing here is typed: minutes come from tests/notebooks/minutes.py, seconds and memory from the README's map.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from helpers import data_path
from tests.notebooks import books, minutes

HEADING = re.compile(r"^(#{1,3}) (.+)")
STARS = re.compile(r"\s*[★⭐]+")
MAP = re.compile(r"^\| (\d\d) \|.*\| (\d+) \| (\d+) \| ([\d.]+ GB) \|$", re.MULTILINE)
EXTRA = re.compile(r"missing\(([^)]*)\)")
BEFORE = re.compile(r"notebooks? (\d\d)|\bfrom (\d\d)\b|\band (\d\d)\b")
EVERY = "every bot"
# A class takes 1.5 times as long as one reader: the teacher's boxes say so, and a test holds them to it. Notebook 00: twice.
CLASS, FIRST = 1.5, 2.0


@dataclass
class Part:
    """A section (##) of a notebook, its core path in minutes of one reader, and what is in it."""

    title: str
    cell: str
    lesson: int
    first: bool = False  # the title with what stands below it
    reading: float = 0
    writing: float = 0
    deeper: float = 0
    exercises: float = 0
    predictions: list[str] = field(default_factory=list)
    builds: list[tuple[str, int]] = field(default_factory=list)
    extras: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    waits: bool = False

    @property
    def number(self) -> str | None:
        """The section's number, as in "4 · Train it", or None."""
        return found[1] if (found := re.match(r"([1-9]\d*) · ", self.title)) and not self.first else None

    @property
    def core(self) -> float:
        return self.reading + self.writing


@dataclass
class Lesson:
    """A notebook as its teacher sees it."""

    path: Path
    book: object
    parts: list[Part]
    boundaries: dict[str, float]  # {id of a cell on the core path: minutes of one reader before it}

    @property
    def stem(self) -> str:
        return self.path.stem

    @property
    def title(self) -> str:
        return books.title(self.book)

    @property
    def factor(self) -> float:
        return FIRST if self.stem.startswith("00") else CLASS

    def clock(self, reader: float) -> int:
        """Return the minutes of a class for these of one reader."""
        return round(reader * self.factor)

    @property
    def core(self) -> float:
        return sum(part.core for part in self.parts)


def heading(cell) -> tuple[int, str] | None:
    """Return (level, text without stars) of the heading that a Markdown cell begins with, or None."""
    found = HEADING.match(cell.source) if cell.cell_type == "markdown" else None
    return (len(found[1]), STARS.sub("", found[2]).strip()) if found else None


@cache
def lesson(path: Path) -> Lesson:
    """Read a notebook and put its core path on a clock."""
    book = books.read(path)
    breaks = sum("lesson-break" in books.tags(cell) for cell in book.cells)
    running = minutes.limit(path) / 60 / (breaks + 1)
    parts, boundaries, number, carried = [], {}, 1, 0.0
    for cell in book.cells:
        tags, head = set(books.tags(cell)), heading(cell)
        if "lesson-break" in tags:
            number += 1
            carried = minutes.reading(cell) + running
            boundaries[cell.id] = sum(part.core for part in parts)
            continue
        if head and head[0] <= 2:
            parts.append(Part(head[1], cell.id, number, head[0] == 1, carried))
            carried = 0.0
        if not {"deeper", "exercise"} & tags:
            boundaries[cell.id] = sum(part.core for part in parts)
        _add(parts[-1], cell, tags, head)
        if head and head[1] == "Setup":
            parts[-1].reading += running
    return Lesson(path, book, parts, boundaries)


def _add(part: Part, cell, tags: set, head) -> None:
    read, stars = minutes.reading(cell), minutes.stars(cell)
    if "deeper" in tags:
        part.deeper += read + stars
        if head:
            part.skipped.append(head[1].removeprefix("Deeper · "))
    elif "exercise" in tags and "quiz(" not in cell.source:
        part.exercises += read + stars
    else:
        part.reading += read
        part.writing += stars if "build" in tags else 0
    if head and "build" in tags:
        part.builds.append((head[1].removeprefix("Build · "), round(stars)))
    if cell.cell_type == "markdown" and "**Predict.**" in cell.source:
        part.predictions.append(cell.id)
    if cell.cell_type == "code":
        part.extras += [name for call in EXTRA.findall(cell.source) for name in re.findall(r'"([^"]+)"', call)]
    part.waits = part.waits or "while-it-trains" in tags


def lessons() -> list[Lesson]:
    """Return all notebooks in order."""
    return [lesson(path) for path in books.paths()]


def opening(found: Lesson) -> str:
    """Return the Markdown of a notebook's title cell."""
    return found.book.cells[0].source


def you_need(found: Lesson) -> str:
    """Return what the title says a learner must know before."""
    return re.search(r"\*\*You need\*\* (.+?)(?:\n\n|$)", opening(found), re.DOTALL)[1].strip()


def prerequisites(found: Lesson) -> list[str]:
    """Return the numbers of the notebooks that a notebook needs, by its own words, and always the first one."""
    named = {next(filter(None, groups)) for groups in BEFORE.findall(you_need(found).replace("[", "").replace("]", ""))}
    return sorted(named - {found.stem[:2]})


def goals(found: Lesson) -> list[str]:
    """Return the Markdown of the notebook's goals, a line each."""
    cell = next(cell for cell in found.book.cells if heading(cell) == (2, "Goals"))
    return [line.strip() for line in re.findall(r"^\d+\. (.+)$", cell.source, re.MULTILINE)]


def measured(found: Lesson) -> tuple[int, str]:
    """Return the seconds that all cells take on two cores, and the memory, from the README's map."""
    text = (books.ROOT / "README.md").read_text(encoding="utf-8")
    return next((int(seconds), memory) for number, _, seconds, memory in MAP.findall(text) if number == found.stem[:2])


def checkpoints(found: Lesson) -> list[str]:
    """Return the trained bots whose names stand in the notebook's cells; EVERY stands for those taken from the scoreboard."""
    code = "\n".join(cell.source for cell in found.book.cells if cell.cell_type == "code")
    trained = sorted(path.name for path in (books.ROOT / "data" / "checkpoints").iterdir() if path.is_dir())
    named = [name for name in trained if f'"{name}"' in code]
    return [EVERY] if re.search(r"\bBOTS\b", code) else named


def boxes(found: Lesson) -> list:
    """Return the notebook's boxes for the teacher, as cells."""
    return [cell for cell in found.book.cells if "instructor" in books.tags(cell)]


def authored(found: Lesson) -> dict:
    """Return what data/plans/NN.json says about a notebook."""
    return json.loads(data_path(f"plans/{found.stem[:2]}.json").read_text(encoding="utf-8"))
