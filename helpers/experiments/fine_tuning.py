"""The trainings behind notebook 07: one manner of writing, taught in several ways, each a row in a file.

    python -m helpers experiments fine_tuning        measure what data/fine_tuning.csv lacks (an hour on two cores)

The pretrained GPT has read the training conversations only. The small set is the validation split, with B's replies
rewritten by ``helpers.corpus.texting_style``; what a training is worth is asked of the test split:
B's rewritten replies (``new``)
and the conversations as they were (``old``), in bits per byte.
"""

import copy
import csv
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
from helpers.io import write_text
from helpers.models.gpt import GPT
from helpers.models.lora import add_lora
from helpers.models.utils import set_dropout
from helpers.runtime import seed_everything, start
from helpers.training import fit, next_token_loss

CONTEXT, BATCH, ASKED = 128, 8, 40  # tokens in a row, rows in a batch, test conversations that are asked
RATES = {"scratch": 1e-3, "full": 3e-4, "lora": 3e-3}  # the best of the series "rate" for each kind of training
COLUMNS = ("series", "method", "talks", "rate", "seed", "steps", "trained", "new", "old")


class Plan(NamedTuple):
    """One training: how, on how many conversations, at which highest learning rate, for how many steps."""

    series: str
    method: str  # "scratch", "full" or "lora-8"; then, after a plus, what shall keep it from learning by heart
    talks: int
    rate: float
    seed: int
    steps: int
    asked_every: int = 0  # 0: only at the end


def _plans() -> tuple[Plan, ...]:
    methods = ("scratch", "full", *(f"lora-{rank}" for rank in (1, 2, 4, 8, 16)))
    rates = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
    guards = ("full", "full+dropout", "full+decay", "full+noise", "full+rehearsal", "lora-8")
    return (
        Plan("untouched", "full", 0, 0.0, 0, 0),
        *(Plan("rate", method, 156, rate, seed, 150)
          for method in ("scratch", "full", "lora-8") for rate in rates for seed in (0, 1)),
        *(Plan("method", method, 156, RATES[method.split("-")[0]], seed, 150) for method in methods for seed in range(3)),
        *(Plan("talks", method, talks, RATES[method], seed, 150)
          for method in ("scratch", "full") for talks in (10, 40, 156) for seed in range(3)),
        *(Plan("guard", method, 12, 1e-3 if method == "lora-8" else RATES["full"], seed, 160, 32)
          for method in guards for seed in range(2)),
    )  # fmt: skip


PLANS = _plans()


class NoisyContext:
    """A loss that reads each token nobody is marked on, with probability ``share``, as another one (after Xie et al. 2017).

    What is to be said stays as it is; what was said to the bot comes garbled, so that it cannot be learned by heart.
    """

    def __init__(self, vocabulary_size: int, share: float = 0.15):
        self.vocabulary_size, self.share = vocabulary_size, share

    def __call__(self, model, batch: Batch) -> torch.Tensor:
        ids = batch.inputs
        hit = torch.rand(ids.shape, device=ids.device) < self.share
        hit[:, 0] = False  # <end>
        hit[:, 1:] &= batch.targets[:, :-1] < 0  # a label is read one place later
        other = torch.randint(self.vocabulary_size, ids.shape, device=ids.device)
        return next_token_loss(model, batch._replace(inputs=torch.where(hit, other, ids)))


def rows_to_read(talks, corpus, tokenizer, guard: str = "") -> list[Row]:
    """Return the rows of B's replies in ``talks``; with "rehearsal" half of the rows are old talk.

    That is: replies of both speakers in the training conversations, as pretraining read them.
    """
    rows = reply_rows(talks, tokenizer, CONTEXT, speaker="B")
    if guard != "rehearsal":
        return rows
    old = reply_rows(corpus.train[:120], tokenizer, CONTEXT)
    return rows * (len(old) // len(rows)) + old


def beginner(method: str, base: GPT, seed: int = 0) -> GPT:
    """Return a copy of ``base`` made ready for a method: "scratch" (untrained), "full", or "lora-R" of rank R.

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


def train_one(plan: Plan, corpus, bot, device) -> list[tuple]:
    """Train as planned and return rows of (steps, numbers trained, new, old), one for each time it was asked."""
    method, _, guard = plan.method.partition("+")
    model = beginner(method, bot.model, plan.seed).to(device.torch)
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    old, new, found = corpus.test[:ASKED], [restyled(talk) for talk in corpus.test[:ASKED]], []

    def ask(history, model) -> None:
        steps = history.steps if history else 0
        if steps == plan.steps or plan.asked_every and steps % plan.asked_every == 0:
            bits = (reply_bits_per_byte(model, bot.tokenizer, *which, CONTEXT) for which in ((new, "B"), (old, None)))
            found.append((steps, trained if steps else 0, *bits))

    if not plan.steps:
        ask(None, model)
        return found
    set_dropout(model, 0.3 if guard == "dropout" else 0.0)
    rows = rows_to_read([restyled(talk) for talk in corpus.val[: plan.talks]], corpus, bot.tokenizer, guard)
    fit(
        model,
        ReplyBatches(rows, BATCH, plan.seed, pad=bot.tokenizer.pad),
        steps=plan.steps,
        learning_rate=plan.rate,
        weight_decay=1.0 if guard == "decay" else 0.0,
        loss=NoisyContext(len(bot.tokenizer)) if guard == "noise" else next_token_loss,
        dtype=device.dtype,
        callbacks=[ask],
        progress=False,
    )
    return found


def rows(path: Path | None = None) -> list[dict[str, str]]:
    """Return what the file holds, a dict of strings per row; no file is no row."""
    path = path or data_path() / "fine_tuning.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main(path: Path | None = None) -> None:
    """Run every plan that the file lacks; it is written after each, so an interrupted run goes on where it was."""
    path = path or data_path() / "fine_tuning.csv"
    done, corpus, bot, device = rows(path), load(), checkpoints.load("gpt"), start(seed=0)
    known = {tuple(row[name] for name in COLUMNS[:5]) for row in done}
    for plan in PLANS:
        key = (plan.series, plan.method, str(plan.talks), f"{plan.rate:g}", str(plan.seed))
        if key in known:
            continue
        for steps, trained, new, old in train_one(plan, corpus, bot, device):
            done.append(dict(zip(COLUMNS, (*key, str(steps), str(trained), f"{new:.4f}", f"{old:.4f}"))))
        print(",".join(done[-1].values()), flush=True)
        lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in done)]
        write_text(path, "\n".join(lines) + "\n")
