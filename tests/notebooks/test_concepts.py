"""The table of concepts in notebooks/README.md: complete, and true of the notebooks."""

import pytest

from tests.notebooks import books, concepts

PLACES = [
    (concept, *section)
    for part in concepts.concepts()
    for concept, found in part["concepts"].items()
    for section in found
]
# The parts of the article that the course began from, and how many concepts each names.
PARTS = {
    "Core concepts": 6,
    "The steps from Reddit to a bot": 8,
    "For and against": 6,
    "Fields of application": 8,
    "The mathematics": 4,
    "In practice": 3,
    "Applications": 3,
    "Tools": 5,
    "Papers": 5,
    "Trends and challenges": 6,
    "How is training made better?": 7,
    "How does a bot become robust?": 4,
    "How is a model explained?": 3,
    "How does it run in daily use?": 5,
}


def test_no_concept_of_the_article_is_left_out():
    assert {part["part"]: len(part["concepts"]) for part in concepts.concepts()} == PARTS


@pytest.mark.parametrize(("concept", "notebook", "title", "words"), PLACES)
def test_the_words_stand_in_the_section(concept, notebook, title, words):
    number, text = concepts.sections(notebook)[title]
    assert words.lower() in text.lower(), f"{concept}: {words!r} does not stand in section {number} of {notebook}"


def test_each_concept_has_a_section_and_each_notebook_a_concept():
    assert all(found for part in concepts.concepts() for found in part["concepts"].values())
    assert {notebook for _, notebook, _, _ in PLACES} == {path.name[:2] for path in books.paths()}


def test_the_readme_is_what_the_command_writes():
    assert concepts.TABLE.read_text(encoding="utf-8") == concepts.table(), "run: python -m tests.notebooks.concepts"
