"""All known wrong answers, for submissions that are made of them: a cell imports the one it stands for from here."""

from tests.answers.mistakes import wrong_answers
from tests.notebooks import books

EVERY = {
    path.stem: {task: {name: answer for name, (answer, _) in answers.items()} for task, answers in tasks.items()}
    for path in books.paths()
    for tasks in [wrong_answers(path.stem)]
}


def submission(stem: str, written: dict[str, str]) -> dict:
    """Return a student's copy of a notebook, as JSON, in which cells are replaced: {task: source of its cell}."""
    import json

    from tests.answers.mistakes import tasks
    from tests.notebooks import student

    book = student.strip(books.read(books.NOTEBOOKS / f"{stem}.ipynb"))
    cells = {task.cell: written[task.name] for task in tasks(book) if task.name in written}
    for cell in book.cells:
        cell.source = cells.get(cell.id, cell.source)
    return json.loads(books.text(book))
