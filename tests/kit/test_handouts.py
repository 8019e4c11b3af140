"""Handouts ask every question and answer none; keys answer all."""

import re

import pytest

from tests.book import outputs
from tests.kit import classroom, handouts, lessons, pages
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


def test_prose_is_the_whole_answer_and_not_what_leads_on():
    long = " ".join(["word"] * 50) + "."
    cell = classroom.cell(f"Short.\n\n{long}\n\nThe rest. Why? Test it.\n\n**Predict.** What next?")
    assert handouts.prose(cell) == f"Short.\n\n{long}\n\nThe rest."
    assert handouts.prose(classroom.cell("Yes.\n\nNow look at this:\n\n$$x$$\n\nwhere $x$ is new.")) == "Yes."
    assert handouts.prose(classroom.cell("Is it? It is.")) == "Is it? It is."
    assert handouts.prose(classroom.cell("Only one. With s for the scale,\n\n$$x$$")) == "Only one."
    folded = "Yes.\n\n<details><summary>More</summary>\n\n```python\npass\n```\n\n</details>"
    assert handouts.prose(classroom.cell(folded)) == "Yes.", "what is folded is all there, or not at all"
    assert books.tags(cell) == []


def test_the_key_of_the_missing_parts_says_which_is_everything():
    question = next(one for one in handouts.questions(lessons.lessons()[4]) if one.cell == "0f4784c1")
    assert "the residual connection is everything" in handouts.prose(question.answer[-1])


@EVERY
def test_what_a_teacher_collects_has_an_answer_in_a_line(found):
    own, asked = lessons.authored(found), handouts.questions(found)
    assert set(own["collect"]) <= set(own["answer"]) <= {question.cell for question in asked}
    for question in asked:
        assert len(question.line.split()) <= 50 and "\n" not in question.line, question.number


@EVERY
def test_numbers_of_an_answer_are_those_of_the_notebook(found):
    for question in handouts.questions(found):
        shown = " ".join(outputs.words(cell) if cell.cell_type == "code" else cell.source for cell in question.answer)
        shown = f"{shown} {found.book.cells[_at(found, question.cell)].source} {_before(found, question.cell)}"
        known = set(re.findall(r"\d+(?:\.\d+)?", shown))
        unknown = [number for number in re.findall(r"\d+(?:\.\d+)?", question.line) if number not in known]
        assert not unknown, (question.number, unknown)


def _at(found, cell: str) -> int:
    return next(at for at, one in enumerate(found.book.cells) if one.id == cell)


def _before(found, cell: str) -> str:
    """What the last code cell before a question printed."""
    return next((outputs.words(one) for one in reversed(found.book.cells[: _at(found, cell)]) if one.cell_type == "code"), "")


def test_each_part_has_sheets_of_its_own_and_deeper_questions_come_last(tmp_path):
    asked = handouts.questions(classroom.lesson(tmp_path))
    assert [question.part for question in asked] == [1, 1]
    assert handouts.sheets(asked) == [("", asked)], "one part needs no name"
    asked[1].part = 2
    assert handouts.sheets(asked) == [("Part 1", asked[:1]), ("Part 2", asked[1:])]
    asked[0].deeper = True
    assert handouts.sheets(asked) == [("Part 2", asked[1:]), ("Deeper", asked[:1])]


@EVERY
def test_every_question_is_on_one_sheet_of_its_part(found):
    asked = handouts.questions(found)
    given = [question.number for _, own in handouts.sheets(asked) for question in own]
    assert sorted(given) == [question.number for question in asked]
    begun = {part.lesson for part in found.parts}
    assert {question.part for question in asked} <= begun
    for part in found.parts:
        assert all(question.part == part.lesson for question in asked if question.cell in part.predictions)


def test_the_listing_is_on_paper_line_by_line_and_its_defects_are_on_the_key(tmp_path, monkeypatch):
    (found,) = (one for one in lessons.lessons() if one.stem.startswith("08"))
    monkeypatch.setattr(handouts, "lessons", lambda: [found])
    _, key, paper = (path.read_text(encoding="utf-8") for path in handouts.write(tmp_path))
    question, lines = handouts.listing(found)
    assert paper.count("<li><code>") == len(lines) > 30 and "clamp(min=0)" in paper and "def train_listing" in paper
    assert question.line not in paper and "is clamped" in key and 'href="08_listing.html"' in key
    assert [one.stem[:2] for one in lessons.lessons() if handouts.listing(one)] == list(handouts.LISTINGS)
    links = re.findall(r"\]\(([^)]*)\)", " ".join(lessons.authored(found)["room"]))
    assert [pages.linked("../")(link) for link in links] == ["../predictions/08_listing.html"]
