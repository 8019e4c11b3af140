"""The runs behind the scaling law of notebook 06: a few tiny GPTs that read characters, each a row in a file.

    python -m helpers experiments scaling_laws            run what data/scaling.csv lacks (all: about ten minutes)

All have two layers and follow today's recipe; what differs is their width, or how much they read. Every character is new:
none of them reads anything twice. Each is trained with three seeds, which choose the initial weights and the batches.
"""

from typing import NamedTuple

import torch

from helpers import data_path
from helpers.corpus.batches.token_stream import WindowBatches, stream
from helpers.corpus.load import load
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.models.gpt import GPT, GPTConfig
from helpers.runtime import seed_everything
from helpers.training.loop import fit
from helpers.training.losses import mean_loss, next_token_loss

LAYERS, CONTEXT, BATCH = 2, 64, 16
TOKENS_A_STEP = CONTEXT * BATCH
COLUMNS = ("series", "width", "parameters", "tokens", "seed", "loss")
SEEDS = range(3)


class ScalingRun(NamedTuple):
    """One training: which series it belongs to, how wide the model is, how many steps it takes, and its seed."""

    series: str
    width: int
    steps: int
    seed: int = 0

    @property
    def key(self) -> dict:
        return {"series": self.series, "width": self.width, "tokens": self.steps * TOKENS_A_STEP, "seed": self.seed}


RUNS = (
    *(ScalingRun("parameters", width, 500, seed) for width in (16, 24, 32, 48, 64, 96) for seed in SEEDS),
    *(ScalingRun("tokens", 48, steps, seed) for steps in (60, 125, 250, 500, 1000) for seed in SEEDS),
)


def load_texts() -> tuple[torch.Tensor, torch.Tensor, int]:
    """Return the training and the validation stream in characters, int16, and how many different tokens there are."""
    corpus = load()
    tokenizer = CharTokenizer.train((turn.text for talk in corpus.train for turn in talk.turns), min_count=20)
    return stream(corpus.train, tokenizer), stream(corpus.val, tokenizer), len(tokenizer)


def layer_parameters(width: int, layers: int = LAYERS) -> int:
    """Return how many numbers the layers hold, 12 · layers · width²: the N of Kaplan et al., without the tables."""
    return 12 * layers * width**2


def train_one(read: torch.Tensor, held_out: torch.Tensor, vocab_size: int, width: int, steps: int, seed: int) -> float:
    """Train a GPT of that width on the stream ``read`` and return its loss on ``held_out``, in nats per character."""
    seed_everything(seed)
    model = GPT(GPTConfig.modern(vocab_size, n_embd=width, n_layer=LAYERS, n_head=width // 8, context=CONTEXT))
    history = fit(
        model,
        WindowBatches(read, BATCH, CONTEXT, seed),
        steps=steps,
        optimizer="muon",
        learning_rate=0.03,
        schedule="trapezoid",
        progress=False,
    )
    check_finished(history)
    return mean_loss(model, WindowBatches(held_out, 64, CONTEXT), max_batches=12, loss=next_token_loss)


def main() -> None:
    """Execute every run that the file lacks."""
    path, texts = data_path() / "scaling.csv", None

    def execute(run: ScalingRun) -> list[dict]:
        nonlocal texts
        texts = texts or load_texts()
        loss = train_one(*texts, run.width, run.steps, run.seed)
        return [{**run.key, "parameters": layer_parameters(run.width), "loss": loss}]

    run_missing(RUNS, read_rows(path), execute, lambda rows: write_rows(path, COLUMNS, rows))
