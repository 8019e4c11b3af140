"""What attention does for replies: a small network without it, with it, and with what is no choice (notebook 03).

    python -m helpers experiments reply_attention       run what data/reply_attention.csv lacks (all: twenty minutes)

Each run trains a recurrent encoder–decoder on 1,500 conversations for the same number of steps and then measures, on
validation conversations: the loss, what the right context is worth, and how far back the gradient reaches.
"""

from typing import NamedTuple

import numpy as np
import torch

from helpers import data_path
from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.corpus.batches.context_reply_pairs import PairBatches, pairs
from helpers.corpus.load import load
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.evaluation.likelihood import reply_bits
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.interpretability.input_gradients import input_gradient_norms
from helpers.io import read_rows, write_rows
from helpers.models.seq2seq import AdditiveAttention, Seq2Seq
from helpers.runtime import seed_everything
from helpers.training.loop import fit
from helpers.training.losses import mean_loss, reply_loss

STEPS, BATCH = 800, 32
CONTEXT, REPLY = 48, 32  # tokens
SIZES = {"hidden_size": 96, "embedding_size": 64, "context_tokens": CONTEXT}
READ = 4  # tokens of a reply that are read when the gradient is measured
COLUMNS = ("attention", "seed", "steps", "nats", "context_bits", "half", "ninety")


class ReplyRun(NamedTuple):
    """One training of the table."""

    attention: str  # "none": one GRU reads, Seq2Seq(attention=False); "learned"; or a control of CONTROLS
    seed: int

    @property
    def key(self) -> dict:
        return self._asdict()


RUNS = tuple(ReplyRun(attention, seed) for attention in ("none", "ends", "uniform", "learned") for seed in (0, 1, 2))


class UniformAttention(AdditiveAttention):
    """The control: every token gets the same weight, whatever the decoder's state."""

    def forward(self, s, keys, memory, mask):
        """As in ``AdditiveAttention``."""
        weights = mask / mask.sum(-1, keepdim=True)
        return torch.bmm(weights[:, None], memory)[:, 0], weights


class EndStates(AdditiveAttention):
    """The control: at every step the same vector, the last state of each of the two GRUs. The rest of the network is kept."""

    def forward(self, s, keys, memory, mask):
        """As in ``AdditiveAttention``; the weights name the two positions the vector comes from."""
        rows, last = torch.arange(len(mask), device=mask.device), mask.sum(-1) - 1
        half, weights = memory.shape[-1] // 2, torch.zeros(mask.shape, dtype=memory.dtype, device=mask.device)
        weights[rows, last] += 0.5
        weights[:, 0] += 0.5
        return torch.cat([memory[rows, last, :half], memory[:, 0, half:]], dim=-1), weights


CONTROLS = {"ends": EndStates, "uniform": UniformAttention}


class Texts(NamedTuple):
    """What all runs read."""

    tokenizer: object
    train: list
    val: list  # pairs, for the loss and the gradient
    replies: list[str]
    before: list[list[str]]  # the three turns before each reply


def load_texts(train: int = 1500, val: int = 80, replies: int = 200) -> Texts:
    """Return the pairs of so many conversations, and one reply of each of so many others with the turns before it."""
    corpus, tokenizer = load("chitchat"), checkpoints.load("seq2seq").tokenizer
    talks = [talk for talk in corpus.val if len(talk.turns) > 8 and talk.turns[8].text][:replies]
    return Texts(
        tokenizer,
        pairs(corpus.train[:train], tokenizer, CONTEXT, REPLY),
        pairs(corpus.val[:val], tokenizer, CONTEXT, REPLY),
        [talk.turns[8].text for talk in talks],
        [[turn.text for turn in talk.turns[5:8]] for talk in talks],
    )


def train_one(texts: Texts, attention: str, seed: int, steps: int = STEPS) -> Seq2Seq:
    """Return a network, trained."""
    seed_everything(seed)
    special = special_token_ids(texts.tokenizer)
    model = Seq2Seq(len(texts.tokenizer), attention=attention != "none", **SIZES, **special)
    if attention in CONTROLS:
        width = SIZES["hidden_size"]
        model.attention = CONTROLS[attention](width, width, width // 2)
    batches = PairBatches(texts.train, BATCH, seed, pad=texts.tokenizer.pad)
    settings = {"steps": steps, "optimizer": "muon", "learning_rate": 0.02, "loss": reply_loss}
    check_finished(fit(model, batches, progress=False, **settings))
    return model


def context_bits(bot: Bot, replies: list[str], before: list[list[str]]) -> np.ndarray:
    """Return how many bits each reply costs more after the turns before another reply than after its own, float64 [N]."""
    return reply_bits(bot, replies, before[1:] + before[:1]) - reply_bits(bot, replies, before)


def gradient_reach(model, read: list) -> tuple[float, float]:
    """Return within how many of the last tokens half and 90 % of the gradient lie, the means over pairs.

    Of each pair with a full context the first tokens of the reply are read; asked is the token that follows.
    """
    reach = []
    for context, reply in read:
        if len(context) == CONTEXT and len(reply) > READ + 1:
            norms = input_gradient_norms(model, [*map(int, context), *map(int, reply[: READ + 2])], CONTEXT + READ)
            back = np.cumsum(norms[::-1]) / norms.sum()
            reach.append([int(np.argmax(back >= part)) + 1 for part in (0.5, 0.9)])
    half, ninety = np.mean(reach, axis=0)
    return float(half), float(ninety)


def measure(model, texts: Texts) -> dict:
    """Return the measurements of a row."""
    val = PairBatches(texts.val, BATCH, pad=texts.tokenizer.pad)
    half, ninety = gradient_reach(model, texts.val[::10])
    return {
        "nats": mean_loss(model, val, loss=reply_loss),
        "context_bits": float(context_bits(Bot(model, texts.tokenizer), texts.replies, texts.before).mean()),
        "half": half,
        "ninety": ninety,
    }


def main() -> None:
    """Execute every run that the file lacks."""
    path, texts = data_path() / "reply_attention.csv", None

    def execute(run: ReplyRun) -> list[dict]:
        nonlocal texts
        texts = texts or load_texts()
        return [{**run.key, "steps": STEPS, **measure(train_one(texts, *run), texts)}]

    run_missing(RUNS, read_rows(path), execute, lambda rows: write_rows(path, COLUMNS, rows))
