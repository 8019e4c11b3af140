"""Syllabi fit their minutes, and nothing comes before what it needs."""

import json

import pytest

from helpers import data_path
from tests.kit import lessons, syllabus

KINDS = pytest.mark.parametrize("kind", syllabus.KINDS)


def unit(*choices, home=()):
    """Return a unit with these choices in class and at home."""
    return {"name": "A", "objectives": ["**do** it"], "class": list(choices), "homework": list(home), "mark": [], "note": ""}


@KINDS
def test_every_unit_fits(kind):
    limits = syllabus.stored()[kind]
    for one in syllabus.units(kind):
        assert 0 < one["sums"]["class"] <= limits["class"], one["name"]
        assert one["sums"]["homework"] <= limits["homework"], one["name"]


@KINDS
def test_no_unit_is_half_empty(kind):
    limits = syllabus.stored()[kind]
    assert all(one["sums"]["class"] >= 0.7 * limits["class"] for one in syllabus.units(kind))


@KINDS
def test_no_notebook_comes_before_one_it_needs(kind):
    assert syllabus.missing(kind) == []


@KINDS
def test_no_section_uses_names_of_one_that_was_skipped(kind):
    """But for those that the syllabus names, where nobody writes: the cells above are run, and not shown."""
    skipped = set()
    for one in syllabus.units(kind):
        for choice in one["class"] + one["homework"]:
            skipped |= {(choice["found"].stem[:2], section) for section in choice["unseen"]}
            assert choice["show"] or not choice["unseen"], (one["name"], choice["found"].stem, choice["unseen"])
    assert skipped == {tuple(pair) for pair in syllabus.stored()[kind]["run_above"]}


def test_the_three_are_as_long_as_they_say():
    stored = syllabus.stored()
    assert len(stored["semester"]["units"]) == 14 and stored["semester"]["class"] == 2 * 45 - 5
    assert len(stored["week"]["units"]) == 5 and stored["week"]["class"] == 5 * 60
    assert len(stored["afternoon"]["units"]) * stored["afternoon"]["class"] + 20 == 3.5 * 60


@KINDS
def test_no_section_comes_twice_and_sections_keep_their_order(kind):
    at = {}
    for one in syllabus.units(kind):
        for place in ("class", "homework"):
            for choice in one[place]:
                for part in choice["parts"]:
                    at.setdefault(choice["found"].stem, []).append(part.number)
    assert not [stem for stem, numbers in at.items() if len(set(numbers)) < len(numbers)]


@KINDS
def test_what_is_marked_has_a_check_and_was_written_by_then(kind):
    mistakes, written = json.loads(data_path("mistakes.json").read_text(encoding="utf-8")), set()
    for one in syllabus.units(kind):
        for choice in one["class"] + one["homework"]:
            # A build cell that is only shown is written by nobody.
            written |= {part.cell for part in choice["parts"] if not choice["show"]}
        for notebook, exercise in one["mark"]:
            found = syllabus.of(notebook)
            ids = [cell.id for cell in found.book.cells]
            place = ids.index(mistakes[found.stem][exercise]["cell"])
            (section,) = [part.cell for part in found.parts if ids.index(part.cell) < place][-1:]
            assert section in written, (one["name"], exercise)
        assert one["objectives"] and all(words.startswith("**") for words in one["objectives"])


def test_minutes_are_of_a_class_at_school_and_of_a_reader_at_home(monkeypatch):
    choice = {"semester": {"units": [unit(["04", ["5"], "show"], home=[["04", ["6"], ""]]), unit(["04", ["5"], ""])]}}
    monkeypatch.setattr(syllabus, "stored", lambda: choice)
    shown, written = syllabus.units("semester")
    found = syllabus.of("04")
    five, six = syllabus.parts("04", ["5", "6"])
    assert shown["sums"]["class"] == found.clock(five.reading + syllabus.opening("04"))
    assert shown["sums"]["homework"] == round(six.core + six.exercises)
    assert written["sums"]["class"] == found.clock(five.core)
    assert five.writing > 0 and syllabus.opening("04") > 0


def test_a_notebook_before_what_it_needs_is_named(monkeypatch):
    choice = {"semester": {"units": [unit(["04", ["1"], ""]), unit(["03", ["1"], ""], ["02", ["1"], ""])]}}
    monkeypatch.setattr(syllabus, "stored", lambda: choice)
    assert syllabus.missing("semester") == [("04", "03"), ("03", "02")]


def test_a_section_skipped_by_the_class_is_named_until_someone_has_it(monkeypatch):
    choice = {"semester": {"units": [unit(["04", ["5"], ""], home=[["04", ["3", "4"], ""]]), unit(["04", ["6"], ""])]}}
    monkeypatch.setattr(syllabus, "stored", lambda: choice)
    first, second = syllabus.units("semester")
    assert first["class"][0]["unseen"] == {"3": {"sinusoidal_positions"}, "4": {"MultiHeadAttention"}}
    assert first["homework"][0]["unseen"] == {"1": {"attention"}}  # section 3, which section 4 uses, comes before it
    assert second["class"][0]["unseen"] == {}


def test_a_section_that_is_not_there_is_an_error():
    with pytest.raises(KeyError):
        syllabus.parts("04", ["99"])


def test_the_rubric_and_the_projects_are_those_of_the_last_notebook():
    assert syllabus.rubric().count("\n") == 7 and "**control**" in syllabus.rubric()
    assert [words[:4] for words in syllabus.capstones()] == ["**A.", "**B.", "**C."]
    assert not [words for words in syllabus.capstones() if words.endswith(":") or " below " in words]
    assert "at equal parameters.** You may change" in syllabus.capstones()[1]
    assert any(cell.id == syllabus.capstone_cell() for cell in lessons.lessons()[-1].book.cells)
