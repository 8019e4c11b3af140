"""Contexts and replies: pairs for a model that reads first and replies then (built in notebook 03)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from helpers.corpus.batches.base import IGNORED, NumberedBatches, Pair, padded
from helpers.corpus.conversations import Conversation

SORTED_BATCHES = 32  # batches' worth of pairs: sorted by length, so that little of a batch is padding
SAME_LENGTH = 4  # replies whose lengths differ by less count as equally long: then the contexts' lengths decide


class PairBatch(NamedTuple):
    """Pairs side by side. The model reads ``context`` and ``inputs`` and should predict ``targets``, one token later."""

    context: torch.Tensor  # [B, S] int64, padded at the end
    inputs: torch.Tensor  # [B, T] int64, padded at the end
    targets: torch.Tensor  # [B, T] int64, −100 where padded
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
    result = []
    for conversation in conversations:
        ids, starts = [tokenizer.end], []
        for turn in conversation.turns:
            starts.append(len(ids))
            ids += [tokenizer.speaker(turn.speaker), *tokenizer.encode(turn.text)]
        ids = np.array([*ids, tokenizer.end], dtype=np.int32)  # the pairs are views of it: no text is held twice
        for start, after in zip(starts, [*starts[1:], len(ids) - 1]):
            reply = ids[start : min(after + 1, start + reply_tokens)]
            result.append(Pair(ids[max(0, start - context_tokens) : start], reply))
    if not result:
        raise ValueError("there is no turn to make a pair of: give at least one conversation")
    return result


def batch_of(pairs: Sequence[Pair], pad: int) -> PairBatch:
    """Return ``pairs`` side by side, the shorter ones padded at their end with ``pad``.

    Raises ValueError when there is no pair, an empty context, or a reply of less than two tokens: the first is read, the
    second is predicted.
    """
    if not len(pairs):
        raise ValueError("there are no pairs to make a batch of: give at least one")
    _check(pairs)
    replies = padded([pair.reply for pair in pairs], IGNORED)
    targets = replies[:, 1:].contiguous()
    inputs = replies[:, :-1].where(targets != IGNORED, pad)  # a reply's last token is predicted, never read
    return PairBatch(padded([pair.context for pair in pairs], pad), inputs, targets)


def whole_rows(pairs: Sequence[Pair], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pairs for a model that reads context and reply as one row: ids [B, T] and targets [B, T − 1], both int64.

    Targets are the tokens of the replies after the first, the own speaker's token, which is given; −100 elsewhere.
    """
    ids = padded([np.concatenate(pair) for pair in pairs], pad)
    targets = padded([np.concatenate((np.full(len(context), IGNORED), reply[1:])) for context, reply in pairs], IGNORED)
    return ids, targets


class PairBatches(NumberedBatches):
    """Pairs in batches of ``batch_size``, again and again, each pass in another order (see NumberedBatches).

    Pairs of similar length come into one batch, so that little is padding. ``pad`` is the tokenizer's. Raises ValueError
    when there is no pair, or one with an empty context or reply.
    """

    def __init__(self, pairs: Sequence[Pair], batch_size: int, seed: int = 0, *, pad: int):
        super().__init__(len(pairs), batch_size, seed)
        _check(pairs)
        self.pairs, self.pad = pairs, pad
        self._context = np.array([len(pair.context) for pair in pairs])
        self._reply = np.array([len(pair.reply) for pair in pairs])

    def order(self, rng: np.random.Generator) -> np.ndarray:
        """Return all indices: shuffled, then sorted by length within each block of a pass."""
        order, size = rng.permutation(self.size), self.batch_size * SORTED_BATCHES
        blocks = (order[start : start + size] for start in range(0, len(order), size))
        keys = ((block, (self._context[block], self._reply[block] // SAME_LENGTH)) for block in blocks)
        return np.concatenate([block[np.lexsort(key)] for block, key in keys])

    def batch(self, part: np.ndarray, position: int) -> PairBatch:
        return batch_of([self.pairs[index] for index in part], self.pad)


def _check(pairs: Sequence[Pair]) -> None:
    for number, (context, reply) in enumerate(pairs):
        if not len(context) or len(reply) < 2:
            raise ValueError(
                f"pair {number} has an empty context or reply: a context needs one token at least (<end>), "
                "a reply two, the speaker's token and what follows"
            )
