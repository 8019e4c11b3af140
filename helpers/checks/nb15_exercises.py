"""Checks of notebook 15's exercises: the interval of a difference, self-preference, Elo ratings in order."""

from collections.abc import Callable
from numbers import Real

import numpy as np

from helpers.checks import Wrong, exercise
from helpers.checks.compare import kind, number, shown
from helpers.checks.nb15_votes import array, close, refuse, untouched


# -- the interval of a difference --------------------------------------------------------------------------------------
def _samples() -> np.ndarray:
    """Return 400 resampled ratings of four contestants; the first two rise and fall together."""
    rng = np.random.default_rng(4)
    samples = rng.normal(size=(400, 4)) * [20, 20, 30, 25] + [60, 20, 30, -110]
    samples[:, 1] = samples[:, 0] - 25 + rng.normal(size=400) * 6
    return samples


@exercise
def check_difference(difference: Callable) -> str:
    """Exercise: how far one contestant stands above another, with its interval."""
    samples, names = _samples(), ["gpt", "rnn", "gan", "dpo"]
    answer = untouched(
        difference, samples.copy(), list(names), "gpt", "rnn", changed="You changed the samples: leave them."
    )
    if not isinstance(answer, tuple | list | np.ndarray) or np.shape(answer) != (2,):
        raise Wrong(f"I expected the two ends of the interval, (low, high), and got {kind(answer)}.")
    answer = array(answer, (2,), "the two ends of the interval")
    a, b = samples[:, 0], samples[:, 1]
    right = np.percentile(a - b, [2.5, 97.5])
    ends = [np.percentile(part, [2.5, 97.5]) for part in (a, b)]
    wide = 1.96 * np.hypot(a.std(), b.std())
    rng = np.random.default_rng(0)
    refuse(
        answer,
        {
            "You subtracted the ends of two intervals. Subtract within each resample, then take the percentiles.": (
                ends[0] - ends[1]
            ),
            "That is low − high and high − low: as if one were at its worst when the other is at its best. Subtract within each "
            "resample.": np.array([ends[0][0] - ends[1][1], ends[0][1] - ends[1][0]]),
            "That is the interval of the first contestant. Subtract the second's ratings first.": ends[0],
            "That is rnn − gpt. `difference(…, a, b)` is a − b.": -right[::-1],
            "The ends stand in the wrong order: low first.": right[::-1],
            "Those are 5 and 95: an interval of 90 %. For 95 % take 2.5 and 97.5.": np.percentile(a - b, [5, 95]),
            "That is the smallest and the largest resample. Take the 2.5th and the 97.5th percentile.": (
                np.array([(a - b).min(), (a - b).max()])
            ),
            "That is the mean ± 1.96 standard deviations. Take the percentiles: an interval may be lopsided.": (
                (a - b).mean() + 1.96 * (a - b).std() * np.array([-1, 1])
            ),
            "Those are fractions instead of percent: np.percentile takes 2.5 and 97.5.": np.percentile(
                a - b, [0.025, 0.975]
            ),
        },
    )
    if close(answer, [(a - b).mean() - wide, (a - b).mean() + wide], 1e-2):
        raise Wrong(
            "You added the variances as if the ratings were independent. They share their votes: subtract per resample."
        )
    if abs(answer[1] - answer[0]) > 2 * (right[1] - right[0]) and close(answer.mean(), right.mean(), 0.3):
        raise Wrong("Too wide: subtract the two ratings of the SAME resample; in yours they come from different ones.")
    del rng
    if not close(answer, right, 1e-6):
        raise Wrong(f"From the 2.5th to the 97.5th percentile I get {shown(right)}, and you get {shown(answer)}.")
    answer = array(difference(samples, names, "dpo", "gan"), (2,), "the two ends of the interval")
    if not close(answer, np.percentile(samples[:, 3] - samples[:, 2], [2.5, 97.5])):
        raise Wrong("For another pair it is not right: take the columns of a and b from `names`.")
    return "What two ratings share cancels in their difference."


# -- self-preference ---------------------------------------------------------------------------------------------------
# The voters stand in another order than among the contestants: a voter's row is not its column.
TABLE = np.array([[-100.0, -60, 160, 40], [-150, -80, 70, 150], [-170, 40, 100, 0]])
WHO, ALL = ["gpt", "rnn", "gan"], ["n-gram", "gan", "gpt", "rnn"]


def _own(table: np.ndarray) -> np.ndarray:
    return np.array([table[row, ALL.index(name)] for row, name in enumerate(WHO)])


