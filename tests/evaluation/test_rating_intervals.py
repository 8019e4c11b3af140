"""Bootstrap intervals of ratings: as wide as theory says, wider where votes share prompts, and honest about too few votes."""

import numpy as np
import pytest

from helpers.evaluation.bradley_terry import bradley_terry, to_elo
from helpers.evaluation.comparisons import win_matrix
from helpers.evaluation.rating_covariates import ELO
from helpers.evaluation.rating_intervals import bootstrap_ratings, resample


def coin_votes(prompts=100, each=1, share=0.6, seed=0):
    """Return votes of "a" against "b"; all votes on one prompt are alike."""
    won = np.random.default_rng(seed).random(prompts) < share
    sides = [("a", "b", "left") if w else ("a", "b", "right") for w in won]
    return [(p, *sides[p], f"voter {v}") for p in range(prompts) for v in range(each)]


def test_two_contestants_have_the_interval_of_a_share():
    votes = coin_votes(400)
    found = bootstrap_ratings(votes, resamples=1000)
    share = sum(vote[3] == "left" for vote in votes) / 400
    error = ELO / np.sqrt(400 * share * (1 - share)) / 2  # of the logarithm of the odds; each rating is half of it
    assert found.ratings == pytest.approx([200 * np.log10(share / (1 - share)), -200 * np.log10(share / (1 - share))])
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error * np.ones(2), rel=0.1)
    assert found.votes.tolist() == [400, 400] and found.left_out == 0


def test_votes_that_share_a_prompt_are_one_piece_of_evidence():
    votes = coin_votes(100, each=5)
    width = {by: np.ptp(bootstrap_ratings(votes, by).interval("a")) for by in ("prompt", "voter", "vote")}
    assert width["prompt"] == pytest.approx(np.sqrt(5) * width["vote"], rel=0.25)
    assert width["voter"] == pytest.approx(0, abs=1e-9)  # these voters all said the same
    assert np.ptp(bootstrap_ratings(coin_votes(100)).interval("a")) == pytest.approx(width["prompt"], rel=0.25)


def three(seed=0, prompts=60):
    rng, beta = np.random.default_rng(seed), {"a": 0.4, "b": 0.1, "c": -0.5}
    pairs = [("a", "b"), ("b", "c"), ("c", "a")]
    return [
        (p, x, y, "left" if rng.random() < 1 / (1 + np.exp(beta[y] - beta[x])) else "right")
        for p in range(prompts)
        for x, y in pairs
    ]


def test_a_difference_is_taken_within_each_resample():
    found = bootstrap_ratings(three(), resamples=300)
    value, low, high = found.difference("a", "b")
    assert value == pytest.approx(found.ratings[0] - found.ratings[1]) and low < value < high
    assert (low, high) == pytest.approx(tuple(np.percentile(found.samples[:, 0] - found.samples[:, 1], [2.5, 97.5])))
    assert found.difference("b", "a") == pytest.approx((-value, -high, -low))
    wins = win_matrix(three())[1]
    assert found.ratings == pytest.approx(to_elo(bradley_terry(wins)))


def test_rows_and_ranks():
    found = bootstrap_ratings(three(), resamples=50)
    rows = found.rows()
    assert [row["name"] for row in rows] == found.rank() == [n for _, n in sorted(zip(-found.ratings, found.names))]
    assert rows[0]["votes"] == 120 and rows[0]["low"] < rows[0]["rating"] < rows[0]["high"]
    assert (rows[0]["low"], rows[0]["high"]) == found.interval(rows[0]["name"])
    with pytest.raises(ValueError, match="'z' is not rated here; these are: a, b, c"):
        found.interval("z")


def test_the_same_seed_gives_the_same_and_a_rate_of_ones_own_is_used():
    votes = three(prompts=20)
    one, same = (bootstrap_ratings(votes, resamples=20, seed=3) for _ in range(2))
    assert (one.samples == same.samples).all()
    assert (one.samples != bootstrap_ratings(votes, resamples=20, seed=4).samples).any()
    seen = []
    own = bootstrap_ratings(
        votes, resamples=20, seed=3, rate=lambda wins: seen.append(wins.sum()) or bradley_terry(wins)
    )
    assert own.samples == pytest.approx(one.samples, abs=1e-6) and seen == pytest.approx(
        [60] * 21
    )  # every resample is as large


def test_whole_prompts_are_drawn_with_all_their_votes():
    votes = [("p", "a", "b", "left"), ("q", "a", "b", "tie"), ("p", "b", "a", "left"), ("r", "a", "c", "left")]
    rng = np.random.default_rng(0)
    for drawn in (resample(votes, rng) for _ in range(50)):
        times = [sum(vote is one for vote in drawn) for one in votes]
        assert times[0] == times[2] and times[0] + times[1] + times[3] == 3
    assert all(len(resample(votes, rng, by="vote")) == 4 for _ in range(5))
    assert resample(votes, np.random.default_rng(1)) == resample(votes, np.random.default_rng(1))


def test_ties_may_be_left_out():
    votes = [*three(), *((p, "a", "b", "tie") for p in range(60))]
    half, dropped = (bootstrap_ratings(votes, resamples=20, ties=ties) for ties in ("half", "drop"))
    assert dropped.ratings == pytest.approx(bootstrap_ratings(three(), resamples=1).ratings)
    assert np.ptp(half.ratings) < np.ptp(dropped.ratings)
    assert half.votes.sum() == dropped.votes.sum() + 120


def test_too_few_votes_are_said_to_be():
    votes = [(0, "a", "b", "left"), (1, "a", "b", "right"), (2, "b", "c", "left"), (3, "b", "c", "right")]
    with pytest.raises(ValueError, match="of 100 resamples a rating is infinite.*too few votes"):
        bootstrap_ratings(votes, resamples=100)
    assert bootstrap_ratings(votes, resamples=100, prior=1).left_out == 0
    some = bootstrap_ratings([(p, "a", "b", "left" if p < 6 else "right") for p in range(8)], resamples=200)
    assert some.left_out == pytest.approx(200 * (6 / 8) ** 8, abs=15)  # "b" wins nothing there
    assert len(some.samples) == 200 - some.left_out
    with pytest.raises(ValueError, match="all votes are of one voter"):
        bootstrap_ratings(votes, by="voter")
    with pytest.raises(ValueError, match="resample by one of prompt, voter, vote"):
        bootstrap_ratings(votes, by="day")
    with pytest.raises(ValueError, match="a never lost"):
        bootstrap_ratings([(0, "a", "b", "left"), (1, "a", "b", "left")])
