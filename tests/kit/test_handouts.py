"""Handouts ask every question and answer none; keys answer all."""

import pytest

from tests.kit import classroom, handouts, lessons
from tests.notebooks import books

EVERY = pytest.mark.parametrize("found", lessons.lessons(), ids=lambda found: found.stem[:2])


@EVERY
def test_every_prediction_of_a_notebook_is_a_question_with_an_answer(found):
    asked = handouts.questions(found)
    marks = sum(cell.source.count("**Predict.**") for cell in found.book.cells if cell.cell_type == "markdown")
    assert len(asked) == marks and [question.number for question in asked] == list(range(1, marks + 1))
    assert not [question.number for question in asked if not question.answer]
    assert all("Predict" not in question.text for question in asked)


@EVERY
def test_no_question_says_what_a_notebook_says_after_it(found):
    for question in handouts.questions(found):
        for cell in question.answer:
            said = handouts.prose(cell) if cell.cell_type == "markdown" else "\n".join(map(str, cell.outputs))
            assert said[:60] not in question.text or not said, question.number


def test_a_question_is_the_paragraph_that_asks_and_nothing_else(tmp_path):
    first, second = handouts.questions(classroom.lesson(tmp_path))
    assert (first.number, first.section, first.deeper, first.text) == (1, "1 · One", False, "How many? A, or B?")
    assert second.text == "And twice?"


def test_an_answer_is_results_and_the_prose_after_them(tmp_path):
    first, second = handouts.questions(classroom.lesson(tmp_path))
    assert [cell.id for cell in first.answer] == ["cell07", "cell08"]
    assert [cell.id for cell in second.answer] == ["cell09", "cell11"], "a box between the two is no part of it"
    assert handouts.prose(first.answer[1]) == "Seven, of course."


def test_the_key_shows_what_the_handout_hides(tmp_path, monkeypatch):
    found = classroom.lesson(tmp_path)
    monkeypatch.setattr(handouts, "lessons", lambda: [found])
    handout, key = (path.read_text(encoding="utf-8") for path in handouts.write(tmp_path / "kit"))
    assert "How many?" in handout and "Seven, of course." not in handout and "_key" not in handout
    assert "Seven, of course." in key and '<pre class="result' in key and "Fourteen." in key


def test_prose_ends_where_it_has_said_enough():
    long = " ".join(["word"] * 50)
    cell = classroom.cell(f"Short.\n\n{long}\n\nToo much.")
    assert handouts.prose(cell) == f"Short.\n\n{long}"
    assert books.tags(cell) == []
