"""The arena's tables: ratings under each judge, each judge's biases, and what each decade bought (notebook 15).

All are computed from ``data/arena_scores.csv`` and ``data/scoreboard.csv``.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from helpers.bots import arena, checkpoints
from helpers.bots.judges import JUDGES, self_preference
from helpers.evaluation import scoreboard
from helpers.experiments.arena_ratings import Rated, Scores, interval, resampled
from helpers.io import read_rows, write_rows

RATING_COLUMNS = (
    "judge", "contestant", "rating", "low", "high", "spread", "controlled", "controlled_low", "controlled_high"
)  # fmt: skip
JUDGE_COLUMNS = (
    "judge", "longer_wins", "length_elo", "length_low", "length_high", "self_preference", "self_low", "self_high",
    "self_controlled", "people_over_elsewhere", "people_low", "people_high", "people_rank", "agreement",
)  # fmt: skip
BOARD_COLUMNS = (
    "bot", "notebook", "year", "idea", "rating", "low", "high", "bits", "bits_low", "bits_high", "seconds", "parameters",
    "training_seconds", "device",
)  # fmt: skip


def rating_rows(names: Sequence[str], rated: dict[str, Rated]) -> list[dict]:
    """Return a row for each judge and contestant, the best first."""
    rows = []
    for judge, found in rated.items():
        (low, high), (low_c, high_c) = interval(found.samples), interval(found.controlled_samples)
        spread = [None] * len(names) if found.spread is None else found.spread
        columns = (found.points, low, high, spread, found.controlled, low_c, high_c)
        for place in np.argsort(-found.points):
            values = (None if column[place] is None else round(float(column[place]), 1) for column in columns)
            rows.append(dict(zip(RATING_COLUMNS, (judge, names[place], *values))))
    return rows


def judge_rows(scores: Scores, rated: dict[str, Rated]) -> list[dict]:
    """Return a row for each judge: what length, its own hand, and the right context are worth to it.

    "people_over_elsewhere" is the share of prompts at which what the person said beats what one said elsewhere; "agreement"
    the mean share of duels decided as another judge decides them.
    """
    names, judges, rows = scores.names, list(rated), []
    own = self_preference(np.array([found.points for found in rated.values()]), judges, names)
    at_length = self_preference(np.array([found.controlled for found in rated.values()]), judges, names)
    samples = zip(*(found.samples for found in rated.values()))
    own_samples = [self_preference(np.array(ratings), judges, names) for ratings in samples]
    draws, person, other = resampled(scores.words.shape[1]), names.index(arena.PEOPLE), names.index(arena.ELSEWHERE)
    for judge, found in rated.items():
        row, (low, high) = {"judge": judge, "length_elo": found.length}, interval(found.length_samples)
        row |= {"length_low": low, "length_high": high, "longer_wins": longer_share(scores, judge)}
        if judge in own:
            low, high = interval([sample[judge] for sample in own_samples])
            row |= {
                "self_preference": own[judge],
                "self_low": low,
                "self_high": high,
                "self_controlled": at_length[judge],
            }
        right = (found.wins[:, person, other] > 0).astype(float)
        low, high = interval(draws @ right / len(right))
        row |= {"people_over_elsewhere": right.mean(), "people_low": low, "people_high": high}
        row["people_rank"] = 1 + int((found.points > found.points[person]).sum())
        row["agreement"] = float(np.mean([agreement(scores, judge, other) for other in judges if other != judge]))
        rows.append(
            {name: value if isinstance(value, str | int) else round(float(value), 3) for name, value in row.items()}
        )
    return rows


def longer_share(scores: Scores, judge: str) -> float:
    """Return the share of duels, with replies of unequal length, that the longer reply wins."""
    (left, right), score = scores.pairs, scores.of[judge]
    decided = (score[..., left] != score[..., right]) & (scores.longer != 0)
    return float(((score[..., left] > score[..., right]) == (scores.longer > 0))[decided].mean())


def agreement(scores: Scores, judge: str, other: str) -> float:
    """Return the share of duels that two judges decide in the same way, of those that both decide."""
    left, right = scores.pairs
    both = [np.sign(scores.of[name][..., left] - scores.of[name][..., right]) for name in (judge, other)]
    decided = (both[0] != 0) & (both[1] != 0)
    return float((both[0] == both[1])[decided].mean())


def bits_interval(name: str, conversations, draws: int = 1000) -> tuple[float, float]:
    """Return the 95 % interval of a bot's bits per byte on these conversations, whole conversations resampled."""
    from helpers.evaluation.likelihood import token_nats

    bot = checkpoints.load(name)
    bits = np.array([nats.sum() for nats in token_nats(bot.model, bot.tokenizer, conversations)]) / np.log(2)
    sizes = np.array([sum(len(turn.text.encode("utf-8")) for turn in talk.turns) for talk in conversations])
    drawn = resampled(len(bits), number=draws)
    low, high = interval((drawn @ bits) / (drawn @ sizes))
    return float(low), float(high)


