"""How the bot of notebook 09 is trained: DPO on replies of the fine-tuned GPT, ranked by a reward model.

The conversations have one reply only to each context, and DPO needs two. So the bot generates several, and a reward
model, trained on what drew people's longer answers, ranks them: the preferences are people's, handed on.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from helpers.bots import checkpoints, reward_models
from helpers.generation.rollout import generate_replies
from helpers.runtime import seed_everything


@dataclass(frozen=True)
class DPORecipe:
    """Fine-tune a bot by DPO: the best against the worst of a few of its own replies, as a reward model ranks them."""

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

    def train(
        self, corpus, tokenizer, device, resume: Path | None, *, reward_model=None, loss=None,
        callbacks: Sequence[Callable] = (),
    ) -> tuple:  # fmt: skip
        """Train as all recipes do; return the model and the seconds it took.

        ``reward_model`` is used instead of the stored one. ``loss`` is a `DPO` to minimize instead of ``DPO(beta)``: who
        passes one can read its ``records`` afterwards. ``callbacks`` are those of ``fit``.
        """
        import numpy as np

        from helpers.corpus.batches.preferences import PreferenceBatches
        from helpers.corpus.batches.prompts import contexts
        from helpers.models.lora import add_lora
        from helpers.training import fit
        from helpers.training.dpo import DPO, reference_log_probabilities

        seed_everything(self.seed)
        start, bot = time.perf_counter(), checkpoints.load(self.base, device.torch)
        prompts = contexts(corpus.train, bot.tokenizer, seed=self.seed)
        order = np.random.default_rng(self.seed).permutation(len(prompts))[: self.contexts]
        prompts = [prompts[number] for number in order.tolist()]
        replies = generate_replies(bot.model, bot.tokenizer, prompts, self.replies, max_tokens=self.max_tokens, seed=self.seed)
        pairs = reward_models.best_and_worst(replies, reward_model or reward_models.reward_model(self.reward, device.torch))
        reference = reference_log_probabilities(bot.model, pairs, bot.tokenizer.pad)
        batches = PreferenceBatches(pairs, self.batch_size, self.seed, pad=bot.tokenizer.pad, reference=reference)
        model = add_lora(bot.model, self.rank, self.alpha)
        history = fit(
            model, batches, steps=self.passes * len(batches), learning_rate=self.learning_rate,
            loss=loss or DPO(self.beta), callbacks=callbacks, resume=resume, progress=False,
        )  # fmt: skip
        if history.stopped:
            raise ValueError(f"{history.stopped} Nothing was saved; the same command goes on from {resume}.")
        return model, time.perf_counter() - start
