"""Minutes of a class, what a notebook needs, and where its parts are."""

import pytest

from tests.kit import classroom, lessons
from tests.notebooks import books, minutes

EVERY = pytest.mark.parametrize("path", books.paths(), ids=lambda path: path.stem[:2])


@EVERY
def test_the_core_path_is_as_long_as_the_notebook_says(path):
    found, clock = lessons.lesson(path), minutes.clock(books.read(path), path)
    assert found.core == pytest.approx(sum(clock.lessons) + clock.building)
    assert sum(part.deeper for part in found.parts) == pytest.approx(clock.deeper)
    assert sum(part.exercises for part in found.parts) == pytest.approx(clock.exercises)
    for number, (read, written) in enumerate(zip(clock.lessons, clock.written), 1):
        assert sum(part.core for part in found.parts if part.lesson == number) == pytest.approx(read + written)


@EVERY
def test_a_class_takes_as_much_longer_as_the_box_for_the_teacher_says(path):
    found = lessons.lesson(path)
    said = " ".join(box.source for box in lessons.boxes(found))
    if "1.5 times" in said:
        assert found.factor == 1.5
    assert ("twice the stated time" in said) == (found.factor == 2)


@EVERY
def test_what_only_the_map_knows_is_found(path):
    seconds, memory = lessons.measured(lessons.lesson(path))
    assert 0 < seconds <= minutes.limit(path) and memory.endswith(" GB")


def test_sections_hold_what_is_in_them(tmp_path):
    found = classroom.lesson(tmp_path)
    one, two = (next(part for part in found.parts if part.number == number) for number in "12")
    assert (one.lesson, two.lesson) == (1, 2)
    assert one.builds == [("A thing", 8)] and one.writing == 8 and one.skipped == ["More"] and one.waits
    assert one.predictions == ["cell06", "cell08"] and not two.predictions
    assert one.deeper == pytest.approx(0.5, abs=0.05) and two.reading > 0.5 and not two.waits
    assert found.clock(10) == 15 and found.parts[0].number is None


def test_boundaries_are_minutes_before_a_cell_of_the_core_path(tmp_path):
    found = classroom.lesson(tmp_path)
    assert found.boundaries["cell00"] == 0
    assert found.boundaries["cell17"] - found.boundaries["cell05"] > 8
    assert "cell15" not in found.boundaries and "cell19" not in found.boundaries


@pytest.mark.parametrize(
    "number, needed",
    [("00", []), ("03", ["02"]), ("04", ["03"]), ("06", ["02", "04", "05"]), ("09", ["07", "08"]), ("13", ["01", "06"])],
)
def test_what_a_notebook_needs_is_read_from_its_own_words(number, needed):
    (path,) = books.paths([number])
    assert lessons.prerequisites(lessons.lesson(path)) == needed


def test_goals_begin_with_a_verb_in_bold():
    for found in lessons.lessons():
        assert len(lessons.goals(found)) >= 3
        assert all(goal.startswith("**") for goal in lessons.goals(found)), found.stem
