"""The runs behind notebook 15: all contestants answer the same prompts, all judges score all replies.

    python -m helpers experiments arena       run what the tables data/arena_*.csv lack (half an hour on one core)

Replies and scores are kept run by run; the ratings are computed from them (``arena_tables``).
"""

from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers import data_path
from helpers.bots import arena, checkpoints
from helpers.bots.adversarial_success import questions
from helpers.bots.judges import (
    BOT_JUDGES,
    JUDGES,
    READER,
    REWARD_JUDGES,
    SCORE_COLUMNS,
    LikelihoodJudge,
    RewardJudge,
    in_file,
)
from helpers.bots.reader_judge import ReaderJudge
from helpers.corpus.conversations import Corpus
from helpers.experiments.arena_tables import write_ratings
from helpers.experiments.run_missing import run_missing
from helpers.io import read_rows, write_rows

PEOPLES_TOKENIZER = "gpt"  # its word pieces are counted, whoever wrote the reply


class ArenaRun(NamedTuple):
    """One contestant and the seed of its replies; None for those that are no bots."""

    contestant: str
    seed: int | None

    @property
    def key(self) -> dict:
        return {"contestant": self.contestant, "seed": self.seed}


def reply_rows(run: ArenaRun, prompts: list[arena.Prompt]) -> list[dict]:
    """Return a row for each prompt, with the bot's reply."""
    replies = arena.replies_of(checkpoints.load(run.contestant), prompts, run.seed)
    return [run.key | {"prompt": prompt.number, "reply": reply} for prompt, reply in zip(prompts, replies)]


def score_rows(run: ArenaRun, prompts: list[arena.Prompt], replies: list[str], judges: dict) -> list[dict]:
    """Return a row for each prompt: the reply's words and word pieces, and every judge's score."""
    contexts = [prompt.turns for prompt in prompts]
    tokenizer = checkpoints.load(PEOPLES_TOKENIZER).tokenizer
    scores = {
        name: np.round(in_file(name, judge.score(contexts, replies)), 3).tolist() for name, judge in judges.items()
    }
    return [
        run.key
        | {"prompt": prompt.number, "words": len(reply.split()), "tokens": len(tokenizer.encode(reply)) + 1}
        | {name: scores[name][row] for name in judges}
        for row, (prompt, reply) in enumerate(zip(prompts, replies))
    ]


def make_judges(corpus: Corpus) -> dict:
    """Return all judges by name; the reader is trained on validation conversations, and must pass its tests."""
    bots = {name: checkpoints.load(name) for name in BOT_JUDGES}
    judges = {name: LikelihoodJudge(bot) for name, bot in bots.items()} | {
        name: RewardJudge(name) for name in REWARD_JUDGES
    }
    reader = ReaderJudge(list(bots.values()), questions(corpus.val))
    print(f"the reader: {reader.sanity}; people against bots {reader.accuracy:.3f}", flush=True)
    if not reader.sanity.passed:
        raise ValueError(f"the reader says nothing about a reply: {reader.sanity}")
    return {name: (judges | {READER: reader})[name] for name in JUDGES}


def main(folder: Path | None = None, seeds=arena.SEEDS, number: int = arena.PROMPTS) -> None:
    """Execute every run that the tables lack, then write the ratings."""
    from helpers.corpus.load import load

    folder, corpus = folder or data_path(), load()
    prompts = arena.choose_prompts(corpus.test, number)
    rows = [{"prompt": each.number, "conversation": each.conversation, "turns": len(each.turns)} for each in prompts]
    write_rows(folder / "arena_prompts.csv", arena.PROMPT_COLUMNS, rows)

    path = folder / "arena_replies.csv"
    missing = [ArenaRun(name, seed) for seed in seeds for name in checkpoints.names()]
    execute = partial(reply_rows, prompts=prompts)
    run_missing(missing, read_rows(path), execute, partial(write_rows, path, arena.REPLY_COLUMNS))

    others = arena.without_bots(prompts)
    stored = arena.stored_replies(path)
    judges = cache(partial(make_judges, corpus))  # loaded when the first run needs them

    def scored(run: ArenaRun) -> list[dict]:
        known = others.get(run.contestant)
        replies = known or [stored[run.contestant, run.seed, prompt.number] for prompt in prompts]
        return score_rows(run, prompts, replies, judges())

    path = folder / "arena_scores.csv"
    runs = [*(ArenaRun(name, None) for name in others), *missing]
    run_missing(runs, read_rows(path), scored, partial(write_rows, path, SCORE_COLUMNS))
    write_ratings(folder, corpus.test)
