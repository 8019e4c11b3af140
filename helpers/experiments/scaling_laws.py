"""The trainings behind the scaling law of notebook 06: a few tiny GPTs that read letters, each a row in a file.

    python -m helpers experiments scaling_laws            measure what data/scaling.csv lacks (all: about three minutes)

All have two layers and follow today's recipe; what differs is their width, or how much they read. Every character is new:
none of them reads anything twice.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import torch

from helpers import data_path
from helpers.corpus.batches.token_stream import WindowBatches, stream
from helpers.corpus.load import load
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.io import write_text
from helpers.models.gpt import GPT, GPTConfig
from helpers.runtime import seed_everything
from helpers.training.loop import fit
from helpers.training.losses import mean_loss, next_token_loss

LAYERS, CONTEXT, BATCH = 2, 64, 16
TOKENS_A_STEP = CONTEXT * BATCH
COLUMNS = ("series", "width", "parameters", "tokens", "loss")


class Plan(NamedTuple):
    """One training: which series it belongs to, how wide the model is, how many steps it makes."""

    series: str
    width: int
    steps: int


PLANS = (
    *(Plan("parameters", width, 500) for width in (16, 24, 32, 48, 64, 96)),
    *(Plan("tokens", 48, steps) for steps in (60, 125, 250, 500, 1000)),
)


def texts() -> tuple[torch.Tensor, torch.Tensor, int]:
    """Return the training and the validation stream in letters, int16, and how many different tokens there are."""
    corpus = load()
    tokenizer = CharTokenizer.train((turn.text for talk in corpus.train for turn in talk.turns), min_count=20)
    return stream(corpus.train, tokenizer), stream(corpus.val, tokenizer), len(tokenizer)


def layer_parameters(width: int, layers: int = LAYERS) -> int:
    """Return how many numbers the layers hold, 12 · layers · width²: the N of Kaplan et al., without the tables."""
    return 12 * layers * width**2


def train_one(read: torch.Tensor, held_out: torch.Tensor, vocabulary_size: int, width: int, steps: int) -> float:
    """Train a GPT of that width on the stream ``read`` and return its loss on ``held_out``, in nats per character."""
    seed_everything(0)
    model = GPT(GPTConfig.modern(vocabulary_size, width=width, layers=LAYERS, heads=width // 8, context=CONTEXT))
    fit(
        model,
        WindowBatches(read, BATCH, CONTEXT),
        steps=steps,
        optimizer="muon",
        learning_rate=0.03,
        schedule="trapezoid",
        progress=False,
    )
    return mean_loss(model, WindowBatches(held_out, 64, CONTEXT), most=12, loss=next_token_loss)


def rows(path: Path) -> list[dict]:
    """Return what the file holds; no file is no row."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    """Measure every plan that the file lacks; it is written after each, so an interrupted run goes on where it was."""
    path = data_path() / "scaling.csv"
    done, read = rows(path), None
    for plan in PLANS:
        known = {(row["series"], int(row["width"]), int(row["tokens"])) for row in done}
        if (plan.series, plan.width, plan.steps * TOKENS_A_STEP) in known:
            continue
        read = read or texts()
        loss = train_one(*read, plan.width, plan.steps)
        row = (plan.series, plan.width, layer_parameters(plan.width), plan.steps * TOKENS_A_STEP, f"{loss:.4f}")
        done.append(dict(zip(COLUMNS, map(str, row))))
        print(*row, flush=True)
        lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in done)]
        write_text(path, "\n".join(lines) + "\n")
