"""The runs behind notebook 07: what has a GPT that read documentation learned for conversations, and when does it help?

    python -m helpers experiments transfer        run what data/transfer.csv lacks (an hour on one core)

A small GPT reads the documentation strings of installed packages (``helpers.corpus.documentation_strings``) and no
conversation: the checkpoint "gpt-docs". Then the same network is trained on few and many conversations from two starts: from
these weights ("documentation") and from random ones ("scratch"). The weights that did best on validation conversations are
measured: bits per byte of the replies in the test conversations.
"""

import copy
import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch.nn import functional

from helpers import data_path
from helpers.bots import checkpoints
from helpers.bots.bot import Bot
from helpers.bots.train import resume_file
from helpers.corpus.batches.reply_only_labels import ReplyBatches, Row, reply_rows
from helpers.corpus.batches.token_stream import WindowBatches
from helpers.corpus.documentation_strings import documentation_text
from helpers.corpus.load import load
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.utils import device_of, evaluating
from helpers.runtime import describe, seed_everything, start
from helpers.training import fit, mean_loss, next_token_loss

NAME = "gpt-docs"  # the checkpoint; its tokenizer is that of "gpt", so that only the weights differ between the starts
STARTS = ("scratch", "documentation")
CONTEXT, BATCH, CHECKS = 128, 8, 8  # tokens in a row, rows in a batch, measurements on validation conversations in a run
CHECKED, TESTED = 16, 80  # validation and test conversations that are measured on
STEPS = {0: 0, 100: 120, 400: 240, 1600: 360, 3588: 480}  # at most, by the number of conversations
SEEDS = 3  # other conversations and another order for each
RATES = dict.fromkeys(STARTS, 0.03)  # the best of the series "rate" on validation conversations, from either start
COLUMNS = ("series", "start", "talks", "rate", "seed", "steps", "best_step", "validation", "test", "closing")


@dataclass(frozen=True)
class DocumentationRecipe:
    """How the GPT that read documentation was trained: windows of one long stream, as in notebook 06."""

    n_embd: int = 128
    n_layer: int = 3
    n_head: int = 4
    context: int = CONTEXT
    bigram_rows: int = 8_191
    batch_size: int = 16
    steps: int = 1_200  # one pass, nearly
    optimizer: str = "muon"
    learning_rate: float = 0.03
    weight_decay: float = 0.05
    seed: int = 0

    def config(self, vocab_size: int) -> GPTConfig:
        """Return what the network is, for a tokenizer of that size."""
        names = ("n_embd", "n_layer", "n_head", "context", "bigram_rows")
        return GPTConfig.modern(vocab_size, **{name: getattr(self, name) for name in names})


RECIPE = DocumentationRecipe()


class TransferRun(NamedTuple):
    """One training: from which start, on how many conversations, at which highest learning rate, for at most how many steps."""

    series: str
    start: str
    talks: int
    rate: float
    seed: int
    steps: int

    @property
    def key(self) -> dict:
        return dict(zip(COLUMNS, self[:5]))


def _runs() -> tuple[TransferRun, ...]:
    sizes = [size for size in STEPS if size]
    return (
        *(TransferRun("before", start, 0, 0.0, 0, 0) for start in STARTS),
        *(TransferRun("rate", start, 400, rate, 7, STEPS[400]) for rate in (0.003, 0.01, 0.03) for start in STARTS),
        *(TransferRun("conversations", start, size, RATES[start], seed, STEPS[size])
          for size in sizes for seed in range(SEEDS) for start in STARTS),
    )  # fmt: skip


RUNS = _runs()


# --- pretraining -------------------------------------------------------------------------------------------------------


def documentation_stream(paragraphs: Sequence[str], tokenizer) -> torch.Tensor:
    """Return the paragraphs in random order (seed 0) as token ids, int16 [N], with ``<end>`` before, between and after."""
    order = random.Random(0).sample(range(len(paragraphs)), len(paragraphs))
    ids = [tokenizer.end]
    for tokens in tokenizer.encode_all([paragraphs[number] for number in order]):
        ids += [*tokens, tokenizer.end]
    return torch.tensor(ids, dtype=torch.int16 if len(tokenizer) <= 1 << 15 else torch.int32)


