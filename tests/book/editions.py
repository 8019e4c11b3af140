"""The two editions of a notebook, with their stored outputs: one for learners, one for teachers."""

import copy

from tests.notebooks import books
from tests.notebooks.student import without_answers


def learner(book):
    """Return a copy of a notebook without the teacher's boxes, the keys of its quizzes packed; solutions stay, folded."""
    book = for_reading(book, "learner")
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.source = without_answers(cell.source)
    return book


def teacher(book):
    """Return a copy of a notebook as it is stored, with everything."""
    return copy.deepcopy(book)


def for_reading(book, edition: str):
    """Return a copy of a notebook with the cells that an edition shows on its page, their sources as they are."""
    book = copy.deepcopy(book)
    if edition == "learner":
        book.cells = [cell for cell in book.cells if "instructor" not in books.tags(cell)]
    return book


EDITIONS = {"learner": learner, "teacher": teacher}
