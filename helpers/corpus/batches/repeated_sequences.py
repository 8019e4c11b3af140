"""Random tokens that are repeated: a text that only copying can predict (Olsson et al. 2022; notebook 10).

The distance to copy over, the period, differs from row to row. With one period for all a model need not find where it has
seen a token before: it copies what stood so many positions back, and fails at every other period.
"""

import numpy as np
import torch

from helpers.corpus.batches.base import Batch
from helpers.corpus.messages import whole_numbers


class RepeatedSequences:
    """Batches by number, without an end: ``batches[t]`` is a Batch of ids [batch_size, length], the same for every t.

    Each row repeats a sequence of its own, of random tokens, over and over; how long it is, is a whole number from
    ``periods[0]`` to ``periods[1]``, both included. Raises ValueError for periods that are not two such numbers, at least 2
    and no longer than ``length``, so that something can be copied; and for sizes below 1.
    """

    def __init__(
        self,
        vocab_size: int = 64,
        batch_size: int = 32,
        length: int = 64,
        periods: tuple[int, int] = (8, 32),
        seed: int = 0,
    ):
        sizes = whole_numbers(vocab_size=vocab_size, batch_size=batch_size, length=length)
        self.vocab_size, self.batch_size, self.length = sizes
        least, most = periods
        if not 2 <= least <= most <= length:
            raise ValueError(f"periods are {least} to {most}: give two numbers from 2 to the length of a row, {length}")
        self.periods, self.seed = (least, most), seed

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng([self.seed, number])
        periods = rng.integers(self.periods[0], self.periods[1] + 1, size=(self.batch_size, 1))
        rows = _repeated(rng, self.vocab_size, periods, self.length)
        return Batch(rows[:, :-1], rows[:, 1:], True)


def repeated_ids(
    vocab_size: int = 64, period: int = 20, rows: int = 32, length: int = 64, seed: int = 0
) -> torch.Tensor:
    """Return ids [rows, length + 1] int64, every row a random sequence of ``period`` tokens, over and over.

    Raises ValueError for a period that is not from 2 to ``length``.
    """
    if not 2 <= period <= length:
        raise ValueError(f"the period is {period}: give a number from 2 to the length of a row, {length}")
    rng = np.random.default_rng([seed, 1_000_000_007])  # no batch of ``RepeatedSequences`` has this number
    return _repeated(rng, vocab_size, np.full((rows, 1), period), length)


def _repeated(rng: np.random.Generator, vocab_size: int, periods: np.ndarray, length: int) -> torch.Tensor:
    once = rng.integers(vocab_size, size=(len(periods), int(periods.max())))
    return torch.from_numpy(np.take_along_axis(once, np.arange(length + 1)[None] % periods, axis=1))
