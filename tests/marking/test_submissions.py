"""Submissions are found under any name, recognized without their ids, and read as what they are; nothing is run for it."""

import ast
import json
import zipfile

import pytest

from tests.answers import mistakes
from tests.marking import answers, submissions
from tests.marking.selection import Cells, Surroundings, parsed, select
from tests.notebooks import books

STEMS = [path.stem for path in books.paths()]
OURS = frozenset({"import math", "def f(x):\n    ...", "for f in range(9):\n    print(f)"})
AROUND = Surroundings(ours=OURS, run=frozenset({"import math"}), given=frozenset({"f", "g"}))


def write(path, book) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(book), encoding="utf-8")


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("lost", ["nothing", "ids", "headings too"])
def test_a_notebook_is_recognized_and_its_tasks_are_found(tmp_path, stem, lost):
    book = answers.submission(stem, {})
    for number, cell in enumerate(book["cells"]):
        if lost != "nothing":
            cell["id"] = f"new-{number}"
        if lost == "headings too" and cell["cell_type"] == "markdown":
            cell["source"] = "…"
    write(tmp_path / "x.ipynb", book)
    (found,) = submissions.find(tmp_path)
    assert (found.stem, found.problem) == (stem, "")
    tasks = mistakes.tasks(books.read(books.NOTEBOOKS / f"{stem}.ipynb"))
    assert list(found.places) == [task.name for task in tasks]
    for task in tasks:
        assert f"check_{task.name}" in found.cells[found.places[task.name]][1]


def test_colab_keeps_ids_in_the_metadata_and_old_notebooks_have_worksheets(tmp_path):
    book = answers.submission("00_start_here", {})
    for cell in book["cells"]:
        cell["metadata"]["id"] = cell.pop("id")
        if cell["cell_type"] == "code":
            cell["source"] = "pass"
    write(tmp_path / "a.ipynb", book)
    write(tmp_path / "b.ipynb", {"worksheets": [{"cells": book["cells"]}]})
    assert [found.stem for found in submissions.find(tmp_path)] == ["00_start_here"] * 2


@pytest.mark.parametrize(
    "path, learner",
    [
        ("Ada L_123_assignsubmission_file/00_start_here.ipynb", "Ada L_123_assignsubmission_file"),
        ("ada/week 1/my notebook.ipynb", "ada"),
        ("ada_00_start_here.ipynb", "ada"),
        ("00_start_here (ada).ipynb", "ada"),
        ("ada-00.ipynb", "ada"),
        ("00_start_here.ipynb", "00_start_here"),
        ("a\x1b[31mda\n.ipynb", "a [31mda"),
    ],
)
def test_the_learner_is_the_first_folder_or_what_the_name_adds(tmp_path, path, learner):
    write(tmp_path / path, answers.submission("00_start_here", {}))
    assert [found.learner for found in submissions.find(tmp_path)] == [learner]


def test_what_cannot_be_marked_says_why(tmp_path):
    (tmp_path / "empty.ipynb").write_bytes(b" \n")
    (tmp_path / "damaged.ipynb").write_text('{"cells": [')
    (tmp_path / "list.ipynb").write_text("[1, 2]")
    (tmp_path / "deep.ipynb").write_text("[" * 100_000)
    (tmp_path / "binary.ipynb").write_bytes(b"\xff\xfe\x00")
    write(tmp_path / "odd.ipynb", {"cells": [{"cell_type": 1, "source": [2]}, 3]})
    write(tmp_path / "other.ipynb", {"cells": [{"cell_type": "code", "id": "x", "metadata": {}, "source": "print(1)"}]})
    with zipfile.ZipFile(tmp_path / "zipped.ipynb", "w") as archive:
        archive.writestr("x", "x")
    (tmp_path / "handed in.zip").write_bytes(b"PK\x03\x04")
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "other.ipynb")
    write(tmp_path / ".ipynb_checkpoints" / "a.ipynb", answers.submission("00_start_here", {}))
    (tmp_path / "folder.ipynb").mkdir()
    problems = {found.path.name: found.problem for found in submissions.find(tmp_path)}
    assert problems == {
        "empty.ipynb": "this file is empty",
        **dict.fromkeys(
            ("damaged.ipynb", "list.ipynb", "deep.ipynb", "binary.ipynb", "odd.ipynb"),
            "this file is damaged: it is no whole notebook",
        ),
        "other.ipynb": "this is not a notebook of this course",
        "zipped.ipynb": "this is an archive with the name of a notebook: unpack it first",
        "handed in.zip": "this is an archive: unpack it first",
        "link.ipynb": "this is a link to another file: not followed",
    }


