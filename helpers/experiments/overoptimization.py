"""Reward-model over-optimization in small (Gao, Schulman & Hilton 2022): proxies learn from a gold reward model's labels.

    python -m helpers experiments overoptimization      write data/preferences/overoptimization*.csv (a quarter of an hour)

The gold reward model stands for the truth: a network with a hidden layer on all the features that a frozen GPT has of a
message, trained on people's preference pairs. It labels pairs of replies of ``gpt-chat``. Proxies, rows of weights on some of
these features, are trained on few or many labels, and replies are optimized against them: by best of n
(``overoptimization.csv``), and by the policy gradient without KL penalty (``overoptimization_policy.csv``).

There are two gold reward models. "people" knows people's messages only; nothing says what it makes of words in an order that
no person would write. "people, word order" was also trained on a third as many pairs of a person's message and the same message
with its words shuffled. All scores are in standard deviations of the scores of ``gpt-chat``'s replies, with mean 0.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from helpers import data_path
from helpers.bots import checkpoints
from helpers.bots.train import resume_file
from helpers.corpus.batches.prompts import ContextBatches
from helpers.corpus.load import load
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.evaluation.best_of_n import best_of, best_of_kl
from helpers.evaluation.intervals import bootstrap_interval
from helpers.experiments.overoptimization_models import (
    FULL,
    REPLY_TOKENS,
    GoldReward,
    Material,
    Sizes,
    directions,
    train_gold,
    train_proxy,
)
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.generation.rollout import generate_replies
from helpers.generation.scoring import reply_log_probabilities
from helpers.io import read_rows, write_rows
from helpers.models.lora import add_lora
from helpers.models.reward_model import RewardModel
from helpers.runtime import seed_everything, start
from helpers.training import fit
from helpers.training.reward_modeling import train_reward_head
from helpers.training.rlhf import PolicyGradient, reward_function

COLUMNS = ("gold model", "features", "labels", "seed", "n", "kl", "proxy", "gold", "accuracy")
POLICY_COLUMNS = ("gold model", "features", "labels", "seed", "step", "kl", "proxy", "gold")
GOLD_COLUMNS = ("gold model", "pairs", "held-out pairs", "accuracy", "low", "high", "linear", "word order")
GOLDS = ("people", "people, word order")
FEATURES = (24, 256)  # of the GPT's features, along the directions in which replies differ most
LABELS = (50, 200, 1_000, 4_000)
SEEDS = 5
POLICY_LABELS, POLICY_SEEDS = 200, 2


class ProxyRun(NamedTuple):
    """A proxy: of which gold reward model, on how many features, from how many labels; ``seed`` says which."""

    gold: str
    features: int
    labels: int
    seed: int

    @property
    def key(self) -> dict:
        return dict(zip(COLUMNS, self))


RUNS = [ProxyRun(gold, features, labels, seed)
        for gold in GOLDS for features in FEATURES for labels in LABELS for seed in range(SEEDS)]  # fmt: skip
POLICY_RUNS = [ProxyRun(gold, features, POLICY_LABELS, seed)
               for features in FEATURES for seed in range(POLICY_SEEDS) for gold in GOLDS]  # fmt: skip


class Overoptimization:
    """The gold reward models, the proxies, and the replies optimized against them."""

    def __init__(self, material: Material):
        self.material, self.sizes = material, material.sizes

    # --- reward models -------------------------------------------------------------------------------------------------

    @cache  # noqa: B019
    def gold(self, name: str) -> tuple[GoldReward, torch.Tensor, torch.Tensor]:
        """Return a gold reward model, and mean and standard deviation of its scores of ``gpt-chat``'s replies."""
        pairs = self.material.people_features("train")
        if name == GOLDS[1]:
            pairs = torch.cat((pairs, self.material.shuffled_features("train")))
            pairs = pairs[torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0))]
        model = train_gold(pairs, self.sizes.epochs)
        scores = model.score(self.material.labeled)
        return model, scores.mean(), scores.std()

    def gold_score(self, name: str, features: torch.Tensor) -> torch.Tensor:
        """Return the scores of features [..., K] in standard deviations from the mean of ``gpt-chat``'s replies."""
        model, mean, std = self.gold(name)
        return (model.score(features) - mean) / std

    @cache  # noqa: B019
    def proxy(self, run: ProxyRun) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return a proxy's weights [K], and mean and standard deviation of its scores of ``gpt-chat``'s replies."""
        features = self.material.labeled
        basis = directions(features.flatten(0, 1), run.features)
        weights = train_proxy(features, self.gold_score(run.gold, features), basis, run.labels, run.seed)
        scores = features @ weights
        return weights, scores.mean(), scores.std()

    def gold_rows(self) -> list[dict]:
        """Return how often each gold reward model is right about held-out people, with a 95 % interval by conversation.

        "linear" is the accuracy of one row of weights on 24 directions, trained on the same pairs; "word order" how often a
        held-out message scores above the same with its words shuffled.
        """
        train, held_out = (self.material.people_features(part) for part in ("train", "held_out"))
        basis = directions(train.flatten(0, 1), FEATURES[0])
        linear = _right((held_out @ basis) @ train_reward_head(train @ basis)).mean()
        groups, rows = [pair.conversation.id for pair in self.material.people("held_out")], []
        for name in GOLDS:
            right = _right(self.gold_score(name, held_out))
            ordered = _right(self.gold_score(name, self.material.shuffled_features("held_out"))).mean()
            interval = bootstrap_interval(right, groups, np.random.default_rng(0))
            values = (name, len(train), len(right), right.mean(), *interval, linear, ordered)
            rows.append(dict(zip(GOLD_COLUMNS, values)))
        return rows

    # --- best of n -----------------------------------------------------------------------------------------------------

    def best_of(self, run: ProxyRun) -> list[dict]:
        """Return a row for each n: the reply that the proxy scores highest, scored by both."""
        features, (weights, mean, std) = self.material.candidates, self.proxy(run)
        gold, proxy = self.gold_score(run.gold, features), (features @ weights - mean) / std
        (first, second), (better, worse) = (
            scores[:, : scores.shape[1] // 2 * 2].view(-1, 2).T for scores in (gold, proxy)
        )
        accuracy = float(((first > second) == (better > worse)).float().mean())
        return [
            run.key | dict(zip(COLUMNS[4:], (n, best_of_kl(n), best_of(proxy, n), best_of(proxy, n, gold), accuracy)))
            for n in _powers(features.shape[1])
        ]

    def best_by_gold(self) -> list[dict]:
        """Return the rows of best of n chosen by gold itself: as far as gold can rise at this KL. They have no labels."""
        features = self.material.candidates
        return [
            {"gold model": name, "n": n, "kl": best_of_kl(n), "gold": best_of(self.gold_score(name, features), n)}
            for name in GOLDS for n in _powers(features.shape[1])
        ]  # fmt: skip

    # --- the policy gradient -------------------------------------------------------------------------------------------

    def policy(self, run: ProxyRun) -> list[dict]:
        """Return rows along a policy gradient without KL penalty against a proxy. Raises ValueError when it was stopped."""
        material, (weights, mean, std), rows = self.material, self.proxy(run), []
        special = special_token_ids(material.tokenizer)
        reward = RewardModel(checkpoints.load("gpt", material.device).model, rank=0, **special).eval()
        with torch.no_grad():
            reward.head.weight.copy_(weights[None]), reward.mean.copy_(mean), reward.std.copy_(std)
        seed_everything(run.seed)
        model = add_lora(checkpoints.load("gpt-chat", material.device).model, 16, 32.0)

        def measure(step: int) -> None:
            groups = generate_replies(
                model, material.tokenizer, material.measured, 1, max_tokens=REPLY_TOKENS, seed=300 + run.seed
            )
            replies = [pair for (pair,) in groups]
            with torch.no_grad():
                now, before = (
                    reply_log_probabilities(part, replies, material.tokenizer.pad) for part in (model, material.model)
                )
            features = material.reader.read(replies)
            proxy = (features @ weights - mean) / std
            means = (float(part.mean()) for part in (now - before, proxy, self.gold_score(run.gold, features)))
            rows.append(run.key | dict(zip(POLICY_COLUMNS[4:], (step, *means))))

        def callback(history, _) -> None:
            if history.steps % self.sizes.every == 0:
                measure(history.steps)

        measure(0)
        loss = PolicyGradient(
            reward_function(reward), material.model, 0.0, max_tokens=REPLY_TOKENS, seed=run.seed, **material.special
        )
        batches = ContextBatches(
            material.short(material.corpus.train[:800]), 6, 4, run.seed, pad=material.tokenizer.pad
        )
        settings = {"steps": self.sizes.steps, "learning_rate": 3e-3, "schedule": "constant", "progress": False}
        check_finished(fit(model, batches, loss=loss, callbacks=[callback], **settings))
        return rows


def _right(scores: torch.Tensor) -> np.ndarray:
    """Return for each pair of scores [N, 2] whether the first is higher, as 0 or 1."""
    return (scores[:, 0] > scores[:, 1]).double().numpy()


def _powers(most: int) -> Iterator[int]:
    """Yield 1, 2, 4, … up to ``most``."""
    n = 1
    while n <= most:
        yield n
        n *= 2


def main(
    folder: Path | None = None,
    sizes: Sizes = FULL,
    runs: Sequence[ProxyRun] = RUNS,
    policy_runs: Sequence[ProxyRun] = POLICY_RUNS,
    corpus=None,
    kept: Path | None = None,
) -> None:
    """Execute every run that the tables in ``folder`` lack; ``kept`` is where features stay for a command that is cut short."""
    folder, device = folder or data_path("preferences"), start(seed=0)
    kept = kept or resume_file("overoptimization").with_suffix("")
    runner = Overoptimization(Material(corpus or load(), device.torch, sizes, kept))
    path, policies = folder / "overoptimization.csv", folder / "overoptimization_policy.csv"
    write_rows(folder / "overoptimization_gold.csv", GOLD_COLUMNS, runner.gold_rows())
    rows = read_rows(path) or runner.best_by_gold()
    run_missing(runs, rows, runner.best_of, lambda rows: write_rows(path, COLUMNS, rows))
    rows = read_rows(policies)
    run_missing(policy_runs, rows, runner.policy, lambda rows: write_rows(policies, POLICY_COLUMNS, rows))
