"""Preference pairs in batches: chosen and rejected replies as rows (used in notebook 09)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from helpers.corpus.batches.base import IGNORED
from helpers.corpus.implicit_feedback import Preference, checked

# --- pairs in batches --------------------------------------------------------------------------------------------------


class PreferenceBatch(NamedTuple):
    """B preferences as 2B rows, the chosen ones first: context and reply side by side, padded at the end."""

    ids: torch.Tensor  # [2B, T] int64
    targets: torch.Tensor  # [2B, T − 1] int64: the token after each, −100 but in the replies
    reference: torch.Tensor  # [2B] log p of each reply under the reference model; 0 where nobody asked
    first: bool = True  # every batch begins somewhere new


def preference_batch(preferences: Sequence[Preference], pad: int, reference=None) -> PreferenceBatch:
    """Return preferences side by side; ``reference`` [B, 2] holds log-probabilities of the chosen and the other reply."""
    pairs = [pair.chosen for pair in preferences] + [pair.rejected for pair in preferences]
    rows = [[*context, *reply] for context, reply in pairs]
    ids = np.full((len(rows), max(map(len, rows))), pad, dtype=np.int64)
    targets = np.full((len(rows), ids.shape[1] - 1), IGNORED, dtype=np.int64)
    for read, said, row, (context, reply) in zip(ids, targets, rows, pairs):
        read[: len(row)] = row
        said[len(context) : len(row) - 1] = reply[1:]  # the first of a reply, the own speaker's token, is given
    known = torch.zeros(len(rows)) if reference is None else torch.as_tensor(reference).T.reshape(-1).float()
    return PreferenceBatch(torch.from_numpy(ids), torch.from_numpy(targets), known)


class PreferenceBatches:
    """Preferences in batches of ``batch_size``, again and again, each pass in another order.

    ``batches[t]`` is the same for every t whenever it is asked for; ``len()`` is one pass. ``reference`` [N, 2] are the
    reference model's log-probabilities (``reference_log_probabilities``), for DPO. ``pad`` is the tokenizer's. Raises
    ValueError when there is nothing, for an empty reply, for two equal ones, and where the reference is no number.
    """

    def __init__(self, preferences: Sequence[Preference], batch_size: int, seed: int = 0, *, pad: int, reference=None):
        if batch_size < 1 or not len(preferences):
            raise ValueError(f"{len(preferences)} preferences in batches of {batch_size}: give at least one of each")
        self.preferences, self.batch_size, self.seed, self.pad = checked(preferences), batch_size, seed, pad
        self.reference = None if reference is None else torch.as_tensor(reference).cpu()
        if self.reference is not None:
            if tuple(self.reference.shape) != (len(preferences), 2):
                raise ValueError(
                    f"the reference has shape {tuple(self.reference.shape)}: give two numbers per preference"
                )
            if not torch.isfinite(self.reference).all():
                place = int((~torch.isfinite(self.reference)).any(1).nonzero()[0])
                raise ValueError(f"the reference log-probability of pair {place} is no number")
        sizes = [max(len(pair.context) + len(pair.reply) for pair in both) for both in preferences]
        self._sizes, self._pass = np.array(sizes), (None, [])

    def __len__(self) -> int:
        """How many batches make one pass."""
        return -(-len(self.preferences) // self.batch_size)

    def __getitem__(self, number: int) -> PreferenceBatch:
        if number < 0:
            raise IndexError("batches are numbered from 0, without an end")
        turn, place = divmod(number, len(self))
        if self._pass[0] != turn:
            random = np.random.default_rng([self.seed, turn])
            order = random.permutation(len(self.preferences))
            order = order[np.argsort(self._sizes[order] // 16, kind="stable")]  # similar lengths side by side
            cuts = np.split(order, range(self.batch_size, len(order), self.batch_size))
            self._pass = (turn, [cuts[at] for at in random.permutation(len(cuts))])
        rows = self._pass[1][place]
        reference = None if self.reference is None else self.reference[rows]
        return preference_batch([self.preferences[row] for row in rows], self.pad, reference)
