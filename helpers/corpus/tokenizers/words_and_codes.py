"""One vocabulary of words and of the codes of pictures or sounds: every id means one thing (notebook 16)."""

from collections import Counter
from collections.abc import Iterable, Sequence

import torch

from helpers.corpus.tokenizers.base import CUT, END, PAD, Tokenizer

CAPTION, MEDIA = "<caption>", "<media>"  # what comes next: words, or the codes of a picture or a sound
SPECIAL = (PAD, END, CAPTION, MEDIA)
_DIGITS = 5  # after the point in a file


class WordsAndCodes(Tokenizer):
    """Ids for four special tokens, then for ``words``, then for ``codes`` [K, D] float32, the patches or frames themselves.

    No id is both a word and a code. ``caption`` and ``media`` are the ids that open words and codes; ``first_word`` and
    ``first_code`` are where each kind begins. Raises ValueError for a word that repeats, is empty or has a space, without any
    code, and for codes that are no table of finite numbers.
    """

    KIND = "words and codes"

    def __init__(self, words: Iterable[str], codes):
        self.words, self.codes = tuple(words), torch.as_tensor(codes, dtype=torch.float32).clone()
        wrong = [
            word
            for word, count in Counter(self.words).items()
            if count > 1 or len(word.split()) != 1 or word in SPECIAL
        ]
        if wrong:
            raise ValueError(f"the vocabulary must be words without spaces, each once; look at {wrong[0]!r}")
        if self.codes.ndim != 2 or not self.codes.numel() or not torch.isfinite(self.codes).all():
            raise ValueError(f"codes have shape {list(self.codes.shape)}: give a table [K, D] of finite numbers")
        self.tokens = (*SPECIAL, *self.words, *(f"‹{number}›" for number in range(len(self.codes))))
        self.pad, self.end, self.caption, self.media = range(len(SPECIAL))
        self.unknown = None
        self.first_word, self.first_code = len(SPECIAL), len(SPECIAL) + len(self.words)
        self._ids = {word: number for number, word in enumerate(self.words, self.first_word)}

    def __repr__(self) -> str:
        return f"WordsAndCodes({len(self.words)} words + {len(self.codes)} codes + {len(SPECIAL)} special tokens)"

    @property
    def word_ids(self) -> range:
        """The ids of all words."""
        return range(self.first_word, self.first_code)

    @property
    def code_ids(self) -> range:
        """The ids of all codes."""
        return range(self.first_code, len(self))

    def encode(self, text: str) -> list[int]:
        """Return an id per word. Raises ValueError for a word outside the vocabulary: there is no ``<unknown>``."""
        for word in text.split():
            if word not in self._ids:
                raise ValueError(f"the word {word!r} is unknown; known are {', '.join(self.words)}")
        return [self._ids[word] for word in text.split()]

    def decode(self, ids: Iterable[int], special: bool = False) -> str:
        """Return the words of ``ids`` with spaces between, codes as ‹17›; special tokens only with ``special=True``.

        Raises ValueError for an id outside the vocabulary.
        """
        return " ".join(self.tokens[number] for number in self._checked(ids) if special or number >= len(SPECIAL))

    def captions(self, texts: Sequence[str]) -> torch.Tensor:
        """Return the ids of captions of as many words each, int64 [N, words]. Raises ValueError where they have not."""
        rows = self.encode_all(texts)
        if len({len(row) for row in rows}) > 1:
            raise ValueError(f"captions must have as many words each; these have {sorted({len(row) for row in rows})}")
        return torch.tensor(rows, dtype=torch.long).reshape(len(rows), -1)

    def encode_codes(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return the ids of codes 0 to K − 1, int64 of any shape. Raises ValueError for other numbers."""
        if numbers.numel() and not 0 <= int(numbers.min()) <= int(numbers.max()) < len(self.codes):
            raise ValueError(
                f"there are codes 0 to {len(self.codes) - 1}: got {int(numbers.min())} to {int(numbers.max())}"
            )
        return numbers + self.first_code

    def decode_codes(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the numbers of codes from their ids. Raises ValueError for an id that is no code, such as a word's."""
        if ids.numel() and not self.first_code <= int(ids.min()) <= int(ids.max()) < len(self):
            odd = next(number for number in ids.flatten().tolist() if number not in self.code_ids)
            name = self.tokens[odd] if 0 <= odd < len(self) else CUT
            raise ValueError(f"the id {odd} ({name}) is no code; codes have ids {self.first_code} to {len(self) - 1}")
        return ids - self.first_code

    def _record(self) -> dict:
        codes = [[round(value, _DIGITS) for value in row] for row in self.codes.tolist()]
        return {"words": list(self.words), "codes": codes}

    @classmethod
    def _from_record(cls, record: dict) -> "WordsAndCodes":
        return cls(record["words"], record["codes"])
