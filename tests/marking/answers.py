"""All known wrong answers, for submissions that are made of them: a cell imports the one it stands for from here."""

import json
from functools import cache

from tests.answers.mistakes import tasks, wrong_answers
from tests.notebooks import books, student

EVERY = {
    path.stem: {
        task: {name: answer for name, (answer, _) in answers.items()}
        for task, answers in wrong_answers(path.stem).items()
    }
    for path in books.paths()
}


def submission(stem: str, written: dict[str, str]) -> dict:
    """Return a student's copy of a notebook, as JSON, in which cells are replaced: {task: source of its cell}."""
    text, cells = _copy(stem)
    book = json.loads(text)
    for cell in book["cells"]:
        cell["source"] = written.get(cells.get(cell["id"]), cell["source"])
    return book


@cache
def _copy(stem: str) -> tuple[str, dict[str, str]]:
    """Return a student's copy as text, and {id of its cell: task}."""
    book = student.strip(books.read(books.NOTEBOOKS / f"{stem}.ipynb"))
    return books.text(book), {task.cell: task.name for task in tasks(book)}
