"""Newton's method ends where MM does, for many tables at once, and says which of them have no finite answer."""

import numpy as np
import pytest

from helpers.evaluation.bradley_terry import bradley_terry, check_connected
from helpers.evaluation.rating_newton import connected, log_strengths


@pytest.fixture
def tables():
    return np.random.default_rng(0).integers(0, 4, (40, 5, 5)) * (1.0 - np.eye(5))


def finite(table):
    try:
        check_connected(table)
    except ValueError:
        return False
    return True


def test_tables_with_a_finite_answer_are_known(tables):
    sparse = tables * (np.random.default_rng(1).random(tables.shape) < 0.4)
    found = connected(sparse)
    assert found.tolist() == [finite(table) for table in sparse] and 0 < found.sum() < len(found)
    ring = np.roll(np.eye(9), 1, axis=1)
    assert connected(np.array([ring, ring * (np.arange(9) > 0)])).tolist() == [True, False]


def test_it_ends_where_mm_does(tables):
    found = log_strengths(tables)
    for beta, table in zip(found, tables):
        if finite(table):
            assert beta == pytest.approx(np.log(bradley_terry(table)), abs=1e-7)
        else:
            assert np.isnan(beta).all()


def test_a_prior_is_so_many_ties_with_one_more(tables):
    for prior in (0.5, 3.0):
        larger = np.zeros((40, 6, 6))
        larger[:, :5, :5], larger[:, :5, 5], larger[:, 5, :5] = tables, prior / 2, prior / 2
        with_one_more = log_strengths(larger)[:, :5]
        expected = with_one_more - with_one_more.mean(1, keepdims=True)
        assert log_strengths(tables, prior) == pytest.approx(expected, abs=1e-7)


def test_one_that_wins_nearly_always_is_no_trouble():
    strong = np.array([[[0, 1e6, 1e6], [1e-3, 0, 2], [1e-3, 3, 0]], [[0, 1, 0], [0, 0, 1], [1, 0, 0]]])
    far = np.array(
        [[[0, 0, 0.01, 0], [0, 0, 10, 200], [0, 0.003, 0, 0], [3, 0, 0, 0]]]
    )  # whole steps would go too far here
    found = log_strengths(strong)
    for beta, table in zip([*found, *log_strengths(far)], [*strong, *far]):
        p = 1 / (1 + np.exp(beta - beta[:, None]))
        assert ((table + table.T) * p).sum(1) == pytest.approx(table.sum(1), rel=1e-6)
    assert np.isfinite(log_strengths(np.array([[[0, 5.0], [0, 0]]]), prior=0.01)).all()
