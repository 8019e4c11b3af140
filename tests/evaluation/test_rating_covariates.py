"""Ratings with covariates: invented votes give back what made them; scikit-learn agrees; what cannot be told apart is refused."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from helpers.evaluation.bradley_terry import bradley_terry, to_elo
from helpers.evaluation.comparisons import names_of, scores, win_matrix
from helpers.evaluation.rating_covariates import (
    ELO,
    design_matrix,
    fit_logistic,
    fit_ratings,
    length_difference,
    position,
)

NAMES = ["a", "b", "c", "d"]
BETA = np.array([0.8, 0.1, -0.2, -0.7])


def invented(votes=6000, left=0.0, length=0.0, seed=0):
    """Return votes and the lengths [V, 2] of both replies: "a" writes long replies, and each length varies."""
    rng = np.random.default_rng(seed)
    pairs = np.array([rng.choice(4, 2, replace=False) for _ in range(votes)])
    lengths = np.where(pairs == 0, 60, 30) * np.exp(rng.normal(0, 0.5, pairs.shape))
    x = (lengths[:, 0] - lengths[:, 1]) / lengths.sum(1)
    p = 1 / (1 + np.exp(-(BETA[pairs[:, 0]] - BETA[pairs[:, 1]] + left + length * x)))
    won = rng.random(votes) < p
    cast = [(v, NAMES[i], NAMES[j], "left" if w else "right") for v, ((i, j), w) in enumerate(zip(pairs, won))]
    return cast, lengths


def length_of(lengths):
    return lambda vote, side: lengths[vote.prompt, int(side == "right")]


def test_without_covariates_it_is_bradley_terry():
    votes = [*invented(400)[0], (0, "a", "b", "tie"), (1, "c", "d", "both bad")]
    for ties in ("half", "drop"):
        names, wins = win_matrix(votes, ties=ties)
        fit = fit_ratings(votes, ties=ties)
        assert fit.names == names == NAMES
        assert fit.ratings == pytest.approx(to_elo(bradley_terry(wins)), abs=1e-6)
        assert len(fit.coefficients) == len(fit.standard_errors) == 0


def test_what_was_invented_is_found():
    votes, lengths = invented(left=0.3, length=1.5)
    x = length_difference(votes, length_of(lengths))
    fit = fit_ratings(votes, {"left": position(votes), "length": x})
    true = ELO * np.array([0.3, 1.5])
    assert abs(fit.coefficients - true).max() < 3 * fit.standard_errors.max()
    assert (abs(fit.coefficients - true) < 3 * fit.standard_errors).all()
    assert fit.ratings == pytest.approx(ELO * (BETA - BETA.mean()), abs=20)
    assert fit_ratings(votes).ratings[0] > fit.ratings[0] + 20  # uncontrolled, "a" is paid for its length


def test_the_standard_errors_are_those_of_many_samples():
    fits = []
    for seed in range(60):
        votes, lengths = invented(300, left=0.3, length=1.0, seed=seed)
        fits.append(
            fit_ratings(votes, {"left": position(votes), "length": length_difference(votes, length_of(lengths))})
        )
    found = np.std([fit.coefficients for fit in fits], axis=0)
    assert found == pytest.approx(np.mean([fit.standard_errors for fit in fits], axis=0), rel=0.25)


def test_scikit_learn_agrees():
    votes, lengths = invented(500, left=0.3, length=1.0)
    x = np.column_stack([position(votes), length_difference(votes, length_of(lengths))])
    design = np.zeros((500, 4))
    for row, (_, left, right, _) in enumerate(votes):
        design[row, NAMES.index(left)], design[row, NAMES.index(right)] = 1, -1
    labels = [vote[3] == "left" for vote in votes]
    library = LogisticRegression(C=1e9, fit_intercept=False, tol=1e-10, max_iter=10_000)
    library.fit(np.column_stack([design, x]), labels)
    fit = fit_ratings(votes, x)
    assert fit.coefficients == pytest.approx(ELO * library.coef_[0][4:], abs=0.01)
    assert fit.ratings - fit.ratings[0] == pytest.approx(ELO * (library.coef_[0][:4] - library.coef_[0][0]), abs=0.01)


def test_a_design_matrix_by_hand():
    votes = [("p", "a", "b", "left"), ("p", "c", "a", "tie")]
    assert design_matrix(votes, ["a", "b", "c"]).tolist() == [[1, -1, 0], [-1, 0, 1]]
    assert design_matrix(votes, ["a", "b", "c"], [0.5, -2]).tolist() == [[1, -1, 0, 0.5], [-1, 0, 1, -2]]


def test_logistic_regression_is_that_of_the_ratings():
    votes, lengths = invented(400, left=0.3, length=1.0)
    x = np.column_stack([position(votes), length_difference(votes, length_of(lengths))])
    matrix, y = design_matrix(votes, NAMES, x), scores(votes)
    theta, fit = fit_logistic(matrix, y), fit_ratings(votes, x)
    assert ELO * theta == pytest.approx([*fit.ratings, *fit.coefficients], abs=1e-6)
    assert theta[:4].mean() == pytest.approx(0, abs=1e-12)
    weights = np.arange(400) % 3
    assert fit_logistic(matrix, y, weights) == pytest.approx(
        fit_logistic(np.repeat(matrix, weights, 0), np.repeat(y, weights))
    )
    for bad in ((matrix, y[:-1]), (matrix, y + 1), (matrix[0], y), (matrix, y, weights[:-1])):
        with pytest.raises(ValueError, match=r"X is \[V, D\], y \[V\] from 0 to 1"):
            fit_logistic(*bad)


def test_swapped_sides_turn_the_coefficients_alone():
    votes, lengths = invented(500, left=0.4, length=1.0)
    swapped = [(p, right, left, {"left": "right", "right": "left"}[w]) for p, left, right, w in votes]
    x = length_difference(votes, length_of(lengths))
    fit, other = fit_ratings(votes, x), fit_ratings(swapped, -x)
    assert other.ratings == pytest.approx(fit.ratings) and other.coefficients == pytest.approx(fit.coefficients)
    left, right = (fit_ratings(cast, position(cast)).coefficients[0] for cast in (votes, swapped))
    assert left == pytest.approx(-right)


def test_weights_count_votes():
    votes = invented(300)[0]
    doubled = fit_ratings([*votes, *votes[:100]], position([*votes, *votes[:100]]))
    weighted = fit_ratings(votes, position(votes), weights=[2.0] * 100 + [1.0] * 200)
    for one, other in zip(weighted[1:], doubled[1:]):
        assert one == pytest.approx(other)


def test_length_difference():
    votes = [("p", "a", "b", "left"), ("p", "b", "a", "left")]
    assert length_difference(votes, lambda vote, side: {"a": 30, "b": 10}[getattr(vote, side)]).tolist() == [0.5, -0.5]
    assert length_difference(votes, lambda vote, side: 0).tolist() == [0, 0]
    with pytest.raises(ValueError, match="0 or more"):
        length_difference(votes, lambda vote, side: -1)


def test_what_cannot_be_told_apart_is_refused():
    votes = invented(300)[0]
    own = length_difference(votes, lambda vote, side: {"a": 9, "b": 5, "c": 4, "d": 3}[getattr(vote, side)])
    fit_ratings(votes, own)  # (a − b) / (a + b) is no difference of two constants …
    with pytest.raises(ValueError, match="worked out from who is compared"):  # … a − b is
        fit_ratings(votes, [float(ord(left) - ord(right)) for _, left, right, _ in votes])
    with pytest.raises(ValueError, match="or from another covariate"):
        fit_ratings(votes, np.ones((300, 2)))
    with pytest.raises(ValueError, match="decides every vote"):
        fit_ratings(votes, [1.0 if vote[3] == "left" else -1.0 for vote in votes])
    with pytest.raises(ValueError, match="one row for each of 300 votes"):
        fit_ratings(votes, np.ones(299))
    with pytest.raises(ValueError, match="e never won"):
        fit_ratings([*votes, (0, "a", "e", "left")])
    assert names_of(votes) == NAMES
