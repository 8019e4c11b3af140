"""A text's surprisal per byte, how varied replies are, and how close to what people wrote. Built in notebook 02.

A text is a string, which is split on white space, or a list of tokens. Case and punctuation are kept: "No" and "no."
are two words. All but the bits per byte depend on how many texts are measured: compare only sets of the same size.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence

Text = str | Sequence[Hashable]

ZERO_MATCHES = 0.1  # "method 1" of Chen and Cherry (2014): without it one unmatched order makes the whole score 0


def bits_per_byte(nats: float, text: str | Iterable[str]) -> float:
    """Return the surprisal per UTF-8 byte of ``text`` in bits: ``nats / ln 2 / bytes``. Lower is better.

    ``nats`` is the negative log-likelihood of the whole text (the sum over its tokens, not their mean). ``text`` is
    what was scored, a string or many. Bytes do not depend on the tokenizer, so models with different tokens compare.
    An infinite ``nats`` (a model that held the text for impossible) stays infinite. Raises ValueError when the text has
    no bytes, or when ``nats`` is negative or not a number.
    """
    nats = float(nats)
    if not nats >= 0:  # written this way, NaN is refused too
        raise ValueError(f"nats must be 0 or more, not {nats}: give the sum of -log p, not of log p")
    texts = [text] if isinstance(text, str) else text
    size = sum(len(part.encode("utf-8")) for part in texts)
    if size == 0:
        raise ValueError("the text is empty: bits per byte needs at least one byte")
    return nats / math.log(2) / size


def distinct(texts: Iterable[Text], n: int) -> float:
    """Return distinct-n: different n-grams / all n-grams over the whole set of texts (Li et al., 2016).

    From 0 to 1; higher is more varied. It falls with the size of the set, because new words run out: compare only sets
    with about the same number of words. Texts with fewer than ``n`` words add nothing; if all are so short the result is
    0.0. Raises ValueError when there is no text or ``n`` is below 1.
    """
    counts = _count_all(texts, n)
    return len(counts) / counts.total() if counts else 0.0


def entropy(texts: Iterable[Text], n: int) -> float:
    """Return Ent-n in nats: ``-sum p ln p`` over the frequencies of the n-grams of all texts (Zhang et al., 2018).

    0.0 when one n-gram is all there is, or none; ``ln k`` when ``k`` n-grams are equally frequent. Unlike distinct-n it
    sees how often the favorites return. It grows with the size of the set: compare sets of the same size. Raises
    ValueError when there is no text or ``n`` is below 1.
    """
    counts = _count_all(texts, n)
    total = counts.total()
    return math.fsum(count / total * math.log(total / count) for count in counts.values())


def bleu(hypotheses: Iterable[Text], references: Iterable[Text], n: int) -> float:
    """Return BLEU-n, from 0 to 1: how far the hypotheses' n-grams of 1 to ``n`` words occur in the references.

    Every hypothesis is scored by sentence BLEU (Papineni et al., 2002) against ALL references, as in Texygen (Zhu et
    al., 2018), and the scores are averaged. For each order the matches are clipped at the n-gram's largest count in a
    single reference and divided by the hypothesis's n-grams; the orders weigh the same. A zero match count becomes 0.1
    and a zero number of n-grams becomes 1 (NLTK's ``SmoothingFunction().method1``), so a hypothesis with fewer than
    ``n`` words cannot reach 1. One that shares no word with the references, or has none, scores 0, as in NLTK. Brevity
    penalty: ``exp(1 - r / c)`` for a hypothesis of ``c`` words below ``r``, the closest reference length (of two
    equally close ones the shorter).

    The score depends on the number of references: more of them never lower a match. State the number, and compare only
    scores taken against equally many. The cost is one pass over both sets. Raises ValueError when either set has no text
    or ``n`` is below 1.
    """
    _check_order(n)
    hypotheses = _words(hypotheses, "hypotheses")
    index = _References(_words(references, "references"), n)
    return math.fsum(index.score(words) for words in hypotheses) / len(hypotheses)


def self_bleu(texts: Iterable[Text], n: int) -> float:
    """Return Self-BLEU-n (Zhu et al., 2018): the mean BLEU-n of each text against all the others. Lower is more varied.

    See :func:`bleu`. Only the text itself is left out: an equal text elsewhere in the set counts as a reference. If all
    texts are equal the result is 1, unless they have fewer than ``n`` words. The score depends on the number of
    references, here ``len(texts) - 1``: compare only sets of the same size. Raises ValueError for fewer than two texts
    or ``n`` below 1.
    """
    _check_order(n)
    texts = _words(texts, "texts")
    if len(texts) < 2:
        raise ValueError("self_bleu compares texts with each other: give at least two")
    index = _References(texts, n)
    return math.fsum(index.score(words, member=True) for words in texts) / len(texts)


class _References:
    """What BLEU needs of a set of references: their lengths, and each n-gram's two largest counts in one of them.

    The second largest is for Self-BLEU, which leaves one reference out: if that one has the largest count, the others
    have the second. Where two references share the largest count, the second largest is equal to it.
    """

    def __init__(self, references: list[Sequence[Hashable]], n: int):
        self.n = n
        self.lengths = sorted(map(len, references))
        self.largest: dict[tuple, int] = {}
        self.second: dict[tuple, int] = {}  # without an entry: 0
        for words in references:
            for order in range(1, n + 1):
                for ngram, count in Counter(_ngrams(words, order)).items():
                    largest = self.largest.get(ngram, 0)
                    if count > largest:
                        self.largest[ngram] = count
                        if largest:
                            self.second[ngram] = largest
                    elif count > self.second.get(ngram, 0):
                        self.second[ngram] = count

    def score(self, words: Sequence[Hashable], member: bool = False) -> float:
        """Return the sentence BLEU of ``words``. A ``member`` is one of the references itself and is left out."""
        logarithms = []
        for order in range(1, self.n + 1):
            matches = sum(self.matches(ngram, count, member) for ngram, count in Counter(_ngrams(words, order)).items())
            if order == 1 and matches == 0:
                return 0.0
            logarithms.append(math.log((matches or ZERO_MATCHES) / max(1, len(words) - order + 1)))
        penalty = min(0.0, 1 - self.closest_length(len(words), member) / len(words))
        return math.exp(penalty + math.fsum(logarithms) / self.n)

    def matches(self, ngram: tuple, count: int, member: bool) -> int:
        largest = self.largest.get(ngram, 0)
        if member and count == largest:  # perhaps the text's own count, so ask the others
            return self.second.get(ngram, 0)
        return min(count, largest)

    def closest_length(self, length: int, member: bool) -> int:
        index = bisect_left(self.lengths, length)
        # A member's own length stands at `index`: step over one of its kind.
        around = self.lengths[max(0, index - 1) : index] + self.lengths[index + member : index + member + 1]
        return min(around, key=lambda other: (abs(other - length), other))


def _ngrams(words: Sequence[Hashable], n: int) -> Iterator[tuple]:
    return zip(*(words[start:] for start in range(n)))


def _count_all(texts: Iterable[Text], n: int) -> Counter:
    _check_order(n)
    counts = Counter()
    for words in _words(texts, "texts"):
        counts.update(_ngrams(words, n))
    return counts


def _check_order(n: int) -> None:
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"n is the number of words in an n-gram: give 1, 2, 3 ..., not {n!r}")


def _words(texts: Iterable[Text], name: str) -> list[Sequence[Hashable]]:
    if isinstance(texts, str):  # its letters would pass for texts
        raise ValueError(f"{name} must be a list of texts, not one string: put it in [ ]")
    words = []
    for text in texts:
        if not isinstance(text, str | list | tuple):
            raise ValueError(f"{name} holds a {type(text).__name__}; a text is a string or a list of tokens")
        words.append(text.split() if isinstance(text, str) else text)
    if not words:
        raise ValueError(f"there are no {name}: give at least one text")
    return words
