"""Strengths from duels: shares are those of the model, groups that never met are said, and the MM step is computed."""

import pytest

from helpers.show.drawings.arena import comparison_graph, mm_step, tug_of_war

CHAIN = [[0, 9, 0, 0], [1, 0, 6, 0], [0, 4, 0, 8], [0, 0, 2, 0]]


def full(n, each=3.0):
    return [[each * (i != j) for j in range(n)] for i in range(n)]


@pytest.mark.parametrize("strengths", [(4, 2, 1), (1, 1), (1e-3, 1e3), (1, 2, 3, 4.5)])
def test_every_rope_is_legible(strengths, legible):
    assert legible(tug_of_war(strengths)).count(" beats ") == len(strengths) * (len(strengths) - 1) // 2


def test_a_rope_is_divided_as_the_strengths_are():
    words = tug_of_war((3, 1), ("gpt", "rnn")).words
    assert "gpt beats rnn with odds of 3 : 1, that is 75%" in words
    assert "log +1.10" in tug_of_war((3, 1)).svg and "log −1.10" in tug_of_war((1, 3)).svg


@pytest.mark.parametrize("n", range(2, 9))
def test_every_graph_is_legible(n, legible):
    assert "All are connected" in legible(comparison_graph(full(n), ratings=range(n)))
    assert f"{n} groups never met" in legible(comparison_graph(full(n, 0.0)))
    legible(comparison_graph(full(n, 123.5), ["a name longer than its column is wide"] * n, [-1234.5] * n))


def test_shares_and_ratings_stand_in_the_words(legible):
    words = legible(comparison_graph(CHAIN, ["strong", "gpt", "rnn", "n-gram"], [200, 50, -40, -210.4]))
    assert words.startswith(
        "strong won 90% of 10, rating +200; gpt won 35% of 20, rating +50; rnn won 60% of 20, rating −40"
    )
    assert "A 9 : 1 B" in comparison_graph(CHAIN).svg


def test_groups_that_never_met_are_named(legible):
    words = legible(comparison_graph([[0, 3, 0], [1, 0, 0], [0, 0, 0]]))
    assert "C met none" in words and "2 groups never met: {A, B} and {C}." in words


def test_the_mm_step_is_that_of_hunter(legible):
    words = legible(mm_step([[0, 7, 2], [3, 0, 4], [1, 6, 0]], [1, 2, 0.5], ["gpt", "rnn", "gan"], 1))
    assert words.startswith(
        "One MM step for rnn: 7 wins, divided by 10 / (2 + 1) + 10 / (2 + 0.5) = 7.33, is 0.955; it was 2."
    )


def test_the_mm_step_agrees_with_a_loop_until_nothing_changes():
    wins, strengths = [[0, 6], [2, 0]], [3.0, 1.0]  # already the best strengths: 3 : 1
    assert "is 3; it was 3." in mm_step(wins, strengths).words


@pytest.mark.parametrize("n", range(2, 6))
def test_every_mm_step_is_legible(n, legible):
    legible(mm_step(full(n, 1234.5), [1 / 3] * n, ["a name that is rather long"] * n, n - 1))


def test_what_cannot_be_drawn_is_said():
    for call, sentence in (
        (lambda: tug_of_war((1,)), "1 strength cannot be drawn: give 2 to 4"),
        (lambda: tug_of_war((1, 0)), "a strength is a positive number"),
        (lambda: tug_of_war((1, 2), ("a",)), "give one name for each of the 2 contestants"),
        (lambda: comparison_graph(full(9)), "9 contestants cannot be drawn: give 2 to 8"),
        (lambda: comparison_graph([[0, 1], [1]]), "a square table: 2 rows of 2 numbers"),
        (lambda: comparison_graph([[0, -1], [1, 0]]), "numbers from 0 on"),
        (lambda: comparison_graph([[1, 1], [1, 0]]), "0 on the diagonal"),
        (lambda: comparison_graph(full(3), ratings=[1]), "one rating for each of the 3"),
        (lambda: mm_step(full(3), [1, 2]), "a positive strength for each of the 3"),
        (lambda: mm_step(full(3), [1, 2, 3], i=3), "no contestant 3: give 0 to 2"),
        (lambda: mm_step([[0, 0], [0, 0]], [1, 1]), "A has met no other contestant"),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()
