"""What all batches share: the batch of step t is the same whenever it is asked for (built in notebook 02)."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from helpers.corpus.messages import whole_numbers

IGNORED = -100  # a target that adds nothing to the loss: the default ignore_index of torch's cross_entropy


class Pair(NamedTuple):
    """A turn and the turns before it, as token ids (arrays int32, or any sequence of ints)."""

    context: Sequence[int]  # <end>, then each turn before: its speaker's token, its text; of a long one the end
    reply: Sequence[int]  # the own speaker's token, the text, the token that closes it: the next speaker's, or <end>


class Batch(NamedTuple):
    """What a model reads and what it should predict: ``targets`` is ``inputs`` one token later."""

    inputs: torch.Tensor  # [B, T] int64
    targets: torch.Tensor  # [B, T] int64
    first: bool  # the rows begin somewhere new: a hidden state carried over from the batch before would be of no use


class NumberedBatches(ABC):
    """Batches by number, without an end: ``batches[t]`` is the same for every t whenever it is asked for.

    So a training that was interrupted goes on with exactly the batches it would have seen. ``len()`` is one pass over
    ``size`` items; the order within a pass follows from the seed and the number of the pass alone. A subclass arranges the
    items (``order``; items of like ``lengths`` [N] share a batch) or plans the whole pass (``plan``), and turns the part of
    a plan into tensors (``batch``). Raises ValueError when there is no item, and for a batch_size below 1; IndexError for a
    negative number.
    """

    drop_last = False  # True: what does not fill a batch is left for the next pass, as in torch's DataLoader

    def __init__(self, size: int, batch_size: int, seed: int = 0, lengths: Sequence[int] | None = None):
        (self.batch_size,) = whole_numbers(batch_size=batch_size)
        if not size:
            raise ValueError("there is nothing to make batches of: give at least one")
        self.size, self.seed, self._planned = size, int(seed), (None, ())
        self._lengths = np.zeros(size, int) if lengths is None else np.asarray(lengths)

    def __len__(self) -> int:
        """How many batches make one pass."""
        return self.size // self.batch_size if self.drop_last else -(-self.size // self.batch_size)

    def __getitem__(self, number: int):
        (number,) = whole_numbers(None, number=number)
        if number < 0:
            raise IndexError("batches are numbered from 0, without an end")
        pass_number, position = divmod(number, len(self))
        if self._planned[0] != pass_number:
            self._planned = (pass_number, self.plan(pass_number))
        return self.batch(self._planned[1][position], position)

    def plan(self, pass_number: int) -> Sequence:
        """Return what each batch of this pass consists of: here the indices of its items, int [B], the last maybe fewer."""
        rng = np.random.default_rng([self.seed, pass_number])
        order = self.order(rng)
        parts = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        return [parts[index] for index in rng.permutation(len(parts))]

    def order(self, rng: np.random.Generator) -> np.ndarray:
        """Return the indices of all items, int [N]: by length, at random where lengths differ by less than 16."""
        order = rng.permutation(self.size)
        return order[np.argsort(self._lengths[order] // 16, kind="stable")]

    def torch_rng(self, number: int) -> torch.Generator:
        """Return torch's generator for pass or batch ``number``."""
        return torch.Generator().manual_seed(self.seed * 1_000_003 + number)

    @abstractmethod
    def batch(self, part, position: int):
        """Return the batch at ``position`` of a pass, from its part of the plan."""


def padded(rows: Iterable[Sequence[int]], filler: int, side: str = "right") -> torch.Tensor:
    """Return rows of ids as one tensor [B, T] int64, the shorter ones filled up on the "right" or on the "left"."""
    rows = list(rows)
    if not rows:
        return torch.empty(0, 0, dtype=torch.int64)
    # One conversion for all rows: one for each would take most of the time.
    ids = torch.from_numpy(np.concatenate(rows).astype(np.int64)).split([len(row) for row in rows])
    return pad_sequence(ids, batch_first=True, padding_value=filler, padding_side=side)
