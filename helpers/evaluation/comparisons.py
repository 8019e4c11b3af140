"""Votes between two replies: what they say before any model is fitted (used in notebook 15).

A vote is a tuple (prompt, left, right, winner), the voter may follow; ``left`` and ``right`` are contestants' names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

WINNERS = ("left", "right", "tie", "both bad")
TIES = ("half", "drop")
_SCORES = {"left": 1.0, "right": 0.0, "tie": 0.5, "both bad": 0.5}


class Vote(NamedTuple):
    """One decision: on the replies of ``left`` and ``right`` to ``prompt``, the ``winner`` is one of WINNERS."""

    prompt: Hashable
    left: str
    right: str
    winner: str
    voter: str = ""


class Agreement(NamedTuple):
    """``same`` of ``pairs`` pairs of decisions on the same two replies were alike; ``share`` is nan without a pair."""

    pairs: int
    same: int
    share: float


def check_votes(votes: Iterable[Sequence]) -> list[Vote]:
    """Return the votes, tuples of four or five, as `Vote`s.

    Raises ValueError for no vote, an unknown winner, a contestant who meets itself, or a tuple of another length.
    """
    checked = []
    for number, vote in enumerate(votes):
        if isinstance(vote, str) or not 4 <= len(vote) <= 5:
            raise ValueError(
                f"vote {number} is {vote!r}: write (prompt, left, right, winner), and the voter if you like"
            )
        vote = Vote(*vote)
        if vote.winner not in WINNERS:
            raise ValueError(f"vote {number} has the winner {vote.winner!r}: it must be one of {', '.join(WINNERS)}")
        if vote.left == vote.right:
            raise ValueError(f"in vote {number} {vote.left!r} meets itself: a vote needs two contestants")
        checked.append(vote)
    if not checked:
        raise ValueError("there is no vote to count: cast one at least")
    return checked


def names_of(votes: Iterable[Sequence]) -> list[str]:
    """Return the names of all contestants in the votes, sorted."""
    return sorted({name for vote in check_votes(votes) for name in (vote.left, vote.right)})


def scores(votes: Iterable[Sequence], ties: str = "half") -> np.ndarray:
    """Return what the left contestant got from each vote, float64 [V]: 1, 0, or 0.5 for a tie.

    With ``ties="drop"`` a tie counts for nothing: its score is nan. "Both bad" is a tie. Raises ValueError for other ``ties``.
    """
    import numpy as np

    if ties not in TIES:
        raise ValueError(f"ties must be one of {', '.join(TIES)}, not {ties!r}")
    tied = 0.5 if ties == "half" else np.nan
    return np.array([tied if _SCORES[vote.winner] == 0.5 else _SCORES[vote.winner] for vote in check_votes(votes)])


def sides(votes: Sequence[Sequence], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the left and of the right contestant in each vote, two int64 [V], as they stand in ``names``.

    Raises ValueError for a contestant that ``names`` lacks, or a name that stands there twice.
    """
    import numpy as np

    number = {name: position for position, name in enumerate(names)}
    if len(number) < len(names):
        raise ValueError("a name stands twice in names: write each contestant once")
    votes = check_votes(votes)
    missing = sorted({name for vote in votes for name in vote[1:3]} - set(number))
    if missing:
        raise ValueError(f"these contestants of the votes are missing in names: {', '.join(missing)}")
    left, right = ([number[vote[side]] for vote in votes] for side in (1, 2))
    return np.array(left, dtype=np.int64), np.array(right, dtype=np.int64)


def win_matrix(
    votes: Sequence[Sequence], names: Sequence[str] | None = None, ties: str = "half"
) -> tuple[list[str], np.ndarray]:
    """Return the contestants' names and ``wins``, float64 [N, N]: how often contestant i beat contestant j.

    A tie is half a win for each, or nothing with ``ties="drop"``. ``names`` chooses the order (sorted by default).
    """
    import numpy as np

    names = names_of(votes) if names is None else list(names)
    (left, right), score = sides(votes, names), scores(votes, ties)
    left, right, score = (part[~np.isnan(score)] for part in (left, right, score))
    wins = np.zeros((len(names), len(names)))
    np.add.at(wins, (left, right), score)
    np.add.at(wins, (right, left), 1 - score)
    return names, wins


def count_wins(votes: Sequence[Sequence], names: Sequence[str]) -> np.ndarray:
    """Return ``wins``, float64 [N, N] in the order of ``names``, as ``win_matrix`` counts them; without a vote they are all 0."""
    import numpy as np

    return win_matrix(votes, names)[1] if len(votes) else np.zeros((len(names), len(names)))


def win_rates(wins) -> np.ndarray:
    """Return each contestant's wins divided by its votes, float64 [N], from ``wins`` [N, N]; nan without a vote."""
    import numpy as np

    wins = np.asarray(wins, dtype=float)
    with np.errstate(invalid="ignore"):
        return wins.sum(1) / (wins + wins.T).sum(1)


def agreement(votes: Iterable[Sequence], others: Iterable[Sequence] | None = None) -> Agreement:
    """Compare decisions on the same two contestants' replies to the same prompt; ties are left out.

    Every vote of ``votes`` is compared with every one of ``others``, such as a judge's; without ``others``, the votes of
    different voters with each other. Which reply stood left does not count.
    """
    first = _decisions(votes)
    if others is None:
        cast = [pair for decisions in first.values() for pair in combinations(decisions, 2)]
        pairs = [(a[1], b[1]) for a, b in cast if a[0] != b[0]]
    else:
        second = _decisions(others)
        pairs = [(a[1], b[1]) for duel in first for a in first[duel] for b in second.get(duel, ())]
    same = sum(a == b for a, b in pairs)
    return Agreement(len(pairs), same, same / len(pairs) if pairs else float("nan"))


def _decisions(votes) -> dict:
    """Return {(prompt, both names): [(voter, name of the winner)]} of the votes that are not ties."""
    duels = defaultdict(list)
    for vote in check_votes(votes):
        if vote.winner in ("left", "right"):
            duels[vote.prompt, frozenset(vote[1:3])].append((vote.voter, getattr(vote, vote.winner)))
    return duels
