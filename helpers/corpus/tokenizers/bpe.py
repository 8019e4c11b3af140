"""Words from bytes: a tokenizer whose tokens are bytes and what often stands side by side (built in notebook 05).

Byte-pair encoding: Sennrich, Haddow & Birch 2015 (arXiv:1508.07909). On bytes: Radford et al. 2019 (GPT-2). The work is
done by the library ``tokenizers``, which is loaded when first needed; ``helpers.corpus.tokenizers.bpe_from_scratch`` does
the same slowly, to be read.
"""

import codecs
import json
import os
from collections.abc import Iterable, Sequence
from functools import cache

from helpers.corpus.tokenizers.base import CUT, END, PAD, SPEAKERS, Streamer, Tokenizer

SPECIAL = (PAD, END, *SPEAKERS)  # no <unknown>: every text consists of bytes
FEWEST = len(SPECIAL) + 256  # tokens without any merge
AT_ONCE = 10_000  # texts handed to the library in one go, so that a long corpus need not fit beside its tokens


def _byte_symbols() -> str:
    """Return the library's symbol for each of the 256 bytes; bytes that cannot be seen borrow a symbol from 256 on.

    The table is GPT-2's (``bytes_to_unicode`` in its encoder.py): so a token can be written into a file as text.
    """
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    unseen = iter(range(256, 512))
    return "".join(chr(byte if byte in seen else next(unseen)) for byte in range(256))


SYMBOLS = _byte_symbols()
BYTES = {symbol: byte for byte, symbol in enumerate(SYMBOLS)}
_UNMASKED = {ord(symbol): byte for symbol, byte in BYTES.items() if ord(symbol) != byte}
ALPHABET = bytes(BYTES[symbol] for symbol in sorted(SYMBOLS))  # in the library's order: the visible bytes come first


