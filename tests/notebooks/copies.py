"""Run the copies of the notebooks: solved ones, in which the learner has written everything, and the students' ones.

Not part of `make test` (pytest does not find it by its name): `make solved` and `make student` run it, and so does CI. The
solved copies run as an older computer would, and must say what the stored notebooks say, number for number. The students'
copies run without the optional packages, as on a computer that has only what `make lab` installs.
"""

import copy
import os
import re
from pathlib import Path

import pytest

from helpers.extras import EXTRAS
from tests.book import frames
from tests.notebooks import books, build, solved, student

PATHS = books.paths()
NAMES = [path.stem for path in PATHS]
# Python runs a sitecustomize at its start; this one lets nothing find the optional packages.
HIDDEN = f"""\
import sys
from importlib.machinery import PathFinder


class Hidden(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in {sorted(EXTRAS)}:
            return super().find_spec(name, path, target)  # else None, as for what is not there: torch asks, too


sys.meta_path[:] = [Hidden if finder is PathFinder else finder for finder in sys.meta_path]
"""


def without_extras(folder: Path) -> dict[str, str]:
    """Return an environment for a process that finds none of the optional packages; `folder` is written to."""
    (folder / "sitecustomize.py").write_text(HIDDEN, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_solved(path):
    stored = books.read(path)
    run = solved.solve(copy.deepcopy(stored))
    build.execute(run, path.parent, timeout=600)
    assert not (found := solved.broken_claims(stored, run)), "\n" + "\n".join(found)


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_student(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", without_extras(tmp_path)["PYTHONPATH"])
    book = student.strip(books.read(path))
    text = books.text(book)
    assert not re.search(r"answer=|why=|<summary>Solution", text), "an answer stands in plain sight"
    assert not any(cell.get("outputs") for cell in book.cells)
    # What a book shows of its explorables and quizzes is what lives here.
    compared = frames.Compared(path.stem, tmp_path)
    build.execute(book, path.parent, after=compared)
    assert not compared.differences, "\n" + "\n".join(compared.differences)
