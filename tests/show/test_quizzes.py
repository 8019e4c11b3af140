"""Quizzes: no key on the page, no option chosen beforehand, feedback for every option, wrong keys refused."""

import pytest

from helpers.show import quiz, quizzes

HINTED = {31: "", 9: "That counts the deleted ones.", 52: "Nearly all?"}


@pytest.fixture
def question():
    return quiz("How many of the comments are kept?", HINTED, answer=30 + 1, why="Half are dropped.")


def test_recorded_text_has_question_and_lettered_options_and_no_key(question, shown):
    question._ipython_display_()
    ((data, _),) = shown
    assert data["text/plain"] == "How many of the comments are kept?\n  a) 31\n  b) 9\n  c) 52"
    other = quiz("How many of the comments are kept?", HINTED, answer=9)
    assert repr(other) == repr(question)


def test_nothing_is_chosen_beforehand(question):
    assert question.buttons.value is None and question.feedback == ""
    question.check.click()
    assert question.feedback == "Choose one of the options first."


def test_each_option_has_its_feedback(question):
    assert question.choose(9) == "Not b) 9. That counts the deleted ones."
    assert question.choose("c") == "Not c) 52. Nearly all?"
    assert question.choose(31) == "✔ Right: a) 31. Half are dropped."
    assert quiz("?", ["x", "y"], "x").choose("y").startswith("Not b) y. Look again")


def test_moving_is_not_answering(question):
    question.choose(9)
    question.buttons.value = 2
    assert question.feedback == "" and question._spoken.value == ""
    question.check.click()
    assert question.feedback.startswith("Not c)")


def test_feedback_is_announced_and_escaped():
    question = quiz("<b>?</b>", ["<i>", "y"], "y")
    question.choose("<i>")
    assert 'aria-live="polite"' in question._spoken.value and "&lt;i&gt;" in question._spoken.value
    assert "&lt;b&gt;" in question.widget.children[0].value


@pytest.mark.parametrize(
    ("options", "answer"),
    [([1, 2], 3), (["1", "2"], 3), ([True, False], 1), ([0.1, 0.2], 0.25), (["a", "b"], None)],
)
def test_an_answer_that_is_no_option_is_refused(options, answer):
    with pytest.raises(ValueError, match=r"the answer .* is not one of the options"):
        quiz("?", options, answer)


@pytest.mark.parametrize("options", [[], ["one"], ["same", "same"], [1, "1"]])
def test_fewer_than_two_different_options_are_refused(options):
    with pytest.raises(ValueError, match="at least two options"):
        quiz("?", options, options[0] if options else 1)


def test_answers_computed_in_other_types_are_recognized():
    import numpy as np

    assert quiz("?", [30, 31], np.int64(31)).choose(31).startswith("✔")
    assert quiz("?", [0.3, 0.4], 0.1 + 0.2).choose(0.3).startswith("✔")
    assert quiz("?", ["yes", "no"], np.str_("no")).choose("no").startswith("✔")
    assert quiz("?", [True, False], np.bool_(True)).choose(True).startswith("✔")


def test_a_packed_answer_is_not_in_plain_sight_and_comes_out_as_it_went_in():
    packed = quizzes.seal({"options": "[1, total]", "answer": "total", "why": "f'It is {total}.'"})
    assert "total" not in packed and "why" not in packed
    given = quizzes.unseal(packed, {"total": 31})
    assert given == {"options": [1, 31], "answer": 31, "why": "It is 31."}
    assert quiz("How many?", **given).choose(31) == "✔ Right: b) 31. It is 31."


@pytest.mark.parametrize("cut", [0, 1, 9])
def test_a_packed_answer_that_was_cut_says_what_to_do(cut):
    packed = quizzes.seal({"answer": "total"})
    with pytest.raises(ValueError, match="fresh copy"):
        quizzes.unseal(packed[:cut], {})
