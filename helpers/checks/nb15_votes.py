"""Checks of notebook 15's votes: wins counted, and prompts drawn with replacement; how these checks compare arrays."""

import copy
from collections import Counter
from collections.abc import Callable

import numpy as np

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import kind, shown


def array(answer, shape: tuple, what: str) -> np.ndarray:
    """Return an answer as a float64 array of that shape. Raises Wrong for everything else: ``what`` says what was expected."""
    try:
        values = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"I expected {what} and got {kind(answer)}.") from None
    if values.shape != shape:
        raise Wrong(f"I expected {what}, of shape {list(shape)}, and got {kind(answer)}.")
    return values


def close(answer, expected, tolerance: float = 1e-6) -> bool:
    """Whether two arrays have the same shape and numbers."""
    return np.shape(answer) == np.shape(expected) and np.allclose(answer, expected, rtol=tolerance, atol=tolerance)


def untouched(function: Callable, *arguments, changed: str):
    """Return what a function answers; raise ``Wrong(changed)`` when it has changed an argument (arrays, lists of tuples)."""
    kept = copy.deepcopy(arguments)
    answer = function(*arguments)
    given = [(one, other) for one, other in zip(arguments, kept) if isinstance(one, list | np.ndarray)]
    if not all(np.array_equal(one, other) for one, other in given):
        raise Wrong(changed)
    return tried(answer)


def refuse(answer, mistakes: dict) -> None:
    """Raise Wrong with the first message of ``{message: the array that this mistake gives}`` that fits the answer."""
    for message, wrong in mistakes.items():
        if close(answer, wrong):
            raise Wrong(message)


# -- counting ----------------------------------------------------------------------------------------------------------
NAMES = ["rnn", "gpt", "dpo"]
VOTES = [
    (0, "gpt", "rnn", "left"),
    (0, "gpt", "rnn", "left"),
    (1, "rnn", "gpt", "right"),
    (1, "rnn", "gpt", "left"),
    (2, "dpo", "gpt", "tie"),
    (2, "rnn", "dpo", "both bad"),
    (3, "dpo", "rnn", "right"),
    (4, "gpt", "dpo", "tie"),
    (4, "rnn", "gpt", "tie"),
    (4, "dpo", "gpt", "left"),
]


def _counted(tie: float = 0.5, both_bad: float = 0.5, right: float = 1.0, names=NAMES) -> np.ndarray:
    wins = np.zeros((3, 3))
    for _, left, other, winner in VOTES:
        i, j = names.index(left), names.index(other)
        wins[i, j] += {"left": 1.0, "right": 0.0, "tie": tie, "both bad": both_bad}[winner]
        wins[j, i] += {"left": 0.0, "right": right, "tie": tie, "both bad": both_bad}[winner]
    return wins


def _all_ties() -> np.ndarray:
    table = np.zeros((3, 3))
    for _, left, other, _ in VOTES:
        table[NAMES.index(left), NAMES.index(other)] += 0.5
    return table + table.T


@exercise
def check_count_wins(count_wins: Callable) -> str:
    """Build: a table of who has beaten whom."""
    right = _counted()
    answer = untouched(
        count_wins, list(VOTES), list(NAMES), changed="You changed the votes or the names: leave them as they are."
    )
    if isinstance(answer, list | tuple):
        raise Wrong("The numbers are in a list. Return a numpy array, np.zeros((N, N)): the next steps compute with it.")
    if isinstance(answer, np.ndarray) and answer.dtype.kind in "iu":
        raise Wrong("An array of integers drops the halves: make it float, np.zeros((N, N)) without dtype=int.")
    answer = array(answer, (3, 3), "an array of wins [N, N]")
    sides = np.zeros((3, 3))
    for _, left, other, winner in VOTES:
        i, j = NAMES.index(left), NAMES.index(other)
        sides[i, j] += {"left": 1, "right": 0}.get(winner, 0.5)
        sides[i, j] += {"left": 0, "right": 1}.get(winner, 0.5)
    refuse(
        answer,
        {
            "Rows and columns are swapped: wins[i, j] is how often i has BEATEN j, and yours counts how often it lost.": right.T,
            "Every vote counts as a tie in yours: the winner is the word \"left\" or \"right\", not a name.": _all_ties(),
            "Ties are missing: a tie is half a win for both.": _counted(tie=0, both_bad=0),
            "A tie counts a whole win for both in yours: then a pair that ties weighs twice. Half a win each.": _counted(
                1, 1
            ),
            '"both bad" is missing: of the two contestants it says what "tie" says. Half a win each.': _counted(
                both_bad=0
            ),
            'Ties are missing in yours, and "both bad" counts: both are half a win each.': _counted(tie=0),
            '"both bad" counts a whole win for both in yours: half a win each, as a tie.': _counted(both_bad=1),
            'You count the wins of the left side only: when the winner is "right", wins[right, left] grows.': _counted(
                right=0
            ),
            "You count by side: whatever happens, [left, right] grows. When right wins, it is [right, left].": sides,
            "The rows are in another order than `names`: row 0 belongs to names[0].": _counted(names=sorted(NAMES)),
            "Halves are lost: the array must hold floats, np.zeros((N, N)) without dtype=int.": np.floor(right),
        },
    )
    if close(answer, np.trunc(_counted(0, 0))):
        raise Wrong("Halves are lost: the array must hold floats.")
    if not close(answer, right):
        row, column = np.argwhere(~np.isclose(answer, right))[0]
        raise Wrong(
            f"{NAMES[row]} has beaten {NAMES[column]} {right[row, column]:g} times (ties half), "
            f"and with yours {answer[row, column]:g}."
        )
    alone = array(count_wins([], list(NAMES)), (3, 3), "an array of wins [N, N], also without a vote,")
    if alone.any():
        raise Wrong(f"Without a vote all entries are 0, and yours are {shown(alone)}. Does it remember earlier votes?")
    return "Every vote is counted once, ties half and half."


