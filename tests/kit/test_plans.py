"""Lesson plans: what is authored fits the notebooks, what is computed adds up."""

import re

import pytest

from tests.kit import boxes, classroom, handouts, lessons, pages, plans, wrong_answers
from tests.notebooks import books

EVERY = pytest.mark.parametrize("found", lessons.lessons(), ids=lambda found: found.stem[:2])
MOST_OVER = 7  # minutes by which a period may be longer than 45, counted from where it begins; its plan says so


@EVERY
def test_what_only_a_teacher_knows_is_said_of_this_notebook(found):
    own = lessons.authored(found)
    assert set(own) == {"answer", "lead", "room", "board", "collect", "catch", "stops", "without"}
    assert own["room"] and own["board"] and own["catch"] and 30 < len(own["without"].split()) < 80
    said = " ".join(cell.source for cell in lessons.boxes(found))
    assert not [words for words, _ in plans.caught(found) if words not in said], "misconceptions are those of the teacher's boxes"
    assert all(reply for _, reply in plans.caught(found)), "each misconception has its reply"
    asked = {question.cell for question in handouts.questions(found) if not question.deeper}
    assert 2 <= len(own["collect"]) <= 3 and set(own["collect"]) <= asked
    assert set(own["lead"]) <= {question.cell for question in handouts.questions(found)}


@EVERY
def test_each_period_ends_in_time_for_a_question_with_its_answer(found):
    stops = plans.stops(found)
    assert len(stops) == plans.wanted_stops(found)
    for count, stop in enumerate(stops, 1):
        assert stop["minutes"] == 45 * count
        assert stop["minutes"] - 18 <= stop["clock"] < stop["minutes"], (stop["at"], stop["clock"])
        assert stop["left"] >= -MOST_OVER, (stop["at"], stop["left"])
        assert "?" in stop["close"] and stop["answer"] and not stop["answer"].startswith("(")
    assert plans.stop_cells(found) == [stop["at"] for stop in lessons.authored(found)["stops"]]


@EVERY
def test_the_clock_of_a_stop_is_that_of_its_part(found):
    whole = [found.clock(sum(part.core for part in found.parts if part.lesson == number)) for number in range(1, 5)]
    for stop in plans.stops(found):
        assert 0 < stop["within"] <= whole[stop["part"] - 1] + 1
        assert abs(sum(whole[: stop["part"] - 1]) + stop["within"] - stop["clock"]) <= 2


@EVERY
def test_questions_have_the_numbers_of_the_handout(found):
    assert plans.questions(found) == {question.cell: question.number for question in handouts.questions(found)}


@EVERY
def test_the_clock_starts_anew_with_each_lesson_and_adds_up(found):
    rows = plans.rows(found)
    for number in {row["lesson"] for row in rows}:
        own = [row for row in rows if row["lesson"] == number]
        assert own[0]["clock"] == 0
        for before, after in zip(own, own[1:]):
            assert abs(before["clock"] + before["minutes"] - after["clock"]) <= 1
    assert abs(sum(row["minutes"] for row in rows) - found.clock(found.core)) <= len(rows)


def test_rows_of_a_notebook_made_up(tmp_path):
    rows = plans.rows(classroom.lesson(tmp_path))
    assert [row["title"] for row in rows] == ["Opening: story, goals, setup", "1 · One", "2 · Two"]
    assert rows[1]["questions"] == "1–2" and rows[1]["builds"] == [("A thing", 8)] and rows[1]["minutes"] > 12


def test_a_place_is_named_as_it_can_be_found(tmp_path):
    found = classroom.lesson(tmp_path)
    assert plans.place(found, "cell17") == "before *2 · Two*"
    assert plans.place(found, "cell12") == "in section 1, before *Build · A thing*"
    assert plans.place(found, "cell16") == "at the mark *Second lesson*"
    assert plans.place(found, "cell11") == "in section 1, before “Fourteen. …”"
    with pytest.raises(KeyError):
        plans.place(found, "nowhere")


def test_numbers_are_joined_only_where_none_is_missing():
    assert [plans._span(numbers) for numbers in ([], [3], [3, 4, 5], [3, 5])] == ["", "3", "3–5", "3, 5"]


