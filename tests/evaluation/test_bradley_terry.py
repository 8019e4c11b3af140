"""Bradley–Terry against a published table, against scikit-learn, and against what theory says about it."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from helpers.evaluation.bradley_terry import (
    bradley_terry,
    check_connected,
    davidson,
    from_elo,
    log_likelihood,
    mm_step,
    stigler,
    to_elo,
    win_probability,
)


@pytest.fixture
def wins():
    strengths = np.exp(np.random.default_rng(0).normal(0, 1, 6))
    games = np.random.default_rng(1).integers(5, 40, (6, 6))
    games = np.triu(games, 1)
    won = np.random.default_rng(2).binomial(games, np.triu(win_probability(strengths), 1))
    return (won + (games - won).T).astype(float)


def logistic(wins, c):
    """Return log abilities [N], the first 0, by scikit-learn's logistic regression on one row for each win."""
    n = len(wins)
    rows, weights = [], []
    for i in range(n):
        for j in range(n):
            if wins[i, j]:
                rows.append(np.eye(n)[i] - np.eye(n)[j])
                weights.append(wins[i, j])
    rows, weights = np.array(rows), np.array(weights)
    both = np.vstack([rows, -rows])  # each win seen from both sides, as the regression wants two classes
    labels = np.repeat([1, 0], len(rows))
    fit = LogisticRegression(C=c, fit_intercept=False, tol=1e-10, max_iter=10_000)
    fit.fit(both, labels, np.tile(weights, 2))
    return fit.coef_[0] - fit.coef_[0][0]


def abilities(strengths):
    return np.log(strengths / strengths[0])


# --- second opinions ---------------------------------------------------------------------------------------------------


def test_stiglers_table():
    table = stigler()
    found = abilities(bradley_terry(table.wins))
    assert found == pytest.approx(table.abilities, abs=1e-6)
    assert list(found.round(3)) == [0.0, -2.949, -0.48, 0.269]  # as the tables of textbooks give them


def test_logistic_regression_without_a_penalty_says_the_same(wins):
    found = abilities(bradley_terry(wins))
    assert found == pytest.approx(logistic(wins, 1e9), abs=1e-5)
    assert abs(found - logistic(wins, 1.0)).max() > 0.01  # the library's default pulls abilities together


def test_the_votes_say_as_many_wins_as_there_were(wins):
    strengths = bradley_terry(wins)  # the score equations: each expected number of wins is the observed one
    expected = ((wins + wins.T) * win_probability(strengths)).sum(1)
    assert expected == pytest.approx(wins.sum(1), abs=1e-6)
    assert np.log(strengths).mean() == pytest.approx(0, abs=1e-12)


# --- what must not matter, and what must -------------------------------------------------------------------------------


def test_every_step_is_uphill(wins):
    strengths = np.ones(6)
    for _ in range(20):
        after = mm_step(wins, strengths)
        assert log_likelihood(wins, after) >= log_likelihood(wins, strengths) - 1e-9
        strengths = after


def test_one_step_by_hand():
    wins = [[0, 3, 1], [1, 0, 2], [1, 0, 0]]
    raw = np.array([4 / (4 / 2 + 2 / 2), 3 / (4 / 2 + 2 / 2), 1 / (2 / 2 + 2 / 2)])
    assert mm_step(wins, np.ones(3)) == pytest.approx(raw / raw.prod() ** (1 / 3))


def test_scale_and_names_do_not_matter(wins):
    strengths, order = bradley_terry(wins), np.array([3, 1, 5, 0, 2, 4])
    assert mm_step(wins, 7 * strengths) == pytest.approx(strengths)
    assert bradley_terry(wins[np.ix_(order, order)]) == pytest.approx(strengths[order])
    assert bradley_terry(3 * wins) == pytest.approx(strengths)
    assert bradley_terry(wins.T) == pytest.approx(
        1 / strengths
    )  # who loses instead of winning is as weak as it was strong


def test_where_mm_is_slow_newton_ends_at_the_same(wins):
    assert bradley_terry(wins, max_steps=3) == pytest.approx(bradley_terry(wins), rel=1e-9)
    strong = np.array([[0, 4000, 9000], [1, 0, 5], [1, 6, 0]])
    strengths = bradley_terry(strong)
    assert mm_step(strong, strengths) == pytest.approx(strengths, rel=1e-9)
    assert np.isfinite(bradley_terry(strong, prior=1)).all()


def test_elo_points():
    assert to_elo([10, 1]) == pytest.approx([200, -200])
    assert to_elo([10, 1], mean=1000) == pytest.approx([1200, 800])
    assert from_elo([1200, 800]) == pytest.approx([10**0.5, 10**-0.5])
    assert win_probability(from_elo([400, 0]))[0, 1] == pytest.approx(10 / 11)


