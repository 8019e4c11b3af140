"""The runs behind section 5 of notebook 05: which vocabulary is best for how much text, and what a large one costs a network.

    python -m helpers experiments vocabulary            run what data/vocabulary.csv and data/vocabulary_lstm.csv lack

The first table: merges learned and 3-grams counted on random samples of the training conversations. The second: LSTMs of
width 128 that read 600 conversations with one of three vocabularies, for three equal numbers of multiplications. All are
measured on the first validation conversations.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from helpers import data_path
from helpers.corpus.load import load
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows

SIZES = (512, 1024, 2048, 4096, 8192)
AMOUNTS, SEEDS, ORDER, HELD_OUT = (20, 100, 300, 1000), 5, 3, 40
WIDTH, INSIDE, TRAINED_ON, ROWS, CONTEXT = 128, 99_000, 600, 32, 32  # INSIDE: what an LSTM of that width holds, in round numbers
LARGEST, BUDGETS = 8192, (40, 80, 160)


class SampleRun(NamedTuple):
    """Every vocabulary on one random sample of so many conversations."""

    conversations: int
    seed: int

    @property
    def key(self) -> dict:
        return {"conversations": self.conversations, "seed": self.seed}


class LSTMRun(NamedTuple):
    """One LSTM with one vocabulary; ``budget`` says how many steps the largest vocabulary may take at the same cost."""

    budget: int
    vocabulary: int
    seed: int

    @property
    def key(self) -> dict:
        return {"budget": self.budget, "vocabulary": self.vocabulary, "seed": self.seed}


SAMPLES = tuple(SampleRun(amount, seed) for amount in AMOUNTS for seed in range(SEEDS))
LSTMS = tuple(LSTMRun(budget, size, seed) for budget in BUDGETS for size in (261, 1024, LARGEST) for seed in range(3))


def steps_for(vocabulary: int, budget: int) -> int:
    """Return the steps that cost as many multiplications as ``budget`` steps with the largest vocabulary."""
    return round(budget * (INSIDE + LARGEST * WIDTH) / (INSIDE + vocabulary * WIDTH))


def count_sample(corpus, run: SampleRun) -> list[dict]:
    """Return a row for each vocabulary that the sample has enough pairs for."""
    from helpers.corpus.batches.token_stream import stream
    from helpers.evaluation.likelihood import bits_per_byte_on
    from helpers.models.ngram import NGram

    chosen = np.random.default_rng(run.seed).permutation(len(corpus.train))[: run.conversations]
    talks, rows = [corpus.train[number] for number in chosen], []
    merges = BPETokenizer.train((turn.text for talk in talks for turn in talk.turns), SIZES[-1]).merges
    for size in SIZES:
        if size - 261 <= len(merges):
            tokenizer = BPETokenizer(merges[: size - 261])
            model = NGram.count(stream(talks, tokenizer), ORDER, len(tokenizer))
            bits = bits_per_byte_on(model, tokenizer, corpus.val[:HELD_OUT])
            rows.append({**run.key, "vocabulary": size, "bits per byte": round(bits, 4)})
    return rows


def train_lstm(corpus, run: LSTMRun) -> list[dict]:
    """Train one LSTM and return its row: steps, bytes of text read, bits per byte on ten unseen conversations."""
    from helpers.corpus.batches.token_stream import StreamBatches, stream
    from helpers.evaluation.likelihood import bits_per_byte_on
    from helpers.models.rnn import CharRNN
    from helpers.runtime import seed_everything
    from helpers.training import CarriedState, fit

    merges = BPETokenizer.train((turn.text for talk in corpus.train for turn in talk.turns), LARGEST).merges
    tokenizer = BPETokenizer(merges[: run.vocabulary - 261])
    seed_everything(run.seed)
    network = CharRNN(run.vocabulary, kind="lstm", hidden_size=WIDTH)
    ids, steps = stream(corpus.train[:TRAINED_ON], tokenizer), steps_for(run.vocabulary, run.budget)
    batches = StreamBatches(ids, batch_size=ROWS, context=CONTEXT, seed=run.seed)
    check_finished(fit(network, batches, steps=steps, learning_rate=5e-3, loss=CarriedState(forget=0.1), progress=False))
    size = sum(len(turn.text.encode()) for talk in corpus.train[:TRAINED_ON] for turn in talk.turns)
    read = round(size / len(ids) * steps * ROWS * CONTEXT)
    bits = bits_per_byte_on(network, tokenizer, corpus.val[:10])
    return [{**run.key, "steps": steps, "bytes": read, "bits per byte": round(bits, 4)}]


def main() -> None:
    """Execute every run that the two files lack."""
    corpus = None

    def execute(function):
        def run(wanted):
            nonlocal corpus
            corpus = corpus or load()
            return function(corpus, wanted)

        return run

    for name, runs, function, columns in (
        ("vocabulary.csv", SAMPLES, count_sample, ("conversations", "seed", "vocabulary", "bits per byte")),
        ("vocabulary_lstm.csv", LSTMS, train_lstm, ("budget", "vocabulary", "seed", "steps", "bytes", "bits per byte")),
    ):
        path = data_path() / name
        write = partial(write_rows, path, columns)
        run_missing(runs, read_rows(path), execute(function), write)
