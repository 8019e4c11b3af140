"""Wrong answers to notebook 15's exercises: each is one mistake, with words of the message it must hear."""

import numpy as np


# --- difference ------------------------------------------------------------------------------------------------------------
def difference(samples, names, a, b, ends=(2.5, 97.5)):
    return tuple(np.percentile(samples[:, names.index(a)] - samples[:, names.index(b)], ends))


def normal(samples, names, a, b):
    apart = samples[:, names.index(a)] - samples[:, names.index(b)]
    return apart.mean() - 1.96 * apart.std(), apart.mean() + 1.96 * apart.std()


def intervals(samples, names, a, b):
    return [np.percentile(samples[:, names.index(name)], [2.5, 97.5]) for name in (a, b)]


def of_the_ends(samples, names, a, b):
    first, second = intervals(samples, names, a, b)
    return first - second


def worst_case(samples, names, a, b):
    first, second = intervals(samples, names, a, b)
    return first[0] - second[1], first[1] - second[0]


def one_alone(samples, names, a, b):
    return tuple(intervals(samples, names, a, b)[0])


def turned(samples, names, a, b):
    return difference(samples, names, b, a)


def high_first(samples, names, a, b):
    return difference(samples, names, a, b)[::-1]


def ninety(samples, names, a, b):
    return difference(samples, names, a, b, (5, 95))


def extremes(samples, names, a, b):
    return difference(samples, names, a, b, (0, 100))


def fractions(samples, names, a, b):
    return difference(samples, names, a, b, (0.025, 0.975))


def independent(samples, names, a, b):
    first, second = samples[:, names.index(a)], samples[:, names.index(b)]
    half = 1.96 * np.hypot(first.std(), second.std())
    return first.mean() - second.mean() - half, first.mean() - second.mean() + half


def unpaired(samples, names, a, b):
    first, second = samples[:, names.index(a)], samples[:, names.index(b)]
    return tuple(np.percentile(first - np.random.default_rng(0).permutation(second), [2.5, 97.5]))


def first_two(samples, names, a, b):
    return tuple(np.percentile(samples[:, 0] - samples[:, 1], [2.5, 97.5]))


def overlap(samples, names, a, b):
    first, second = intervals(samples, names, a, b)
    return bool(first[0] > second[1])


DIFFERENCE = {
    normal: "Take the percentiles",
    of_the_ends: "You subtracted the ends of two intervals",
    worst_case: "as if one were at its worst",
    one_alone: "That is the interval of the first contestant",
    turned: "That is rnn − gpt",
    high_first: "low first",
    ninety: "an interval of 90 %",
    extremes: "the smallest and the largest resample",
    fractions: "fractions instead of percent",
    independent: "as if the ratings were independent",
    unpaired: "of the SAME resample",
    first_two: "For another pair it is not right",
    overlap: "I expected the two ends",
}


# --- self_preference -------------------------------------------------------------------------------------------------------
def preference(table, voters, names, *, own_row=False, own_column=False, others=True, voters_control=True, sign=1):
    """The right figures, but for what the arguments spoil."""
    found = {}
    for row, voter in enumerate(voters):
        rest = table if own_row else np.delete(table, row, axis=0)
        above = table[row] - rest.mean(axis=0) if voters_control else table[row]
        own = names.index(voter)
        control = (above if own_column else np.delete(above, own)).mean() if others else 0
        found[voter] = sign * float(above[own] - control)
    return found


def raw(table, voters, names):
    return preference(table, voters, names, others=False, voters_control=False)


def all_voters(table, voters, names):
    return preference(table, voters, names, own_row=True)


def all_voters_alone(table, voters, names):
    return preference(table, voters, names, own_row=True, others=False)


def one_control(table, voters, names):
    return preference(table, voters, names, others=False)


def own_column(table, voters, names):
    return preference(table, voters, names, own_column=True)


def no_voters(table, voters, names):
    return preference(table, voters, names, voters_control=False)


def row_as_column(table, voters, names):
    return preference(table, voters, [*voters, *(name for name in names if name not in voters)])


def negative(table, voters, names):
    return preference(table, voters, names, sign=-1)


def listed(table, voters, names):
    return list(preference(table, voters, names).values())


def numbered(table, voters, names):
    return dict(enumerate(preference(table, voters, names).values()))


def changes(table, voters, names):
    found = preference(table, voters, names)
    table -= table.mean(axis=0)
    return found


PREFERENCE = {
    row_as_column: "a voter's row as its column",
    raw: "That is how high each rates itself",
    all_voters: "You compare with the mean of ALL voters",
    all_voters_alone: "and forget what it gives the other contestants",
    one_control: "One control is missing",
    own_column: "Leave its own column out",
    no_voters: "and not with the other voters",
    negative: "The sign is reversed",
    listed: "I expected a dict",
    numbered: "The names should be those",
    changes: "You changed the ratings",
}


# --- elo_in_order ----------------------------------------------------------------------------------------------------------
def elo(votes, names, k=32.0, *, base=10.0, sign=1, gain=1, tie=0.5, flat=False, late=False, left_only=False):
    """The right ratings, but for what the arguments spoil."""
    rating = dict.fromkeys(names, 0.0)
    for _, left, right, winner, *_ in votes:
        score = {"left": 1.0, "right": 0.0}.get(winner, tie)
        if score is None:
            continue

        def expected(left=left, right=right):
            return 0.5 if flat else 1 / (1 + base ** (sign * (rating[right] - rating[left]) / 400))

        change = gain * k * (score - expected())
        rating[left] += change
        if not left_only:
            rating[right] -= gain * k * (score - expected()) if late else change
    return np.array(list(rating.values()))


def late(votes, names, k=32.0):
    return elo(votes, names, k, late=True)


def no_ties(votes, names, k=32.0):
    return elo(votes, names, k, tie=None)


def ties_lost(votes, names, k=32.0):
    return elo(votes, names, k, tie=0.0)


def ties_won(votes, names, k=32.0):
    return elo(votes, names, k, tie=1.0)


def flat(votes, names, k=32.0):
    return elo(votes, names, k, flat=True)


def natural(votes, names, k=32.0):
    return elo(votes, names, k, base=np.e)


def losers_gain(votes, names, k=32.0):
    return -elo(votes, names, k)


def left_alone(votes, names, k=32.0):
    return elo(votes, names, k, left_only=True)


def expects_the_weak(votes, names, k=32.0):
    return elo(votes, names, k, sign=-1)


def backwards(votes, names, k=32.0):
    return elo(votes[::-1], names, k)


def fixed_k(votes, names, k=32.0):
    return elo(votes, names)


def as_a_dict(votes, names, k=32.0):
    return dict(zip(names, elo(votes, names, k)))


ELO = {
    late: "The first player's new rating",
    no_ties: "Ties change nothing",
    ties_lost: "yours counts it as lost",
    ties_won: "yours counts it as won",
    flat: "Every win gains the same",
    natural: "In yours the base is e",
    losers_gain: "The signs are reversed",
    left_alone: "Only the left contestant moves",
    expects_the_weak: "The expectation is reversed",
    backwards: "The votes are taken from the end",
    fixed_k: "Use `k`",
    as_a_dict: "I expected the ratings [N]",
}
