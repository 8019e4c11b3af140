"""Marking gives every solution a ✔, every stub a ○, and every wrong answer we know a ✘ with its mistake's name."""

import json
from itertools import zip_longest

import pytest

from tests.answers import mistakes
from tests.marking import answers, submissions
from tests.marking.__main__ import Server, mark
from tests.notebooks import books, solved

STEMS = [path.stem for path in books.paths()]
STORED = mistakes.stored()


@pytest.fixture(scope="module")
def server():
    started = Server(("tests.marking.answers",))
    yield started
    started.close()


def marks(server, tmp_path, *books_handed_in) -> list[list[dict]]:
    """Return the rows of each notebook, handed in by a learner of its own."""
    for number, book in enumerate(books_handed_in):
        folder = tmp_path / f"learner {number:02}"
        folder.mkdir()
        (folder / "any name.ipynb").write_text(json.dumps(book), encoding="utf-8")
    rows = mark(submissions.find(tmp_path), seconds=60, servers=[server])
    return [[row for row in rows if row["learner"] == f"learner {n:02}"] for n in range(len(books_handed_in))]


@pytest.mark.parametrize("stem", STEMS)
def test_solutions_are_right_and_stubs_untouched(stem, server, tmp_path):
    full = json.loads(books.text(solved.solve(books.read(books.NOTEBOOKS / f"{stem}.ipynb"))))
    right, untouched = marks(server, tmp_path, full, answers.submission(stem, {}))
    tasks = list(STORED[stem])
    assert [(row["notebook"], row["task"], row["mark"], row["remark"]) for row in right] == [
        (stem, task, "✔", "") for task in tasks
    ]
    assert [(row["task"], row["mark"], row["mistake"]) for row in untouched] == [(task, "○", "") for task in tasks]


@pytest.mark.parametrize("stem", STEMS)
def test_each_wrong_answer_is_called_by_its_name(stem, server, tmp_path):
    each = [[(task, name) for name in names] for task, names in answers.EVERY[stem].items()]
    rounds = [
        [one for one in some if one] for some in zip_longest(*each)
    ]  # the first wrong answer of each task, the second …
    handed_in = [answers.submission(stem, {task: cell(stem, task, name) for task, name in some}) for some in rounds]
    found = marks(server, tmp_path, *handed_in)
    for some, rows in zip(rounds, found, strict=True):
        said = {row["task"]: (row["mark"], row["mistake"]) for row in rows}
        expected = dict.fromkeys(STORED[stem], ("○", "")) | {
            task: ("✘", named(stem, task, name)) for task, name in some
        }
        assert said == expected, [row for row in rows if said[row["task"]] != expected[row["task"]]]


def cell(stem: str, task: str, name: str) -> str:
    return f"from tests.marking.answers import EVERY\n\n{task} = EVERY[{stem!r}][{task!r}][{name!r}]\n"


def named(stem: str, task: str, name: str) -> str:
    """Return the name under which a wrong answer's mistake is stored."""
    for mistake in STORED[stem][task]["mistakes"]:
        if name in (mistake["name"], *mistake["same_message"]):
            return mistake["name"]
