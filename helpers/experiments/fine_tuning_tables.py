"""What the rows of data/fine_tuning.csv say: bits by speaker, rates chosen on validation, forgetting at equal learning.

rows = pandas.read_csv(data_path("fine_tuning.csv"))
best_by_validation(rows[rows["series"] == "optimizer"], ["optimizer", "rate"])
old_at(frontier_points(rows, "full", 3e-4, seed=0), 1.6)
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas
import torch
from torch.nn import functional

from helpers.corpus.batches.reply_only_labels import ReplyBatches, Row, reply_rows
from helpers.corpus.conversations import Conversation
from helpers.models.utils import device_of, evaluating


@torch.no_grad()
def bits_by_speaker(model, tokenizer, conversations: Iterable[Conversation], context: int = 128) -> dict[str, float]:
    """Return the bits per UTF-8 byte of A's turns, of B's, and of all ("A", "B", "AB"); every row is read once.

    The same as ``helpers.evaluation.likelihood.reply_bits_per_byte`` with speaker "A", "B" and None. Raises ValueError when
    one of the two says nothing.
    """
    rows = reply_rows(conversations, tokenizer, context)
    sides = [[_only(row, tokenizer, speaker) for row in rows] for speaker in "AB"]
    sizes = [sum(len(tokenizer.decode(row.ids[row.mask]).encode("utf-8")) for row in side) for side in sides]
    if not all(sizes):
        raise ValueError("A and B must both say something: give conversations of two")
    batches = [ReplyBatches(side, 32, pad=tokenizer.pad) for side in sides]  # the same rows in the same order
    nats, device = [0.0, 0.0], device_of(model)
    with evaluating(model):
        for number in range(len(batches[0])):
            logits = model(batches[0][number].inputs.to(device))[0].float().flatten(0, 1)
            for side in (0, 1):
                targets = batches[side][number].targets.to(device).flatten()
                nats[side] += functional.cross_entropy(logits, targets, reduction="sum").item()
    bits = [value / math.log(2) for value in nats]
    return {"A": bits[0] / sizes[0], "B": bits[1] / sizes[1], "AB": sum(bits) / sum(sizes)}


def _only(row: Row, tokenizer, speaker: str) -> Row:
    """Return the row with the labels of one speaker's turns, each with the token that closes it."""
    opens = np.isin(row.ids, [tokenizer.speaker(name) for name in "AB"])
    last = np.maximum.accumulate(np.where(opens, np.arange(len(opens)), 0))  # the token that opened the turn up to here
    before = np.concatenate(([0], last[:-1]))  # a label belongs to the turn that was open before it came
    return Row(row.ids, row.mask & (row.ids[before] == tokenizer.speaker(speaker)))


# --- reading the rows ----------------------------------------------------------------------------------------------------


def best_by_validation(rows: pandas.DataFrame, by: Sequence[str] = ("method", "rate")) -> pandas.DataFrame:
    """Return, for each value of ``by[0]``, the mean of its best choice: the ``by[1:]`` whose mean ``val`` is lowest."""
    by = list(by)
    means = rows.groupby(by, sort=False)[["val", "new", "old", "old_a", "old_b"]].mean().reset_index()
    return means.loc[means.groupby(by[0], sort=False)["val"].idxmin()].set_index(by[0])


def frontier_points(
    rows: pandas.DataFrame, method: str, seed: int, rate: float | None = None, series: str = "frontier"
) -> pandas.DataFrame:
    """Return points of one method and seed, the untouched GPT first: those along the run at ``rate``, in order.

    Without ``rate``: the ends of the runs at all rates, the lowest rate first.
    """
    runs = rows[(rows["series"] == series) & (rows["method"] == method) & (rows["seed"] == seed)]
    if rate is None:
        runs = runs[runs["steps"] == runs["steps"].max()].sort_values("rate")
    else:
        runs = runs[np.isclose(runs["rate"], rate)].sort_values("steps")
    return pandas.concat([rows[(rows["series"] == "untouched") & rows["tested"].isin(runs["tested"])], runs])


def old_at(points: pandas.DataFrame, new: float, column: str = "old") -> float:
    """Return the bits of the old text where the new style came to cost ``new`` bits for the first time.

    Between two points, a straight line; NaN when no point lies so low, or already the first. ``points`` are in the order in
    which they were come by.
    """
    levels, olds = points["new"].to_numpy(), points[column].to_numpy()
    below = np.flatnonzero(levels <= new)
    if not len(below) or not below[0]:
        return float("nan")
    after = below[0]
    part = (levels[after - 1] - new) / (levels[after - 1] - levels[after])
    return float(olds[after - 1] + part * (olds[after] - olds[after - 1]))


def forgetting_gaps(
    rows: pandas.DataFrame, method: str, series: str = "frontier", column: str = "old"
) -> pandas.DataFrame:
    """Return how many bits more than full fine-tuning ``method`` has lost where both have learned equally much.

    A row for the end of each run: rate, seed, new, old, ``full`` and ``gap``. "full" is what full fine-tuning has of the old
    text, with the same seed, at the rate that would give the same ``new``: on the line between the ends of its runs. NaN
    where no two of them lie around it. Seeds for which full fine-tuning was run at fewer rates than for others are left out.
    """
    of_series, gaps = rows[rows["series"] == series], []
    rates = of_series[of_series["method"] == "full"].groupby("seed")["rate"].nunique()
    for seed in rates[rates == rates.max()].index:
        full = frontier_points(rows, "full", seed, series=series).iloc[1:]  # from the untouched GPT the way is no line
        for end in frontier_points(rows, method, seed, series=series).iloc[1:].to_dict("records"):
            expected = old_at(full, end["new"], column)
            gaps.append({"rate": end["rate"], "seed": seed, "new": end["new"], "old": end[column], "full": expected})
    return pandas.DataFrame(gaps).eval("gap = old - full")
