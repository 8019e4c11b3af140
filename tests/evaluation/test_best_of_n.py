"""The best of n replies: its mean score and its distance from the bot, both by enumeration."""

import itertools
import math

import pytest
import torch

from helpers.evaluation.best_of_n import best_of, best_of_kl


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_best_of_n_is_the_mean_over_all_choices(n):
    torch.manual_seed(0)
    scores, other = torch.randn(2, 3, 5)
    found = [
        max(chosen, key=lambda k: row[k]) for row in scores.tolist() for chosen in itertools.combinations(range(5), n)
    ]
    rows = [row for row in range(3) for _ in range(math.comb(5, n))]
    expected = sum(scores[row, k].item() for row, k in zip(rows, found)) / len(rows)
    judged = sum(other[row, k].item() for row, k in zip(rows, found)) / len(rows)
    assert best_of(scores, n) == pytest.approx(expected, abs=1e-6)
    assert best_of(scores, n, other) == pytest.approx(judged, abs=1e-6)


def test_best_of_n_refuses_more_than_there_are():
    for n in (0, 6):
        with pytest.raises(ValueError, match="5 replies to choose from"):
            best_of(torch.zeros(2, 5), n)


def test_choosing_the_best_of_n_moves_a_bot_by_a_known_distance():
    assert best_of_kl(1) == 0
    assert best_of_kl(4) == pytest.approx(0.636, abs=1e-3)
    # Enumerated: of equally likely replies the best of n draws has probability (k/m)ⁿ − ((k−1)/m)ⁿ.
    m, n = 4000, 4
    shares = [((k / m) ** n - ((k - 1) / m) ** n) for k in range(1, m + 1)]
    assert sum(p * math.log(p * m) for p in shares) == pytest.approx(best_of_kl(n), abs=1e-2)
