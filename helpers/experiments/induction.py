"""An induction head grows: two layers learn to copy all at once, one layer does not (notebook 10, after Olsson et al. 2022).

    python -m helpers experiments induction       run what data/induction.csv lacks (all: ten minutes on one core)

Small GPTs read random tokens that repeat (``RepeatedSequences``). Every 25 steps they are tested on rows that repeat after 24
and after 16 tokens: the loss where copying could predict the token, and how much the heads attend as the two heads of the
circuit do. Variants: one layer or two; a period that varies from row to row (8 to 32), or is always 24, which is the trap: a
head that attends 23 tokens back copies over that distance, with a perfect induction score, and over no other; and two layers
with normalized queries and keys, which keep a head from attending sharply. At the end of a training each head is replaced by
its mean output, one at a time.
"""

from typing import NamedTuple

import torch

from helpers import data_path
from helpers.corpus.batches.repeated_sequences import RepeatedSequences, repeated_ids
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.interpretability.induction import copying_losses, head_scores
from helpers.io import read_rows, write_rows
from helpers.models.gpt import GPT
from helpers.models.gpt_config import GPTConfig
from helpers.runtime import seed_everything
from helpers.training.loop import fit

VOCAB, LENGTH, STEPS, EVERY = 64, 64, 500, 25
VARIED, FIXED, TEST_PERIODS = (8, 32), (24, 24), (24, 16)
TRAINING = {"optimizer": "muon", "learning_rate": 0.02, "warmup": 0.05, "schedule": "constant"}
VARIANTS = {  # layers, periods in training, changes of the recipe
    "two layers": (2, VARIED, {}),
    "one layer": (1, VARIED, {}),
    "one layer, period 24": (1, FIXED, {}),
    "two layers, period 24": (2, FIXED, {}),
    "two layers, QK-norm": (2, VARIED, {"qk_norm": True}),
}
COLUMNS = (
    "variant", "seed", "step", "nats_new", "nats_24", "nats_16", "previous", "induction", "induction_16",
    "without_previous", "without_induction", "without_others",
)  # fmt: skip


class InductionRun(NamedTuple):
    """One training; its rows have a step each."""

    variant: str
    seed: int

    @property
    def key(self) -> dict:
        return self._asdict()


RUNS = tuple(InductionRun(variant, seed) for variant in VARIANTS for seed in (0, 1, 2))


def new_model(n_layer: int = 2, seed: int = 0, **changes) -> GPT:
    """Return an untrained GPT of 64 features and 2 heads a layer, without a pair table and, unless changed, without QK-norm."""
    seed_everything(seed)
    sizes = {"context": LENGTH, "n_embd": 64, "n_head": 2, "n_layer": n_layer}
    return GPT(GPTConfig.modern(VOCAB, **{**sizes, "qk_norm": False, **changes}))


def measure(model: GPT, rows: int = 64) -> dict:
    """Return the losses and the highest scores of the heads, those of a row of the table."""
    long, short = (repeated_ids(VOCAB, period, rows, LENGTH) for period in TEST_PERIODS)
    (new, at_24), (_, at_16) = (copying_losses(model, ids, period) for ids, period in zip((long, short), TEST_PERIODS))
    # Read twice, no more: of several earlier occurrences a head may choose any.
    previous, induction = head_scores(model, long[:, : 2 * TEST_PERIODS[0]], TEST_PERIODS[0])
    elsewhere = head_scores(model, short[:, : 2 * TEST_PERIODS[1]], TEST_PERIODS[1])[1]
    scores = {"previous": previous.max(), "induction": induction.max(), "induction_16": elsewhere.max()}
    scores = {name: score.item() for name, score in scores.items()}
    return {"nats_new": new, "nats_24": at_24, "nats_16": at_16, **scores}


@torch.no_grad()
def without_heads(model: GPT, rows: int = 64) -> dict:
    """Return the loss at period 24 without the head of the best previous-token score, without that of the best induction score,
    and the highest of those without one of the others: each time the head's output is its mean over all tokens."""
    period = TEST_PERIODS[0]
    ids = repeated_ids(VOCAB, period, rows, LENGTH)
    heads, losses = [(layer, head) for layer in range(len(model.blocks)) for head in range(2)], {}
    for layer, head in heads:
        name = f"blocks.{layer}.attention.hook_z"
        mean = model.run_with_cache(ids[:, :-1], names=[name])[1][name][:, head].mean(dim=(0, 1))

        def replace(z: torch.Tensor, head=head, mean=mean) -> torch.Tensor:
            z = z.clone()
            z[:, head] = mean
            return z

        with model.hooks({name: replace}):
            losses[layer, head] = copying_losses(model, ids, period)[1]
    scores = head_scores(model, ids[:, : 2 * period], period)
    best = [max(heads, key=lambda place: score[place].item()) for score in scores]
    others = [loss for place, loss in losses.items() if place not in best]
    named = {"without_previous": losses[best[0]], "without_induction": losses[best[1]]}
    return {**named, "without_others": max(others, default=None)}


def train_one(run: InductionRun, steps: int = STEPS) -> list[dict]:
    """Train a model and return its rows: before the training, and every 25 steps."""
    n_layer, periods, changes = VARIANTS[run.variant]
    model = new_model(n_layer, run.seed, **changes)
    batches = RepeatedSequences(VOCAB, length=LENGTH, periods=periods, seed=run.seed)
    rows = [{**run.key, "step": 0, **measure(model)}]

    def record(history, model) -> None:
        if history.steps % EVERY == 0:
            rows.append({**run.key, "step": history.steps, **measure(model)})

    check_finished(fit(model, batches, steps=steps, callbacks=[record], progress=False, **TRAINING))
    rows[-1] |= without_heads(model)
    return rows


def main() -> None:
    """Execute every run that the table lacks."""
    path = data_path() / "induction.csv"
    run_missing(RUNS, read_rows(path), train_one, lambda rows: write_rows(path, COLUMNS, rows))
