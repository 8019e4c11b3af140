"""Copy the notebooks for a class to build/student/: no solutions, no boxes for the teacher, no outputs, no answers in sight.

usage: python -m tests.notebooks.student
"""

import ast
import re
import shutil
from pathlib import Path

from helpers.show.quizzes import seal
from tests.notebooks import books

LEFT_OUT = {"solution", "instructor"}


def strip(book):
    """Remove solutions, instructor boxes and outputs from a notebook, pack the answers of its quizzes, and return it."""
    book.cells = [cell for cell in book.cells if not LEFT_OUT & set(books.tags(cell))]
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            cell.source = without_answers(cell.source)
    return book


def without_answers(source: str) -> str:
    """Return a cell's source in which options, answers and explanations of its quizzes are packed."""
    found = [call for name, call in books.calls(ast.parse(source)) if name == "quiz"]
    lines = source.splitlines(keepends=True)
    for call in sorted(found, key=lambda call: call.lineno, reverse=True):
        given = dict(zip(("question", "options", "answer", "why"), call.args)) | {k.arg: k.value for k in call.keywords}
        given = {name: ast.get_source_segment(source, value) for name, value in given.items()}
        question = given.pop("question")
        # Several lines of a text stand in brackets, as they did inside the call.
        packed = seal({name: f"({expression})" for name, expression in given.items()})
        new = f'quiz({question},\n     **unseal("{packed}", globals()))'
        # The columns of ast count bytes.
        first, last = (lines[number - 1].encode() for number in (call.lineno, call.end_lineno))
        new = first[: call.col_offset].decode() + new + last[call.end_col_offset :].decode()
        lines[call.lineno - 1 : call.end_lineno] = [new]
    return "from helpers.show.quizzes import unseal\n\n" * bool(found) + "".join(lines)


def deepen(text: str, levels: int) -> str:
    """Mend relative links that leave the folder, for a copy `levels` folders further down."""
    return re.sub(r"(\]\()\.\./", lambda link: link[1] + "../" * (levels + 1), text)


def copy(folder: Path, levels: int, change=strip) -> int:
    """Fill `folder`, which must not exist yet, with changed copies of the notebooks; return how many there are."""
    # Pictures, glossary and license go along, so that the copies' links and images work.
    shutil.copytree(books.NOTEBOOKS, folder, ignore=shutil.ignore_patterns("*.ipynb", ".*"))
    for path in books.paths():
        book = change(books.read(path))
        for cell in book.cells:
            if cell.cell_type == "markdown":
                cell.source = deepen(cell.source, levels)
        books.write(book, folder / path.name)
    return len(books.paths())


if __name__ == "__main__":
    target = books.ROOT / "build" / "student"
    shutil.rmtree(target, ignore_errors=True)
    print(f"{copy(target, levels=1)} notebooks without solutions, instructor boxes and outputs are in build/student/.")
