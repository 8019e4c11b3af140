"""The tests that close every notebook's answers: the solution passes, each mistake is named, nothing is a traceback.

A test file of a notebook holds the wrong answers and ends with

    globals().update(closing_tests(nb03, "03_encoder_decoder_attention", WRONG))

where WRONG is {name of the exercise: {wrong answer: words of its own message}}.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.answers.solutions import run, solutions

OTHER_KINDS = [1 / 3, "text", [], {}, torch.zeros(1), torch.zeros(2, 2), np.zeros(3), [1, 2, 3, 4], [None] * 4]


def closing_tests(checks, notebook: str, wrong: dict[str, dict[Callable, str]]) -> dict[str, Callable]:
    """Return the tests, by name, of the exercises whose checks are in the module ``checks``.

    ``notebook`` is the file's name without its ending; its cells tagged ``solution`` hold the right answers.
    """
    shown = solutions(notebook)
    each_exercise = pytest.mark.parametrize("exercise", wrong)

    def verdict(exercise, answer, capsys) -> str:
        getattr(checks, f"check_{exercise}")(answer)
        return capsys.readouterr().out

    @each_exercise
    def test_the_shown_solution_passes(exercise, capsys):
        assert verdict(exercise, run(shown[exercise], exercise, notebook), capsys).startswith("✔ ")

    @each_exercise
    def test_an_untouched_stub_is_not_a_mistake(exercise, capsys):
        assert "Not tried yet" in verdict(exercise, lambda *arguments: ..., capsys)
        assert "Not tried yet" in verdict(exercise, lambda *arguments: None, capsys)

    @pytest.mark.parametrize(
        "exercise, answer, words", [(name, answer, wrong[name][answer]) for name in wrong for answer in wrong[name]]
    )
    def test_each_wrong_answer_hears_its_own_mistake(exercise, answer, words, capsys):
        said = verdict(exercise, answer, capsys)
        assert said.startswith("✘ ") and words in said
        assert not any(other in said for other in wrong[exercise].values() if other != words)
        assert len(said.strip().splitlines()) == 1

    @each_exercise
    @pytest.mark.parametrize("answer", OTHER_KINDS)
    def test_an_answer_of_another_kind_gets_a_sentence(exercise, answer, capsys):
        said = verdict(exercise, lambda *arguments: answer, capsys)
        assert "Your code stopped" not in said  # it did not: the check must look at what it was given
        assert said.startswith("✘ ") and len(said.strip().splitlines()) == 1

    @each_exercise
    def test_an_answer_that_crashes_gets_a_sentence(exercise, capsys):
        assert "stopped with ZeroDivisionError" in verdict(exercise, lambda *arguments: 1 / 0, capsys)

    def test_every_exercise_of_the_notebook_is_tested():
        assert set(shown) == set(wrong)

    @each_exercise
    def test_four_mistakes_at_least_are_known(exercise):
        assert len(set(wrong[exercise].values())) >= 4

    return {name: test for name, test in locals().items() if name.startswith("test_")}
