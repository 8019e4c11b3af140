"""From a notebook to its deck: which part of each cell is shown, and which part is said."""

import re

from tests.kit import headings, lessons, prose, runs, tasks
from tests.kit.deck import Deck
from tests.kit.sentences import blocks, folded
from tests.notebooks import books


def deck(found: lessons.Lesson) -> Deck:
    """Return the deck of a notebook."""
    made = Deck(found)
    index = 0
    while index < len(found.book.cells):
        index = _next(made, index)
    made.stops()
    return made


def _next(made: Deck, index: int) -> int:
    """Make the slides of the cell at `index`, and return the index of the cell to go on with."""
    cell = made.book.cells[index]
    tags, head = set(books.tags(cell)), lessons.heading(cell)
    if "instructor" in tags:
        _teacher(made, cell)
    elif "lesson-break" in tags:
        headings.lesson_break(made, cell)
    elif cell.cell_type == "code" or "while-it-trains" in tags:
        return tasks.code(made, index) or runs.run(made, index)
    elif {"build", "exercise"} & tags:
        return tasks.task(made, index)
    elif "solution" in tags:
        made.last.say("\n\n".join(inside for _, inside in folded(cell.source)), "Solution")
    elif index == 0:
        headings.title(made, cell)
    elif head and head[0] == 2:
        prose.show(made, index, headings.section(made, cell))
    else:
        prose.show(made, index, blocks(cell.source))
    return index + 1


def _teacher(made: Deck, cell) -> None:
    """Put a box for the teacher into the notes: of the title where it is about the whole notebook, else of what comes next."""
    text = re.sub(r"^> ?", "", cell.source, flags=re.MULTILINE).replace("**For the teacher.**", "").strip()
    if re.match(r"\d+ · ", made.section):
        made.wait(text, "For the teacher")
    else:
        made.slides[0].say(text, "For the teacher")
