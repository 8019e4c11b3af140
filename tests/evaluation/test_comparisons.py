"""Votes, counted: wins, ties, rates, agreement; what is not a vote is refused."""

import math

import numpy as np
import pytest

from helpers.evaluation.comparisons import (
    Vote,
    agreement,
    check_votes,
    count_wins,
    names_of,
    scores,
    win_matrix,
    win_rates,
)

VOTES = [
    ("hi", "a", "b", "left", "Ann"),
    ("hi", "b", "a", "right", "Bob"),
    ("bye", "a", "c", "tie", "Ann"),
    ("bye", "c", "b", "both bad", "Ann"),
    ("bye", "b", "c", "left", "Bob"),
]


def test_wins_are_counted_for_the_contestant_whatever_the_side():
    names, wins = win_matrix(VOTES)
    assert names == ["a", "b", "c"] == names_of(VOTES)
    assert wins.tolist() == [[0, 2, 0.5], [0, 0, 1.5], [0.5, 0.5, 0]]
    assert win_matrix(VOTES, ties="drop")[1].tolist() == [[0, 2, 0], [0, 0, 1], [0, 0, 0]]
    assert win_matrix(VOTES, ["c", "b", "a"])[1].tolist() == wins[::-1, ::-1].tolist()


def test_the_order_of_the_names_is_given():
    assert count_wins(VOTES, ["c", "b", "a"]).tolist() == win_matrix(VOTES, ["c", "b", "a"])[1].tolist()
    assert count_wins([], ["a", "b"]).tolist() == [[0, 0], [0, 0]]


def test_scores_are_those_of_the_left():
    assert scores(VOTES).tolist() == [1, 0, 0.5, 0.5, 1]
    assert np.isnan(scores(VOTES, "drop")).tolist() == [False, False, True, True, False]


def test_win_rates():
    assert win_rates(win_matrix(VOTES)[1]) == pytest.approx([2.5 / 3, 1.5 / 4, 1 / 3])
    assert math.isnan(win_rates(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]))[2])


def test_voters_agree_on_who_wins_not_on_the_side():
    found = agreement(VOTES)  # Ann and Bob on "hi"; on "bye" Ann's are ties
    assert (found.pairs, found.same, found.share) == (1, 1, 1.0)
    judge = [("hi", "b", "a", "left"), ("bye", "c", "b", "left"), ("why", "a", "b", "left")]
    assert agreement(VOTES, judge) == (3, 0, 0.0)
    assert math.isnan(agreement(VOTES[:1]).share)
    assert agreement([VOTES[0], ("hi", "a", "b", "right", "Ann")]).pairs == 0  # one voter twice is no second opinion


@pytest.mark.parametrize(
    ("votes", "message"),
    [
        ([], "there is no vote to count"),
        ([("hi", "a", "b")], r"vote 0 is \('hi', 'a', 'b'\)"),
        (["left"], "vote 0 is 'left'"),
        ([VOTES[0], ("hi", "a", "b", "a")], "vote 1 has the winner 'a'"),
        ([("hi", "a", "a", "tie")], "in vote 0 'a' meets itself"),
    ],
)
def test_what_is_no_vote_is_refused(votes, message):
    with pytest.raises(ValueError, match=message):
        check_votes(votes)


def test_names_and_ties_are_checked():
    with pytest.raises(ValueError, match="missing in names: c"):
        win_matrix(VOTES, ["a", "b"])
    with pytest.raises(ValueError, match="stands twice"):
        win_matrix(VOTES, ["a", "b", "c", "a"])
    with pytest.raises(ValueError, match="ties must be one of half, drop"):
        scores(VOTES, "whole")
    assert check_votes(VOTES)[0] == Vote("hi", "a", "b", "left", "Ann")
