"""Best of n, policy gradient and DPO with three seeds each, measured along the way, and their KL at equal reward (notebook 09).

    python -m helpers experiments rlhf_seeds      run what data/preferences/policies.csv lacks (half an hour on one core)

All begin at ``gpt-chat``, answer the same short contexts and are measured on the same held-out ones, with other samples for
each seed: so the spread over seeds has the noise of the measurement in it. ``equal_reward.csv`` is computed from
``policies.csv``: how far each run is from where it began when it first reaches a reward.
"""

import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from helpers import data_path
from helpers.bots import checkpoints
from helpers.bots.measure import first_words
from helpers.bots.reward_models import best_and_worst, reward_model
from helpers.corpus.batches.preferences import PreferenceBatches
from helpers.corpus.batches.prompts import ContextBatches, contexts
from helpers.corpus.load import load
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.evaluation.best_of_n import best_of, best_of_kl
from helpers.evaluation.likelihood import reply_bits_per_byte
from helpers.evaluation.text_metrics import distinct
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.generation.rollout import generate_replies
from helpers.generation.scoring import reply_log_probabilities
from helpers.io import read_rows, write_rows
from helpers.models.lora import add_lora
from helpers.runtime import seed_everything, start
from helpers.training import fit
from helpers.training.dpo import DPO, reference_log_probabilities
from helpers.training.rlhf import PolicyGradient, reward_function

COLUMNS = ("method", "beta", "seed", "step", "n", "proxy", "gold", "kl", "questions", "words", "distinct-2", "bits per byte")
EQUAL_COLUMNS = ("method", "beta", "seed", "reward", "kl", "gold")
REWARDS = (0.0, 0.25, 0.5, 0.7)  # the proxy's, at which the KL is compared
CONTEXT_TOKENS, REPLY_TOKENS = 24, 24
MEASURED = 48  # held-out contexts, a reply to each
COUNTED_WORDS = 350  # of which distinct-2 is computed
NUMBERS = (1, 2, 4, 8, 16, 32)


class PolicyRun(NamedTuple):
    """One run; best of n has no β and no steps, for nothing is trained."""

    method: str
    beta: float | None
    seed: int

    @property
    def key(self) -> dict:
        return {"method": self.method, "beta": self.beta, "seed": self.seed}


SETTINGS = (("best of n", None), ("DPO", 0.1), ("policy gradient", 0.1), ("policy gradient", 0), ("policy gradient", 0.3))
RUNS = [PolicyRun(*setting, seed) for seed in range(3) for setting in SETTINGS]


