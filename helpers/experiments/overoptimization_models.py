"""What the over-optimization of notebook 09 needs: gold and proxy reward models on frozen features, and what they read.

See ``helpers.experiments.overoptimization``.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers.bots import checkpoints
from helpers.corpus.batches.base import Pair
from helpers.corpus.batches.prompts import contexts
from helpers.corpus.implicit_feedback import Preference, preference_pairs, preferences
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.experiments.reward_models import feature_reader
from helpers.generation.rollout import generate_replies
from helpers.training.reward_modeling import bradley_terry_loss, train_reward_head

REPLY_TOKENS, CONTEXT_TOKENS = 24, 24
MESSAGE = (32, 48)  # tokens of what stood before a person's message, and of the message


@dataclass(frozen=True)
class Sizes:
    """How much is read and sampled; ``TINY`` is for trying it out."""

    pairs: int = 3_000  # people's, to train a gold reward model
    held_out: int = 1_000
    contexts: int = 1_000  # four replies to each: what the labels are about
    evaluated: int = 16  # contexts of best of n
    replies: int = 256  # to each of them
    measured: int = 48  # contexts at which a policy is measured
    steps: int = 24
    every: int = 3
    epochs: int = 40


FULL = Sizes()
TINY = Sizes(pairs=60, held_out=20, contexts=8, evaluated=2, replies=8, measured=3, steps=2, every=1, epochs=2)


# --- reward models on frozen features ----------------------------------------------------------------------------------


class GoldReward(nn.Module):
    """A score from all features [N, K] of messages: standardized, one hidden layer with dropout, one number each [N]."""

    def __init__(self, features: torch.Tensor, hidden: int = 64):
        super().__init__()
        self.register_buffer("mean", features.mean(0)), self.register_buffer("std", features.std(0) + 1e-3)
        size = features.shape[1]
        self.layers = nn.Sequential(
            nn.Dropout(0.3), nn.Linear(size, hidden), nn.GELU(), nn.Dropout(0.5), nn.Linear(hidden, 1)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.layers((features - self.mean) / self.std)[..., 0]

    @torch.no_grad()
    def score(self, features: torch.Tensor) -> torch.Tensor:
        """Return the scores without dropout."""
        return self.eval()(features)


def train_gold(pairs: torch.Tensor, epochs: int, seed: int = 0) -> GoldReward:
    """Return a GoldReward trained on pairs [N, 2, K], chosen first; the epoch that is best on a tenth of them stays."""
    torch.manual_seed(seed)
    held = len(pairs) // 10 or 1
    checked, pairs = pairs[torch.arange(len(pairs)) % 10 == 9][:held], pairs[torch.arange(len(pairs)) % 10 != 9]
    model = GoldReward(pairs.flatten(0, 1))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.1)
    best, kept = float("inf"), model.state_dict()
    for _ in range(epochs):
        model.train()
        for part in torch.randperm(len(pairs)).split(128):
            optimizer.zero_grad()
            bradley_terry_loss(*model(pairs[part]).unbind(1)).backward()
            optimizer.step()
        loss = float(bradley_terry_loss(*model.score(checked).unbind(1))) if len(checked) else 0.0
        if loss < best:
            best, kept = loss, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(kept)
    return model.eval()


def directions(features: torch.Tensor, number: int) -> torch.Tensor:
    """Return the ``number`` directions [K, number] in which features [N, K] differ most, along each with deviation 1."""
    centered = features - features.mean(0)
    _, sizes, rows = torch.linalg.svd(centered, full_matrices=False)
    return rows[:number].T * (len(features) ** 0.5 / sizes[:number].clamp(min=1e-3))


def train_proxy(
    features: torch.Tensor, gold: torch.Tensor, basis: torch.Tensor, labels: int, seed: int
) -> torch.Tensor:
    """Return one row of weights [K] on the features, trained on ``labels`` pairs that gold has labeled.

    ``features`` [C, 4, K] and ``gold`` [C, 4] belong to four replies to each context. A pair is two of one context; the
    reply with the higher gold score is the chosen one. ``seed`` says which pairs.
    """
    first, second = torch.combinations(torch.arange(features.shape[1])).T
    all_pairs = torch.stack((features[:, first], features[:, second]), 2).flatten(0, 1)  # [6 C, 2, K]
    scores = torch.stack((gold[:, first], gold[:, second]), 2).flatten(0, 1)
    some = torch.randperm(len(all_pairs), generator=torch.Generator().manual_seed(seed))[:labels]
    pairs, scores = all_pairs[some] @ basis, scores[some]
    pairs = torch.where((scores[:, 0] > scores[:, 1])[:, None, None], pairs, pairs.flip(1))
    return basis @ train_reward_head(pairs)


# --- what is read and sampled once -------------------------------------------------------------------------------------


class Material:
    """Messages and replies with their features, read once and kept in ``folder`` for a command that is cut short."""

    def __init__(self, corpus, device, sizes: Sizes, folder: Path):
        self.corpus, self.device, self.sizes, self.folder = corpus, device, sizes, folder
        self.reader, self.tokenizer = feature_reader(device)
        self.model = checkpoints.load("gpt-chat", device).model
        self.special = special_token_ids(self.tokenizer, forbidden=True)
        held_out = self.short(corpus.val)
        order = np.random.default_rng(1).permutation(len(held_out))
        self.evaluated = [held_out[number] for number in order[: sizes.evaluated]]
        self.measured = [held_out[number] for number in order[-sizes.measured :]]

    def short(self, conversations) -> list[list[int]]:
        rows = contexts(conversations, self.tokenizer, turns=1)
        return [row for row in rows if len(row) <= CONTEXT_TOKENS]

    def kept(self, name: str, build) -> torch.Tensor:
        path = self.folder / f"{name}.pt"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(build(), path)
            print(f"{name} read", flush=True)
        return torch.load(path)

    def read(self, pairs: Sequence[Preference]) -> torch.Tensor:
        return self.reader.read([side for pair in pairs for side in pair]).view(len(pairs), 2, -1)

    def people(self, part: str) -> list:
        talks, number = (self.corpus.train, self.sizes.pairs) if part == "train" else (
            self.corpus.val + self.corpus.test, self.sizes.held_out)  # fmt: skip
        pairs = preference_pairs(talks)
        return pairs[:: max(1, len(pairs) // number)][:number]

    def people_features(self, part: str) -> torch.Tensor:
        """Return people's preference pairs [N, 2, K] of the training or the other conversations, the chosen first."""
        return self.kept(f"people_{part}", lambda: self.read(preferences(self.people(part), self.tokenizer, *MESSAGE)))

    def shuffled_features(self, part: str) -> torch.Tensor:
        """Return pairs [N, 2, K] of a person's message, and the same with its words shuffled; a third as many."""

        def build():
            pairs = [pair.rejected for pair in preferences(self.people(part)[::3], self.tokenizer, *MESSAGE)]
            return self.read([Preference(pair, self.shuffle(pair, seed)) for seed, pair in enumerate(pairs)])

        return self.kept(f"shuffled_{part}", build)

    def shuffle(self, pair: Pair, seed: int) -> Pair:
        words = self.tokenizer.decode(pair.reply).split()
        random.Random(seed).shuffle(words)
        return Pair(pair.context, [pair.reply[0], *self.tokenizer.encode(" ".join(words))])

    @cached_property
    def labeled(self) -> torch.Tensor:
        """Features [C, 4, K] of four replies of ``gpt-chat`` to each of C training contexts."""
        rows = self.short(self.corpus.train[:800])
        some = np.random.default_rng(0).permutation(len(rows))[: self.sizes.contexts]
        return self.replies("labeled", [rows[number] for number in some], 4, 11)

    @cached_property
    def candidates(self) -> torch.Tensor:
        """Features [C, N, K] of the replies among which best of n chooses."""
        return self.replies("candidates", self.evaluated, self.sizes.replies, 12)

    def replies(self, name: str, prompts, number: int, seed: int) -> torch.Tensor:
        def build():
            groups = generate_replies(self.model, self.tokenizer, prompts, number, max_tokens=REPLY_TOKENS, seed=seed)
            return self.reader.read([pair for group in groups for pair in group]).view(len(groups), number, -1)

        return self.kept(name, build)
