"""Learning a reward model from preference pairs: the Bradley–Terry loss (built in notebook 09)."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from helpers.corpus.batches.base import IGNORED
from helpers.corpus.batches.preferences import PreferenceBatch

LN2 = math.log(2)  # the Bradley–Terry loss of a model that cannot tell


def bradley_terry_loss(chosen: torch.Tensor, rejected: torch.Tensor) -> torch.Tensor:
    """Return the mean of −log σ(chosen − rejected), for scores [B] each (Bradley & Terry 1952; Christiano et al. 2017).

    Computed by logsigmoid: σ of a large negative difference rounds to 0, and its logarithm would be −inf.
    """
    return -functional.logsigmoid(chosen - rejected).mean()


def train_reward_head(pairs: torch.Tensor, steps: int = 200, learning_rate: float = 0.02) -> torch.Tensor:
    """Return one row of weights [K]: the head of a reward model on frozen features, trained on preference pairs.

    ``pairs`` float32 [N, 2, K] are the features of the chosen and of the rejected message. A message's score is
    features · weights; the weights begin at zero and follow Adam on the Bradley–Terry loss of all pairs at once.
    """
    weights = torch.zeros(pairs.shape[-1], device=pairs.device, requires_grad=True)
    optimizer = torch.optim.Adam([weights], learning_rate)
    for _ in range(steps):
        loss = bradley_terry_loss(*(pairs @ weights).unbind(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return weights.detach()


def reward_loss(model, batch: PreferenceBatch) -> torch.Tensor:
    """Return the Bradley–Terry loss of a `RewardModel`, each reply read at its last token (Stiennon et al. 2020)."""
    positions = torch.arange(1, batch.ids.shape[1], device=batch.ids.device)
    last = ((batch.targets != IGNORED) * positions).amax(1)
    return bradley_terry_loss(*model(batch.ids, last).chunk(2))


def pairs_in(batch: PreferenceBatch) -> int:
    """Return the number of preference pairs in a batch: what a loss over pairs is the mean of (``losses.terms``)."""
    return len(batch.ids) // 2


reward_loss.terms = pairs_in
