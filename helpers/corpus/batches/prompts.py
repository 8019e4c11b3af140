"""Contexts for a model to reply to, in batches, padded at their beginning (used in notebook 09)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from helpers.corpus.conversations import Conversation


def contexts(
    conversations: Iterable[Conversation], tokenizer, turns: int = 3, most: int = 64, seed: int = 0
) -> list[list[int]]:
    """Return what may come before a reply: ``<end>``, up to ``turns`` whole turns, and the next speaker's token.

    One for each turn but the first of every conversation, with 1 to ``turns`` turns by lot; those longer than ``most`` tokens
    are left out. Raises ValueError when none is left.
    """
    random, made = np.random.default_rng(seed), []
    for talk in conversations:
        said = [[tokenizer.speaker(turn.speaker), *tokenizer.encode(turn.text)] for turn in talk.turns]
        for place in range(1, len(said)):
            before = said[max(0, place - int(random.integers(1, turns + 1))) : place]
            row = [tokenizer.end, *(token for turn in before for token in turn), said[place][0]]
            made += [row] * (len(row) <= most)
    if not made:
        raise ValueError(
            f"no context of at most {most} tokens was found: give more conversations, or allow more tokens"
        )
    return made


class ContextBatch(NamedTuple):
    """Contexts side by side, padded at their *beginning*, each ending with the token of the one who speaks next."""

    ids: torch.Tensor  # [B, S] int64
    padding: torch.Tensor  # [B] int64: how much of each row is padding
    targets: torch.Tensor  # [B] int64: the contexts' numbers; ``fit`` counts them
    first: bool = True


class ContextBatches:
    """Contexts (sequences of token numbers) in batches, each ``replies`` times in a row, in another order in each pass.

    ``batches[t]`` is the same for every t whenever it is asked for. Raises ValueError for an empty context.
    """

    def __init__(
        self, contexts: Sequence[Sequence[int]], batch_size: int, replies: int = 1, seed: int = 0, *, pad: int
    ):
        if batch_size < 1 or replies < 1 or not len(contexts) or not all(map(len, contexts)):
            raise ValueError("give contexts of one token at least, a batch_size and a number of replies from 1 on")
        self.contexts, self.batch_size, self.replies = contexts, min(batch_size, len(contexts)), replies
        self.seed, self.pad = seed, pad

    def __len__(self) -> int:
        """How many batches make one pass; what does not fill one is left for the next order."""
        return len(self.contexts) // self.batch_size

    def __getitem__(self, number: int) -> ContextBatch:
        if number < 0:
            raise IndexError("batches are numbered from 0, without an end")
        turn, place = divmod(number, len(self))
        order = np.random.default_rng([self.seed, turn]).permutation(len(self.contexts))
        rows = order[place * self.batch_size : (place + 1) * self.batch_size]
        return self.of([self.contexts[row] for row in rows], self.replies, self.pad)

    @staticmethod
    def of(contexts: Sequence[Sequence[int]], replies: int = 1, pad: int = 0) -> ContextBatch:
        """Return these contexts as one batch, in this order, each ``replies`` times in a row."""
        longest = max(map(len, contexts))
        ids = torch.full((len(contexts), longest), pad)
        for line, row in zip(ids, contexts):
            line[longest - len(row) :] = torch.as_tensor(np.asarray(row), dtype=torch.long)
        padding, numbers = torch.tensor([longest - len(row) for row in contexts]), torch.arange(len(contexts))
        return ContextBatch(*(part.repeat_interleave(replies, 0) for part in (ids, padding, numbers)))
