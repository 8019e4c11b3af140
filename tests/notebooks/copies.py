"""Run the copies of the notebooks: solved ones, in which the learner has written everything, and the students' ones.

Not part of `make test` (pytest does not find it by its name): `make solved` and `make student` run it, and so does CI.
"""

import copy
import re

import pytest

from tests.notebooks import books, build, solved, student

PATHS = books.paths()
NAMES = [path.stem for path in PATHS]


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_solved(path):
    stored = books.read(path)
    run = solved.solve(copy.deepcopy(stored))
    build.execute(run, path.parent)
    assert not (found := solved.broken_claims(stored, run)), "\n" + "\n".join(found)


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_student(path):
    book = student.strip(books.read(path))
    text = books.text(book)
    assert not re.search(r"answer=|why=|<summary>Solution", text), "an answer stands in plain sight"
    assert not any(cell.get("outputs") for cell in book.cells)
    build.execute(book, path.parent)
