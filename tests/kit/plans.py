"""Lesson plans: one printed page per notebook, for the evening before.

What the notebook stores is computed (tests/kit/lessons.py); what only a teacher knows is in data/plans/NN.json:
"room" what to have at hand, "board", "collect" {cell of a prediction: its short form}, "catch" misconceptions as the teacher's
boxes quote them, an arrow, and the reply, "stops" where to end after each 45 minutes ("at" which cell, "close" the question,
"answer"), "without" a computer, "lead" {cell of a prediction: what it is about, where its own words leave that open}, and
"answer" {cell of a prediction: its answer in a line, for the key}.

usage: python -m tests.kit.plans NN   (prints at which minute of a class each cell of the core path begins)
"""

import math
import re
import sys
from pathlib import Path

from tests.kit import pages, render
from tests.kit.lessons import (
    Lesson,
    authored,
    checkpoints,
    goals,
    heading,
    lessons,
    measured,
    prerequisites,
    you_need,
)
from tests.notebooks import books

OPENING = {"Goals", "The story so far", "Setup"}  # one row of the clock, with the title
PERIOD = 45  # minutes of a class
BREAK = re.compile(r"\*\*(.+?)\.\*\*")  # how the mark between two parts begins


def questions(found: Lesson) -> dict[str, int]:
    """Return {cell of a prediction: its number on the handout}."""
    return {cell: at for at, cell in enumerate((cell for part in found.parts for cell in part.predictions), 1)}


def rows(found: Lesson) -> list[dict]:
    """Return the core path as a table: lesson, clock (minutes of a class since it began), section, minutes, what is in it.

    What the notebook marks as a lesson is called a part on the page: it is longer than a period.
    """
    numbers, skipped, made, passed, begun = questions(found), deeper(found), [], 0.0, {}
    opening = [part for part in found.parts if part.first or part.title in OPENING]
    for part in [None, *(part for part in found.parts if part not in opening)]:
        before, passed = passed, passed + (part.core if part else sum(one.core for one in opening))
        lesson = part.lesson if part else 1
        begun.setdefault(lesson, before)
        minutes = found.clock(passed) - found.clock(before)
        if not minutes:
            continue
        made.append(
            {
                "lesson": lesson,
                "new": lesson not in {row["lesson"] for row in made},
                "clock": found.clock(before) - found.clock(begun[lesson]),
                "title": part.title if part else "Opening: story, goals, setup",
                "minutes": minutes,
                "questions": _span([numbers[cell] for cell in part.predictions if cell not in skipped]) if part else "",
                "builds": part.builds if part else [],
                "waits": bool(part and part.waits),
            }
        )
    return made


def deeper(found: Lesson) -> set[str]:
    """Return the ids of the cells that a class may skip."""
    return {cell.id for cell in found.book.cells if "deeper" in books.tags(cell)}


def _span(numbers: list[int]) -> str:
    """Return numbers as a handout's reader looks them up: "3", "3–5" or "3, 5"."""
    if len(numbers) > 1 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}–{numbers[-1]}"
    return ", ".join(map(str, numbers))


def stops(found: Lesson) -> list[dict]:
    """Return where to end after each period: what is authored, with "minutes", "clock", "part", "within", "left" and "place".

    "minutes" are those of whole periods and "clock" those of a class until the cell, both since the notebook began; "within" are
    those since its part began; "left" are those of this period after the stop; "place" is in words.
    """
    made, begun = [], 0
    for count, stop in enumerate(authored(found)["stops"], 1):
        at = stop["at"]
        part, clock = part_of(found, at), clock_at(found, at)
        within = clock - found.clock(sum(one.core for one in found.parts if one.lesson < part))
        known = {
            "minutes": count * PERIOD,
            "clock": clock,
            "part": part,
            "within": within,
            "left": PERIOD - (clock - begun),
            "place": place(found, at),
        }
        made.append(stop | known)
        begun = _begun(found, at)
    return made


def _begun(found: Lesson, at: str) -> int:
    """Return at which minute of a class the period after a stop begins: what is to be built there is finished at home."""
    index = next(index for index, cell in enumerate(found.book.cells) if cell.id == at)
    return clock_at(found, found.book.cells[index + ("build" in books.tags(found.book.cells[index]))].id)