def test_boxes_are_all_there_and_without_their_frame(tmp_path):
    (box,) = boxes.of(classroom.lesson(tmp_path))
    assert box == {"cell": "cell02", "section": "Goals", "text": 'Say *nothing*. Misconception: "it thinks".'}
    for found in lessons.lessons():
        assert [box["cell"] for box in boxes.of(found)] == [cell.id for cell in lessons.boxes(found)]


def test_a_stop_at_a_mark_ends_its_part(tmp_path, monkeypatch):
    found = classroom.lesson(tmp_path)
    stops = [{"at": "cell16", "close": "Why?", "answer": "So."}, {"at": "cell17", "close": "Why?", "answer": "So."}]
    monkeypatch.setattr(plans, "authored", lambda found: {"stops": stops})
    mark, after = plans.stops(found)
    assert (mark["part"], after["part"]) == (1, 2) and mark["minutes"] == 45 and after["minutes"] == 90
    assert mark["within"] == mark["clock"] and after["within"] < after["clock"]
    with pytest.raises(KeyError):
        plans.part_of(found, "nowhere")


def test_what_is_left_of_a_period_is_counted_from_where_it_began(tmp_path, monkeypatch):
    found = classroom.lesson(tmp_path)
    stops = [{"at": name, "close": "Why?", "answer": "So."} for name in ("cell12", "cell16")]
    monkeypatch.setattr(plans, "authored", lambda found: {"stops": stops})
    build, mark = plans.stops(found)
    assert build["left"] == 45 - build["clock"]
    assert mark["left"] == 45 - (mark["clock"] - plans.clock_at(found, "cell13")) > 45 - (mark["clock"] - build["clock"])


def test_the_name_of_a_mistake_is_read_as_words():
    names = ["JoinsWithoutTranspose", "FeedForward_lacks_its_ReLU", "no_root", "GELULast", "AddsX", "GPT", "the_bucket_s_end"]
    read = ["joins without transpose", "feed forward lacks its ReLU", "no root", "GELU last", "adds X", "GPT", "the bucket's end"]
    assert [wrong_answers.spoken(name) for name in names] == read


def test_wrong_answers_that_reveal_come_first(monkeypatch):
    found = lessons.lessons()[1]
    mistakes = [{"name": "a_b", "says": "No."}, {"name": "c", "says": "No, no."}]
    stored = {
        "mistakes.json": {found.stem: {"task": {"title": "T", "cell": "x", "mistakes": mistakes}}},
        "misconceptions.json": {found.stem: {"task": {"c": "Believes c."}}},
    }
    monkeypatch.setattr(wrong_answers, "_stored", stored.get)
    (task,) = wrong_answers.of(found)
    assert [(one["name"], one["reveals"]) for one in task["mistakes"]] == [("c", "Believes c."), ("a b", "")]


def test_links_of_a_notebook_lead_from_the_kit_into_the_book():
    link = pages.linked("../")
    assert link("03_made_up.ipynb") == "../../book/teacher/03_made_up.html"
    assert link("glossary.md#token") == "../../book/teacher/glossary.html#token"
    assert link("https://arxiv.org/abs/1706.03762") == "https://arxiv.org/abs/1706.03762"
    assert link("../data/file.csv") is None


def test_a_page_loads_mathjax_only_for_equations(tmp_path):
    with_math = pages.write(tmp_path, "a.html", "prose.html", title="A", text="$x^2$").read_text(encoding="utf-8")
    without = pages.write(tmp_path, "sub/b.html", "prose.html", title="B", text="`code` & <b>").read_text(encoding="utf-8")
    assert pages.MATHJAX in with_math and pages.MATHJAX not in without and 'href="../kit.css"' in without


def test_a_check_s_sentence_is_text_but_for_its_code():
    assert str(pages.ticks("a < b: `x[0]` * 2")) == "a &lt; b: <code>x[0]</code> * 2"
    with_stress = "the token <em>after</em> it: <code>a*b*c</code>, 2 * 3 * 4"
    assert str(pages.ticks("the token *after* it: `a*b*c`, 2 * 3 * 4")) == with_stress
    assert str(pages.ticks("a `tick *alone*")) == "a `tick <em>alone</em>"
    assert pages.hours(65) == "1:05" and pages.hours(4) == "0:04"


def test_nothing_authored_names_a_computer_or_those_who_made_it():
    for name in ("plans", "syllabus.json"):
        path = books.ROOT / "data" / name
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            assert not re.search(r"/tmp|/work|/home|https?:", file.read_text(encoding="utf-8")), file.name