class Course:
    """What the runs have in common. ``tiny`` makes all of it small, for trying it out."""

    def __init__(self, corpus, device, tiny: bool = False):
        self.corpus, self.device, self.tiny = corpus, device, tiny
        bot = checkpoints.load("gpt-chat", device)
        self.model, self.tokenizer = bot.model, bot.tokenizer
        self.steps, self.every, self.pairs = (2, 1, 6) if tiny else (21, 3, 240)
        self.numbers = NUMBERS[:3] if tiny else NUMBERS
        self.special = special_token_ids(self.tokenizer, forbidden=True)
        self.train, held_out = (self._short(part) for part in (corpus.train[:800], corpus.val))
        order = np.random.default_rng(0).permutation(len(held_out))[: 4 if tiny else MEASURED]
        self.held_out = [held_out[number] for number in order]

    def _short(self, conversations) -> list[list[int]]:
        return [row for row in contexts(conversations, self.tokenizer, turns=1) if len(row) <= CONTEXT_TOKENS]

    @cached_property
    def proxy(self):
        return reward_model("proxy", self.device)

    @cached_property
    def gold(self):
        return reward_model("gold", self.device)

    def policy(self):
        """Return a fresh copy of the bot with LoRA, which alone is trained."""
        return add_lora(checkpoints.load("gpt-chat", self.device).model, 16, 32.0)

    def measure(self, model, seed: int) -> dict:
        """Return what a policy's replies are like: a sample to each held-out context."""
        sampled = generate_replies(model, self.tokenizer, self.held_out, 1, max_tokens=REPLY_TOKENS, seed=100 + seed)
        replies = [pair for (pair,) in sampled]
        with torch.no_grad():
            now, before = (reply_log_probabilities(part, replies, self.tokenizer.pad) for part in (model, self.model))
        texts = [self.tokenizer.decode(pair.reply) for pair in replies]
        return {
            "proxy": float(self.proxy.score(replies).mean()),
            "gold": float(self.gold.score(replies).mean()),
            "kl": float((now - before).mean()),
            "questions": sum("?" in text for text in texts) / len(texts),
            "words": sum(len(text.split()) for text in texts) / len(texts),
            "distinct-2": distinct(first_words([text.split() for text in texts], COUNTED_WORDS), 2),
            "bits per byte": reply_bits_per_byte(model, self.tokenizer, self.corpus.val[: 1 if self.tiny else 2]),
        }

    # --- the three ways ------------------------------------------------------------------------------------------------

    def run(self, run: PolicyRun) -> list[dict]:
        """Execute a run and return its rows. Raises ValueError for a training that was stopped."""
        if run.method == "best of n":
            return [run.key | row for row in self.best_of(run.seed)]
        seed_everything(run.seed)
        model, rows = self.policy(), []

        def callback(history, policy) -> None:
            if history.steps % self.every == 0:
                rows.append(run.key | {"step": history.steps} | self.measure(policy, run.seed))

        rows.append(run.key | {"step": 0} | self.measure(model, run.seed))
        batches, settings = (self.dpo if run.method == "DPO" else self.policy_gradient)(run)
        check_finished(fit(model, batches, schedule="constant", callbacks=[callback], progress=False, **settings))
        return rows

    def best_of(self, seed: int) -> list[dict]:
        """Return a row for each n: the reply that the proxy scores highest; the KL is that of the formula."""
        replies = generate_replies(
            self.model, self.tokenizer, self.held_out, self.numbers[-1], max_tokens=REPLY_TOKENS, seed=200 + seed
        )
        flat = [pair for group in replies for pair in group]
        texts = [self.tokenizer.decode(pair.reply) for pair in flat]
        proxy = self.proxy.score(flat).view(len(replies), -1)
        measured = {
            "gold": self.gold.score(flat),
            "questions": torch.tensor(["?" in text for text in texts]),
            "words": torch.tensor([len(text.split()) for text in texts]),
        }
        return [
            {"n": n, "proxy": best_of(proxy, n), "kl": best_of_kl(n)}
            | {name: best_of(proxy, n, values.view(proxy.shape)) for name, values in measured.items()}
            for n in self.numbers
        ]

    def policy_gradient(self, run: PolicyRun) -> tuple:
        """Return the batches of contexts and the settings of ``fit``: six contexts a step, four replies to each."""
        loss = PolicyGradient(
            reward_function(self.proxy), self.model, run.beta, max_tokens=REPLY_TOKENS, seed=run.seed, **self.special
        )
        batches = ContextBatches(self.train, 6, 4, run.seed, pad=self.tokenizer.pad)
        return batches, {"steps": self.steps, "learning_rate": 3e-3, "loss": loss}

    def dpo(self, run: PolicyRun) -> tuple:
        """Return preference pairs (the best of four replies against the worst, for the proxy) and the settings of ``fit``."""
        order = np.random.default_rng(run.seed).permutation(len(self.train))[: self.pairs]
        prompts = [self.train[number] for number in order]
        replies = generate_replies(self.model, self.tokenizer, prompts, 4, max_tokens=REPLY_TOKENS, seed=run.seed)
        pairs = best_and_worst(replies, self.proxy)
        reference = reference_log_probabilities(self.model, pairs, self.tokenizer.pad)
        batches = PreferenceBatches(pairs, min(16, len(pairs)), run.seed, pad=self.tokenizer.pad, reference=reference)
        return batches, {"steps": 2 * self.steps, "learning_rate": 1e-3, "loss": DPO(run.beta)}


# --- the KL at equal reward --------------------------------------------------------------------------------------------


def at_reward(path: Sequence[dict], reward: float, column: str = "kl") -> float | None:
    """Return the value of ``column`` where the proxy's score first reaches ``reward``, on the line between two rows.

    ``path`` is a run's rows in order. None for a run that does not get there.
    """
    for before, after in zip(path, path[1:]):
        if before["proxy"] < reward <= after["proxy"]:
            share = (reward - before["proxy"]) / (after["proxy"] - before["proxy"])
            return before[column] + share * (after[column] - before[column])
    return None


def equal_reward(rows: Iterable[dict], rewards: Sequence[float] = REWARDS) -> list[dict]:
    """Return, for each run and each reward, the KL and the gold score where the run first reaches that reward."""
    runs: dict[tuple, list[dict]] = {}
    for row in rows:
        runs.setdefault(tuple(row[name] for name in ("method", "beta", "seed")), []).append(row)
    return [
        dict(zip(EQUAL_COLUMNS, (*key, reward, *(at_reward(path, reward, column) for column in ("kl", "gold")))))
        for key, path in runs.items() for reward in rewards
    ]  # fmt: skip


def mean_and_deviation(values: Iterable[float | None]) -> tuple[float, float, int]:
    """Return mean, standard deviation (n − 1) and number of the values that are there."""
    known = [value for value in values if value is not None]
    mean = sum(known) / len(known) if known else math.nan
    squares = sum((value - mean) ** 2 for value in known)
    return mean, math.sqrt(squares / (len(known) - 1)) if len(known) > 1 else math.nan, len(known)


def main(folder: Path | None = None, runs: Sequence[PolicyRun] = RUNS, corpus=None, tiny: bool = False) -> None:
    """Execute every run that ``policies.csv`` lacks, and write ``equal_reward.csv`` anew."""
    folder = folder or data_path("preferences")
    path, device = folder / "policies.csv", start(seed=0)
    course = Course(corpus or load(), device.torch, tiny)
    rows = read_rows(path)
    run_missing(runs, rows, course.run, lambda rows: write_rows(path, COLUMNS, rows))
    write_rows(folder / "equal_reward.csv", EQUAL_COLUMNS, equal_reward(rows))
