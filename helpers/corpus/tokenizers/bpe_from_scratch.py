"""Byte-pair encoding to be read, not to be fast (built in notebook 05): Sennrich, Haddow & Birch 2015, on bytes.

``learn_merges`` finds the merges that the library ``tokenizers`` finds on the same words, ties included; ``learn_merges_fast``
finds them again with less counting. ``encode`` cuts a word as the library does, and ``decode`` brings the text back. The course's
bots use ``helpers.corpus.tokenizers.bpe``, where the library does the work. Functions that take pieces take them as ``bytes`` or
as letters.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from helpers.corpus.tokenizers.base import CUT, Streamer, Tokenizer
from helpers.corpus.tokenizers.bpe import ALPHABET, FEWEST, BPETokenizer
from helpers.corpus.tokenizers.bpe import words as cut_into_words

Pair = tuple[bytes, bytes]
REMEMBERED = 1 << 18  # texts whose words are remembered: a notebook cuts the same ones again and again


@lru_cache(REMEMBERED)
def pretokenize(text: str) -> tuple[bytes, ...]:
    """Cut a text into words, as the tokenizer does before it merges anything; the pieces joined are the text."""
    return tuple(cut_into_words(text))


def count_pairs(words: Mapping[tuple, int]) -> Counter:
    """Count which two pieces stand side by side: ``words`` says how often each word, cut into pieces, occurs.

    Every pair of neighbors counts, even where pairs overlap: "aaa" holds the pair ("a", "a") twice.
    """
    counts = Counter()
    for pieces, times in words.items():
        for pair in zip(pieces, pieces[1:]):
            counts[pair] += times
    return counts


def merge(pieces: Sequence, pair: tuple) -> tuple:
    """Join the pair wherever it occurs, from left to right: ("a", "a", "a") becomes ("aa", "a")."""
    merged, position = [], 0
    while position < len(pieces):
        if tuple(pieces[position : position + 2]) == pair:
            merged.append(pieces[position] + pieces[position + 1])
            position += 2
        else:
            merged.append(pieces[position])
            position += 1
    return tuple(merged)


def most_frequent_pair(counts: Mapping[Pair, int], numbers: Mapping[bytes, int]) -> Pair:
    """Return the pair that occurs most often; of equally frequent ones, the one whose pieces have the lower numbers.

    The left piece decides first. Raises ValueError when there is no pair.
    """
    if not counts:
        raise ValueError("there is no pair: every word is one piece already")
    return min(counts, key=lambda pair: (-counts[pair], numbers[pair[0]], numbers[pair[1]]))


def learn_merges(words: Mapping[bytes, int], count: int) -> list[Pair]:
    """Return up to ``count`` merges, in the order in which they are learned; fewer when no pair occurs twice.

    ``words`` says how often each word occurs, e.g. ``Counter(helpers.corpus.tokenizers.bpe.words(text))``. The bytes are numbered
    as in the tokenizer, and a merge gives its token the next number.
    """
    numbers = {bytes([byte]): number for number, byte in enumerate(ALPHABET)}
    cut = {tuple(bytes([byte]) for byte in word): times for word, times in words.items()}
    merges = []
    while len(merges) < count:
        counts = count_pairs(cut)
        best = most_frequent_pair(counts, numbers) if counts else None
        if best is None or counts[best] < 2:
            break
        merges.append(best)
        numbers.setdefault(best[0] + best[1], len(numbers))
        cut = {merge(pieces, best): times for pieces, times in cut.items()}
    return merges


def learn_merges_fast(
    words: Mapping[bytes, int], count: int, count_pairs: Callable = count_pairs, merge: Callable = merge
) -> list[Pair]:
    """Return what ``learn_merges`` returns, thousands of merges in seconds: only words that hold the merged pair are recounted.

    ``count_pairs`` and ``merge`` are the functions of those names above, or a learner's own.
    """
    numbers = {bytes([byte]): number for number, byte in enumerate(ALPHABET)}
    cut = {word: tuple(bytes([byte]) for byte in word) for word in words}
    counts = Counter(count_pairs({pieces: words[word] for word, pieces in cut.items()}))
    holders = defaultdict(set)  # of each pair, the words in which it has been seen
    for word, pieces in cut.items():
        for pair in zip(pieces, pieces[1:]):
            holders[pair].add(word)

    def entry(pair: Pair) -> tuple:
        return -counts[pair], numbers[pair[0]], numbers[pair[1]], pair

    heap, merges = [entry(pair) for pair in counts], []  # the first entry is the next merge, if its count is still true
    heapq.heapify(heap)
    while heap and len(merges) < count:
        (times, _, _, best) = heapq.heappop(heap)
        if -times != counts[best]:
            continue  # counted before a later merge: the true entry is in the heap, too
        if -times < 2:
            break
        merges.append(best)
        numbers.setdefault(best[0] + best[1], len(numbers))
        changed = set()
        for word in holders.pop(best):
            before, cut[word] = cut[word], tuple(merge(cut[word], best))
            lost, won = count_pairs({before: words[word]}), count_pairs({cut[word]: words[word]})
            counts.subtract(lost)
            counts.update(won)
            changed |= lost.keys() | won.keys()
            for pair in won:
                holders[pair].add(word)
        for pair in changed:
            heapq.heappush(heap, entry(pair))
    return merges


def encode(word: bytes, ranks: Mapping[Pair, int], ids: Mapping[bytes, int]) -> list[int]:
    """Return the ids of the pieces of a word: at each step the earliest merge that fits is applied, leftmost first.

    ``ranks`` gives each merge its number (0: learned first), ``ids`` each piece its id.
    """
    return [ids[piece] for piece in _joined(word, ranks)]


def decode(ids: Iterable[int], pieces: Sequence[bytes]) -> str:
    """Return the text of token ids: ``pieces[id]`` holds the bytes of a token. Bytes that are no character show as "�"."""
    return b"".join(pieces[number] for number in ids).decode("utf-8", errors="replace")


def apply_merges(word: bytes, merges: Sequence[Pair]) -> tuple[bytes, ...]:
    """Cut a word into the pieces that these merges make of it: at each step the earliest merge that fits, leftmost first."""
    return _joined(word, {pair: number for number, pair in reversed(list(enumerate(merges)))})


def _joined(word: bytes, ranks: Mapping[Pair, int]) -> tuple[bytes, ...]:
    pieces = [bytes([byte]) for byte in word]
    while True:
        fits = [(ranks[pair], position) for position, pair in enumerate(zip(pieces, pieces[1:])) if pair in ranks]
        if not fits:
            return tuple(pieces)
        _, position = min(fits)
        pieces[position : position + 2] = [pieces[position] + pieces[position + 1]]


def tokenizer_from(
    count_pairs: Callable, merge: Callable, encode: Callable, decode: Callable, pretokenize: Callable = pretokenize
) -> type[BPETokenizer]:
    """Return a class like ``BPETokenizer`` that learns, encodes and decodes with these functions, such as a learner's own.

    ``pretokenize`` cuts a text into words, a list or tuple of bytes. Each word is encoded once and remembered.
    """

    class TokenizerFromScratch(BPETokenizer):
        def __init__(self, merges: Iterable[Pair] = ()):
            super().__init__(merges)
            self.ranks = {pair: rank for rank, pair in reversed(list(enumerate(self.merges)))}
            self.ids = {piece: number for number, piece in enumerate(self.bytes) if piece}
            self._encoded: dict[bytes, list[int]] = {}

        @classmethod
        def train(cls, texts: Iterable[str], vocab_size: int = 2048) -> "TokenizerFromScratch":
            words = Counter(word for text in texts for word in pretokenize(text))
            return cls(learn_merges_fast(words, vocab_size - FEWEST, count_pairs, merge))

        def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
            return [[number for word in pretokenize(text) for number in self._ids_of(word)] for text in texts]

        def _ids_of(self, word: bytes) -> list[int]:
            if word not in self._encoded:
                self._encoded[word] = list(encode(word, self.ranks, self.ids))
            return self._encoded[word]

        def decode(self, ids: Iterable[int], special: bool = False) -> str:
            if special:
                return super().decode(ids, special)
            return decode(self._checked(ids), self.bytes)

        def streamer(self) -> "WholeCharacters":
            return WholeCharacters(self)

    return TokenizerFromScratch


class WholeCharacters(Streamer):
    """Decodes all ids so far at every step and gives out what is new: slow, and never half a character."""

    def __init__(self, tokenizer: Tokenizer):
        super().__init__(tokenizer)
        self._ids, self._given = [], 0

    def push(self, number: int) -> str:
        """Return the text that this id completes, maybe none."""
        self._ids.append(number)
        text = self.tokenizer.decode(self._ids)
        if text.endswith(CUT):
            return ""
        new, self._given = text[self._given :], len(text)
        return new

    def finish(self) -> str:
        """Return what is left at the end: "�" for a character that was cut, else ""."""
        return self.tokenizer.decode(self._ids)[self._given :]
