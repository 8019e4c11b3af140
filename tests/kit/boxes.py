"""All boxes for the teacher on one page, each with a link to its place."""

from pathlib import Path

from tests.kit import pages
from tests.kit.lessons import Lesson, heading, lessons
from tests.notebooks import books

OPENING = "> **For the teacher.** "


def of(found: Lesson) -> list[dict]:
    """Return the boxes of a notebook: the cell's id, the section it stands in, its Markdown without the frame."""
    made, section = [], "Title"
    for cell in found.book.cells:
        head = heading(cell)
        section = head[1] if head and head[0] == 2 else section
        if "instructor" in books.tags(cell):
            text = "\n".join(line.removeprefix(">").removeprefix(" ") for line in cell.source.splitlines())
            made.append({"cell": cell.id, "section": section, "text": text.replace(OPENING.removeprefix("> "), "", 1).strip()})
    return made


def write(folder: Path) -> list[Path]:
    """Write boxes.html."""
    found = [(lesson, of(lesson)) for lesson in lessons()]
    return [pages.write(folder, "boxes.html", "boxes.html", notebooks=[(lesson, made) for lesson, made in found if made])]