def test_a_prior_pulls_toward_equal_and_is_always_finite(wins):
    spread = [np.ptp(np.log(bradley_terry(wins, prior=prior))) for prior in (0, 1, 10)]
    assert spread == sorted(spread, reverse=True)
    unbeaten = bradley_terry([[0, 2], [0, 0]], prior=2)
    # By symmetry one parameter is left, β and −β, and the slope of the log-likelihood is 0 there:
    beta = np.log(unbeaten[0])
    assert 2 / (1 + np.exp(2 * beta)) == pytest.approx(2 / (1 + np.exp(-beta)) - 1, abs=1e-9)
    parted = [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 3], [0, 0, 1, 0]]
    assert np.isfinite(bradley_terry(parted, prior=1)).all()


# --- no finite answer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wins", "message"),
    [
        ([[0, 3, 1], [0, 0, 2], [0, 1, 0]], "^ann never lost, so the most likely rating is infinite.*prior=1"),
        ([[0, 3, 1], [2, 0, 2], [0, 0, 0]], "^cy never won, so"),
        (
            [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]],
            "^ann, bob never met cy, dee: .*rate each group alone",
        ),
        ([[0, 1, 3, 3], [1, 0, 3, 3], [0, 0, 0, 1], [0, 0, 1, 0]], "^ann, bob never lost against the others"),
        ([[0, 1, 0], [1, 0, 0], [0, 0, 0]], "^ann, bob never met cy"),
    ],
)
def test_ratings_without_end_are_refused_by_name(wins, message):
    with pytest.raises(ValueError, match=message):
        bradley_terry(wins, ["ann", "bob", "cy", "dee"][: len(wins)])


def test_a_circle_of_single_wins_is_enough():
    circle = np.roll(np.eye(5), 1, axis=1)
    check_connected(circle)
    assert bradley_terry(circle) == pytest.approx(np.ones(5))


def test_bad_input_is_refused():
    for wins, message in (
        ([[0, 1]], r"\[N, N\]"),
        ([[0]], "two contestants or more"),
        ([[0, -1], [1, 0]], "0 or more"),
        ([[0, float("nan")], [1, 0]], "0 or more"),
        ([[1, 1], [1, 0]], "no contestant meets itself"),
    ):
        with pytest.raises(ValueError, match=message):
            bradley_terry(wins)
    with pytest.raises(ValueError, match="less than none"):
        bradley_terry([[0, 1], [1, 0]], prior=-1)
    with pytest.raises(ValueError, match="3 names for 2 contestants"):
        check_connected([[0, 1], [1, 0]], "abc")
    with pytest.raises(ValueError, match="one positive number"):
        to_elo([1, -1])


# --- ties with a parameter of their own --------------------------------------------------------------------------------


def test_davidson_is_at_the_top(wins):
    ties = np.round((wins + wins.T) / 3)
    strengths, nu = davidson(wins, ties)

    def likelihood(beta, log_nu):
        pi = np.exp(beta)
        root = np.exp(log_nu) * np.sqrt(pi[:, None] * pi)
        total = pi[:, None] + pi + root
        return (wins * np.log(pi[:, None] / total)).sum() + (np.triu(ties, 1) * np.log(root / total)).sum()

    beta, best = np.log(strengths), likelihood(np.log(strengths), np.log(nu))
    for number in range(6):
        step = 1e-4 * np.eye(6)[number]
        slope = (likelihood(beta + step, np.log(nu)) - likelihood(beta - step, np.log(nu))) / 2e-4
        assert slope == pytest.approx(0, abs=1e-4)
    assert max(likelihood(beta, np.log(nu) + step) for step in (-0.01, 0.01)) < best


def test_davidson_with_equal_strengths_is_the_share_of_ties():
    wins, ties = 10 * (1 - np.eye(3)), 5 * (1 - np.eye(3))  # 10 : 10 and 5 ties, everywhere: P(tie) = 1/5 = ν / (2 + ν)
    strengths, nu = davidson(wins, ties)
    assert strengths == pytest.approx(np.ones(3))
    assert nu == pytest.approx(0.5)
    with pytest.raises(ValueError, match="there is no tie"):
        davidson(wins, 0 * ties)
    with pytest.raises(ValueError, match="still move after 3 steps"):
        davidson([[0, 9, 4], [1, 0, 3], [2, 5, 0]], ties, max_steps=3)
    with pytest.raises(ValueError, match="symmetric"):
        davidson(wins, np.triu(ties))