def board_rows(names: Sequence[str], points: np.ndarray, samples: np.ndarray, bits: dict[str, dict]) -> list[dict]:
    """Return a row for each bot of the scoreboard: its rating and what it costs. ``bits`` holds {bot: its interval}."""
    board, (low, high) = scoreboard.read(tuple(scoreboard.COLUMNS)), interval(samples)
    rows = []
    for entry in scoreboard.BOTS:
        if entry.name in names:
            place, row = names.index(entry.name), board.loc[entry.name]
            found = {
                "rating": points[place],
                "low": low[place],
                "high": high[place],
                "bits": float(row["bits per byte"]),
            }
            found = {name: round(float(value), 3 if name == "bits" else 1) for name, value in found.items()}
            about = {"bot": entry.name, "notebook": entry.notebook, "year": entry.year, "idea": entry.idea}
            costs = {"seconds": float(row["seconds per reply"]), "parameters": int(row["parameters"])}
            costs |= {"training_seconds": float(row["training seconds"]), "device": row["device"]}
            rows.append(about | found | bits[entry.name] | costs)
    return rows


def write_ratings(folder: Path, conversations) -> None:
    """Write ``arena_ratings.csv``, ``arena_judges.csv`` and ``arena_scoreboard.csv`` from the scores in ``folder``."""
    scores = Scores(read_rows(folder / "arena_scores.csv"))
    draws = resampled(scores.words.shape[1])
    rated = {judge: Rated(scores, judge, draws) for judge in JUDGES}
    write_rows(folder / "arena_ratings.csv", RATING_COLUMNS, rating_rows(scores.names, rated))
    write_rows(folder / "arena_judges.csv", JUDGE_COLUMNS, judge_rows(scores, rated))

    path = folder / "arena_scoreboard.csv"
    ends = ("bits_low", "bits_high")
    bits = {row["bot"]: {end: row[end] for end in ends} for row in read_rows(path) if row["bits_low"] is not None}
    for name in scores.names:
        if name in checkpoints.names() and name not in bits:
            bits[name] = dict(zip(ends, bits_interval(name, conversations)))
    points, samples = jury(scores.names, rated)
    write_rows(path, BOARD_COLUMNS, board_rows(scores.names, points, samples, bits))


def jury(names: Sequence[str], rated: dict[str, Rated]) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean rating [N] by all judges that are bots, and its samples [R, N]; no bot judges itself."""
    judges = [judge for judge in rated if judge in names]
    weights = np.array([[float(judge != name) for name in names] for judge in judges])
    weights /= weights.sum(0)
    points = np.stack([rated[judge].points for judge in judges])
    samples = np.stack([rated[judge].samples for judge in judges], axis=1)  # [R, J, N]
    return (weights * points).sum(0), (weights * samples).sum(1)
