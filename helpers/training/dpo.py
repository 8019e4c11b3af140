"""Direct preference optimization: learning from chosen and rejected replies without a reward model (built in notebook 09)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from helpers.corpus.batches.preferences import PreferenceBatch
from helpers.corpus.implicit_feedback import Preference
from helpers.generation.scoring import log_probabilities_of, reply_log_probabilities, token_log_probabilities
from helpers.models.utils import evaluating
from helpers.training.reward_modeling import bradley_terry_loss, pairs_in


def dpo_loss(
    chosen: torch.Tensor, rejected: torch.Tensor, reference_chosen, reference_rejected, beta: float = 0.1
) -> torch.Tensor:
    """Return the mean of −log σ(β [(chosen − reference_chosen) − (rejected − reference_rejected)]) (Rafailov et al. 2023).

    All four are log-probabilities of whole replies [B], *summed* over their tokens, the context not counting. Where the
    policy is the reference the loss is ln 2, whatever β.
    """
    return bradley_terry_loss(beta * (chosen - reference_chosen), beta * (rejected - reference_rejected))


def reply_log_probability(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return log p [B] of whole replies, *summed* over their tokens, from logits [B, T, V] and labels [B, T].

    ``labels[b, t]`` is the token that follows position t, −100 where that is not in the reply (context, padding).
    """
    return token_log_probabilities(logits, labels)[0].sum(1)


def reference_log_probabilities(model, preferences: Sequence[Preference], pad: int, pairs: int = 64) -> torch.Tensor:
    """Return log p of the chosen and of the rejected reply under ``model``, float32 [N, 2]: computed once, before training.

    ``pairs`` preferences are read side by side. Raises ValueError when there is no preference.
    """
    parts = [preferences[start : start + pairs] for start in range(0, len(preferences) or 1, pairs)]
    replies = [pair for part in parts for side in (0, 1) for pair in [preference[side] for preference in part]]
    log_p = reply_log_probabilities(model, replies, pad, rows=2 * pairs)
    return torch.cat([part.view(2, -1).T for part in log_p.split(2 * pairs)])


class DPO:
    """The loss of direct preference optimization for ``fit``: no reward model, no sampling, no critic (Rafailov et al. 2023).

    Needs batches with a reference. ``records`` has a dict for each call: the loss; by how much the chosen and the rejected
    reply have become likelier than under the reference (nats, means); and the accuracy, the share of pairs whose chosen reply
    gained more. The two terms stand separately, for a falling loss does not say which of them moved: both may fall.
    """

    terms = staticmethod(pairs_in)

    def __init__(self, beta: float = 0.1):
        if not beta > 0:
            raise ValueError(f"beta is {beta}: give a number above 0, usually 0.05 to 0.5; larger stays closer to home")
        self.beta, self.records = beta, []

    def __call__(self, model, batch: PreferenceBatch) -> torch.Tensor:
        # Dropout would make the policy differ from its reference before it has learned anything.
        with evaluating(model):
            log_p, _ = log_probabilities_of(model, batch)
        (chosen, rejected), reference = log_p.sum(1).chunk(2), batch.reference.chunk(2)
        loss = dpo_loss(chosen, rejected, *reference, self.beta)
        with torch.no_grad():
            better, worse = chosen - reference[0], rejected - reference[1]
            values = torch.stack((loss, better.mean(), worse.mean(), (better > worse).float().mean()))
        self.records.append(dict(zip(("loss", "chosen", "rejected", "accuracy"), values.tolist())))
        return loss
