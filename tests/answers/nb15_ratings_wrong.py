"""Wrong answers to notebook 15's ratings: each is one mistake, with words of the message it must hear."""

import numpy as np


# --- mm_step ---------------------------------------------------------------------------------------------------------------
def step(wins, strengths, *, won=None, games=None, below=None, scale=True):
    """The right step, but for what the arguments spoil."""
    won = wins.sum(1) if won is None else won
    games = wins + wins.T if games is None else games
    below = strengths[:, None] + strengths[None, :] if below is None else below
    new = won / (games / below).sum(1)
    return new / np.exp(np.log(new).mean()) if scale else new


def unscaled(wins, strengths):
    return step(wins, strengths, scale=False)


def by_sum(wins, strengths):
    new = step(wins, strengths)
    return new / new.sum()


def by_mean(wins, strengths):
    new = step(wins, strengths)
    return new / new.mean()


def losses_above(wins, strengths):
    return step(wins, strengths, won=wins.sum(0))


def win_rate(wins, strengths):
    return step(wins, strengths, below=np.ones_like(wins))


def opponent_alone(wins, strengths):
    return step(wins, strengths, below=strengths[None, :] * np.ones_like(wins))


def self_alone(wins, strengths):
    return step(wins, strengths, below=strengths[:, None] * np.ones_like(wins))


def wins_below(wins, strengths):
    return step(wins, strengths, games=wins)


def times_old(wins, strengths):
    new = step(wins, strengths) * strengths
    return new / np.exp(np.log(new).mean())


def as_a_list(wins, strengths):
    return step(wins, strengths).tolist()


def expected_below(wins, strengths):
    return step(wins, strengths, games=(wins + wins.T) * strengths[:, None])


def one_by_one(wins, strengths):
    new, games = strengths.copy(), wins + wins.T
    for i in range(len(wins)):
        new[i] = wins[i].sum() / sum(games[i, j] / (new[i] + new[j]) for j in range(len(wins)) if j != i)
    return new / np.exp(np.log(new).mean())


def in_place(wins, strengths):
    strengths[:] = step(wins, strengths)
    return strengths


def no_step(wins, strengths):
    return strengths / np.exp(np.log(strengths).mean())


STEP = {
    unscaled: "its scale is not",
    by_sum: "You divided by the sum",
    by_mean: "You divided by the ordinary mean",
    losses_above: "you took the losses",
    win_rate: "That is the win rate",
    opponent_alone: "by the opponent's alone",
    self_alone: "by i's own alone",
    wins_below: "n_ij counts all games",
    times_old: "multiplied by the old strengths",
    as_a_list: "The strengths are in a list",
    expected_below: "You divided by the expected wins",
    one_by_one: "You updated one after the other",
    in_place: "You changed wins or strengths",
    no_step: "the step leads to",
}


# --- bradley_terry ---------------------------------------------------------------------------------------------------------
def fitted(wins, tolerance=1e-11, most=20_000):
    strengths = np.ones(len(wins))
    for _ in range(most):
        before, strengths = strengths, step(wins, strengths)
        if np.abs(np.log(strengths / before)).max() < tolerance:
            break
    return strengths


def one_step(wins, tolerance=1e-11):
    return fitted(wins, tolerance, most=1)


def hundred_steps(wins, tolerance=1e-11):
    return fitted(wins, tolerance, most=100)


def too_early(wins, tolerance=1e-11):
    return fitted(wins, max(tolerance, 1e-4))


def logarithms(wins, tolerance=1e-11):
    return np.log(fitted(wins, tolerance))


def elo(wins, tolerance=1e-11):
    return 400 * np.log10(fitted(wins, tolerance))


def losers_first(wins, tolerance=1e-11):
    return fitted(wins.T, tolerance)


def sum_one(wins, tolerance=1e-11):
    return fitted(wins, tolerance) / fitted(wins, tolerance).sum()


def first_one(wins, tolerance=1e-11):
    return fitted(wins, tolerance) / fitted(wins, tolerance)[0]


def forgets(wins, tolerance=1e-11):
    step(wins, np.ones(len(wins)))
    return np.ones(len(wins))


def rates(wins, tolerance=1e-11):
    return wins.sum(1) / (wins + wins.T).sum(1)


def changes(wins, tolerance=1e-11):
    strengths = fitted(wins, tolerance)
    wins += 1
    return strengths


def always_to_the_end(wins, tolerance=1e-11):
    return fitted(wins)


def twice_the_tolerance(wins, tolerance=1e-11):
    return fitted(wins, 2 * tolerance)


def nothing_without_an_end(wins, tolerance=1e-11):
    strengths = np.ones(len(wins))
    for _ in range(20_000):
        before, strengths = strengths, step(wins, strengths)
        if np.abs(np.log(strengths / before)).max() < tolerance:
            return strengths


def without_a_limit(wins, tolerance=1e-11):
    strengths = np.ones(len(wins))
    while True:
        before, strengths = strengths, step(wins, strengths)
        if np.abs(np.log(strengths / before)).max() < tolerance:
            return strengths


RATINGS = {
    without_a_limit: "give up after 20,000 steps",
    nothing_without_an_end: "it returns nothing",
    one_step: "That is one step",
    hundred_steps: "Not a fixed number of steps",
    too_early: "you stopped before the strengths had settled",
    logarithms: "These are logarithms",
    elo: "That is the Elo scale",
    losers_first: "The strong ones are weak",
    sum_one: "The ratios are right; keep",
    first_one: "the first one is at 1",
    forgets: "That is where you began",
    rates: "On a table of four",
    changes: "You changed wins in place",
    always_to_the_end: "yours goes on just as long",
    twice_the_tolerance: "it stops elsewhere",
}
