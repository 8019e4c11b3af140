"""Conversations as tensors: one long stream of token ids, cut into batches (built in notebook 02)."""

from collections.abc import Iterable

import torch

from helpers.corpus.batches.base import Batch, NumberedBatches
from helpers.corpus.conversations import Conversation
from helpers.corpus.messages import whole_numbers
from helpers.corpus.tokenizers.base import Tokenizer


def stream(conversations: Iterable[Conversation], tokenizer: Tokenizer) -> torch.Tensor:
    """Return all conversations as one sequence of token ids [N], with ``<end>`` before, between and after.

    int16 for a vocabulary of at most 32,768 tokens, int32 for a larger one. Raises ValueError when there is no conversation.
    """
    ids = [tokenizer.end]
    for conversation in conversations:
        ids += tokenizer.encode_conversation(conversation)
    if len(ids) == 1:
        raise ValueError("there is no conversation to make a stream of")
    return torch.tensor(ids, dtype=torch.int16 if len(tokenizer) <= 1 << 15 else torch.int32)


def inputs_and_targets(ids: torch.Tensor, context: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a stream [N] cut into rows that follow each other, and the same one token later, both [rows, context].

    What does not fill a row is left out. (Built in notebook 06; `WindowBatches` also shuffles, and cuts each pass elsewhere.)
    """
    rows = (len(ids) - 1) // context
    return ids[: rows * context].reshape(rows, context), ids[1 : rows * context + 1].reshape(rows, context)


class _WindowsOfStream(NumberedBatches):
    drop_last = True

    def __init__(self, ids: torch.Tensor, batch_size: int, context: int, seed: int = 0):
        batch_size, self.context = whole_numbers(batch_size=batch_size, context=context)
        self.ids = ids
        windows = self._windows(batch_size)
        if windows < batch_size:
            raise ValueError(
                f"{len(ids):,} tokens are too few for {batch_size} rows of {context} tokens: "
                "take a smaller batch_size or context, or more text"
            )
        super().__init__(windows, batch_size, seed)

    def batch(self, part: torch.Tensor, position: int) -> Batch:
        """Return the windows that begin at the positions ``part`` [B]; past its end the stream begins again."""
        rows = self.ids[(part[:, None] + torch.arange(self.context + 1)) % len(self.ids)].long()  # [B, T + 1]
        return Batch(rows[:, :-1], rows[:, 1:], first=position == 0)


class StreamBatches(_WindowsOfStream):
    """A stream read at ``batch_size`` positions at once, ``context`` tokens at a time, again and again.

    Row r of batch t + 1 goes on where row r of batch t stopped, so a recurrent model can carry its state over. Each pass
    over the data starts at another random position. See NumberedBatches. Raises ValueError when the stream is too short
    for one batch, and for a batch_size or context below 1.
    """

    def _windows(self, batch_size: int) -> int:
        return (len(self.ids) - 1) // batch_size // self.context * batch_size

    def plan(self, pass_number: int) -> torch.Tensor:
        row = (len(self.ids) - 1) // self.batch_size  # tokens that one row reads in a pass
        shift = torch.randint(len(self.ids), (), generator=self.torch_rng(pass_number))
        return torch.arange(self.batch_size) * row + torch.arange(len(self))[:, None] * self.context + shift


class WindowBatches(_WindowsOfStream):
    """A stream cut into windows of ``context`` tokens that follow each other, shuffled: what a GPT learns from.

    Nothing is padded and nothing is carried over; a window may begin or end in the middle of a sentence. Each pass cuts at
    another position and shuffles anew. See NumberedBatches. Raises ValueError when the stream is too short for one batch,
    and for a batch_size or context below 1.
    """

    def _windows(self, batch_size: int) -> int:
        return (len(self.ids) - 1) // self.context - 1  # one less: the first may begin up to `context` tokens late

    def plan(self, pass_number: int) -> torch.Tensor:
        rng = self.torch_rng(pass_number)
        shift = torch.randint(self.context, (), generator=rng)
        starts = torch.randperm(self.size, generator=rng) * self.context + shift
        return starts[: len(self) * self.batch_size].view(len(self), self.batch_size)

    def batch(self, part: torch.Tensor, position: int) -> Batch:
        return super().batch(part, 0)  # every window begins somewhere new