@exercise
def check_self_preference(self_preference: Callable) -> str:
    """Exercise: does a program like its own replies beyond their merit?"""
    changed = "You changed the ratings or the names: leave them as they are."
    answer = untouched(self_preference, TABLE.copy(), list(WHO), list(ALL), changed=changed)
    if not isinstance(answer, dict) or not all(isinstance(value, Real) for value in answer.values()):
        raise Wrong(f"I expected a dict {{name: points}} and got {kind(answer)}.")
    if set(answer) != set(WHO):
        raise Wrong(
            f"The names should be those of `voters`, {shown(WHO)}, and yours are {shown(sorted(map(str, answer)))}."
        )
    answer = np.array([float(answer[name]) for name in WHO])
    others = (TABLE.sum(0) - TABLE) / (len(WHO) - 1)
    above = TABLE - others
    own = _own(above)
    right = np.array([own[row] - np.delete(above[row], ALL.index(name)).mean() for row, name in enumerate(WHO)])
    everyone = TABLE - TABLE.mean(0)
    mixed = np.array([_own(everyone)[row] - np.delete(everyone[row], ALL.index(n)).mean() for row, n in enumerate(WHO)])
    refuse(
        answer,
        {
            "That is how high each rates itself. A good bot is rated high by all: take away what the other voters give it.": (
                _own(TABLE)
            ),
            "You compare with the mean of ALL voters, itself included: that makes the effect smaller. Leave its own row out.": (
                mixed
            ),
            "You compare with the mean of all voters, itself included, and forget what it gives the other contestants.": (
                _own(everyone)
            ),
            "You took a voter's row as its column. Its column is names.index(voter).": np.array(
                [above[row, row] - np.delete(above[row], row).mean() for row in range(len(WHO))]
            ),
            "One control is missing: how much the voter gives to the OTHERS beyond what other voters give them.": own,
            "The mean over the other contestants includes the voter itself in yours. Leave its own column out.": (
                own - above.mean(1)
            ),
            "You compare with what the voter gives the other contestants, and not with the other voters.": np.array(
                [
                    TABLE[row, ALL.index(name)] - np.delete(TABLE[row], ALL.index(name)).mean()
                    for row, name in enumerate(WHO)
                ]
            ),
            "The sign is reversed: positive when a voter prefers itself.": -right,
        },
    )
    if not close(answer, right):
        raise Wrong(f"For {', '.join(WHO)} I get {shown(right)}, and you get {shown(answer)}.")
    return "Its own replies, beyond what others give them and what it gives to others."


# -- Elo in order ------------------------------------------------------------------------------------------------------
GAMES = [
    (0, "b", "a", "left"),
    (0, "a", "b", "left"),
    (1, "a", "c", "tie"),
    (2, "c", "b", "right"),
    (2, "c", "a", "both bad"),
    (3, "b", "c", "left"),
    (3, "b", "a", "right"),
]


def _elo(
    k: float = 32.0, base: float = 10.0, scale: float = 400.0, tie=0.5, flat=False, late=False, games=GAMES
) -> np.ndarray:
    found = {"a": 0.0, "b": 0.0, "c": 0.0}
    for _, left, right, winner in games:
        score = {"left": 1.0, "right": 0.0}.get(winner, tie)
        if score is None:
            continue
        expected = 0.5 if flat else 1 / (1 + base ** ((found[right] - found[left]) / scale))
        found[left] += k * (score - expected)
        if late:
            expected = 0.5 if flat else 1 / (1 + base ** ((found[right] - found[left]) / scale))
        found[right] -= k * (score - expected)
    return np.array([found[name] for name in "abc"])


@exercise
def check_elo_in_order(elo_in_order: Callable) -> str:
    """Exercise: the chess players' rule, one vote after the other."""
    changed = "You changed the votes or the names: leave them as they are."
    answer = untouched(elo_in_order, list(GAMES), list("abc"), changed=changed)
    answer = array(answer, (3,), "the ratings [N], in the order of `names`")
    right, one_side = _elo(), np.zeros(3)
    for _, left, other, winner in GAMES:
        i, j = "abc".index(left), "abc".index(other)
        expected = 1 / (1 + 10 ** ((one_side[j] - one_side[i]) / 400))
        one_side[i] += 32 * ({"left": 1, "right": 0}.get(winner, 0.5) - expected)
    refuse(
        answer,
        {
            "The first player's new rating is in the second's expectation. Compute the expectation once, from the old ratings.": (
                _elo(late=True)
            ),
            "Ties change nothing in yours: the weaker of the two gains by a tie. The score is ½.": _elo(tie=None),
            "A tie is half a win, and yours counts it as lost for the left side.": _elo(tie=0.0),
            "A tie is half a win, and yours counts it as won for the left side.": _elo(tie=1.0),
            "Every win gains the same in yours. Take away what was to be expected: a win against a weak one gains little.": (
                _elo(flat=True)
            ),
            "In yours the base is e. On the Elo scale it is 10: 1 / (1 + 10 ** (…/400)).": _elo(base=np.e),
            "The signs are reversed: winners lose points in yours.": -right,
            "Only the left contestant moves. What one gains, the other loses.": one_side,
            "The expectation is reversed: the stronger one is expected to win.": _elo(scale=-400.0),
            "The votes are taken from the end. The first comes first.": _elo(games=GAMES[::-1]),
        },
    )
    if not close(answer, right):
        raise Wrong(f"After these {len(GAMES)} votes I get {shown(right)}, and you get {shown(answer)}.")
    first = number(np.asarray(elo_in_order(GAMES[:1], ["b", "a"], 10.0), dtype=float)[0], "the rating of b")
    if not close(first, 5.0):
        raise Wrong(f"With k = 10, the first win between equals gains 5 points, and with yours {first:g}. Use `k`.")
    return "Each vote moves two ratings, by what was not expected."
