"""Wrong answers to notebook 15's counting and drawing: each is one mistake, with words of the message it must hear."""

import random

import numpy as np


# --- count_wins ------------------------------------------------------------------------------------------------------------
def counted(votes, names, *, tie=0.5, both_bad=0.5, right=1.0, dtype=float):
    """The right table, but for what the arguments spoil."""
    number = {name: i for i, name in enumerate(names)}
    wins = np.zeros((len(names), len(names)), dtype)
    for _, left, other, winner in votes:
        i, j = number[left], number[other]
        wins[i, j] += {"left": 1, "right": 0, "tie": tie, "both bad": both_bad}[winner]
        wins[j, i] += {"left": 0, "right": right, "tie": tie, "both bad": both_bad}[winner]
    return wins


def losses(votes, names):
    return counted(votes, names).T


def no_ties(votes, names):
    return counted(votes, names, tie=0, both_bad=0)


def whole_ties(votes, names):
    return counted(votes, names, tie=1, both_bad=1)


def ties_only_by_name(votes, names):
    return counted(votes, names, both_bad=0)


def left_only(votes, names):
    return counted(votes, names, right=0)


def by_side(votes, names):
    wins = np.zeros((len(names), len(names)))
    for _, left, right, _ in votes:
        wins[names.index(left), names.index(right)] += 1
    return wins


def alphabetical(votes, names):
    return counted(votes, sorted(names))


def whole_numbers(votes, names):
    return np.floor(counted(votes, names))


def keeps_counting():
    total = np.zeros((3, 3))

    def count_wins(votes, names):
        nonlocal total
        total = total + counted(votes, names)
        return total

    return count_wins


def sorts_names(votes, names):
    wins = counted(votes, names)
    names.sort()
    return wins


def winner_is_a_name(votes, names):
    return counted([(prompt, left, right, "tie") for prompt, left, right, _ in votes], names)


def integers(votes, names):
    return counted(votes, names, dtype=int)


def listed(votes, names):
    return counted(votes, names).tolist()


COUNT = {
    losses: "Rows and columns are swapped",
    no_ties: "Ties are missing: a tie is half a win",
    whole_ties: "counts a whole win for both",
    ties_only_by_name: '"both bad" is missing',
    left_only: "You count the wins of the left side only",
    by_side: "You count by side",
    alphabetical: "in another order than `names`",
    whole_numbers: "Halves are lost",
    winner_is_a_name: "Every vote counts as a tie",
    integers: "drops the halves",
    listed: "The numbers are in a list",
    keeps_counting(): "Without a vote all entries are 0",
    sorts_names: "You changed the votes or the names",
}


# --- resample --------------------------------------------------------------------------------------------------------------
def groups_of(votes):
    groups = {}
    for vote in votes:
        groups.setdefault(vote[0], []).append(vote)
    return list(groups.values())


def single_votes(votes, rng):
    return [votes[number] for number in rng.integers(len(votes), size=len(votes))]


def within(votes, rng):
    return [vote for group in groups_of(votes) for vote in single_votes(group, rng)]


def without_replacement(votes, rng):
    groups = groups_of(votes)
    return [vote for number in rng.choice(len(groups), 4, replace=False) for vote in groups[number]]


def permuted(votes, rng):
    groups = groups_of(votes)
    return [vote for number in rng.permutation(len(groups)) for vote in groups[number]]


def as_many_as_votes(votes, rng):
    groups = groups_of(votes)
    return [vote for number in rng.integers(len(groups), size=len(votes)) for vote in groups[number]]


def by_size(votes, rng):
    groups = {group[0][0]: group for group in groups_of(votes)}
    drawn = [votes[number][0] for number in rng.integers(len(votes), size=len(groups))]
    return [vote for prompt in drawn for vote in groups[prompt]]


def own_rng(votes, rng):
    groups, rng = groups_of(votes), np.random.default_rng(0)
    return [vote for number in rng.integers(len(groups), size=len(groups)) for vote in groups[number]]


def never_last(votes, rng):
    groups = groups_of(votes)
    return [vote for number in rng.integers(len(groups) - 1, size=len(groups)) for vote in groups[number]]


def once_each(votes, rng):
    groups = groups_of(votes)
    return [vote for number in {*rng.integers(len(groups), size=len(groups))} for vote in groups[number]]


def one_vote_each(votes, rng):
    groups = groups_of(votes)
    return [groups[number][0] for number in rng.integers(len(groups), size=len(groups))]


def shuffles(votes, rng):
    random.Random(1).shuffle(votes)
    return as_it_should(votes, rng)


def as_it_should(votes, rng):
    groups = groups_of(votes)
    return [vote for number in rng.integers(len(groups), size=len(groups)) for vote in groups[number]]


def prompts_alone(votes, rng):
    prompts = sorted({vote[0] for vote in votes})
    return [prompts[number] for number in rng.integers(len(prompts), size=len(prompts))]


RESAMPLE = {
    single_votes: "You drew single votes",
    within: "You drew votes within each prompt",
    without_replacement: "No prompt ever comes twice",
    as_many_as_votes: "so 6 are drawn, each time",
    by_size: "Prompts with many votes are drawn more often",
    own_rng: "Every draw is the same",
    never_last: "never came",
    one_vote_each: "Some votes of a prompt came and others did not",
    shuffles: "You changed the votes",
    prompts_alone: "a list of the votes that were given",
}
# Two that hear what another hears: a permutation is a draw without replacement; what comes once is fewer prompts.
ALSO = {permuted: "Nothing was drawn", once_each: "No prompt ever comes twice"}
