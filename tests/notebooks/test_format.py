"""Every notebook keeps every rule of `rules/`; the README's map, the course's list and the address agree with them."""

import json

import pytest

from tests.notebooks import badges, books, build, minutes
from tests.notebooks.rules import RULES, Book
from tests.notebooks.rules.wording import absent_terms

NOTEBOOKS = books.paths()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_rule(path, rule):
    complaints = RULES[rule](Book(books.read(path), path))
    assert not complaints, "\n" + "\n".join(complaints)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_builder_wrote_it(path):
    assert not build.faults(books.read(path), path)


@pytest.mark.parametrize("number", ["01", "02", "03", "04", "05", "06", "07", "08", "09"])
def test_the_learner_builds(number):
    # Without a build cell the rules of building.py are silent.
    (path,) = books.paths([number])
    assert Book(books.read(path), path).builds


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_glossary_sends_its_reader_where_the_term_is(path):
    book = Book(books.read(path), path)
    glossary = (books.NOTEBOOKS / "glossary.md").read_text(encoding="utf-8")
    assert f"({path.name})" in glossary
    assert absent_terms(glossary, path.name, "\n".join(cell.source for cell in book.notebook.cells)) == []


def test_an_absent_term_is_found():
    glossary = "# G\n\n## KL penalty\n\nA. ↩ [09](09_x.ipynb)\n\n## Softmax (normalized exponential)\n\nB. ↩ [09](09_x.ipynb)\n"
    assert absent_terms(glossary, "09_x.ipynb", "the *normalized\nexponential*") == ["KL penalty"]
    assert absent_terms(glossary, "09_x.ipynb", "KL penalties, the KL-penalty; softmax") == []
    assert absent_terms(glossary, "08_x.ipynb", "") == []


def test_the_address_stands_once():
    assert badges.main(["--check"]) == 0


def test_there_are_notebooks():
    assert NOTEBOOKS, "no notebook was found, so no rule was tested"


def test_the_map_in_the_readme_is_the_course():
    text = (books.ROOT / "README.md").read_text(encoding="utf-8")
    assert build.MAP.search(text) and build.course_map(text, {}) == text, "run make notebooks"
    for path in NOTEBOOKS:
        seconds, memory = build.measured(text)[path.name]
        assert 0 < int(seconds) <= minutes.limit(path), path.name
        assert 0 < float(memory.removesuffix(" GB")) < build.GIGABYTES, path.name


def test_the_course_says_what_is_there():
    course = json.loads((books.ROOT / "data" / "course.json").read_text(encoding="utf-8"))
    ready = [entry["file"] for entry in course if entry["state"] == "ready"]
    assert ready == [path.name for path in NOTEBOOKS]
    for entry in course:
        path = books.NOTEBOOKS / entry["file"]
        if path.exists():
            assert books.title(books.read(path)) == f"{entry['notebook']} · {entry['title']}"
            assert entry["minutes"] == minutes.total(path), f"{path.name}: run python -m tests.notebooks.minutes"
