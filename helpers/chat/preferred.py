"""How the bot of notebook 09 is made: replies of the tuned GPT, judged by a reward model that learned from people's votes.

Everybody in the conversations has one reply only to each context, and DPO needs two. So the bot says several, and a reward
model, trained on what drew people's longer answers, says which is preferred: the votes are people's, handed on.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .. import data_path
from ..corpus.feedback import Preference
from ..runtime import seed_everything
from . import zoo

JUDGED = "gpt"  # the bot whose copy is the judge: not the player's own


def reward_model(name: str = "proxy", device="cpu"):
    """Return a stored reward model: "proxy", to be trained against, or "gold", which read the other half of the votes.

    Raises FileNotFoundError when it is not there, ValueError when the file is damaged.
    """
    from ..models.encoder_decoder import marks
    from ..models.reward import RewardModel

    bot = zoo.load(JUDGED, device)
    return RewardModel.load(data_path("preferences", f"{name}.safetensors"), bot.model, **marks(bot.tokenizer))


def say(model, tokenizer, contexts: Sequence, number: int, *, max_tokens: int = 40, temperature: float = 1.0,
        together: int = 1024, seed: int = 0) -> list[list]:  # fmt: skip
    """Return ``number`` replies to each of the contexts, as Pairs: a list per context."""
    import torch

    from ..models.modes import device_of
    from ..training.rewarded import ContextBatches, marks_of, roll_out

    dice = torch.Generator(device_of(model)).manual_seed(seed)
    order = sorted(range(len(contexts)), key=lambda place: len(contexts[place]))  # similar lengths side by side
    found: list[list] = [[] for _ in contexts]
    for start in range(0, len(order), step := max(1, together // number)):
        places = order[start : start + step]
        batch = ContextBatches.of([contexts[place] for place in places], number, tokenizer.pad)
        said = roll_out(
            model, batch, max_tokens, temperature=temperature, generator=dice, **marks_of(tokenizer)
        ).pairs()
        for row, place in enumerate(places):
            found[place] = said[row * number : (row + 1) * number]
    return found


def compared(replies: Sequence[Sequence], reward) -> list[Preference]:
    """Return, of the replies to each context, the one that ``reward`` likes best against the one it likes least.

    A context whose best and worst reply are the same text, or have the same score, teaches nothing and is left out.
    """
    scores = iter(reward.score([pair for group in replies for pair in group]).tolist())
    made = []
    for group in replies:
        known = sorted(zip(group, scores), key=lambda item: item[1])  # zip takes the group's scores, no more
        (worst, low), (best, high) = known[0], known[-1]
        if high > low and _text(best, reward) != _text(worst, reward):
            made.append(Preference(best, worst))
    return made


def _text(pair, reward) -> list[int]:
    return [token for token in pair.reply if token not in (*reward.speakers, reward.end)]


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
        from ..models.lora import add_lora
        from ..training import fit
        from ..training.preferences import DPO, PreferenceBatches, reference_log_probabilities
        from ..training.rewarded import contexts

        seed_everything(self.seed)
        began, bot = time.perf_counter(), zoo.load(self.base, device.torch)
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
