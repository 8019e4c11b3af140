"""Policy gradient on whole replies, with a KL penalty: RLHF in one file (built in notebook 09).

The REINFORCE of notebook 08 again, on a GPT: it samples replies, a reward model scores them, and every token becomes likelier or
less likely by what came of it. What is new is the penalty on the Kullback–Leibler divergence from the model it came from (Jaques
et al. 2017; Ziegler et al. 2019; Stiennon et al. 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from helpers.corpus.batches.prompts import ContextBatch
from helpers.generation.rollout import Rollout, sample_rollout
from helpers.generation.scoring import token_log_probabilities
from helpers.models.reward_model import RewardModel
from helpers.models.utils import device_of, evaluating
from helpers.training.losses import NotFinite
from helpers.training.reinforce import kl_penalized_rewards, reinforce_loss, rewards_to_go, whiten


def reward_function(model: RewardModel) -> Callable[[Rollout], torch.Tensor]:
    """Return a function that gives the scores [B] of a Rollout: the reward model without dropout and without gradient."""

    @torch.no_grad()
    def score(rollout: Rollout) -> torch.Tensor:
        with evaluating(model):
            return model(rollout.ids, rollout.last, rollout.padding)

    return score


def rollout_log_probabilities(model, rollout: Rollout) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log p [B, T] of the sampled tokens under ``model``, with the gradient, and the mask [B, T] of real tokens."""
    with evaluating(model):  # the policy that replied had no dropout
        logits, _ = model(rollout.ids[:, :-2], None, rollout.padding)
    return token_log_probabilities(logits[:, rollout.start :], rollout.targets[:, rollout.start :])


def leave_one_out_advantages(scores: torch.Tensor) -> torch.Tensor:
    """Return each score minus the mean of the others in its row, [C, n]: n ≥ 2 replies to each of C contexts.

    The baseline of RLOO: unbiased, for it does not depend on the reply it is subtracted from, and no critic has to be
    trained (Kool et al. 2019; Ahmadian et al. 2024).
    """
    return scores - (scores.sum(1, keepdim=True) - scores) / (scores.shape[1] - 1)


def policy_gradient_loss(log_p: torch.Tensor, rewards: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the REINFORCE loss of a batch of replies, all [B, T]: returns, whitened over the mask, are its advantages.

    The sum over a reply's tokens, the mean over replies; no gradient flows through ``rewards``.
    """
    return reinforce_loss(log_p, whiten(rewards_to_go(rewards.detach(), mask), mask), mask)


class PolicyGradient:
    """The loss of RLHF for ``fit`` on `ContextBatches`: sample replies, score them, follow REINFORCE with a KL penalty.

    ``reward`` gives scores [B] of a Rollout, ``reference`` is the model it all began with (it is not changed), ``beta`` the
    coefficient of the KL penalty, in units of the score per nat: 0 is none. ``replies`` is how many replies in a row answer
    the same context: the mean of the others is each one's baseline (RLOO, Ahmadian et al. 2024); a single one has none.
    ``special_token_ids`` are those of ``sample_rollout``.

    ``records`` has a dict for each step: score, divergence from the reference ("kl", nats a reply, estimated from the sampled
    replies), tokens a reply, share of replies with a token of ``watched``. A score that is no number ends the training, which
    says of which reply; the model keeps the weights from before that step. ``state`` is that of its random generator.
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
        **special_token_ids,
    ):
        if not beta >= 0 or replies < 1:
            raise ValueError(f"beta={beta} and replies={replies}: give 0 or more, and at least 1")
        self.reward, self.reference, self.beta, self.replies = reward, reference, beta, replies
        self.max_tokens, self.watched, self.special_token_ids = max_tokens, list(watched), special_token_ids
        self.rng, self.records = torch.Generator(device_of(reference)).manual_seed(seed), []

    @property
    def state(self) -> torch.Tensor:
        return self.rng.get_state()

    @state.setter
    def state(self, state: torch.Tensor) -> None:
        self.rng.set_state(state.cpu())

    def __call__(self, model, batch: ContextBatch) -> torch.Tensor:
        rollout = sample_rollout(model, batch, self.max_tokens, generator=self.rng, **self.special_token_ids)
        scores = self.reward(rollout).float()
        if len(wrong := (~torch.isfinite(scores)).nonzero()):
            raise NotFinite(f"the reward of reply {int(wrong[0])} was {scores[wrong[0]].item()}")
        log_p, mask = rollout_log_probabilities(model, rollout)
        with torch.no_grad():
            reference, _ = rollout_log_probabilities(self.reference, rollout)
        advantages = leave_one_out_advantages(scores.view(-1, self.replies)).flatten() if self.replies > 1 else scores
        rewards = kl_penalized_rewards(advantages, log_p, reference, self.beta, mask)
        self._record(scores, log_p.detach() - reference, mask, rollout)
        return policy_gradient_loss(log_p, rewards, mask)

    def _record(self, scores, log_ratio, mask, rollout: Rollout) -> None:
        watched = torch.isin(rollout.targets, torch.tensor(self.watched, device=scores.device)).any(1)
        lengths = mask.sum(1).float()
        values = torch.stack((scores.mean(), log_ratio.sum(1).mean(), lengths.mean(), watched.float().mean()))
        self.records.append(dict(zip(("score", "kl", "tokens", "watched"), values.tolist())))