def wanted_stops(found: Lesson) -> int:
    """Return how many stops a plan needs: two, or one after each period until at most five minutes more than one are left."""
    return max(2, math.ceil((found.clock(found.core) - 5) / PERIOD) - 1)


def part_of(found: Lesson, cell: str) -> int:
    """Return the part of the notebook in which a cell stands; the mark between two parts belongs to the first."""
    part = 1
    for one in found.book.cells:
        if one.id == cell:
            return part
        part += "lesson-break" in books.tags(one)
    raise KeyError(cell)


def stop_cells(found: Lesson) -> list[str]:
    """Return the ids of the cells before which a period ends."""
    return [stop["at"] for stop in stops(found)]


def clock_at(found: Lesson, cell: str) -> int:
    """Return the minutes of a class before a cell, by its id. Raises KeyError when it is not on the core path."""
    return found.clock(found.boundaries[cell])


def place(found: Lesson, key: str) -> str:
    """Return in words where a period ends: before which section, or in which section before which words."""
    section = None
    for cell in found.book.cells:
        head = heading(cell)
        if head and head[0] == 2:
            section = head[1].partition(" · ")[0]
        if cell.id != key:
            continue
        if "lesson-break" in books.tags(cell):
            return f"at the mark *{re.match(BREAK, cell.source)[1]}*"
        if head:
            return ("" if head[0] == 2 else f"in section {section}, ") + f"before *{head[1]}*"
        return f"in section {section}, before “{' '.join(render.plain(cell.source).split()[:5])} …”"
    raise KeyError(key)


def caught(found: Lesson) -> list[list[str]]:
    """Return [misconception as a box quotes it, what to reply] for each that is to be caught."""
    return [(words.split(" → ", 1) + [""])[:2] for words in authored(found)["catch"]]


def prepare(found: Lesson) -> dict:
    """Return what a room needs: seconds and memory of all cells, packages that may be added, bots, sections that make wait."""
    seconds, memory = measured(found)
    return {
        "seconds": seconds,
        "memory": memory,
        "extras": list(dict.fromkeys(name for part in found.parts for name in part.extras)),
        "bots": ", ".join(checkpoints(found)),
        "waits": _span_of_sections([part.number for part in found.parts if part.waits]),
    }


def _span_of_sections(numbers: list[str | None]) -> str:
    named = [number for number in numbers if number]
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def write(folder: Path) -> list[Path]:
    """Write a plan for each notebook."""
    return [_plan(folder, found) for found in lessons()]


def _plan(folder: Path, found: Lesson) -> Path:
    numbers, own = questions(found), authored(found)
    kept = [part for part in found.parts if part.skipped]
    exercises = sum(part.exercises for part in found.parts)
    return pages.write(
        folder,
        f"plans/{pages.number(found)}.html",
        "plan.html",
        found=found,
        own=own,
        goals=goals(found),
        needs=you_need(found),
        before=prerequisites(found),
        rows=rows(found),
        parts=len({part.lesson for part in found.parts}),
        stops=stops(found),
        room=prepare(found),
        collected=sorted((numbers[cell], words) for cell, words in own["collect"].items()),
        skipped=[(part.number, title) for part in kept for title in part.skipped],
        deeper=found.clock(sum(part.deeper for part in found.parts)),
        exercises=found.clock(exercises),
        caught=caught(found),
    )


def main(notebook: str) -> None:
    """Print at which minute of a class each cell of a notebook's core path begins, and the plan's stops."""
    (found,) = [one for one in lessons() if one.stem[:2] == notebook]
    ends = {stop["at"]: stop["minutes"] for stop in stops(found)}
    for cell in found.book.cells:
        if cell.id in found.boundaries:
            first = " ".join(cell.source.split()[:12])
            print(f"{clock_at(found, cell.id):4}  {cell.id}  {cell.cell_type[:4]}  {first[:90]}")
        if cell.id in ends:
            print(f"      {'-' * 8}  the period of {ends[cell.id]} minutes ends before this cell")
    print(f"{found.clock(found.core):4}  the end; {len(ends)} stops of {wanted_stops(found)}")


if __name__ == "__main__":
    main(sys.argv[1])
