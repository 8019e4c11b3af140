"""The kit's first page, and the page about marking."""

from pathlib import Path

from tests.kit import pages, syllabus
from tests.kit.lessons import lessons
from tests.notebooks import books

MARKING = books.ROOT / "tests" / "marking" / "marking.md"


def write(folder: Path) -> list[Path]:
    """Write index.html, and marking.html from tests/marking/marking.md."""
    values = {"notebooks": lessons(), "syllabi": syllabus.stored(), "marking": MARKING.exists()}
    made = [pages.write(folder, "index.html", "index.html", **values)]
    if MARKING.exists():
        text = MARKING.read_text(encoding="utf-8")
        made.append(pages.write(folder, "marking.html", "prose.html", title="Marking submissions", text=text))
    return made
