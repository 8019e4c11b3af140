"""Text as numbers: what all tokenizers share, and the first of them, a number per character (built in notebook 02).

The second, ``helpers.corpus.bpe.BPETokenizer``, is built in notebook 05.
"""

import json
import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..runtime import write_text
from .conversations import Conversation

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


class CharTokenizer(Tokenizer):
    """One number per character, after six special numbers that text can never produce.

    ``characters`` is the vocabulary in order, without the special tokens. A character outside it becomes ``<unknown>``.
    Raises ValueError when a character repeats or is not a single character.
    """

    def __init__(self, characters: Iterable[str]):
        self.characters = tuple(characters)
        wrong = [c for c in self.characters if len(c) != 1] or [c for c, n in Counter(self.characters).items() if n > 1]
        if wrong:
            raise ValueError(f"the vocabulary must be single characters, each once; look at {wrong[0]!r}")
        self.tokens = (*SPECIAL, *self.characters)
        self._ids = {character: number for number, character in enumerate(self.characters, len(SPECIAL))}
        self.pad, self.unknown, self.end = range(3)

    @classmethod
    def train(cls, texts: Iterable[str], min_count: int = 1) -> "CharTokenizer":
        """Collect the characters that occur at least ``min_count`` times, in the order of their code points."""
        counts = Counter()
        for text in texts:
            counts.update(text)
        return cls(sorted(character for character, count in counts.items() if count >= min_count))

    def __repr__(self) -> str:
        return f"CharTokenizer({len(self.characters)} characters + {len(SPECIAL)} special tokens)"

    def encode(self, text: str) -> list[int]:
        """Return a number per character. Text that spells a special token, such as "<end>", stays ordinary characters."""
        return [self._ids.get(character, self.unknown) for character in text]

    def decode(self, ids: Iterable[int], special: bool = False) -> str:
        """Return the text of ``ids``. Unknown characters show as "�"; other special tokens only with ``special=True``.

        Raises ValueError for a number outside the vocabulary.
        """
        pieces = []
        for number in self._checked(ids):
            if number >= len(SPECIAL) or special:
                pieces.append(self.tokens[number])
            elif number == self.unknown:
                pieces.append(CUT)
        return "".join(pieces)

    def streamer(self) -> Streamer:
        """Return a new decoder for numbers that come one by one."""
        return Streamer(self)

    def save(self, path: str | os.PathLike) -> None:
        """Write the vocabulary as JSON."""
        write_text(path, json.dumps({"kind": "characters", "characters": "".join(self.characters)}) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike) -> "CharTokenizer":
        """Read what ``save`` wrote. Raises ValueError when the file is something else."""
        try:
            record = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls(record["characters"])
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is not a character vocabulary: write it again with CharTokenizer.save") from error


def load_tokenizer(path: str | os.PathLike) -> Tokenizer:
    """Read a tokenizer of either kind. Raises ValueError when the file holds none."""
    from .bpe import BPETokenizer

    kinds = {"characters": CharTokenizer, BPETokenizer.KIND: BPETokenizer}
    try:
        kind = json.loads(Path(path).read_text(encoding="utf-8"))["kind"]
        chosen = kinds[kind]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        known = " or ".join(f'"{name}"' for name in kinds)
        raise ValueError(f'{path} is no tokenizer of this course: its "kind" must be {known}') from error
    return chosen.load(path)
