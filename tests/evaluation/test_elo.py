"""Elo's rule: games by hand, and that their order matters."""

import numpy as np
import pytest

from helpers.evaluation.elo import elo_in_order

GAMES = [("p", "a", "b", "left"), ("p", "b", "a", "left"), ("p", "a", "b", "tie")]


def test_games_by_hand():
    assert elo_in_order(GAMES[:1])[1] == pytest.approx([16, -16])  # half of K for a win among equals
    expected = 1 / (1 + 10 ** (-32 / 400))  # of a against b, now
    assert elo_in_order(GAMES[:2])[1] == pytest.approx([16 - 32 * expected, -16 + 32 * expected])
    assert elo_in_order(GAMES[2:])[1].tolist() == [0, 0]
    names, ratings = elo_in_order(GAMES[:1], names=["b", "a"], k=10, start=1000)
    assert (names, ratings.tolist()) == (["b", "a"], [995, 1005])


def test_the_order_matters_and_the_sum_does_not():
    orders = [elo_in_order(games)[1] for games in (GAMES, GAMES[::-1])]
    assert abs(orders[0] - orders[1]).max() > 1
    assert [ratings.sum() for ratings in orders] == pytest.approx([0, 0])


def test_many_games_come_near_the_strengths():
    rng = np.random.default_rng(0)
    games = [("p", "a", "b", "left" if rng.random() < 0.75 else "right") for _ in range(4000)]
    ratings = np.mean([np.diff(elo_in_order(games[: 2000 + 100 * n], k=8)[1]) for n in range(20)])
    assert -ratings == pytest.approx(400 * np.log10(3), abs=30)
