"""Copy the notebooks without solutions and instructor boxes to build/student/, to hand out to a class.

usage: python -m tests.notebooks.student
"""

import re
import shutil
from pathlib import Path

from tests.notebooks import books

LEFT_OUT = {"solution", "instructor"}


def strip(book):
    """Remove solutions and instructor boxes from a notebook, and return it. Outputs stay: they hold no answers."""
    book.cells = [cell for cell in book.cells if not LEFT_OUT & set(books.tags(cell))]
    return book


def deepen(text: str, levels: int) -> str:
    """Mend relative links that leave the folder, for a copy `levels` folders further down."""
    return re.sub(r"(\]\()\.\./", lambda link: link[1] + "../" * (levels + 1), text)


def copy(folder: Path, levels: int) -> int:
    """Fill `folder`, which must not exist yet, with the students' copies; return how many notebooks there are."""
    # Pictures, glossary and license go along, so that the copies' links and images work.
    shutil.copytree(books.NOTEBOOKS, folder, ignore=shutil.ignore_patterns("*.ipynb", ".*"))
    for path in books.paths():
        book = strip(books.read(path))
        for cell in book.cells:
            if cell.cell_type == "markdown":
                cell.source = deepen(cell.source, levels)
        books.write(book, folder / path.name)
    return len(books.paths())


if __name__ == "__main__":
    target = books.ROOT / "build" / "student"
    shutil.rmtree(target, ignore_errors=True)
    print(f"{copy(target, levels=1)} notebooks without solutions and instructor boxes are in build/student/.")
