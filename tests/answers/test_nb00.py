"""Notebook 00: its one check accepts the solution shown and names each wrong answer's own mistake."""

import pytest

from helpers.checks import nb00
from tests.answers.solutions import run, solutions

SOLUTIONS = solutions("00_start_here")


def whole_turn(conversation):
    return conversation.turns[-1]


def first_turn(conversation):
    return conversation.turns[0].text


def last_line(conversation):
    return conversation.turns[-1].text.split("\n")[-1]


def one_too_early(conversation):
    return conversation.turns[-2].text


WRONG = {
    whole_turn: "whole turn",
    first_turn: "first turn",
    last_line: "only the last line",
    one_too_early: "before the last",
}


def test_the_shown_solution_passes(capsys):
    assert set(SOLUTIONS) == {"last_words"}
    nb00.check_last_words(run(SOLUTIONS["last_words"], "last_words"))
    assert capsys.readouterr().out.startswith("✔ ")


@pytest.mark.parametrize("answer", WRONG)
def test_each_wrong_answer_hears_its_own_mistake(answer, capsys):
    nb00.check_last_words(answer)
    said = capsys.readouterr().out
    assert said.startswith("✘ ") and [words for words in WRONG.values() if words in said] == [WRONG[answer]]


def test_an_untouched_stub_is_not_a_mistake(capsys):
    nb00.check_last_words(lambda conversation: ...)
    assert "Not tried yet" in capsys.readouterr().out
