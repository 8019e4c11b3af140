"""The runs behind the comparison of notebook 02: RNN, GRU and LSTM, trained for equally long, three seeds each.

    python -m helpers experiments recurrent_kinds         run what data/recurrent_kinds.csv lacks (all: about ten minutes)

Equal time is a number of steps: how long one takes was measured once, on two idle cores, so that a run on a busy computer is
the same run. The learning rate of each kind is the best of 1, 2, 4, 8, 16 thousandths after 800 steps with seed 0.
"""

from typing import NamedTuple

import torch

from helpers import data_path
from helpers.corpus.batches.token_stream import StreamBatches, stream
from helpers.corpus.load import load
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.evaluation.likelihood import bits_per_byte_on
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.models.rnn import CharRNN
from helpers.runtime import seed_everything
from helpers.training import CarriedState, fit

SECONDS = (5, 10, 15, 20, 25, 30)  # of training, when the bits are measured
SEEDS = (0, 1, 2)
BATCH, CONTEXT, FORGET = 32, 64, 0.1
MEASURED_ON = 24  # validation conversations
COLUMNS = ("model", "seed", "seconds", "steps", "parameters", "bits per byte")


class Kind(NamedTuple):
    """One kind of network: its width, its learning rate, and how long one training step takes."""

    kind: str
    hidden_size: int
    learning_rate: float
    seconds_per_step: float

    def steps(self, seconds: float) -> int:
        return round(seconds / self.seconds_per_step)


KINDS = {
    "RNN": Kind("rnn", 128, 4e-3, 0.0084),
    "wide RNN": Kind("rnn", 288, 4e-3, 0.0186),  # about as many parameters as the LSTM
    "GRU": Kind("gru", 128, 4e-3, 0.0202),
    "LSTM": Kind("lstm", 128, 8e-3, 0.0104),
}


class RecurrentRun(NamedTuple):
    """One training: which kind, from which seed."""

    name: str
    seed: int

    @property
    def key(self) -> dict:
        return {"model": self.name, "seed": self.seed}


RUNS = tuple(RecurrentRun(name, seed) for seed in SEEDS for name in KINDS)


def load_texts() -> tuple[torch.Tensor, list, CharTokenizer]:
    """Return the training stream in characters, the conversations to measure on, and the tokenizer."""
    corpus = load()
    tokenizer = CharTokenizer.train((turn.text for talk in corpus.train for turn in talk.turns), min_count=20)
    return stream(corpus.train, tokenizer), corpus.val[:MEASURED_ON], tokenizer


def train_one(ids: torch.Tensor, held_out: list, tokenizer, name: str, seed: int) -> list[dict]:
    """Train one network and return a row for each of SECONDS."""
    chosen, rows = KINDS[name], []
    due = {chosen.steps(seconds): seconds for seconds in SECONDS}
    seed_everything(seed)
    model = CharRNN(len(tokenizer), chosen.kind, chosen.hidden_size)

    def measure(history, model) -> None:
        if history.steps in due:
            bits = round(bits_per_byte_on(model, tokenizer, held_out), 4)
            values = (name, seed, due[history.steps], history.steps, model.parameter_count(), bits)
            rows.append(dict(zip(COLUMNS, values)))

    history = fit(
        model,
        StreamBatches(ids, BATCH, CONTEXT, seed=seed),
        steps=max(due),
        learning_rate=chosen.learning_rate,
        schedule="constant",  # each measurement is then the end of a shorter training
        warmup=0.0,
        loss=CarriedState(FORGET),
        callbacks=[measure],
        progress=False,
    )
    check_finished(history)
    return rows


def main() -> None:
    """Execute every run that the file lacks."""
    path, texts = data_path() / "recurrent_kinds.csv", None

    def execute(run: RecurrentRun) -> list[dict]:
        nonlocal texts
        texts = texts or load_texts()
        return train_one(*texts, run.name, run.seed)

    run_missing(RUNS, read_rows(path), execute, lambda rows: write_rows(path, COLUMNS, rows))
