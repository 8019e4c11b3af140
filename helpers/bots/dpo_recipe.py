"""How the bot of notebook 09 is made: replies of the tuned GPT, judged by a reward model that learned from people's votes.

Everybody in the conversations has one reply only to each context, and DPO needs two. So the bot says several, and a reward
model, trained on what drew people's longer answers, says which is preferred: the votes are people's, handed on.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from helpers.bots import checkpoints
from helpers.bots.reward_models import compared, reward_model
from helpers.generation.rollout import say
from helpers.runtime import seed_everything


@dataclass(frozen=True)
class DPORecipe:
    """Tune a bot of the zoo by DPO: best against worst of a few replies of its own, as a reward model sees them."""

    tokens: ClassVar[str] = "word pieces"
    base: str = "gpt-chat"
    reward: str = "proxy"
    contexts: int = 500
    replies: int = 4
    max_tokens: int = 40
    rank: int = 16
    alpha: float = 32.0
    beta: float = 0.1
    batch_size: int = 16
    passes: int = 2
    learning_rate: float = 5e-4
    seed: int = 0

    def train(self, corpus, tokenizer, device, resume: Path, watch: Iterable[Callable] = (), judge=None):
        """As all recipes do. ``judge`` stands in for the stored reward model; ``watch`` are callbacks of ``fit``, to each
        of which the loss, a `DPO`, is given as ``loss``.
        """
        from helpers.corpus.batches.preferences import PreferenceBatches
        from helpers.corpus.batches.prompts import contexts
        from helpers.models.lora import add_lora
        from helpers.training import fit
        from helpers.training.dpo import DPO, reference_log_probabilities

        seed_everything(self.seed)
        began, bot = time.perf_counter(), checkpoints.load(self.base, device.torch)
        judge = judge or reward_model(self.reward, device.torch)
        asked = contexts(corpus.train, bot.tokenizer, seed=self.seed)
        chosen = [asked[place] for place in _drawn(len(asked), self.contexts, self.seed)]
        said = say(bot.model, bot.tokenizer, chosen, self.replies, max_tokens=self.max_tokens, seed=self.seed)
        pairs = compared(said, judge)
        known = reference_log_probabilities(bot.model, pairs, bot.tokenizer.pad)
        batches = PreferenceBatches(pairs, self.batch_size, self.seed, pad=bot.tokenizer.pad, reference=known)
        loss = DPO(self.beta)
        for callback in watch:
            callback.loss = loss
        model = add_lora(bot.model, self.rank, self.alpha)
        history = fit(
            model, batches, steps=self.passes * len(batches), learning_rate=self.learning_rate, loss=loss,
            callbacks=watch, resume=resume, progress=False,
        )  # fmt: skip
        if history.stopped:
            raise ValueError(f"{history.stopped} Nothing was saved; the same command goes on from {resume}.")
        return model, time.perf_counter() - began


def _drawn(size: int, number: int, seed: int) -> list[int]:
    import numpy as np

    return np.random.default_rng(seed).permutation(size)[:number].tolist()
