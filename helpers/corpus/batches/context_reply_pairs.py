"""What was said and what was answered: pairs for a model that reads first and replies then (built in notebook 03)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from helpers.corpus.batches.base import IGNORED, NumberedBatches
from helpers.corpus.conversations import Conversation

SORTED_TOGETHER = 32  # batches' worth of pairs: sorted by length, so that little of a batch is padding
SAME_LENGTH = 4  # replies whose lengths differ by less count as equally long: then the contexts' lengths decide


class Pair(NamedTuple):
    """A turn and all that was said before it, as token numbers (arrays int32, or any sequence of ints)."""

    context: Sequence[int]  # <end>, then each turn before: its speaker's token, its text; of a long one the end
    reply: Sequence[int]  # the own speaker's token, the text, the token that closes it: the next speaker's, or <end>


class PairBatch(NamedTuple):
    """Pairs side by side. The model reads ``context`` and ``inputs`` and should say ``targets``, one token later."""

    context: torch.Tensor  # [B, S] int64, padded at the end
    inputs: torch.Tensor  # [B, T] int64, padded at the end
    targets: torch.Tensor  # [B, T] int64, −100 where padded: not counted
    first: bool = True  # every batch begins somewhere new


def pairs(
    conversations: Iterable[Conversation], tokenizer, context_tokens: int = 96, reply_tokens: int = 64
) -> list[Pair]:
    """Return a pair for every turn of every conversation; the first turn's context is ``<end>`` alone.

    Of a long context the last ``context_tokens`` are kept, of a long reply the first ``reply_tokens``. Raises ValueError
    when there is no turn, or when these numbers leave no room for a context (1) or a reply (2).
    """
    if context_tokens < 1 or reply_tokens < 2:
        raise ValueError(
            f"context_tokens={context_tokens} and reply_tokens={reply_tokens} leave nothing to read or to say: "
            "give at least 1 and 2, usually 96 and 64"
        )
    made = []
    for conversation in conversations:
        ids, starts = [tokenizer.end], []
        for turn in conversation.turns:
            starts.append(len(ids))
            ids += [tokenizer.speaker(turn.speaker), *tokenizer.encode(turn.text)]
        ids = np.array([*ids, tokenizer.end], dtype=np.int32)  # the pairs are views of it: no text is held twice
        for start, after in zip(starts, [*starts[1:], len(ids) - 1]):
            reply = ids[start : min(after + 1, start + reply_tokens)]
            made.append(Pair(ids[max(0, start - context_tokens) : start], reply))
    if not made:
        raise ValueError("there is no turn to make a pair of: give at least one conversation")
    return made


def batch_of(pairs: Sequence[Pair], pad: int) -> PairBatch:
    """Return ``pairs`` side by side, the shorter ones padded at their end with ``pad``.

    Raises ValueError when there is no pair, an empty context, or a reply of less than two tokens: the first is read, the
    second is said.
    """
    if not len(pairs):
        raise ValueError("there are no pairs to make a batch of: give at least one")
    if not all(len(pair.context) and len(pair.reply) > 1 for pair in pairs):
        raise ValueError(
            "a pair needs a context of one token at least (<end>) and a reply of two: the speaker's token and what "
            "follows. Look for empty ones."
        )
    context = _padded([pair.context for pair in pairs], pad)
    inputs = _padded([pair.reply[:-1] for pair in pairs], pad)
    return PairBatch(context, inputs, _padded([pair.reply[1:] for pair in pairs], IGNORED))


class PairBatches(NumberedBatches):
    """Pairs in batches of ``batch_size``, again and again, each pass in another order (see NumberedBatches).

    Pairs of similar length come together, so that little is padding. ``pad`` is the tokenizer's. Raises ValueError when
    there is no pair, or one that says nothing.
    """

    def __init__(self, pairs: Sequence[Pair], batch_size: int, seed: int = 0, *, pad: int):
        super().__init__(pairs, batch_size, seed)
        self.pad = pad
        self._context = np.array([len(pair.context) for pair in pairs])
        self._reply = np.array([len(pair.reply) for pair in pairs])
        if not (self._context.all() and self._reply.min() > 1):
            wrong = int(np.flatnonzero((self._context < 1) | (self._reply < 2))[0])
            raise ValueError(
                f"pair {wrong} has an empty context or says nothing: a context needs one token at least (<end>), "
                "a reply two, the speaker's token and what follows"
            )

    def batch_of(self, items: list) -> PairBatch:
        return batch_of(items, self.pad)

    def order(self, random: np.random.Generator) -> np.ndarray:
        """Return all places: shuffled, then sorted by length within each share of a pass."""
        order, share = random.permutation(len(self.items)), self.batch_size * SORTED_TOGETHER
        shares = [order[start : start + share] for start in range(0, len(order), share)]
        keys = [(self._context[rows], self._reply[rows] // SAME_LENGTH) for rows in shares]
        return np.concatenate([rows[np.lexsort(key)] for rows, key in zip(shares, keys)])


def _padded(rows: Sequence[Sequence[int]], filler: int) -> torch.Tensor:
    table = np.full((len(rows), max(map(len, rows))), filler, dtype=np.int64)
    for line, row in zip(table, rows):
        line[: len(row)] = row
    return torch.from_numpy(table)
