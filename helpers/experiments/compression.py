"""What compressing gpt costs: fewer bits, GPTQ, pruning, low rank, a cache in few bits (notebook 12).

    python -m helpers experiments compression          run what the two tables lack (all: a quarter of an hour)

``how_few_bits.csv`` has every width from 2 to 8 bits with every group, symmetric and not. ``compression.csv`` has the rest:
which part minds the bits, GPTQ beside rounding to the nearest with three calibration texts, pruning beside random pruning and
beside training that prunes nothing, low rank, and the cache. A row says what changed in bits per byte on the same test
conversations (every sixteenth), and the standard error of that change over the conversations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np
import torch

from helpers import data_path
from helpers.bots import checkpoints
from helpers.compression.gptq import LAYER_PARTS, gptq_model
from helpers.compression.kv_cache import cache_bytes, quantized_cache
from helpers.compression.low_rank import low_rank, low_rank_size
from helpers.compression.matrices import PARTS, matrices, with_weights
from helpers.compression.pruning import BLOCKS, KeepPruned, compressed_size, masks_of, pruned, sparsity
from helpers.compression.quantization import quantized
from helpers.corpus.batches.token_stream import WindowBatches, stream
from helpers.corpus.load import load
from helpers.evaluation.likelihood import token_nats
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows

EVERY = 16  # so many test conversations are passed over for one that is read
CALIBRATION = 16  # windows of text for GPTQ
TUNING = {"steps": 40, "learning_rate": 2.5e-3, "optimizer": "muon", "schedule": "trapezoid", "weight_decay": 0.05}
BATCH = 8
GROUPS = ("tensor", "row", 128, 64, 32, 16)
MEASURED = ("bits per byte", "change", "standard error", "bytes")
BITS_COLUMNS = ("bits", "group", "symmetric", *MEASURED)
COLUMNS = ("series", "variant", "bits", "share", "rank", "seed", *MEASURED, "sparsity")


class BitsRun(NamedTuple):
    """A row of ``how_few_bits.csv``: all matrices rounded to the nearest."""

    bits: int
    group: str | int
    symmetric: int  # 1 or 0

    @property
    def key(self) -> dict:
        return self._asdict()


class CompressionRun(NamedTuple):
    """A row of ``compression.csv``: what of the model is made smaller, and how far."""

    series: str
    variant: str
    bits: int | None = None
    share: float | None = None
    rank: int | None = None
    seed: int | None = None

    @property
    def key(self) -> dict:
        return self._asdict()


BITS_RUNS = tuple(
    BitsRun(bits, group, symmetric) for bits in range(8, 1, -1) for group in GROUPS for symmetric in (1, 0)
)


def _runs() -> list[CompressionRun]:
    run = CompressionRun
    runs = [run("parts", part, bits=bits) for part in PARTS for bits in (4, 3, 2)]
    for bits in (4, 3, 2):
        runs += [run("GPTQ", "nearest", bits=bits)] + [run("GPTQ", "GPTQ", bits=bits, seed=seed) for seed in (0, 1, 2)]
    shares = (0.3, 0.5, 0.7, 0.9)
    runs += [run("pruning", "magnitude", share=share) for share in shares]
    runs += [run("pruning", "random", share=share, seed=seed) for share in (0.2, 0.5) for seed in (0, 1, 2)]
    runs += [run("pruning", "2:4", share=0.5)] + [run("pruning", "pair table", share=share) for share in (0.7, 1.0)]
    for seed in (0, 1):
        runs += [run("tuning", "not pruned", share=0.0, seed=seed)]
        runs += [run("tuning", "magnitude", share=share, seed=seed) for share in shares[1:]]
    runs += [run("tuning", "mask not kept", share=0.7, seed=0)]
    ranks = (("attention", 128), ("attention", 64), ("MLP", 192), ("MLP", 128), ("pair table", 64), ("embedding", 192))
    runs += [run("low rank", part, rank=rank) for part, rank in ranks]
    runs += [run("cache", f"per {per}", bits=bits) for per in ("token", "tensor") for bits in (8, 4, 3, 2)]
    return runs


RUNS = tuple(_runs())


class Material(NamedTuple):
    """What all runs share."""

    model: torch.nn.Module
    ids: torch.Tensor  # the training stream
    measure: Callable[[torch.nn.Module], dict]  # the bits per byte of a model, and what changed


def load_material() -> Material:
    """Return gpt, its training text, and a measure on the chosen test conversations."""
    corpus, bot = load(), checkpoints.load("gpt")
    return Material(
        bot.model, stream(corpus.train, bot.tokenizer), measure_on(bot.model, bot.tokenizer, corpus.test[::EVERY])
    )


def measure_on(model, tokenizer, talks) -> Callable[[torch.nn.Module], dict]:
    """Return a function that reads these conversations with a model: its bits per byte beside those of ``model``."""
    sizes = np.array([sum(len(turn.text.encode("utf-8")) for turn in talk.turns) for talk in talks])

    def bits(model) -> np.ndarray:
        return np.array([nats.sum() for nats in token_nats(model, tokenizer, talks)]) / math.log(2)

    before = bits(model)

    def measure(model) -> dict:
        after = bits(model)
        change = (after - before).sum() / sizes.sum()
        rest = after - before - change * sizes  # of each conversation, beside the mean change
        spread = math.sqrt(len(sizes) / max(1, len(sizes) - 1) * (rest**2).sum()) / sizes.sum()
        figures = {"bits per byte": after.sum() / sizes.sum(), "change": change, "standard error": spread}
        return {name: round(float(value), 4) for name, value in figures.items()}

    return measure


def measure_bits(run: BitsRun, material: Material) -> list[dict]:
    """Return the row of one width, group and kind; its bytes are those of the packed matrices."""
    small = quantized(material.model, run.bits, run.group, bool(run.symmetric))
    return [run.key | material.measure(small) | {"bytes": sum(matrix.size for matrix in small.packed.values())}]


def measure_one(run: CompressionRun, material: Material) -> list[dict]:
    """Return the row of one run."""
    model, inside, more = SERIES[run.series](run, material)
    with inside:
        return [run.key | material.measure(model) | more]


def _parts(run, material):
    small = quantized(material.model, run.bits, parts=(run.variant,))
    saved = sum(2 * matrix.codes.numel() - matrix.size for matrix in small.packed.values())
    return small, nullcontext(), {"bytes": 2 * small.parameter_count() - saved}


def _gptq(run, material):
    if run.variant == "nearest":
        small = quantized(material.model, run.bits, "row", False, LAYER_PARTS)
    else:
        text = WindowBatches(material.ids, CALIBRATION, material.model.context, run.seed)[0].inputs
        small = gptq_model(material.model, text, run.bits)
    return small, nullcontext(), {"bytes": sum(matrix.size for matrix in small.packed.values())}


def _pruning(run, material):
    if run.variant == "pair table":
        masks = masks_of(material.model, run.share, ("pair table",))
    else:
        masks = masks_of(material.model, run.share, BLOCKS, run.variant, run.seed or 0)
    small = pruned(material.model, masks)
    return small, nullcontext(), {"bytes": compressed_size(small), "sparsity": round(sparsity(small), 4)}


def _tuning(run, material):
    from helpers.runtime import seed_everything
    from helpers.training import fit

    seed_everything(run.seed)
    masks = masks_of(material.model, run.share)
    small, batches = pruned(material.model, masks), WindowBatches(material.ids, BATCH, material.model.context, run.seed)
    callbacks = [] if run.variant == "mask not kept" else [KeepPruned(masks)]
    check_finished(fit(small, batches, callbacks=callbacks, progress=False, **TUNING))
    return small, nullcontext(), {"bytes": compressed_size(small), "sparsity": round(sparsity(small), 4)}


def _low_rank(run, material):
    chosen = matrices(material.model, run.variant).values()
    saved = sum(weight.numel() - low_rank_size(weight.shape, run.rank) for weight in chosen)
    return low_rank(material.model, run.rank, run.variant), nullcontext(), {
        "bytes": 2 * (material.model.parameter_count() - saved)
    }  # fmt: skip


def _cache(run, material):
    model, per = with_weights(material.model, {}), run.variant.removeprefix("per ")
    return model, quantized_cache(model, run.bits, per), {"bytes": cache_bytes(model, run.bits, per)}  # of each token


SERIES = {
    "parts": _parts,
    "GPTQ": _gptq,
    "pruning": _pruning,
    "tuning": _tuning,
    "low rank": _low_rank,
    "cache": _cache,
}


def main() -> None:
    """Execute every run that one of the tables lacks."""
    material = load_material()
    for name, columns, runs, execute in (
        ("how_few_bits.csv", BITS_COLUMNS, BITS_RUNS, measure_bits),
        ("compression.csv", COLUMNS, RUNS, measure_one),
    ):
        path, order = data_path() / name, [run.key for run in runs]

        def write(rows, path=path, columns=columns, order=order):
            place = {tuple(key.values()): number for number, key in enumerate(order)}
            rows = sorted(rows, key=lambda row: place.get(tuple(row.get(name) for name in order[0]), len(place)))
            write_rows(path, columns, rows)

        run_missing(runs, read_rows(path), lambda run, execute=execute: execute(run, material), write)
