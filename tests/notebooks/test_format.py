"""Every notebook keeps every rule of `rules/`; the README and the pyproject address agree with them."""

import pytest

from tests.notebooks import badges, books, build
from tests.notebooks.rules import RULES, Book

NOTEBOOKS = books.paths()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_rule(path, rule):
    complaints = RULES[rule](Book(books.read(path), path))
    assert not complaints, "\n" + "\n".join(complaints)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_builder_wrote_it(path):
    assert not build.faults(books.read(path), path)


def test_the_address_stands_once():
    assert badges.main(["--check"]) == 0


def test_there_are_notebooks():
    assert NOTEBOOKS, "no notebook was found, so no rule was tested"
