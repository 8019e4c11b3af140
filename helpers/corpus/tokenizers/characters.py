"""A number per character: the first tokenizer of the course (built in notebook 02)."""

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from helpers.corpus.tokenizers.base import CUT, SPECIAL, Streamer, Tokenizer
from helpers.io import write_text


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
