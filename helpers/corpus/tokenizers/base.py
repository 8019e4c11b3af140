"""Text as token ids: what the tokenizers of notebooks 02 (characters) and 05 (byte pairs) share."""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path

from helpers.corpus.conversations import Conversation
from helpers.io import write_text

PAD, UNKNOWN, END = "<pad>", "<unknown>", "<end>"
SPEAKERS = ("<A>", "<B>", "<other>")  # the third stands for every further speaker of a thread
SPECIAL = (PAD, UNKNOWN, END, *SPEAKERS)
CUT = "\N{REPLACEMENT CHARACTER}"


class Tokenizer(ABC):
    """What every tokenizer can do; a subclass says how text becomes ids and back.

    ``tokens`` holds what each id looks like to a person, the special tokens first. ``pad``, ``end`` and ``unknown`` are the
    ids of special tokens; ``unknown`` is None where every text can be written. No text is ever encoded as a special token.
    """

    KIND: str  # what a file says that it holds
    JSON: dict = {}  # how it is written

    tokens: tuple[str, ...]
    pad: int
    end: int
    unknown: int | None

    def __len__(self) -> int:
        return len(self.tokens)

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """Return the ids of a text. Text that spells a special token, such as "<end>", stays ordinary text."""

    @abstractmethod
    def decode(self, ids: Iterable[int], special: bool = False) -> str:
        """Return the text of ``ids``; of the special tokens only with ``special=True``.

        What is no character shows as "�". Raises ValueError for an id outside the vocabulary.
        """

    @abstractmethod
    def _record(self) -> dict:
        """Return what a file must hold to build the tokenizer again."""

    @classmethod
    @abstractmethod
    def _from_record(cls, record: dict) -> "Tokenizer": ...

    def save(self, path: str | os.PathLike) -> None:
        """Write the vocabulary as JSON; ``load_tokenizer`` reads it."""
        write_text(path, json.dumps({"kind": self.KIND, **self._record()}, **self.JSON) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Tokenizer":
        """Read what ``save`` wrote, whatever the line ends. Raises ValueError when the file is something else."""
        try:
            record = json.loads(Path(os.path.expanduser(path)).read_text(encoding="utf-8"))
            if record["kind"] != cls.KIND:
                raise KeyError(record["kind"])
            return cls._from_record(record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} holds no {cls.KIND}: write it again with {cls.__name__}.save") from error

    def streamer(self) -> "Streamer":
        """Return a new decoder for ids that come one by one: ``push(id)`` and, once, ``finish()``."""
        return Streamer(self)

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text."""
        return [self.encode(text) for text in texts]

    def speaker(self, name: str) -> int:
        """Return the token that opens a turn of the speaker called "A", "B" or anything else."""
        token = f"<{name}>"
        return self.tokens.index(token if token in SPEAKERS else SPEAKERS[-1])

    def encode_conversation(self, conversation: Conversation) -> list[int]:
        """Return the conversation as one sequence: each turn opened by its speaker's token, the whole closed by ``<end>``."""
        ids = []
        for turn, text in zip(conversation.turns, self.encode_all([turn.text for turn in conversation.turns])):
            ids += [self.speaker(turn.speaker), *text]
        return [*ids, self.end]

    def _checked(self, ids: Iterable[int]) -> list[int]:
        ids = [int(number) for number in ids]
        for number in ids:
            if not 0 <= number < len(self):
                raise ValueError(f"no token has the number {number}; this vocabulary has 0 to {len(self) - 1}")
        return ids


class Streamer:
    """Decodes ids one by one, as a bot samples them. This one is for tokens that are whole characters."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer

    def push(self, number: int) -> str:
        """Return the text that this id completes: "" for a special token, or while a character is incomplete."""
        return self.tokenizer.decode([number])

    def finish(self) -> str:
        """Return what is left at the end: "�" for a character that was cut, else ""."""
        return ""


def special_token_ids(tokenizer: Tokenizer, forbidden: bool = False) -> dict:
    """Return the ids that divide a conversation, as the arguments ``speakers`` (a tuple: A, B, other), ``pad`` and ``end``.

    With ``forbidden``, also the ids that a bot never writes: ``<unknown>`` alone, or none.
    """
    ids = {"speakers": tuple(tokenizer.speaker(name) for name in ("A", "B", "other"))}
    ids |= {"pad": tokenizer.pad, "end": tokenizer.end}
    return ids | {"forbidden": () if tokenizer.unknown is None else (tokenizer.unknown,)} if forbidden else ids
