"""Ratings as the votes come in: how many does it take? Built for notebook 15, for the `Arena` and beside it.

`arena_ratings` is a still drawing, `explore_arena` the same with controls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from helpers.show.diagram import need
from helpers.show.display import CONTROL
from helpers.show.explore import Explore
from helpers.show.rating_lists import ratings
from helpers.show.svg import Drawing, blank, reword
from helpers.show.theme import amount, number

if TYPE_CHECKING:
    import numpy as np

INVENTED = (
    "Each also has an invented tie with an average contestant: without it, an unbeaten one would have no finite rating."
)
ENOUGH = 10  # prompts; the percentiles of a bootstrap over fewer promise too much
UNITS = {"whole prompts": "prompt", "single votes": "vote"}
TIES = {"half a win each": "half", "left out": "drop"}


class Rated(NamedTuple):
    """Ratings [N] in Elo, mean 0, with the ends of their 95 % intervals; ``invented``: with a tie against an average one."""

    names: list[str]
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    invented: bool


def rated_votes(
    votes: Sequence, by: str = "prompt", ties: str = "half", rate: Callable | None = None, resamples: int = 200
) -> Rated:
    """Return the ratings of all contestants in ``votes``, rows (prompt, left, right, winner), with bootstrap intervals.

    ``rate`` is the learner's function wins [N, N] → strengths [N] (None: ``helpers.evaluation.bradley_terry``); the intervals
    are those of ``helpers.evaluation.rating_intervals``. Where a contestant is unbeaten or never won, or groups never met,
    each contestant gets an invented tie with an average one. Raises ValueError for votes without a decision to count, and for
    votes on fewer than ten prompts.
    """
    import numpy as np

    from helpers.evaluation.bradley_terry import to_elo
    from helpers.evaluation.comparisons import check_votes, win_matrix
    from helpers.evaluation.rating_intervals import bootstrap_ratings

    votes = check_votes(votes)
    counted = [vote for vote in votes if ties == "half" or vote.winner in ("left", "right")]
    need(bool(counted), f"{amount(len(votes), 'vote')}, all of them ties: nothing is decided yet")
    prompts = len({vote.prompt for vote in counted})
    given = f"{amount(len(counted), 'vote')} on {amount(prompts, 'prompt')}"
    need(prompts >= ENOUGH, f"{given}, and an interval needs {ENOUGH} prompts at least")
    names, wins = win_matrix(counted, ties=ties)
    settings = {"by": by, "resamples": resamples, "names": names}
    try:
        boot, prior = bootstrap_ratings(counted, **settings), 0.0
    except ValueError:
        boot, prior = bootstrap_ratings(counted, **settings, prior=1.0), 1.0
    values = boot.ratings
    if rate is not None:
        n = len(names)
        table = np.zeros((n + 1, n + 1)) if prior else wins
        if prior:  # the average contestant is the last one; only differences count, so its own rating may move
            table[:n, :n], table[n, :n], table[:n, n] = wins, prior / 2, prior / 2
        values = to_elo(np.asarray(rate(table), dtype=float)[:n])
    return Rated(names, values, boot.low, boot.high, bool(prior))


def arena_ratings(
    votes: Sequence,
    count: int | None = None,
    by: str = "prompt",
    ties: str = "half",
    rate: Callable | None = None,
    highlight: Sequence[str] | None = None,
    resamples: int = 200,
) -> Drawing:
    """Draw the ratings that the first ``count`` votes give (all of them without it), best first, with their intervals.

    ``votes`` are rows (prompt, left, right, winner); ``by`` is what the bootstrap resamples, "prompt" or "vote" (or "voter");
    a tie counts as half a win for each, or nothing with ``ties="drop"``. ``rate`` as in `rated_votes`. ``highlight`` are the
    contestants that are no bots (None: people and constant replies of ``helpers.bots.arena``). Raises ValueError for a count
    that is not there and for other ``by`` and ``ties``.
    """
    votes = list(votes)
    count = len(votes) if count is None else count
    need(1 <= count <= len(votes), f"{count} votes cannot be counted: give 1 to {len(votes)}")
    need(by in (*UNITS.values(), "voter"), f"resample by prompt, vote or voter, not {by!r}")
    need(ties in TIES.values(), f'ties are "half" a win each, or you "drop" them; not {ties!r}')
    votes = votes[:count]
    try:
        found = rated_votes(votes, by, ties, rate, resamples)
    except ValueError as error:
        return blank(_title(votes), f"No ratings yet: {error}.")
    return draw_rated(found, votes, by, highlight)


def draw_rated(found: Rated, votes: Sequence, by: str = "prompt", highlight: Sequence[str] | None = None) -> Drawing:
    """Draw ratings already computed from ``votes``, as `arena_ratings` does."""
    note = f"Dot: estimate. Line: 95 % interval, {by}s resampled. Square: no bot."
    highlight = no_bots(found.names) if highlight is None else highlight
    drawing = ratings(found.names, found.values, found.low, found.high, _title(votes), highlight=highlight, note=note)
    return reword(drawing, f"{drawing.words} {remarks(found, votes)}")


def _title(votes: Sequence) -> str:
    return f"{amount(len(votes), 'vote')} on {amount(len({vote[0] for vote in votes}), 'prompt')}: how sure is the ranking?"


def explore_arena(votes: Sequence, rate: Callable | None = None, highlight: Sequence[str] | None = None) -> Explore:
    """`arena_ratings` with controls: how many votes are counted, what is resampled, what a tie counts.

    The slider begins at all votes. A drawing is made once: the second time it is there at once.
    """
    import ipywidgets

    votes = list(votes)
    need(bool(votes), "there are no votes to count: cast one at least")
    counts = [count for count in (20 * 2**power for power in range(20)) if count < len(votes)] + [len(votes)]
    kept: dict[tuple, Drawing] = {}

    def draw(count, resample="prompt", ties="half"):
        key = count, resample, ties
        if key not in kept:
            kept[key] = arena_ratings(votes, count, resample, ties, rate, highlight)
        return kept[key]

    options = [(number(count), count) for count in counts]
    slider = ipywidgets.SelectionSlider(
        options=options, value=len(votes), description="votes", continuous_update=False, **CONTROL
    )
    return Explore(draw, count=slider, resample=UNITS, ties=TIES).in_book(ties=[])


def remarks(found: Rated, votes: Sequence) -> str:
    """Say how wide the intervals are, and what to keep in mind."""
    half = float((found.high - found.low).mean()) / 2
    words = f"On average an interval reaches {half:.0f} points to each side."
    each = len({(vote[0], name) for vote in votes for name in vote[1:3]}) / len(found.names)
    if each < ENOUGH:
        words += f" Each met others on {number(each)} prompts on average: with so few, such intervals are too narrow."
    return words + f" {INVENTED}" * found.invented


def no_bots(names: Sequence[str]) -> list[str]:
    """Return the contestants that are no bots: people and constant replies of the course's arena."""
    from helpers.bots import arena

    return [name for name in names if name in (arena.PEOPLE, arena.ELSEWHERE, *arena.CONSTANTS)]
