"""What all batches share: the batch of step t is the same whenever it is asked for (built in notebook 02)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch


class Batch(NamedTuple):
    """What a model reads and what it should have said: ``targets`` is ``inputs`` one token later."""

    inputs: torch.Tensor  # [B, T] int64
    targets: torch.Tensor  # [B, T] int64
    first: bool  # the rows begin somewhere new: a memory carried over from the batch before would be of no use


class NumberedBatches:
    """Items in batches of ``batch_size``, again and again, each pass in another order: what those of pairs and rows share.

    ``batches[t]`` is the same for every t whenever it is asked for, so a training that was interrupted goes on with exactly
    the batches it would have seen; ``len()`` is one pass. A subclass says which items come together (``order``) and what a
    batch of them is (``batch_of``). Raises ValueError when there is no item, or for a batch_size below 1.
    """

    def __init__(self, items: Sequence, batch_size: int, seed: int = 0):
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}: give 1 or more, usually 16 to 64")
        if not len(items):
            raise ValueError("there is nothing to make batches of: give at least one")
        self.items, self.batch_size, self.seed = items, batch_size, seed
        self._pass = (None, [])

    def __len__(self) -> int:
        """How many batches make one pass."""
        return -(-len(self.items) // self.batch_size)

    def __getitem__(self, number: int):
        if number < 0:
            raise IndexError("batches are numbered from 0, without an end")
        turn, place = divmod(number, len(self))
        if self._pass[0] != turn:
            random = np.random.default_rng([self.seed, turn])
            order = self.order(random)
            made = [order[at : at + self.batch_size] for at in range(0, len(order), self.batch_size)]
            self._pass = (turn, [made[at] for at in random.permutation(len(made))])
        return self.batch_of([self.items[at] for at in self._pass[1][place]])

    def order(self, random: np.random.Generator) -> np.ndarray:
        """Return the places of all items, int [N], those that come into one batch side by side."""
        return random.permutation(len(self.items))

    def batch_of(self, items: list):
        raise NotImplementedError


IGNORED = -100  # a target that counts for nothing, as torch's cross_entropy has it
