"""The runs behind notebook 07: one style of writing, taught in several ways, each measurement a row in a file.

    python -m helpers experiments fine_tuning        run what data/fine_tuning.csv lacks (50 minutes on one core)

The pretrained GPT has read the training conversations only. The small set is the first 156 conversations of the validation
split, with B's replies rewritten by ``helpers.corpus.texting_style``. Choices (a learning rate, a step to stop at) are made
by ``val``: B's rewritten replies in validation conversations that no run trains on. Results are of the test split: B's
rewritten replies (``new``), and the conversations as they were (``old``; A's and B's turns alone: ``old_a``, ``old_b``). All
are bits per byte. ``helpers.experiments.fine_tuning_tables`` compares them.

Series "frontier": full fine-tuning and LoRA of several ranks, measured along 64 steps, and at the end at other rates. "long":
the ends of 150 steps, more ranks and rates. "optimizer": three optimizers, each at six rates. "guard": twelve conversations,
other ones for each seed. "twelve": for longer, on the same twelve with two seeds. "talks": 10, 40 and 156 conversations. Three
seeds, but one or two at the rates that are not the best. The rows of "long", "twelve" and "talks" are older: ``val`` and the
speakers were not measured. A new run would measure them, too.
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
from helpers.experiments.fine_tuning_tables import bits_by_speaker
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.models.gpt import GPT
from helpers.models.lora import add_lora
from helpers.models.utils import set_dropout
from helpers.runtime import seed_everything, start
from helpers.training import fit, next_token_loss

CONTEXT, BATCH = 128, 8  # tokens in a row, rows in a batch
SMALL_SET, VALIDATED = 156, 6  # validation conversations to train on, and how many of the others choose
RATES = {"scratch": 1e-3, "full": 3e-4, "lora": 3e-3}  # of the series "long" and "talks", and measured along the way
OPTIMIZER_RATES = {
    "sgd": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
    "adamw": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03),
    "muon": (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1),
}
# These with three seeds, the other rates with one.
REPEATED = {"sgd": (0.03, 0.1), "adamw": (0.0003, 0.001), "muon": (0.01,)}
# In the series "frontier", the rates beside RATES; of these runs only the end is measured.
END_RATES = {"full": (1e-4, 1e-3), "lora-8": (1e-3, 1e-2)}
LONG_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
GUARDS = (
    "full",
    "full+dropout",
    "full+rehearsal",
    "lora-8",
    "full+noise",
    "full+decay",
)  # at the rates with the lowest ``val``
KEYS = ("series", "method", "optimizer", "talks", "rate", "seed", "tested")
COLUMNS = (*KEYS, "steps", "trained", "val", "new", "old", "old_a", "old_b")


class FineTuningRun(NamedTuple):
    """One training: how, on how many conversations, at which highest learning rate, tested on how many conversations."""

    series: str
    method: str  # "scratch", "full" or "lora-8"; then, after a plus, what is to prevent overfitting
    optimizer: str
    talks: int
    rate: float
    seed: int
    tested: int
    measured: tuple[int, ...]  # the steps after which it is measured; the last one ends the training

    @property
    def key(self) -> dict:
        return dict(zip(KEYS, self))


def _runs() -> tuple[FineTuningRun, ...]:
    seeds = range(3)
    return (
        *(FineTuningRun("untouched", "full", "adamw", 0, 0.0, 0, tested, (0,)) for tested in (8, 12, 40)),
        *(FineTuningRun("frontier", method, "adamw", SMALL_SET, RATES[method[:4]], seed, 12, (4, 8, 16, 32, 64))
          for method in ("full", "lora-1", "lora-8", "lora-16") for seed in seeds),
        *(FineTuningRun("frontier", method, "adamw", SMALL_SET, rate, seed, 12, (64,))
          for method, rates in END_RATES.items() for rate in rates for seed in (seeds if method == "full" else (0,))),
        *(FineTuningRun("optimizer", "full", optimizer, SMALL_SET, rate, seed, 12, (40,))
          for optimizer, rates in OPTIMIZER_RATES.items() for rate in rates for seed in seeds
          if seed == 0 or rate in REPEATED[optimizer]),
        *(FineTuningRun("guard", method, "adamw", 12, 3e-3 if method == "lora-8" else 1e-3, seed, 8, (12, 24, 48))
          for seed in seeds for method in GUARDS),
        *(FineTuningRun("twelve", method, "adamw", 12, 1e-3 if method == "lora-8" else 3e-4, seed, 40, (32, 64, 96, 128, 160))
          for method in GUARDS for seed in (0, 1)),
        *(FineTuningRun("long", method, "adamw", SMALL_SET, RATES[method[:4]], seed, 40, (150,))
          for method in ("full", *(f"lora-{rank}" for rank in (1, 2, 4, 8, 16))) for seed in seeds),
        *(FineTuningRun("long", method, "adamw", SMALL_SET, rate, seed, 40, (150,))
          for method in ("full", "lora-8") for rate in LONG_RATES if rate != RATES[method[:4]] for seed in (0, 1)),
        *(FineTuningRun("talks", method, "adamw", talks, RATES[method], seed, 40, (150,))
          for method in ("scratch", "full") for talks in (10, 40, 156) for seed in seeds),
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


def small_set(run: FineTuningRun, corpus) -> list:
    """Return the conversations that a run trains on, B's replies rewritten; in the series "guard" each seed has its own."""
    first = run.talks * run.seed if run.series == "guard" else 0
    return [restyled(talk) for talk in corpus.val[first : first + run.talks]]


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


def measure(model, tested: int, corpus, tokenizer) -> dict[str, float]:
    """Return the bits per byte of a model: ``val``, ``new``, ``old``, ``old_a`` and ``old_b``, as the file has them."""
    held_out = corpus.val[SMALL_SET:][:VALIDATED] or corpus.val  # a tiny corpus has no others
    test = corpus.test[:tested]
    texts = ([restyled(talk) for talk in talks] for talks in (held_out, test))
    val, new = (reply_bits_per_byte(model, tokenizer, talks, "B", CONTEXT) for talks in texts)
    old = bits_by_speaker(model, tokenizer, test, CONTEXT)
    return {"val": val, "new": new, "old": old["AB"], "old_a": old["A"], "old_b": old["B"]}


def train_one(run: FineTuningRun, corpus, bot, device) -> list[dict]:
    """Train as the run says and return its rows, one for each time it was measured."""
    method, _, guard = run.method.partition("+")
    model = initial_model(method, bot.model, run.seed).to(device.torch)
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    rows = []

    def add_row(history, model) -> None:
        steps = history.steps if history else 0
        if steps in run.measured:
            counts = {"steps": steps, "trained": trained if steps else 0}
            rows.append(run.key | counts | measure(model, run.tested, corpus, bot.tokenizer))

    if run.measured == (0,):
        add_row(None, model)
        return rows
    set_dropout(model, 0.3 if guard == "dropout" else 0.0)
    texts = training_rows(small_set(run, corpus), corpus, bot.tokenizer, guard)
    history = fit(
        model,
        ReplyBatches(texts, BATCH, run.seed, pad=bot.tokenizer.pad),
        steps=run.measured[-1],
        learning_rate=run.rate,
        optimizer=run.optimizer,
        weight_decay=1.0 if guard == "decay" else 0.0,
        loss=NoisyContext(len(bot.tokenizer)) if guard == "noise" else next_token_loss,
        dtype=device.dtype,
        callbacks=[add_row],
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
