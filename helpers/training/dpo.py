"""Learning from which of two replies is better: reward model, best of n, policy gradient, DPO (built in notebook 09).

All of it trains with the one loop, ``fit``: a class of batches, and a loss that knows what to do with them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from helpers.corpus.batches.preferences import PreferenceBatch, preference_batch
from helpers.corpus.implicit_feedback import Preference
from helpers.generation.scoring import reply_log_probabilities
from helpers.models.utils import device_of
from helpers.training.losses import on
from helpers.training.reward_modeling import bradley_terry_loss


def dpo_loss(
    chosen: torch.Tensor, rejected: torch.Tensor, reference_chosen, reference_rejected, beta: float = 0.1
) -> torch.Tensor:
    """Return the mean of −log σ(β [(chosen − reference_chosen) − (rejected − reference_rejected)]) (Rafailov et al. 2023).

    All four are log-probabilities of whole replies [B], *summed* over their tokens, the context not counted. Where the
    policy is the reference the loss is ln 2, whatever β.
    """
    return bradley_terry_loss(beta * (chosen - reference_chosen), beta * (rejected - reference_rejected))


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
    """The loss of direct preference optimization for ``fit``: no reward model, no sampling, no critic (Rafailov et al. 2023).

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
