"""Text as numbers: what all tokenizers share, and the first of them, a number per character (built in notebook 02).

The second, ``helpers.corpus.tokenizers.bpe.BPETokenizer``, is built in notebook 05.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from helpers.corpus.conversations import Conversation

PAD, UNKNOWN, END = "<pad>", "<unknown>", "<end>"
SPEAKERS = ("<A>", "<B>", "<other>")  # the third stands for every further speaker of a thread
SPECIAL = (PAD, UNKNOWN, END, *SPEAKERS)
CUT = "\N{REPLACEMENT CHARACTER}"


class Tokenizer(ABC):
    """What every tokenizer can do; a subclass says how text becomes numbers and back.

    ``tokens`` holds what each number looks like to a person, the special tokens first. ``pad``, ``end`` and ``unknown``
    are the numbers of special tokens; ``unknown`` is None where every text can be written. No text is ever encoded as a
    special token.
    """

    tokens: tuple[str, ...]
    pad: int
    end: int
    unknown: int | None

    def __len__(self) -> int:
        return len(self.tokens)

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """Return the numbers of a text. Text that spells a special token, such as "<end>", stays ordinary text."""

    @abstractmethod
    def decode(self, ids: Iterable[int], special: bool = False) -> str:
        """Return the text of ``ids``; of the special tokens only with ``special=True``.

        What is no character shows as "�". Raises ValueError for a number outside the vocabulary.
        """

    @abstractmethod
    def save(self, path: str | os.PathLike) -> None:
        """Write the vocabulary as JSON; ``load_tokenizer`` reads it."""

    @abstractmethod
    def streamer(self) -> "Streamer":
        """Return a new decoder for numbers that come one by one: ``push(id)`` and, once, ``finish()``."""

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the numbers of each text."""
        return [self.encode(text) for text in texts]

    def speaker(self, name: str) -> int:
        """Return the token that opens a turn of the speaker called "A", "B" or anything else."""
        token = f"<{name}>"
        return self.tokens.index(token if token in SPEAKERS else SPEAKERS[-1])

    def encode_conversation(self, conversation: Conversation) -> list[int]:
        """Return the conversation as one sequence: each turn opened by its speaker's token, the whole closed by ``<end>``."""
        ids = []
        for turn, said in zip(conversation.turns, self.encode_all([turn.text for turn in conversation.turns])):
            ids += [self.speaker(turn.speaker), *said]
        return [*ids, self.end]

    def _checked(self, ids: Iterable[int]) -> list[int]:
        ids = [int(number) for number in ids]
        for number in ids:
            if not 0 <= number < len(self):
                raise ValueError(f"no token has the number {number}; this vocabulary has 0 to {len(self) - 1}")
        return ids


class Streamer:
    """Decodes numbers one by one, as a bot says them. This one is for tokens that are whole characters."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer

    def push(self, number: int) -> str:
        """Return the text that this number completes: "" for a special token, or while a character is incomplete."""
        return self.tokenizer.decode([number])

    def finish(self) -> str:
        """Return what is left at the end: "�" for a character that was cut, else ""."""
        return ""
