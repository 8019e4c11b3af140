"""Conversations as tensors: one long stream of token numbers, cut into batches (built in notebook 02)."""

from collections.abc import Iterable

import torch

from helpers.corpus.batches.base import Batch
from helpers.corpus.conversations import Conversation
from helpers.corpus.tokenizers.characters import CharTokenizer


def stream(conversations: Iterable[Conversation], tokenizer: CharTokenizer) -> torch.Tensor:
    """Return all conversations as one sequence of token numbers, int16 [N], with ``<end>`` before, between and after.

    Raises ValueError when there is no conversation.
    """
    ids = [tokenizer.end]
    for conversation in conversations:
        ids += tokenizer.encode_conversation(conversation)
    if len(ids) == 1:
        raise ValueError("there is no conversation to make a stream of")
    return torch.tensor(ids, dtype=torch.int16)


class StreamBatches:
    """A stream read in ``batch_size`` places at once, ``context`` tokens at a time, again and again.

    Row r of batch t + 1 goes on where row r of batch t stopped, so a recurrent model can carry its state over. Each pass
    over the data starts at another random place. ``batches[t]`` is the same for every t whenever it is asked for, so a
    training that was interrupted goes on with exactly the batches it would have seen. Raises ValueError when the stream
    is too short for one batch.
    """

    def __init__(self, ids: torch.Tensor, batch_size: int, context: int, seed: int = 0):
        self.ids, self.batch_size, self.context, self.seed = ids, batch_size, context, seed
        self.row = (len(ids) - 1) // batch_size  # tokens that one row reads in a pass
        if self.row < context:
            raise ValueError(
                f"{len(ids):,} tokens are too few for {batch_size} rows of {context} tokens: "
                "take a smaller batch_size or context, or more text"
            )

    def __len__(self) -> int:
        """How many batches make one pass."""
        return self.row // self.context

    def __getitem__(self, number: int) -> Batch:
        if number < 0:
            raise IndexError("batches are numbered from 0, without an end")
        turn, window = divmod(number, len(self))
        start = torch.arange(self.batch_size) * self.row + window * self.context + self._shift(turn)
        places = start[:, None] + torch.arange(self.context + 1)  # [B, T + 1]
        rows = self.ids[places % len(self.ids)].long()
        return Batch(rows[:, :-1], rows[:, 1:], first=window == 0)

    def _shift(self, turn: int) -> int:
        random = torch.Generator().manual_seed(self.seed * 1_000_003 + turn)
        return int(torch.randint(len(self.ids), (), generator=random))


class WindowBatches:
    """A stream cut into windows of ``context`` tokens that follow each other, shuffled: what a GPT learns from.

    Nothing is padded and nothing is carried over; a window may begin or end in the middle of a sentence. Each pass cuts at
    another place and shuffles anew. ``batches[t]`` is the same for every t whenever it is asked for. Raises ValueError
    when the stream is too short for one batch.
    """

    def __init__(self, ids: torch.Tensor, batch_size: int, context: int, seed: int = 0):
        self.ids, self.batch_size, self.context, self.seed = ids, batch_size, context, seed
        self.windows = (len(ids) - 1) // context - 1  # one less: the first may begin up to `context` tokens late
        self._turn, self._order = -1, None
        if self.windows < batch_size:
            raise ValueError(
                f"{len(ids):,} tokens are too few for {batch_size} windows of {context} tokens: "
                "take a smaller batch_size or context, or more text"
            )

    def __len__(self) -> int:
        """How many batches make one pass."""
        return self.windows // self.batch_size

    def __getitem__(self, number: int) -> Batch:
        if number < 0:
            raise IndexError("batches are numbered from 0, without an end")
        turn, place = divmod(number, len(self))
        if turn != self._turn:
            random = torch.Generator().manual_seed(self.seed * 1_000_003 + turn)
            shift = torch.randint(self.context, (), generator=random)
            self._turn, self._order = turn, torch.randperm(self.windows, generator=random) * self.context + shift
        starts = self._order[place * self.batch_size : (place + 1) * self.batch_size]
        rows = self.ids[starts[:, None] + torch.arange(self.context + 1)].long()  # [B, T + 1]
        return Batch(rows[:, :-1], rows[:, 1:], first=True)
