"""Policy gradient on whole replies, with a leash: RLHF in one file (built in notebook 09).

The REINFORCE of notebook 08 again, on a GPT: it says replies, a reward model scores them, and every token is made likelier or
less likely by what came of it. What is new is the leash, a price on moving away from the model it came from (Jaques et al.
2017; Ziegler et al. 2019; Stiennon et al. 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from helpers.corpus.batches.prompts import ContextBatch
from helpers.generation.rollout import Rollout, roll_out
from helpers.generation.scoring import token_log_probabilities
from helpers.models.reward_model import RewardModel
from helpers.models.utils import device_of, evaluating
from helpers.training.reinforce import discounted, kl_penalized_rewards, reinforce_loss, whitened


def scored_by(reward: RewardModel) -> Callable[[Rollout], torch.Tensor]:
    """Return a function that gives the scores [B] of a Rollout: the reward model without dropout and without gradient."""

    @torch.no_grad()
    def score(said: Rollout) -> torch.Tensor:
        with evaluating(reward):
            return reward(said.ids, said.last, said.padding)

    return score


class PolicyGradient:
    """The loss of RLHF for ``fit`` on `ContextBatches`: say replies, have them scored, follow REINFORCE with a leash.

    ``reward`` gives scores [B] of a Rollout, ``reference`` is the model it all began with (it is not changed), ``beta`` the
    price of a nat of distance from it: 0 takes the leash off. ``replies`` is how many replies in a row answer the same
    context: the mean of the others is each one's baseline (Ahmadian et al. 2024). ``marks`` are those of ``roll_out``.

    ``records`` has a dict for each step: score, distance from the reference ("kl", nats a reply, measured on what was
    drawn), tokens a reply, share of replies with a token of ``watched``. Give ``loss.watch`` to fit as a callback: when a
    score is no number the training ends, says where, and the model keeps the weights from before that step.
    """

    def __init__(
        self,
        reward: Callable[[Rollout], torch.Tensor],
        reference,
        beta: float = 0.05,
        replies: int = 4,
        max_tokens: int = 32,
        watched: Sequence[int] = (),
        seed: int = 0,
        **marks,
    ):
        if not beta >= 0 or replies < 1:
            raise ValueError(f"beta={beta} and replies={replies}: give 0 or more, and at least 1")
        self.reward, self.reference, self.beta, self.replies = reward, reference, beta, replies
        self.max_tokens, self.watched, self.marks = max_tokens, list(watched), marks
        self.dice = torch.Generator(device_of(reference)).manual_seed(seed)
        self.records, self.wrong = [], ""

    def __call__(self, model, batch: ContextBatch) -> torch.Tensor:
        said = roll_out(model, batch, self.max_tokens, generator=self.dice, **self.marks)
        scores = self.reward(said).float()
        now, counted = self._log_probabilities(model, said)
        bad = (~torch.isfinite(scores)).nonzero()
        if len(bad):
            place = int(bad[0])
            self.wrong = f"the reward of reply {place} was {scores[place].item()}"
            return now.sum() * float("nan")  # fit makes no step on it
        with torch.no_grad():
            before, _ = self._log_probabilities(self.reference, said)
        earned = kl_penalized_rewards(scores - self._baseline(scores), now.detach(), before, self.beta, counted)
        self._note(scores, now.detach() - before, counted, said)
        return reinforce_loss(now, whitened(discounted(earned, counted), counted), counted)

    def _log_probabilities(self, model, said: Rollout) -> tuple[torch.Tensor, torch.Tensor]:
        with evaluating(model):  # the policy that spoke had no dropout
            logits, _ = model(said.ids[:, :-2], None, said.padding)
        return token_log_probabilities(logits[:, said.start :], said.targets[:, said.start :])

    def _baseline(self, scores: torch.Tensor) -> torch.Tensor:
        """Return for each reply the mean score of the others to the same context; 0 where there are none."""
        if self.replies == 1:
            return torch.zeros_like(scores)
        groups = scores.view(-1, self.replies)
        return ((groups.sum(1, keepdim=True) - groups) / (self.replies - 1)).view(-1)

    def _note(self, scores, moved, counted, said: Rollout) -> None:
        watched = torch.isin(said.targets, torch.tensor(self.watched, device=scores.device)).any(1)
        lengths = counted.sum(1).float()
        values = torch.stack((scores.mean(), moved.sum(1).mean(), lengths.mean(), watched.float().mean()))
        self.records.append(dict(zip(("score", "kl", "tokens", "watched"), values.tolist())))

    def watch(self, history, model) -> None:
        """As a callback of ``fit``: say in the history which reward ended the training."""
        if self.wrong and history.stopped:
            history.stopped = (
                f"Stopped at step {history.steps:,}: {self.wrong}. The model keeps the weights from before it."
            )