# -- drawing prompts ---------------------------------------------------------------------------------------------------
SIZES = {"hi": 6, "bye": 1, "why": 2, "who": 3, "ok": 1, "so": 2}
PROMPT_VOTES = [(prompt, "a", f"{prompt} {number}", "left") for prompt, size in SIZES.items() for number in range(size)]
MIXED = [
    PROMPT_VOTES[i] for i in (0, 9, 6, 1, 12, 7, 14, 2, 10, 3, 8, 11, 4, 13, 5)
]  # the prompts' votes do not stand together


@exercise
def check_resample(resample: Callable) -> str:
    """Build: whole prompts, drawn with replacement."""
    rng, draws = np.random.default_rng(0), []
    changed = "You changed the votes that you were given (shuffled, or taken out): they are still needed."
    for _ in range(300):
        answer = untouched(resample, list(MIXED), rng, changed=changed) if not draws else resample(list(MIXED), rng)
        draws.append(_draw(answer))
    _check_whole(draws)
    if all(draw == draws[0] for draw in draws):
        if all(number == 1 for number in draws[0].values()) and len(draws[0]) == len(MIXED):
            raise Wrong("Nothing was drawn: every prompt comes once, always. Draw with replacement.")
        raise Wrong("Every draw is the same. Use the `rng` that you are given, and make none of your own.")
    times = [{prompt: draw[(prompt, "a", f"{prompt} 0", "left")] for prompt in SIZES} for draw in draws]
    if all(max(each.values()) <= 1 for each in times):
        raise Wrong("No prompt ever comes twice. With replacement: one that is drawn twice gives its votes twice.")
    numbers = {sum(each.values()) for each in times}
    if numbers != {len(SIZES)}:
        raise Wrong(
            f"There are {len(SIZES)} prompts, so {len(SIZES)} are drawn, each time. You drew {min(numbers)} to {max(numbers)}."
        )
    mean = {prompt: sum(each[prompt] for each in times) / len(times) for prompt in SIZES}
    never = [prompt for prompt in SIZES if not mean[prompt]]
    if never:
        raise Wrong(f"In 300 draws the prompt {never[0]!r} never came: rng.integers(n) draws from 0 to n − 1.")
    if mean["hi"] > 1.6:
        raise Wrong(
            "Prompts with many votes are drawn more often in yours. Each prompt has the same chance: list each once."
        )
    off = max(SIZES, key=lambda prompt: abs(mean[prompt] - 1))
    if abs(mean[off] - 1) > 0.35:
        raise Wrong(
            f"Each prompt should come once per draw on average, and {off!r} comes {mean[off]:.2f} times in yours."
        )
    return "Whole prompts, some twice, some not at all."


def _draw(answer) -> Counter:
    if not isinstance(answer, list | tuple):
        raise Wrong(f"I expected a list of votes and got {kind(answer)}.")
    if not answer or not all(isinstance(vote, tuple) and vote in MIXED for vote in answer):
        raise Wrong(f"I expected a list of the votes that were given, and got {shown(answer)}.")
    return Counter(answer)


def _check_whole(draws: list) -> None:
    parts = [{prompt: [draw[vote] for vote in MIXED if vote[0] == prompt] for prompt in SIZES} for draw in draws]
    if all(len(set(numbers)) == 1 for part in parts for numbers in part.values()):
        return
    if all(sum(part[prompt]) == SIZES[prompt] for part in parts for prompt in SIZES):
        raise Wrong(
            "You drew votes within each prompt: every prompt comes each time. Draw the prompts, and keep their votes."
        )
    if all(sum(draw.values()) == len(MIXED) for draw in draws):
        raise Wrong(
            "You drew single votes, so a prompt's votes no longer come together. Draw prompts, with all their votes."
        )
    raise Wrong("Some votes of a prompt came and others did not. A prompt that is drawn brings all of its votes.")