def test_a_learner_without_a_notebook_is_named_once(tmp_path):
    write(tmp_path / "ada" / "work.ipynb", answers.submission("00_start_here", {}))
    for name in ("ada/work.py", "ben/work.py", "ben/more.txt", "cy.html", "dee.ipynb.txt", "my notes.txt", "marks.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    found = {one.path.relative_to(tmp_path).as_posix(): one.problem for one in submissions.find(tmp_path)}
    asked = "this is no notebook (.ipynb): ask for that file"
    assert found == {"ada/work.ipynb": "", "ben/more.txt": asked, "cy.html": asked, "dee.ipynb.txt": asked}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_other_editors_encodings_are_read(tmp_path, encoding):
    text = json.dumps(answers.submission("00_start_here", {}), ensure_ascii=False, indent=1).replace("\n", "\r\n")
    (tmp_path / "x.ipynb").write_bytes(text.encode(encoding))
    assert [(one.stem, one.problem) for one in submissions.find(tmp_path)] == [("00_start_here", "")]


def test_too_large_a_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST", 10)
    write(tmp_path / "x.ipynb", answers.submission("00_start_here", {}))
    assert submissions.find(tmp_path)[0].problem.startswith("this file is larger than 0 MB: clear its outputs")


# -- which statements are run ------------------------------------------------------------------------------------------
def chosen(*sources: str, place=0) -> str:
    """Return what of these cells is run for the answer ``f`` in cell number ``place``."""
    cells = Cells([(f"<cell {number}>", source) for number, source in enumerate(sources)])
    found = select(cells, place, "f", AROUND)
    return "\n".join(ast.unparse(node) for _, body in found.parts for node in body)


PAGE = """\
from helpers.checks.nb00 import check_f
import re
N = 3
def f(x):
    return re.sub('a', 'b', x) * N
print(f('a'))
f(1).show()
model = train()
f = checked(f, check_f, otherwise=g)
check_f(f)
for i in range(9):
    f(i)
"""
HELP = """\
import math
import cmath
TABLE = {0: 1}
BIG = load()
def h(x):
    return math.sqrt(cmath.pi) + x
model = load()
"""


def test_what_only_prints_trains_or_checks_is_left_out():
    assert chosen(PAGE) == "\n".join(PAGE.splitlines()[1:5])


def test_what_the_answer_needs_of_other_cells_comes_first_if_it_is_cheap():
    own = "def f(x):\n    return h(x) + TABLE[0] + model(x)"
    help_lines = HELP.splitlines()
    assert chosen(own, HELP) == "\n".join([*help_lines[1:3], *help_lines[4:6], own])
    assert select(Cells([("a", own), ("b", HELP)]), 0, "f", AROUND).missing == {"model"}


def test_what_changes_a_table_of_the_answer_is_run():
    source = "T = {}\nT.update(a=1)\nT['b'] = 2\nfor k in 'cd':\n    T[k] = 3\ndef f(x):\n    return T[x]\nf.size = 2\n"
    assert chosen(source).count("T") == 5
    assert "f.size = 2" in chosen(source)


def test_other_ways_to_define_it():
    assert chosen("f = lambda x: x") == "f = lambda x: x"
    assert chosen(
        "try:\n    import numpy\nexcept ImportError:\n    numpy = None\ndef f(x):\n    return numpy\n"
    ).startswith("try:")
    assert chosen("def f(x):\n    return 1\ndef f(x):\n    return 2\n").count("def f") == 2


def test_an_earlier_answer_is_never_taken_from_its_cell():
    assert chosen("def f(x):\n    return g(x)\n", "def g(x):\n    return 1\n") == "def f(x):\n    return g(x)"


def test_an_answer_in_another_cell_is_found_and_a_stub_stays_one():
    stub = "def f(x):\n    ..."
    assert chosen(stub, "def f(x):\n    return 1\n") == "def f(x):\n    return 1"
    assert chosen("pass", "def f(x):\n    return 1\n", place=None) == "def f(x):\n    return 1"
    assert chosen(stub) == stub
    assert chosen(stub, "for f in range(9):\n    print(f)\n") == stub  # a name of ours elsewhere
    assert chosen("pass") == ""
    assert select(Cells([("a", stub)]), 0, "f", AROUND).untouched
    assert not select(Cells([("a", stub + "\nf.size = 2")]), 0, "f", AROUND).untouched
    assert not select(Cells([("a", "pass")]), 0, "f", AROUND).defined


def test_magics_become_calls_and_a_broken_cell_raises():
    assert len(parsed("%%time\nx = 1\n!ls\ny = 2", "a")) == 3
    cells = Cells([("a", "def f(:"), ("b", "x = 1")])
    with pytest.raises(SyntaxError):
        select(cells, 0, "f", AROUND)
    assert chosen("def f(:", "def f(x):\n    return 1\n") == "def f(x):\n    return 1"
