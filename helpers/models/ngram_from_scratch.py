"""Counting what followed, written out to be read: an n-gram model with interpolation (built in notebook 02).

With h the context (at most n − 1 tokens), h' the same without its oldest token, c counts and N(h) how many different tokens
followed h:

    p(w | h) = λ(h) · c(hw) / c(h) + (1 − λ(h)) · p(w | h')      λ(h) = c(h) / (c(h) + N(h))      p(w | before h = "") = 1 / V

This λ is the one of Witten & Bell (1991): a context after which many different tokens came says little about the next one. The
package's ``NGram`` counts with sorted arrays, which takes a tenth of the time and memory, and smooths better (Kneser–Ney).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np


def count_ngrams(tokens: Sequence, n: int) -> dict[Sequence, Counter]:
    """Return {context: how often each token followed it} for every context of 0 to n − 1 tokens.

    ``tokens`` is a string, or ``bytes`` of token numbers below 256: its slices are the contexts.
    """
    counts: dict[Sequence, Counter] = defaultdict(Counter)
    for length in range(n):
        for i in range(length, len(tokens)):
            counts[tokens[i - length : i]][tokens[i]] += 1
    return dict(counts)


def mixed_probability(counts: Mapping[Sequence, Counter], context: Sequence, token, vocab_size: int) -> float:
    """Return p(token | context), mixed from all shorter contexts down to 1 / vocab_size, which no context is needed for.

    A context that never occurred adds nothing. ``counts`` is what ``count_ngrams`` returned.
    """
    shorter = mixed_probability(counts, context[1:], token, vocab_size) if context else 1 / vocab_size
    followed = counts.get(context)
    if not followed:
        return shorter
    total, kinds = followed.total(), len(followed)
    weight = total / (total + kinds)
    return weight * followed[token] / total + (1 - weight) * shorter


class InterpolatedNGram:
    """A language model around these two functions, or around a learner's own, for bots and measurements.

    ``counts`` belong to contexts in ``bytes``, ``n`` is the length of the longest n-gram, context and token together.
    """

    context, ignores_left_padding = None, False  # as of every ``LanguageModel``

    def __init__(self, counts: Mapping, n: int, vocab_size: int, probability: Callable = mixed_probability):
        self.counts, self.n, self.vocab_size, self.probability = counts, n, vocab_size, probability

    def parameter_count(self) -> int:
        """Return how many different n-grams, of every length, have a count."""
        return sum(map(len, self.counts.values()))

    def negative_log_likelihood(self, ids) -> np.ndarray:
        """Return the nats of each of ``ids[1:]`` given the n − 1 before it, float64 [N − 1]."""
        tokens = bytes(np.asarray(ids).tolist())
        contexts = (tokens[max(0, i - self.n + 1) : i] for i in range(1, len(tokens)))
        pairs = zip(contexts, tokens[1:])
        return np.array([-math.log(self.probability(self.counts, h, w, self.vocab_size)) for h, w in pairs])

    def __call__(self, ids, state: bytes | None = None):
        """Read ids, a torch tensor int64 [1, T]; return log-probabilities float32 [1, 1, V] of the next token, and the state."""
        import torch

        if len(ids) != 1:
            raise ValueError(f"this model reads one text at a time, not {len(ids)}")
        read = (state or b"") + bytes(ids[0].tolist())
        context = read[max(0, len(read) - self.n + 1) :]
        mixed = [self.probability(self.counts, context, token, self.vocab_size) for token in range(self.vocab_size)]
        return torch.tensor(mixed).log()[None, None], context
