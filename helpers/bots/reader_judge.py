"""The classifier of notebook 08 as a judge: which of two replies would it take for a person's? (notebook 15)"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from helpers.bots import checkpoints
from helpers.bots.adversarial_success import TOKENS, evaluator
from helpers.bots.judges import READER, reply_pairs
from helpers.bots.measure import TEMPERATURE


class ReaderJudge:
    """Prefers the reply that a classifier takes for a person's: ``score`` is the log-odds that one wrote it.

    The classifier is that of adversarial success (notebook 08), trained here on the replies of people and of ``bots`` in
    turn to the same ``questions``: conversations that the arena does not ask about. ``sanity`` holds its two tests.
    """

    def __init__(self, bots: Sequence, questions: Sequence):
        from helpers.evaluation.human_or_bot_classifier import random_words, sanity_of_features

        self.name, self.evaluator, self.bot = READER, evaluator(), checkpoints.load("gpt")
        contexts = [question.turns for question in questions]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            written = [
                bots[seed % len(bots)].reply(context, temperature=TEMPERATURE, seed=seed)
                for seed, context in enumerate(contexts)
            ]
        people = self._pairs(contexts, [question.reply for question in questions])
        human, machine = self.evaluator.featurize(people), self._features(contexts, written)
        noise = self.evaluator.featurize(random_words(self.evaluator.tokenizer, people, np.random.default_rng(0)))
        self.sanity = sanity_of_features(self.evaluator, human, noise)
        self.accuracy = self.evaluator.accuracy(human, machine)
        self._log_odds = self.evaluator.log_odds(human, machine)

    def score(self, contexts: Sequence[Sequence[str]], replies: Sequence[str]) -> np.ndarray:
        """Return the log-odds that a person wrote each reply, float64 [R]."""
        return self._log_odds(self._features(contexts, replies))

    def _features(self, contexts, replies):
        return self.evaluator.featurize(self._pairs(contexts, replies))

    def _pairs(self, contexts, replies) -> list:
        """Return the replies as the evaluator of notebook 08 reads them: closed, and 24 tokens of them at most."""
        from helpers.corpus.batches.base import Pair

        closing = [self.bot.tokenizer.speaker("BA"[len(context) % 2]) for context in contexts]
        pairs = reply_pairs(self.bot, contexts, [reply.strip() for reply in replies])
        return [
            Pair(pair.context, [pair.reply[0], *[*pair.reply[1:], end][:TOKENS]]) for pair, end in zip(pairs, closing)
        ]
