"""Preference pairs in batches: chosen and rejected replies as rows (used in notebook 09)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from helpers.corpus.batches.base import NumberedBatches
from helpers.corpus.batches.context_reply_pairs import whole_rows
from helpers.corpus.implicit_feedback import Preference, checked


class PreferenceBatch(NamedTuple):
    """B preferences as 2B rows, the chosen ones first: context and reply side by side, padded at the end."""

    ids: torch.Tensor  # [2B, T] int64
    targets: torch.Tensor  # [2B, T − 1] int64: the token after each, −100 but in the replies
    reference: torch.Tensor  # [2B] log p of each reply under the reference model; 0 where nobody asked
    first: bool = True  # every batch begins somewhere new


def preference_batch(preferences: Sequence[Preference], pad: int, reference=None) -> PreferenceBatch:
    """Return preferences side by side; ``reference`` [B, 2] holds log-probabilities of the chosen and the rejected reply."""
    pairs = [pair.chosen for pair in preferences] + [pair.rejected for pair in preferences]
    ids, targets = whole_rows(pairs, pad)
    known = torch.zeros(len(pairs)) if reference is None else torch.as_tensor(reference).T.reshape(-1).float()
    return PreferenceBatch(ids, targets, known)


class PreferenceBatches(NumberedBatches):
    """Preferences in batches of ``batch_size``, again and again, each pass in another order (see NumberedBatches).

    ``reference`` [N, 2] are the reference model's log-probabilities (``reference_log_probabilities``), for DPO. ``pad`` is
    the tokenizer's. Raises ValueError when there is nothing, for a batch_size below 1, for an empty reply, for two equal
    ones, and where the reference is no number.
    """

    def __init__(self, preferences: Sequence[Preference], batch_size: int, seed: int = 0, *, pad: int, reference=None):
        lengths = [max(len(context) + len(reply) for context, reply in both) for both in preferences]
        super().__init__(len(preferences), batch_size, seed, lengths)
        self.preferences, self.pad = checked(preferences), pad
        self.reference = None if reference is None else torch.as_tensor(reference).cpu()
        if self.reference is not None:
            if tuple(self.reference.shape) != (self.size, 2):
                raise ValueError(f"the reference has shape {[*self.reference.shape]}: give two numbers per preference")
            if not (finite := torch.isfinite(self.reference).all(1)).all():
                raise ValueError(f"the reference log-probability of pair {int(finite.int().argmin())} is no number")

    def batch(self, part: np.ndarray, position: int) -> PreferenceBatch:
        reference = None if self.reference is None else self.reference[part]
        return preference_batch([self.preferences[index] for index in part], self.pad, reference)