def pretrain(paragraphs: Sequence[str], tokenizer, device, recipe: DocumentationRecipe, resume: Path | None = None):
    """Train a GPT on paragraphs as the recipe says; return it, and what is known about it: a dict for its card.

    The last fiftieth of the stream is held out; "bits per token of documentation" is measured there.
    """
    seed_everything(recipe.seed)
    model = GPT(recipe.config(len(tokenizer))).to(device.torch)
    ids = documentation_stream(paragraphs, tokenizer)
    cut = len(ids) - max(len(ids) // 50, 10 * recipe.context)
    held_out = WindowBatches(ids[cut:], 8, recipe.context)
    history = fit(
        model, WindowBatches(ids[:cut], recipe.batch_size, recipe.context, recipe.seed), steps=recipe.steps,
        learning_rate=recipe.learning_rate, optimizer=recipe.optimizer, weight_decay=recipe.weight_decay,
        loss=next_token_loss, schedule="trapezoid", validate_every=300, resume=resume, dtype=device.dtype, progress=False,
        validate=lambda model: mean_loss(model, held_out, loss=next_token_loss),
    )  # fmt: skip
    check_finished(history)
    return model, {
        "parameters": model.parameter_count(),
        "tokens of documentation": len(ids),
        "bits per token of documentation": history.best / math.log(2),
        "training seconds": history.seconds,
        "device": describe(device.torch.type),
    }


@cache
def pretrained(start_name: str) -> GPT:
    """Return the weights of a start: the untrained ones of "scratch" with seed 0, or the checkpoint gpt-docs.

    Where the checkpoint is missing it is trained and saved. Raises ValueError for another start.
    """
    tokenizer = checkpoints.load("gpt").tokenizer
    if start_name not in STARTS:
        raise ValueError(f"there is no start {start_name!r}; known are {', '.join(STARTS)}")
    if start_name == "scratch":
        seed_everything(0)
        return GPT(RECIPE.config(len(tokenizer))).eval()
    if not (checkpoints.folder() / NAME / "card.json").exists():
        text, resume = documentation_text(), resume_file(NAME)
        model, facts = pretrain(text.paragraphs, tokenizer, start(seed=0), RECIPE, resume)
        recipe = {"recipe": "DocumentationRecipe", **asdict(RECIPE), "text": text.sha256, "packages": text.versions}
        checkpoints.save(Bot(model, tokenizer, NAME), recipe, facts | {"paragraphs": len(text.paragraphs)})
        resume.unlink(missing_ok=True)
    return checkpoints.load(NAME).model


# --- fine-tuning -------------------------------------------------------------------------------------------------------


def initial_model(start_name: str, seed: int = 0) -> GPT:
    """Return a fresh copy of the network at a start; from scratch, each seed has random weights of its own."""
    model = pretrained(start_name)
    seed_everything(seed)
    return GPT(model.settings) if start_name == "scratch" else copy.deepcopy(model)


@torch.no_grad()
def reply_bits_by_kind(model, tokenizer, rows: Sequence[Row]) -> tuple[float, float]:
    """Return the bits per byte of the labels in ``rows``, and the part of them that the tokens closing each turn cost.

    The first number is that of ``helpers.evaluation.likelihood.reply_bits_per_byte``; the closing tokens are the next
    speaker's, or ``<end>``: no text has them but conversations.
    """
    size = sum(len(tokenizer.decode(row.ids[row.mask]).encode("utf-8")) for row in rows)
    special = torch.tensor([not len(tokenizer.decode([number])) for number in range(len(tokenizer))])
    batches, total, closing = ReplyBatches(rows, 32, pad=tokenizer.pad), 0.0, 0.0
    with evaluating(model):
        for number in range(len(batches)):
            inputs, targets = (part.to(device_of(model)) for part in batches[number][:2])
            nats = functional.cross_entropy(model(inputs)[0].float().flatten(0, 1), targets.flatten(), reduction="none")
            total += nats.sum().item()
            closing += nats[special[targets.flatten().clamp(min=0).cpu()]].sum().item()
    return total / math.log(2) / size, closing / math.log(2) / size


def fine_tune(model: GPT, tokenizer, talks, validation, *, steps: int, rate: float, seed: int = 0, checks: int = CHECKS, **how):
    """Train ``model`` in place on all replies in ``talks``; return the History. The weights that did best on ``validation`` stay.

    ``validation`` are rows (``reply_rows``), measured ``checks`` times in nats per token. ``how`` goes to ``fit``.
    """
    seed_everything(seed)
    rows = reply_rows(talks, tokenizer, CONTEXT)
    held_out = ReplyBatches(validation, 32, pad=tokenizer.pad)
    settings = {"schedule": "trapezoid", "optimizer": "muon", "progress": False, "loss": next_token_loss} | how
    return fit(
        model, ReplyBatches(rows, BATCH, seed, pad=tokenizer.pad), steps=steps, learning_rate=rate,
        validate=lambda model: mean_loss(model, held_out, loss=next_token_loss), validate_every=-(-steps // checks), **settings,
    )  # fmt: skip


def some_conversations(talks: Sequence, number: int, seed: int = 0) -> list:
    """Return ``number`` of the conversations at random, another sample for each seed; all of them when there are no more."""
    return random.Random(seed).sample(list(talks), min(number, len(talks)))


def train_one(run: TransferRun, corpus, tokenizer, device) -> list[dict]:
    """Train as the run says and return its row: measured with the weights that did best on validation conversations."""
    model = initial_model(run.start, run.seed).to(device.torch)
    validation, test = (reply_rows(part, tokenizer, CONTEXT) for part in (corpus.val[:CHECKED], corpus.test[:TESTED]))
    best_step = 0
    if run.steps:
        talks = some_conversations(corpus.train, run.talks, run.seed)
        history = fine_tune(
            model, tokenizer, talks, validation, steps=run.steps, rate=run.rate, seed=run.seed, dtype=device.dtype
        )
        check_finished(history)
        best_step = history.best_step
    checked, _ = reply_bits_by_kind(model, tokenizer, validation)
    return [run.key | dict(zip(COLUMNS[5:], (run.steps, best_step, checked, *reply_bits_by_kind(model, tokenizer, test))))]


def main(path: Path | None = None) -> None:
    """Pretrain what is missing, and execute every run that the file lacks."""
    path = path or data_path() / "transfer.csv"
    corpus, tokenizer, device = load(), checkpoints.load("gpt").tokenizer, start(seed=0)
    run_missing(
        RUNS,
        read_rows(path),
        lambda run: train_one(run, corpus, tokenizer, device),
        lambda rows: write_rows(path, COLUMNS, rows),
    )
