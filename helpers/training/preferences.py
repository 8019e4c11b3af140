"""Learning from which of two replies is better: reward model, best of n, policy gradient, DPO (built in notebook 09).

All of it trains with the one loop, ``fit``: a class of batches, and a loss that knows what to do with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from ..corpus.feedback import Preference, checked
from ..corpus.pairs import IGNORED
from ..models.modes import device_of, evaluating
from .losses import on
from .policy import token_log_probabilities

LN2 = math.log(2)  # the Bradley–Terry loss of somebody who does not know


def bradley_terry_loss(chosen: torch.Tensor, rejected: torch.Tensor) -> torch.Tensor:
    """Return the mean of −log σ(chosen − rejected), for scores [B] each (Bradley & Terry 1952; Christiano et al. 2017).

    Computed by logsigmoid: σ of a large negative difference rounds to 0, and its logarithm would be −inf.
    """
    return -functional.logsigmoid(chosen - rejected).mean()


def dpo_loss(
    chosen: torch.Tensor, rejected: torch.Tensor, reference_chosen, reference_rejected, beta: float = 0.1
) -> torch.Tensor:
    """Return the mean of −log σ(β [(chosen − reference_chosen) − (rejected − reference_rejected)]) (Rafailov et al. 2023).

    All four are log-probabilities of whole replies [B], *summed* over their tokens, the context not counted. Where the
    policy is the reference the loss is ln 2, whatever β.
    """
    return bradley_terry_loss(beta * (chosen - reference_chosen), beta * (rejected - reference_rejected))


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


# --- the losses --------------------------------------------------------------------------------------------------------


def reward_loss(model, batch: PreferenceBatch) -> torch.Tensor:
    """Return the Bradley–Terry loss of a `RewardModel`, each reply read at its last token (Stiennon et al. 2020)."""
    places = torch.arange(1, batch.ids.shape[1], device=batch.ids.device)
    last = ((batch.targets != IGNORED) * places).amax(1)
    return bradley_terry_loss(*model(batch.ids, last).chunk(2))


def reply_log_probabilities(model, batch: PreferenceBatch) -> torch.Tensor:
    """Return log p of each of the 2B replies, summed over its tokens, without dropout; the gradient is kept."""
    with evaluating(model):  # dropout would make the policy differ from its reference before it has learned anything
        logits, _ = model(batch.ids[:, :-1])
    return token_log_probabilities(logits, batch.targets)[0].sum(1)


@torch.no_grad()
def reference_log_probabilities(model, preferences: Sequence[Preference], pad: int, together: int = 64) -> torch.Tensor:
    """Return log p of the chosen and of the other reply under ``model``, float32 [N, 2]: asked once, before training.

    Raises ValueError when there is no preference.
    """
    if not len(preferences):
        raise ValueError("there are no preferences to ask about: give at least one pair of replies")
    found = []
    for start in range(0, len(preferences), together):
        batch = on(preference_batch(preferences[start : start + together], pad), device_of(model))
        found.append(reply_log_probabilities(model, batch).view(2, -1).T.cpu())
    return torch.cat(found)


class DPO:
    """The loss of direct preference optimisation for ``fit``: no reward model, no sampling, no critic (Rafailov et al. 2023).

    Needs batches with a reference. ``records`` has a dict for each call: the loss; by how much the chosen and the other
    reply have become likelier than under the reference (nats, means); and the share of pairs told apart. The two terms
    stand separately, for a falling loss does not say which of them moved: both may fall.
    """

    def __init__(self, beta: float = 0.1):
        if not beta > 0:
            raise ValueError(f"beta is {beta}: give a number above 0, usually 0.05 to 0.5; larger stays closer to home")
        self.beta, self.records = beta, []

    def __call__(self, model, batch: PreferenceBatch) -> torch.Tensor:
        now, known = reply_log_probabilities(model, batch), batch.reference
        (chosen, rejected), (first, second) = now.chunk(2), known.chunk(2)
        loss = dpo_loss(chosen, rejected, first, second, self.beta)
        with torch.no_grad():
            better, worse = chosen - first, rejected - second
            values = torch.stack((loss, better.mean(), worse.mean(), (better > worse).float().mean()))
        self.records.append(dict(zip(("loss", "chosen", "rejected", "accuracy"), values.tolist())))
        return loss


# --- best of n ---------------------------------------------------------------------------------------------------------


def best_of(scores: torch.Tensor, n: int, other: torch.Tensor | None = None) -> float:
    """Return what the best of n replies scores on average, from N ≥ n replies to each of C contexts, ``scores`` [C, N].

    Exact over all choices of n of the N (Nakano et al. 2021), so no luck in the choosing. ``other`` [C, N] are scores of
    another judge: then the replies are chosen by ``scores`` and judged by ``other``. Raises ValueError for n outside 1 … N.
    """
    scores = torch.as_tensor(scores).double()
    size = scores.shape[1]
    if not 1 <= n <= size:
        raise ValueError(f"n is {n}, and there are {size} replies to choose from: give 1 to {size}")
    order = scores.argsort(dim=1)
    judged = scores if other is None else torch.as_tensor(other).double()
    # In order, number k (from 0) is the best of its n when the other n − 1 come from the k before it.
    weights = torch.tensor([math.comb(k, n - 1) / math.comb(size, n) for k in range(size)], dtype=torch.double)
    return float((judged.gather(1, order) * weights).sum(1).mean())


def best_of_kl(n: int) -> float:
    """Return how far choosing the best of n moves a bot, in nats: at most ln n − (n − 1) / n (Stiennon et al. 2020)."""
    return math.log(n) - (n - 1) / n
