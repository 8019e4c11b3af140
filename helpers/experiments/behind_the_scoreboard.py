"""What the scoreboard's main number does not say: the measurements behind notebook 00's question about the Transformer.

    python -m helpers experiments behind_the_scoreboard     run what data/behind_the_scoreboard.csv lacks (a quarter of an hour)

Three series, all on the test conversations. "context": how many bits of a reply the true conversation saves, against another
one. "turn": bits per byte by the distance from the beginning of a turn, with the share of all bytes that are there, and what
the tokens cost that close a turn and have no bytes. "training": the bits per byte of the Transformer after 1,500 steps more.
"""

import bisect
import math
from typing import NamedTuple

import numpy as np

from helpers import data_path
from helpers.bots import checkpoints
from helpers.bots.recipes import RECIPES
from helpers.corpus.batches.context_reply_pairs import PairBatches, pairs
from helpers.corpus.load import load
from helpers.evaluation.likelihood import bits_per_byte_on, reply_bits, token_nats
from helpers.evaluation.scoreboard import BOTS
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.training.loop import fit
from helpers.training.losses import reply_loss

REPLIES, TURNS = 300, 3  # exchanges that are measured at most, and turns before each reply
DISTANCES = (0, 10, 50, 200)  # bytes from the beginning of a turn; the bots of pairs were trained on 64 tokens, about 230 bytes
MORE_STEPS = 1_500
LEARNING_RATE = 0.01  # half of the recipes' own: the weights are no longer random
COLUMNS = ("series", "bot", "seed", "case", "share", "value", "error")


class ScoreboardRun(NamedTuple):
    """One measurement of one bot."""

    series: str  # "context", "turn" or "training"
    bot: str
    seed: int = 0  # of the order in which "training" reads the pairs

    @property
    def key(self) -> dict:
        return self._asdict()


NAMES = [entry.name for entry in BOTS if entry.notebook != "12"]  # those of notebook 12 are gpt itself, made smaller
RUNS = (
    *(ScoreboardRun("context", name) for name in NAMES),
    *(ScoreboardRun("turn", name) for name in NAMES),
    ScoreboardRun("training", "transformer", 1),
)


def context_bits(bot, talks) -> list[dict]:
    """Return how many bits of a reply its true context saves, against that of another conversation, and the standard error."""
    chosen = [talk for talk in talks if len(talk.turns) > TURNS and talk.turns[TURNS].text][:REPLIES]
    replies = [talk.turns[TURNS].text for talk in chosen]
    before = [[turn.text for turn in talk.turns[:TURNS]] for talk in chosen]
    saved = reply_bits(bot, replies, before[1:] + before[:1]) - reply_bits(bot, replies, before)
    return [{"case": f"{len(saved)} replies", **_mean(saved)}]


def turn_bits(bot, talks) -> list[dict]:
    """Return the bits per byte by how many bytes of a turn came before, with the standard error over conversations.

    The last row holds the tokens that close a turn, in bits per byte of all text. Each value times its share (the last one
    whole), added up, is the scoreboard's number.
    """
    nats = token_nats(bot.model, bot.tokenizer, talks)
    sums = np.array([_by_distance(bot.tokenizer, *pair) for pair in zip(talks, nats)])  # [talks, distances + 1, bits and bytes]
    size, bits = sums[:, :-1, 1], sums[:, :, 0]
    names = [f"{low}–{high - 1}" for low, high in zip(DISTANCES, DISTANCES[1:])] + [f"{DISTANCES[-1]} and more"]
    return [
        *(
            {"case": name, "share": round(float(size[:, part].sum() / size.sum()), 4), **_ratio(bits[:, part], size[:, part])}
            for part, name in enumerate(names)
        ),
        {"case": "closing tokens", "share": None, **_ratio(bits[:, -1], size.sum(1))},
    ]


def _by_distance(tokenizer, talk, nats) -> np.ndarray:
    """Return bits and bytes of a conversation by distance from a turn's beginning, its other tokens last, [distances + 1, 2]."""
    sums, distance = np.zeros((len(DISTANCES) + 1, 2)), 0
    special = {tokenizer.end, *(tokenizer.speaker(name) for name in "AB")}
    for token, value in zip(tokenizer.encode_conversation(talk), nats, strict=True):
        if token in special:
            distance = 0
            sums[-1, 0] += value / math.log(2)
            continue
        size = 1 if token == tokenizer.unknown else _bytes(tokenizer, token)
        sums[bisect.bisect_right(DISTANCES, distance) - 1] += value / math.log(2), size
        distance += size
    return sums


def _bytes(tokenizer, token: int) -> int:
    """Return how many bytes of text a token stands for; a part of a character has its own bytes."""
    return len(tokenizer.bytes[token]) if hasattr(tokenizer, "bytes") else len(tokenizer.tokens[token].encode())


def train_more(run: ScoreboardRun, corpus) -> list[dict]:
    """Return the bits per byte of a bot of pairs after some steps more, of the recipe's batches in another order."""
    recipe, bot = RECIPES[run.bot], checkpoints.load(run.bot)
    data = pairs(corpus.train, bot.tokenizer, recipe.context_tokens, recipe.reply_tokens)
    batches = PairBatches(data, recipe.batch_size, run.seed, pad=bot.tokenizer.pad)
    settings = {"optimizer": recipe.optimizer, "learning_rate": LEARNING_RATE, "weight_decay": recipe.weight_decay}
    settings |= {"schedule": "trapezoid", "loss": reply_loss}
    check_finished(fit(bot.model, batches, steps=MORE_STEPS, progress=False, **settings))
    value = bits_per_byte_on(bot.model, bot.tokenizer, corpus.test)
    passes = MORE_STEPS * recipe.batch_size / len(data)
    return [{"case": f"{MORE_STEPS} steps more, {passes:.2f} passes", "value": round(value, 4)}]


def _mean(values: np.ndarray) -> dict:
    return {"value": round(float(values.mean()), 3), "error": round(float(values.std(ddof=1)) / math.sqrt(len(values)), 3)}


def _ratio(bits: np.ndarray, size: np.ndarray) -> dict:
    """Return sum of bits by sum of bytes, both [N], and the ratio's standard error (linearized); None without bytes."""
    if not size.any():
        return {"value": None, "error": None}
    ratio = bits.sum() / size.sum()
    error = (bits - ratio * size).std(ddof=1) / size.mean() / math.sqrt(len(size))
    return {"value": round(float(ratio), 4), "error": round(float(error), 4)}


def main() -> None:
    """Execute every run that the file lacks."""
    path, corpus = data_path() / "behind_the_scoreboard.csv", load("chitchat")

    def execute(run: ScoreboardRun) -> list[dict]:
        if run.series == "training":
            rows = train_more(run, corpus)
        else:
            rows = {"context": context_bits, "turn": turn_bits}[run.series](checkpoints.load(run.bot), corpus.test)
        return [{**run.key, **row} for row in rows]

    run_missing(RUNS, read_rows(path), execute, lambda rows: write_rows(path, COLUMNS, rows))
