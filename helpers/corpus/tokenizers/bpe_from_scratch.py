"""Byte-pair encoding to be read, not to be fast (built in notebook 05): Sennrich, Haddow & Birch 2015, on bytes.

``learn_merges`` finds the merges that the library ``tokenizers`` finds on the same words, ties included, and
``apply_merges`` cuts a word as it does. The course's bots use ``helpers.corpus.tokenizers.bpe``, where the library does the work.
Functions that take pieces take them as ``bytes`` or as letters.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from helpers.corpus.tokenizers.bpe import ALPHABET

Pair = tuple[bytes, bytes]


def count_pairs(words: Mapping[tuple, int]) -> Counter:
    """Count which two pieces stand side by side: ``words`` says how often each word, cut into pieces, occurs.

    Every neighbor counts, also where pairs overlap: "aaa" holds the pair ("a", "a") twice.
    """
    counts = Counter()
    for pieces, times in words.items():
        for pair in zip(pieces, pieces[1:]):
            counts[pair] += times
    return counts


def merge(pieces: Sequence, pair: tuple) -> tuple:
    """Join the pair wherever it stands, from left to right: ("a", "a", "a") becomes ("aa", "a")."""
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
    """Return up to ``count`` merges, in the order in which they are learned; fewer when no pair occurs twice any more.

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


def apply_merges(word: bytes, merges: Sequence[Pair]) -> tuple[bytes, ...]:
    """Cut a word into the pieces that these merges make of it: at each step the earliest merge that fits, leftmost first."""
    rank = {pair: number for number, pair in reversed(list(enumerate(merges)))}
    pieces = [bytes([byte]) for byte in word]
    while True:
        fits = [(rank[pair], position) for position, pair in enumerate(zip(pieces, pieces[1:])) if pair in rank]
        if not fits:
            return tuple(pieces)
        _, position = min(fits)
        pieces[position : position + 2] = [pieces[position] + pieces[position + 1]]
