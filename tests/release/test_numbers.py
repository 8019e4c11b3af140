"""The page on different numbers: its lists are those of the notebooks, its table is read as it was measured."""

import re

import pytest

from tests.notebooks import books, solved, specimen
from tests.release import computers, numbers


def test_the_page_lists_what_the_notebooks_say_today():
    assert numbers.PAGE.read_text(encoding="utf-8") == numbers.page(), "run: python -m tests.release.numbers"


def test_every_cell_that_is_not_compared_is_listed_once():
    listed = re.findall(r"^\| \[(\d\d)\]", numbers.list_of_cells(), re.MULTILINE)
    tagged = [
        path.stem[:2]
        for path in books.paths()
        for cell in books.read(path).cells
        if "nbval-ignore-output" in cell.metadata.get("tags", []) and "setup" not in cell.metadata.get("tags", [])
    ]
    assert listed == tagged and listed


def test_a_cell_is_listed_with_its_section_and_its_first_line_of_code():
    stable = specimen.code("a = 1")
    unstable = specimen.code("import torch\n# why\ntorch.manual_seed(0)\nb = 2\n", "nbval-ignore-output")
    setup = specimen.code("x", "setup", "nbval-ignore-output")
    book = specimen.notebook(specimen.markdown("# T"), setup, specimen.markdown("## 1 · One"), stable, unstable)
    assert numbers.cells(book) == [("1 · One", "b = 2")]


@pytest.mark.parametrize(("source", "line"), [("import torch", "import torch"), ("x" * 80, "x" * 59 + "…"), ("  a\nb", "a")])
def test_a_first_line_is_short(source, line):
    assert numbers.first_line(source) == line


def test_the_cells_of_learners_are_those_that_solved_copies_leave_out():
    assert numbers.list_of_own().count("\n- ") + 1 == len(solved.DRAWN)


def test_the_older_computer_is_that_of_the_makefile():
    known = computers.older_computer()
    assert known["OMP_NUM_THREADS"] == "1" and known["ATEN_CPU_CAPABILITY"] == "default" and "MKL_ENABLE_INSTRUCTIONS" in known


def test_a_table_says_what_differs_and_what_a_notebook_would_print():
    one = dict.fromkeys(computers.QUANTITIES, 1.234) | dict.fromkeys(computers.REPLIES, "hi")
    first, *_, last = computers.QUANTITIES
    other = one | {first: 1.2340001, last: 1.239, computers.REPLIES[0]: "ho"}
    lines = computers.rows(one, other).splitlines()[2:]
    assert len(lines) == len(one)
    assert "| 1e-7 | yes, as 1 |" in lines[0] and "| 0 | yes, as 1.23 |" in lines[1]
    assert "| 5e-3 | no: 1.23 and 1.24 |" in lines[len(computers.QUANTITIES) - 1]
    assert lines[-2].endswith("| no |") and lines[-1].endswith("| yes |")


def test_the_page_holds_a_measured_table():
    text = numbers.MEASURED.search(numbers.PAGE.read_text(encoding="utf-8"))[0]
    assert [name for name in (*computers.QUANTITIES, *computers.REPLIES) if f"| {name} |" not in text] == []
    # What the sentences below it say: all is printed the same, and what differs begins at the seventh digit.
    measured = [row.split("|") for row in text.splitlines() if row.startswith("| ") and "| this computer |" not in row]
    assert all(row[5].strip().startswith("yes") for row in measured if row[1].strip())
    pairs = [(float(row[2]), float(row[3])) for row in measured if row[1].strip() in computers.QUANTITIES]
    assert len(pairs) == len(computers.QUANTITIES)
    assert 0 < max(abs(one - other) / abs(one) for one, other in pairs) < 1e-6
