"""An id per character: the first tokenizer of the course (built in notebook 02)."""

from collections import Counter
from collections.abc import Iterable

from helpers.corpus.tokenizers.base import CUT, SPECIAL, Tokenizer


class CharTokenizer(Tokenizer):
    """One id per character, after six special ids that text can never produce.

    ``characters`` is the vocabulary in order, without the special tokens. A character outside it becomes ``<unknown>``.
    Raises ValueError when a character repeats or is not a single character.
    """

    KIND = "characters"

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
        """Return an id per character. Text that spells a special token, such as "<end>", stays ordinary characters."""
        return [self._ids.get(character, self.unknown) for character in text]

    def decode(self, ids: Iterable[int], special: bool = False) -> str:
        """Return the text of ``ids``. Unknown characters show as "�"; other special tokens only with ``special=True``.

        Raises ValueError for an id outside the vocabulary.
        """
        pieces = []
        for number in self._checked(ids):
            if number >= len(SPECIAL) or special:
                pieces.append(self.tokens[number])
            elif number == self.unknown:
                pieces.append(CUT)
        return "".join(pieces)

    def _record(self) -> dict:
        return {"characters": "".join(self.characters)}

    @classmethod
    def _from_record(cls, record: dict) -> "CharTokenizer":
        return cls(record["characters"])
