"""The runs behind notebook 07: one style of writing, taught in several ways, each a row in a file.

    python -m helpers experiments fine_tuning        run what data/fine_tuning.csv lacks (an hour on two cores)

The pretrained GPT has read the training conversations only. The small set is the validation split, with B's replies
rewritten by ``helpers.corpus.texting_style``; the result is measured on the test split: B's rewritten replies (``new``)
and the conversations as they were (``old``), in bits per byte.
"""

import copy
from pathlib import Path
from typing import NamedTuple

import torch

from helpers import data_path
from helpers.bots import checkpoints
from helpers.corpus.batches.base import Batch
from helpers.corpus.batches.reply_only_labels import ReplyBatches, Row, reply_rows
from helpers.corpus.load import load
from helpers.corpus.texting_style import restyled
from helpers.evaluation.likelihood import reply_bits_per_byte
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.models.gpt import GPT
from helpers.models.lora import add_lora
from helpers.models.utils import set_dropout
from helpers.runtime import seed_everything, start
from helpers.training import fit, next_token_loss

CONTEXT, BATCH, TESTED = 128, 8, 40  # tokens in a row, rows in a batch, test conversations that are measured on
RATES = {"scratch": 1e-3, "full": 3e-4, "lora": 3e-3}  # the best of the series "rate" for each kind of training
COLUMNS = ("series", "method", "talks", "rate", "seed", "steps", "trained", "new", "old")


class FineTuningRun(NamedTuple):
    """One training: how, on how many conversations, at which highest learning rate, for how many steps."""

    series: str
    method: str  # "scratch", "full" or "lora-8"; then, after a plus, what is to prevent overfitting
    talks: int
    rate: float
    seed: int
    steps: int
    measure_every: int = 0  # 0: only at the end

    @property
    def key(self) -> dict:
        return dict(zip(COLUMNS, self[:5]))


def _runs() -> tuple[FineTuningRun, ...]:
    methods = ("scratch", "full", *(f"lora-{rank}" for rank in (1, 2, 4, 8, 16)))
    rates = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
    guards = ("full", "full+dropout", "full+decay", "full+noise", "full+rehearsal", "lora-8")
    return (
        FineTuningRun("untouched", "full", 0, 0.0, 0, 0),
        *(FineTuningRun("rate", method, 156, rate, seed, 150)
          for method in ("scratch", "full", "lora-8") for rate in rates for seed in (0, 1)),
        *(FineTuningRun("method", method, 156, RATES[method.split("-")[0]], seed, 150)
          for method in methods for seed in range(3)),
        *(FineTuningRun("talks", method, talks, RATES[method], seed, 150)
          for method in ("scratch", "full") for talks in (10, 40, 156) for seed in range(3)),
        *(FineTuningRun("guard", method, 12, 1e-3 if method == "lora-8" else RATES["full"], seed, 160, 32)
          for method in guards for seed in range(2)),
    )  # fmt: skip


RUNS = _runs()


class NoisyContext:
    """A loss that replaces each token of the context, with probability ``share``, by a random one (after Xie et al. 2017).

    The labels stay as they are; the context comes garbled, so that it cannot be memorized.
    """

    def __init__(self, vocab_size: int, share: float = 0.15):
        self.vocab_size, self.share = vocab_size, share

    def __call__(self, model, batch: Batch) -> torch.Tensor:
        ids = batch.inputs
        hit = torch.rand(ids.shape, device=ids.device) < self.share
        hit[:, 0] = False  # <end>
        hit[:, 1:] &= batch.targets[:, :-1] < 0  # a label is read one position later
        other = torch.randint(self.vocab_size, ids.shape, device=ids.device)
        return next_token_loss(model, batch._replace(inputs=torch.where(hit, other, ids)))


def training_rows(talks, corpus, tokenizer, guard: str = "") -> list[Row]:
    """Return the rows of B's replies in ``talks``; with "rehearsal" half of the rows are old conversations.

    That is: replies of both speakers in the training conversations, as pretraining read them.
    """
    rows = reply_rows(talks, tokenizer, CONTEXT, speaker="B")
    if guard != "rehearsal":
        return rows
    old = reply_rows(corpus.train[:120], tokenizer, CONTEXT)
    return rows * (len(old) // len(rows)) + old


def initial_model(method: str, base: GPT, seed: int = 0) -> GPT:
    """Return a copy of ``base`` prepared for a method: "scratch" (untrained), "full", or "lora-R" of rank R.

    Raises ValueError, with the known ones, for another method.
    """
    seed_everything(seed)
    kind, _, rank = method.partition("-")
    if kind == "scratch":
        return GPT(base.settings)
    if kind == "full":
        return copy.deepcopy(base)
    if kind == "lora" and rank.isdigit():
        return add_lora(copy.deepcopy(base), int(rank), alpha=2 * int(rank))
    raise ValueError(f"there is no method {method!r}; known are scratch, full, and lora-8 or another rank")


def train_one(run: FineTuningRun, corpus, bot, device) -> list[dict]:
    """Train as the run says and return its rows, one for each time it was measured."""
    method, _, guard = run.method.partition("+")
    model = initial_model(method, bot.model, run.seed).to(device.torch)
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    old, new, rows = corpus.test[:TESTED], [restyled(talk) for talk in corpus.test[:TESTED]], []

    def measure(history, model) -> None:
        steps = history.steps if history else 0
        if steps == run.steps or run.measure_every and steps % run.measure_every == 0:
            bits = (reply_bits_per_byte(model, bot.tokenizer, *which, CONTEXT) for which in ((new, "B"), (old, None)))
            rows.append(run.key | dict(zip(COLUMNS[5:], (steps, trained if steps else 0, *bits))))

    if not run.steps:
        measure(None, model)
        return rows
    set_dropout(model, 0.3 if guard == "dropout" else 0.0)
    texts = training_rows([restyled(talk) for talk in corpus.val[: run.talks]], corpus, bot.tokenizer, guard)
    history = fit(
        model,
        ReplyBatches(texts, BATCH, run.seed, pad=bot.tokenizer.pad),
        steps=run.steps,
        learning_rate=run.rate,
        weight_decay=1.0 if guard == "decay" else 0.0,
        loss=NoisyContext(len(bot.tokenizer)) if guard == "noise" else next_token_loss,
        dtype=device.dtype,
        callbacks=[measure],
        progress=False,
    )
    check_finished(history)
    return rows


def main(path: Path | None = None) -> None:
    """Execute every run that the file lacks."""
    path = path or data_path() / "fine_tuning.csv"
    corpus, bot, device = load(), checkpoints.load("gpt"), start(seed=0)
    run_missing(
        RUNS,
        read_rows(path),
        lambda run: train_one(run, corpus, bot, device),
        lambda rows: write_rows(path, COLUMNS, rows),
    )
