"""What learners build in notebook 15, in its text and in its exercises, does what the package does."""

import numpy as np
import pytest
import torch

from helpers.bots import judges
from helpers.checks.nb14_batch import small_gpt
from helpers.evaluation import bradley_terry, comparisons, elo, rating_covariates, rating_intervals
from tests.answers.solutions import run, solutions

NOTEBOOK = "15_the_arena"
SOLUTIONS = solutions(NOTEBOOK)
NAMES = ["gpt", "rnn", "dpo", "people"]


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


@pytest.fixture(scope="module")
def votes():
    rng = np.random.default_rng(0)
    winners = np.array(comparisons.WINNERS)
    pairs = [rng.choice(NAMES, 2, replace=False) for _ in range(300)]
    return [(int(rng.integers(20)), str(a), str(b), str(rng.choice(winners, p=[0.5, 0.3, 0.1, 0.1]))) for a, b in pairs]


def test_wins_are_counted_as_in_the_package(votes):
    count = solution("count_wins")
    assert np.array_equal(count(votes, NAMES), comparisons.count_wins(votes, NAMES))
    assert np.array_equal(count(votes, NAMES), comparisons.win_matrix(votes, NAMES)[1])
    assert np.array_equal(count(comparisons.check_votes(votes), NAMES), comparisons.count_wins(votes, NAMES))


def test_steps_and_ratings_are_the_packages(votes):
    wins, rng = comparisons.count_wins(votes, NAMES), np.random.default_rng(1)
    for _ in range(5):
        strengths = rng.uniform(0.1, 3, 4)
        np.testing.assert_allclose(solution("mm_step")(wins, strengths), bradley_terry.mm_step(wins, strengths))
    for tolerance in (1e-11, 1e-4):
        mine = solution("bradley_terry")(wins, tolerance=tolerance)
        np.testing.assert_allclose(mine, bradley_terry.bradley_terry(wins, tolerance=tolerance), rtol=1e-8)


def test_the_solution_gives_up_where_there_is_no_rating():
    found = solution("bradley_terry")(np.array([[0.0, 3, 0], [0, 0, 2], [0, 2, 0]]))
    assert found[0] > 100 * found[1]


def test_the_published_table_is_reproduced_by_the_solution():
    table = bradley_terry.stigler()
    found = np.log(solution("bradley_terry")(table.wins))
    np.testing.assert_allclose(found - found[0], table.abilities, atol=1e-6)


def test_prompts_are_drawn_as_in_the_package(votes):
    mine = [solution("resample")(votes, np.random.default_rng(seed)) for seed in range(5)]
    theirs = [rating_intervals.resample(votes, np.random.default_rng(seed)) for seed in range(5)]
    assert [sorted(map(tuple, draw)) for draw in mine] == [sorted(tuple(vote[:4]) for vote in draw) for draw in theirs]


def test_style_is_controlled_as_in_the_package(votes):
    rng = np.random.default_rng(2)
    covariates = rng.uniform(-1, 1, (len(votes), 2))
    X = solution("design_matrix")(votes, NAMES, covariates)  # noqa: N806
    np.testing.assert_allclose(X, rating_covariates.design_matrix(votes, NAMES, covariates))
    y = comparisons.scores(votes)
    theta = solution("fit_logistic")(X, y)
    np.testing.assert_allclose(theta, rating_covariates.fit_logistic(X, y), atol=1e-8)
    fit = rating_covariates.fit_ratings(votes, covariates, names=NAMES)
    np.testing.assert_allclose(theta * rating_covariates.ELO, [*fit.ratings, *fit.coefficients], atol=1e-6)


def test_a_reply_costs_what_it_costs_in_the_package():
    model, ends = small_gpt(), {1, 2, 10}
    for prompt, reply in (([1, 5, 9], [7, 3, 8]), ([2], [4]), ([3, 11, 4, 1], [6])):
        mine, theirs = solution("token_nats")(model, prompt, reply, ends), judges.token_nats(model, prompt, reply, ends)
        torch.testing.assert_close(mine.double(), torch.as_tensor(theirs).double(), rtol=1e-5, atol=1e-5)


def test_the_interval_of_a_difference_is_the_packages(votes):
    fit = rating_intervals.bootstrap_ratings(votes, names=NAMES, resamples=60)
    mine = solution("difference")(fit.samples, NAMES, "gpt", "people")
    np.testing.assert_allclose(mine, fit.difference("gpt", "people")[1:])


def test_self_preference_is_the_packages():
    table = np.random.default_rng(3).normal(size=(3, 4)) * 100
    mine = solution("self_preference")(table, NAMES[:3], NAMES)
    theirs = judges.self_preference(table, NAMES[:3], NAMES)
    assert mine == pytest.approx(theirs)


def test_elo_in_order_is_the_packages(votes):
    names, ratings = elo.elo_in_order(votes, NAMES)
    np.testing.assert_allclose(solution("elo_in_order")(votes, names), ratings)
