"""Checks of notebook 15's ratings: one MM step, and all steps."""

from collections.abc import Callable

import numpy as np

from helpers.checks import Wrong, exercise
from helpers.checks.compare import shown
from helpers.checks.nb15_votes import array, close, refuse, untouched

# -- one step ----------------------------------------------------------------------------------------------------------
WINS = np.array([[0.0, 12, 7, 1], [8, 0, 36, 2], [3, 4, 0, 2.5], [3, 1, 2.5, 0]])
STRENGTHS = np.array([2.0, 1.0, 0.25, 2.0])


def _raw(won, games, below) -> np.ndarray:
    return won / (games / below).sum(1)


def _scaled(values) -> np.ndarray:
    return values / np.exp(np.log(values).mean())


def _one_after_the_other(wins, strengths) -> np.ndarray:
    new, games = strengths.copy(), wins + wins.T
    for i in range(len(wins)):
        new[i] = wins[i].sum() / sum(games[i, j] / (new[i] + new[j]) for j in range(len(wins)) if j != i)
    return new


@exercise
def check_mm_step(mm_step: Callable) -> str:
    """Build: one MM step."""
    changed = "You changed wins or strengths in place: they are still needed. Compute new arrays."
    answer = untouched(mm_step, WINS.copy(), STRENGTHS.copy(), changed=changed)
    if isinstance(answer, list | tuple):
        raise Wrong("The strengths are in a list. Return a numpy array: the next step computes with it.")
    answer = array(answer, (4,), "the new strengths [N]")
    wins, pairs = WINS, STRENGTHS[:, None] + STRENGTHS[None, :]
    games = wins + wins.T
    raw, cyclic = _raw(wins.sum(1), games, pairs), _one_after_the_other(wins, STRENGTHS)
    refuse(
        answer,
        {
            "The step is right, and its scale is not: divide by the geometric mean, so that only ratios remain.": raw,
            "You divided by the sum. Divide by the geometric mean: then the logarithms have the mean 0.": raw
            / raw.sum(),
            "You divided by the ordinary mean. Divide by the geometric mean, np.exp(np.log(new).mean()).": raw
            / raw.mean(),
        },
    )
    mistakes = {
        "In the numerator stand the wins of i, its row; you took the losses, its column.": _raw(wins.sum(0), games, pairs),
        "That is the win rate: it does not ask how strong the opponents are. Divide each n_ij by the strengths' sum.": (
            wins.sum(1) / games.sum(1)
        ),
        "Each n_ij is divided by the sum of BOTH strengths, and yours by the opponent's alone.": (
            _raw(wins.sum(1), games, STRENGTHS[None, :])
        ),
        "Each n_ij is divided by the sum of both strengths, and yours by i's own alone.": (
            _raw(wins.sum(1), games, STRENGTHS[:, None])
        ),
        "n_ij counts all games of the pair, won and lost: wins + wins.T. Yours counts the wins alone.": (
            _raw(wins.sum(1), wins, pairs)
        ),
        "You divided by the expected wins: that is the factor by which a strength changes. Divide by Σ n_ij / (π_i + π_j).": (
            _raw(wins.sum(1), games * STRENGTHS[:, None], pairs)
        ),
        "You multiplied by the old strengths once too often: the new strength is W_i by the sum, no more.": raw * STRENGTHS,
        "You updated one after the other, the later ones with the new strengths of the earlier. Compute all from the old ones.": (
            cyclic
        ),
    }  # fmt: skip
    refuse(answer, {message: _scaled(wrong) for message, wrong in mistakes.items()})
    refuse(answer, mistakes)
    if not close(answer, _scaled(raw)):
        raise Wrong(
            f"From strengths {shown(STRENGTHS)} the step leads to {shown(_scaled(raw))}, and yours to {shown(answer)}."
        )
    return "Wins above, expected wins per unit of strength below."


