"""Contexts for a model to reply to, in batches, padded at their beginning (used in notebook 09)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from helpers.corpus.batches.base import NumberedBatches, padded
from helpers.corpus.conversations import Conversation
from helpers.corpus.messages import whole_numbers


def contexts(
    conversations: Iterable[Conversation], tokenizer, turns: int = 3, most: int = 64, seed: int = 0
) -> list[list[int]]:
    """Return what may come before a reply: ``<end>``, up to ``turns`` whole turns, and the next speaker's token.

    One for each turn but the first of every conversation, with 1 to ``turns`` turns at random; those longer than ``most``
    tokens are left out. Raises ValueError when none is left, and for ``turns`` below 1.
    """
    (turns,) = whole_numbers(turns=turns)
    rng, result = np.random.default_rng(seed), []
    for conversation in conversations:
        encoded = [[tokenizer.speaker(turn.speaker), *tokenizer.encode(turn.text)] for turn in conversation.turns]
        for number in range(1, len(encoded)):
            before = encoded[max(0, number - int(rng.integers(1, turns + 1))) : number]
            row = [tokenizer.end, *(token for turn in before for token in turn), encoded[number][0]]
            result += [row] * (len(row) <= most)
    if not result:
        raise ValueError(f"no context has at most {most} tokens: give more conversations, or allow more tokens")
    return result


class ContextBatch(NamedTuple):
    """Contexts side by side, padded at their *beginning*, each ending with the next speaker's token."""

    ids: torch.Tensor  # [B, S] int64
    padding: torch.Tensor  # [B] int64: how many tokens of each row are padding
    targets: torch.Tensor  # [B] int64: the contexts' indices; ``fit`` counts them
    first: bool = True


class ContextBatches(NumberedBatches):
    """Contexts (sequences of token ids) in batches, each ``replies`` times in a row, in another order in each pass.

    See NumberedBatches; what does not fill a batch is left for the next pass. Raises ValueError for no context or an empty
    one, and for a batch_size or number of replies below 1.
    """

    drop_last = True

    def __init__(
        self, contexts: Sequence[Sequence[int]], batch_size: int, replies: int = 1, seed: int = 0, *, pad: int
    ):
        batch_size, self.replies = whole_numbers(batch_size=batch_size, replies=replies)
        super().__init__(len(contexts), min(batch_size, len(contexts) or 1), seed)
        if not all(map(len, contexts)):
            raise ValueError("a context is empty: give contexts of one token at least")
        self.contexts, self.pad = contexts, pad

    def plan(self, pass_number: int) -> np.ndarray:
        order = np.random.default_rng([self.seed, pass_number]).permutation(self.size)
        return order[: len(self) * self.batch_size].reshape(len(self), self.batch_size)

    def batch(self, part: np.ndarray, position: int) -> ContextBatch:
        return self.of([self.contexts[index] for index in part], self.replies, self.pad)

    @staticmethod
    def of(contexts: Sequence[Sequence[int]], replies: int = 1, pad: int = 0) -> ContextBatch:
        """Return these contexts as one batch, in this order, each ``replies`` times in a row."""
        ids, numbers = padded(contexts, pad, side="left"), torch.arange(len(contexts))
        padding = torch.tensor([ids.shape[1] - len(row) for row in contexts])
        return ContextBatch(*(part.repeat_interleave(replies, 0) for part in (ids, padding, numbers)))
