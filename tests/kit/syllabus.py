"""Syllabi for a semester, a week and an afternoon: what data/syllabus.json chooses, with the minutes that it takes.

A choice is [notebook, sections, mode]. In a class the minutes are those of a class (tests/kit/lessons.py) and a notebook's
opening is added where it comes first; "show" leaves out what students would write. At home they are those of one reader.
"run_above" lists [notebook, section] that are chosen nowhere and still have to be run, because a later section uses their names.
"""

import json
import re
from pathlib import Path

from helpers import data_path
from tests.kit import pages
from tests.kit.lessons import Lesson, Part, heading, lesson, prerequisites
from tests.kit.needs import needs
from tests.notebooks import books

KINDS = ("semester", "week", "afternoon")
RUBRIC = "| **question** |"


def stored() -> dict:
    """Return {kind: {"title", "about", "class", "homework": minutes at most in a unit, "run_above", "units"}}."""
    return json.loads(data_path("syllabus.json").read_text(encoding="utf-8"))


def of(notebook: str) -> Lesson:
    """Return a notebook by its two digits."""
    (path,) = books.paths([notebook])
    return lesson(path)


def parts(notebook: str, sections: list[str]) -> list[Part]:
    """Return sections of a notebook by their numbers. Raises KeyError for a number that it has not."""
    known = {part.number: part for part in of(notebook).parts if part.number}
    return [known[number] for number in sections]


def opening(notebook: str) -> float:
    """Return a reader's minutes for what stands before the first numbered section."""
    found = of(notebook).parts
    first = next(index for index, part in enumerate(found) if part.number)
    return sum(part.core for part in found[:first])


def units(kind: str) -> list[dict]:
    """Return the units of a syllabus, their choices as {"found", "parts", "minutes", "show", "new", "unseen"}, and their sums."""
    begun, made, had = set(), [], set()
    for unit in stored()[kind]["units"]:
        chosen = {place: [_choice(*one, place, begun) for one in unit[place]] for place in ("class", "homework")}
        for one in [one for place in ("class", "homework") for one in chosen[place]]:
            one["unseen"] = _unseen(one, had)
        sums = {place: sum(one["minutes"] for one in rows) for place, rows in chosen.items()}
        made.append(unit | chosen | {"sums": sums})
    return made


def _choice(notebook: str, sections: list[str], mode: str, place: str, begun: set[str]) -> dict:
    """Return what was chosen of a notebook with its minutes, and note that it has begun."""
    found, picked, new, show = of(notebook), parts(notebook, sections), notebook not in begun, mode == "show"
    reader = sum(part.reading + (0 if show else part.writing) for part in picked) + (opening(notebook) if new else 0)
    if place == "homework":
        reader += sum(part.exercises for part in picked)
    begun.add(notebook)
    minutes = found.clock(reader) if place == "class" else round(reader)
    return {"found": found, "parts": picked, "show": show, "minutes": minutes, "new": new}


def _unseen(choice: dict, had: set[tuple[str, str]]) -> dict[str, set[str]]:
    """Return {section: names} for what a choice uses of sections that nobody has had; note what it adds to those."""
    notebook, found = choice["found"].stem[:2], {}
    for part in choice["parts"]:
        for section, names in needs(choice["found"].path)[part.number].items():
            if (notebook, section) not in had:
                found.setdefault(section, set()).update(names)
        had.add((notebook, part.number))
    return found


def order(kind: str) -> list[str]:
    """Return the notebooks of a syllabus in the order in which each first comes."""
    named = [one["found"].stem[:2] for unit in units(kind) for place in ("class", "homework") for one in unit[place]]
    return list(dict.fromkeys(named))


def missing(kind: str) -> list[tuple[str, str]]:
    """Return (notebook, what it needs) for all that comes before what it needs, or without it."""
    seen, wrong = set(), []
    for notebook in order(kind):
        wrong += [(notebook, needed) for needed in prerequisites(of(notebook)) if needed not in seen]
        seen.add(notebook)
    return wrong


def rubric() -> str:
    """Return the capstone's rubric as notebook 16 has it, Markdown."""
    cell = next(cell for cell in of("16").book.cells if RUBRIC in cell.source)
    return "\n".join(line for line in cell.source.splitlines() if line.startswith("|"))


def capstones() -> list[str]:
    """Return the three projects of the capstone, without the sentences that lead to a cell below."""
    cells = [cell for cell in of("16").book.cells if cell.cell_type == "markdown" and cell.source[:4] in ("**A.", "**B.", "**C.")]
    told = []
    for cell in cells:
        title, _, rest = cell.source.split("\n\n")[0].partition("** ")
        kept = [one for one in re.split(r"(?<=[.:]) (?=[A-Z])", rest) if not one.endswith(":") and " below " not in one]
        told.append(f"{title}** {' '.join(kept)}")
    return told


def capstone_cell() -> str:
    """Return the id of the cell that opens the capstone."""
    return next(cell.id for cell in of("16").book.cells if (head := heading(cell)) and "Capstone" in head[1])


def write(folder: Path) -> list[Path]:
    """Write a page for each syllabus."""
    return [
        pages.write(
            folder,
            f"syllabus_{kind}.html",
            "syllabus.html",
            kind=kind,
            about=stored()[kind],
            units=units(kind),
            order=order(kind),
            needs={notebook: prerequisites(of(notebook)) for notebook in order(kind)},
            marked=any(unit["mark"] for unit in stored()[kind]["units"]),
            rubric=rubric(),
            capstones=capstones(),
            capstone=capstone_cell(),
        )
        for kind in KINDS
    ]