class BPETokenizer(Tokenizer):
    """Bytes and merged bytes as tokens, after five special tokens that text can never produce.

    ``merges`` are the pairs of tokens that were joined, as ``bytes``, in the order in which they were learned.
    Before that, text is cut as GPT-2 cuts it: a word with the space before it, digits, other characters; no token reaches
    across a cut. Token 5 + i is byte ``ALPHABET[i]``, then follows a token per merge. Raises ValueError for a pair whose parts
    are no tokens yet.
    """

    KIND = "byte pairs"
    JSON = {"ensure_ascii": False, "indent": 0}

    def __init__(self, merges: Iterable[tuple[bytes, bytes]] = ()):
        self.merges = tuple((bytes(left), bytes(right)) for left, right in merges)
        numbers = {bytes([byte]): number for number, byte in enumerate(ALPHABET, len(SPECIAL))}
        for pair in self.merges:
            for part in pair:
                if part not in numbers:
                    raise ValueError(
                        f"{part!r} is merged before it is a token: give the merges in the order they were learned"
                    )
            numbers.setdefault(b"".join(pair), len(numbers) + len(SPECIAL))  # two merges may lead to one token
        self.bytes = (*[b""] * len(SPECIAL), *numbers)  # of each token; the special ones have none
        self.tokens = (*SPECIAL, *(token.decode("utf-8", "backslashreplace") for token in numbers))
        self.pad, self.end, self.unknown = SPECIAL.index(PAD), SPECIAL.index(END), None
        self._numbers, self._library = numbers, None

    @classmethod
    def train(cls, texts: Iterable[str], vocab_size: int = 2048) -> "BPETokenizer":
        """Join the most frequent pair of neighbors, again and again, until there are ``vocab_size`` tokens.

        Stops earlier when no pair occurs twice. Pairs that are equally frequent are taken in the order of their numbers.
        The same texts give the same tokenizer. Raises ValueError when there is no text, or when ``vocab_size`` does
        not leave room for the 256 bytes and the special tokens.
        """
        if isinstance(texts, str):
            raise ValueError("texts is one text: put it into a list, BPETokenizer.train([text])")
        if vocab_size < FEWEST:
            raise ValueError(
                f"a vocabulary of {vocab_size} is too small: {len(SPECIAL)} special tokens and 256 bytes "
                f"must fit in, so take {FEWEST} or more"
            )
        library, characters = _library(), [0]
        from tokenizers.trainers import BpeTrainer

        trainer = BpeTrainer(vocab_size=vocab_size - len(SPECIAL), min_frequency=2, initial_alphabet=list(SYMBOLS),
                             special_tokens=[], show_progress=False)  # fmt: skip

        def writable():
            for text in map(_writable, texts):
                characters[0] += len(text)
                yield text

        library.train_from_iterator(writable(), trainer)
        if not characters[0]:
            raise ValueError("there is no text to train a tokenizer on: give at least one character")
        pairs = json.loads(library.to_str())["model"]["merges"]
        pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in pairs]  # older libraries write "a b"
        return cls((_to_bytes(left), _to_bytes(right)) for left, right in pairs)

    def __repr__(self) -> str:
        return f"BPETokenizer({len(SPECIAL)} special tokens + 256 bytes + {len(self) - FEWEST:,} from merges)"

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text. Text that spells a special token, such as "<end>", stays ordinary text."""
        return self.encode_all([text])[0]

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text, much faster than one by one."""
        if isinstance(texts, str):
            raise ValueError("texts is one text: put it into a list, encode_all([text]), or use encode(text)")
        texts, library = list(texts), self._fast()
        # The fast one, which older libraries lack, keeps no positions in the text.
        encode, ids = getattr(library, "encode_batch_fast", library.encode_batch), []
        for start in range(0, len(texts), AT_ONCE):
            ids += [encoding.ids for encoding in encode([_writable(text) for text in texts[start : start + AT_ONCE]])]
        return ids

    def decode(self, ids: Iterable[int], special: bool = False) -> str:
        """Return the text of ``ids``; of the special tokens only with ``special=True``.

        Bytes that are no character, because it was cut, show as "�". Raises ValueError for an id outside the
        vocabulary.
        """
        text, run = [], []
        for number in self._checked(ids):
            if number >= len(SPECIAL):
                run.append(self.bytes[number])
            else:
                text += [b"".join(run).decode("utf-8", "replace"), self.tokens[number] if special else ""]
                run = []
        return "".join([*text, b"".join(run).decode("utf-8", "replace")])

    def streamer(self) -> "ByteStreamer":
        """Return a new decoder for ids that come one by one; it holds bytes back until a character is whole."""
        return ByteStreamer(self)

    def _record(self) -> dict:
        return {"merges": [" ".join(map(_to_symbols, pair)) for pair in self.merges]}

    @classmethod
    def _from_record(cls, record: dict) -> "BPETokenizer":
        pairs = [pair.split(" ") for pair in record["merges"]]
        return cls((_to_bytes(left), _to_bytes(right)) for left, right in pairs)

    def _fast(self):
        if self._library is None:
            vocab = {_to_symbols(token): number for token, number in self._numbers.items()}
            self._library = _library(vocab=vocab, merges=[tuple(map(_to_symbols, pair)) for pair in self.merges])
        return self._library


class ByteStreamer(Streamer):
    """Decodes tokens one by one and never yields half a character."""

    def __init__(self, tokenizer: BPETokenizer):
        super().__init__(tokenizer)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, number: int) -> str:
        """Return the characters that this token completes, maybe none; a special token ends a character that was cut."""
        (number,) = self.tokenizer._checked([number])
        return self._decoder.decode(self.tokenizer.bytes[number], final=number < len(SPECIAL))

    def finish(self) -> str:
        """Return "�" for a character that was cut, else ""."""
        return self._decoder.decode(b"", final=True)


def words(text: str) -> list[bytes]:
    """Cut a text as the tokenizer does before it merges anything: GPT-2's rule; the pieces joined are the text."""
    return [_to_bytes(piece) for piece, _ in _cutter().pre_tokenize_str(_writable(text))]


@cache
def _cutter():
    # The library would start a thread per core for texts that one core does in a second, and warn at every fork.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import pre_tokenizers

    return pre_tokenizers.ByteLevel(add_prefix_space=False)


def _library(**model):
    cutter = _cutter()
    import tokenizers

    library = tokenizers.Tokenizer(tokenizers.models.BPE(**model))
    library.pre_tokenizer = cutter
    return library


def _to_symbols(token: bytes) -> str:
    return "".join(SYMBOLS[byte] for byte in token)


def _to_bytes(symbols: str) -> bytes:
    return symbols.translate(_UNMASKED).encode("latin-1")


def _writable(text: str) -> str:
    """Half of a surrogate pair is no character and has no bytes: it becomes "�"."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join(CUT if 0xD800 <= ord(c) < 0xE000 else c for c in text)
    return text