# -- all steps ---------------------------------------------------------------------------------------------------------
def _solved(wins: np.ndarray, steps: int = 20_000, tolerance: float = 1e-11) -> np.ndarray:
    strengths, games = np.ones(len(wins)), wins + wins.T
    for _ in range(steps):
        new = _scaled(_raw(wins.sum(1), games, strengths[:, None] + strengths[None, :]))
        moved, strengths = np.abs(np.log(new / strengths)).max(), new
        if moved < tolerance:
            break
    return strengths


def chain(length: int = 10) -> np.ndarray:
    """Return the wins of contestants that met their neighbors only: many steps are needed."""
    wins = np.zeros((length, length))
    for i in range(length - 1):
        wins[i, i + 1], wins[i + 1, i] = 3, 2 + i % 3
    return wins


class Watched(np.ndarray):
    """An array that counts the arrays computed from it, and raises Wrong when there are too many: the loop has no end."""

    def __array_finalize__(self, parent) -> None:
        self.count = getattr(parent, "count", None) or [0]
        self.count[0] += 1
        if self.count[0] > 2_000_000:  # a step makes about ten
            raise Wrong("Yours goes on without an end where the votes have no finite answer: give up after 20,000 steps.")


@exercise
def check_bradley_terry(bradley_terry: Callable) -> str:
    """Build: steps until nothing moves."""
    table, right = WINS.copy(), _solved(WINS)
    changed = "You changed wins in place: it is still needed."
    answer = array(untouched(bradley_terry, table, changed=changed), (4,), "the strengths [N]")
    refuse(
        answer,
        {
            "That is one step from equal strengths. Take steps until nothing moves.": _solved(WINS, 1),
            "These are logarithms. Return the strengths themselves: they are positive.": np.log(right),
            "That is the Elo scale. Return the strengths: to_elo comes later.": 400 * np.log10(right),
            "The strong ones are weak: yours are the strengths of those who lose.": 1 / right,
            "The ratios are right; keep the geometric mean at 1, as mm_step does.": right / right.sum(),
            "The ratios are right, and the first one is at 1. Keep the geometric mean at 1, as mm_step does.": right
            / right[0],
            "That is where you began: strengths of 1. Keep what the step returns.": np.ones(4),
        },
    )
    if not close(answer, right, 1e-3):
        raise Wrong(f"On a table of four I get {shown(right)}, and you get {shown(answer)}.")
    if not close(answer, right, 1e-9):
        raise Wrong(
            "Nearly: you stopped before the strengths had settled. Stop when no log strength moves by `tolerance`."
        )
    table, right = chain(), _solved(chain())
    answer = array(bradley_terry(table), (len(table),), "the strengths [N]")
    if not close(answer, right, 1e-6):
        raise Wrong(
            "Ten contestants that met their neighbors only: many steps are needed, and yours stopped "
            f"{_apart(answer, right):.2g} away in logarithms. Not a fixed number of steps: stop when no log strength moves by "
            "`tolerance`."
        )
    rough = array(bradley_terry(chain(), 0.01), (len(table),), "the strengths [N]")
    if close(rough, right, 1e-6):
        raise Wrong("With tolerance=0.01 yours goes on just as long. Compare with the `tolerance` that is given.")
    if not close(rough, _solved(chain(), tolerance=0.01), 1e-6):
        raise Wrong(
            "With tolerance=0.01 it stops elsewhere than it should: when a step moves all log strengths by less."
        )
    endless = bradley_terry(np.array([[0.0, 12, 0], [0, 0, 36], [0, 4, 0]]).view(Watched), 0.0)  # the first one is unbeaten
    if endless is None:
        raise Wrong("Where no end is in sight it returns nothing: after 20,000 steps, return what you have.")
    array(endless, (3,), "the strengths [N]")
    return "As likely as the votes can be."


def _apart(answer, right) -> float:
    with np.errstate(all="ignore"):
        return float(np.abs(np.log(answer / right)).max())
