"""Can a classifier tell the bot from people? Adversarial success, by an evaluator that is tested first (built in notebook 08).

AdverSuc (Li et al. 2017) is 1 − the accuracy of an evaluator, freshly trained on people's and the bot's replies to other
contexts: 0.5 is a bot that cannot be distinguished from people, 0 one that always is. It measures the evaluator as much as
the bot, so that must first pass two tests: not to distinguish people from people, and to distinguish people from random words.

Replies are ``helpers.corpus.batches.base.Pair``s: context and reply in token ids, the closing token included.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from helpers.corpus.batches.base import IGNORED, Pair
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.generation.scoring import reply_logits
from helpers.models.utils import evaluating

ROWS = 64  # replies read side by side
CONTEXT = 32  # the last so many tokens of a context are read: what a reply answers is near
SAME, RANDOM = (0.45, 0.55), 0.95  # what the two tests demand of the accuracy
SPLITS = 20  # random halves of people's replies, the accuracies averaged: one alone depends too much on luck
LENGTHS = 2  # features before the others: those of a reply's length
LIKELIHOOD_FEATURES = ("mean", "max", "min", "standard deviation", "above entropy", "log rank", "first", "last")


@torch.no_grad()
def likelihood_features(model, pairs: Sequence[Pair], pad: int) -> np.ndarray:
    """Return how likely ``model`` finds each reply after its context, float64 [N, 8], named by LIKELIHOOD_FEATURES.

    From the nats of each token of the reply: their mean, largest, smallest and standard deviation, the mean of what they
    exceed the model's own expectation by (its entropy), the mean logarithm of the token's rank, and the first and last.
    The model need not have written the replies (Gehrmann et al. 2019). It is an encoder–decoder or a GPT.
    """
    features = np.zeros((len(pairs), len(LIKELIHOOD_FEATURES)))
    order = sorted(range(len(pairs)), key=lambda row: len(pairs[row].reply) + min(CONTEXT, len(pairs[row].context)))
    for start in range(0, len(order), ROWS):
        rows = order[start : start + ROWS]
        with evaluating(model):
            logits, targets = reply_logits(
                model, [Pair(pairs[row].context[-CONTEXT:], pairs[row].reply) for row in rows], pad
            )
        mask = targets != IGNORED
        log_p = torch.log_softmax(logits[mask].float(), dim=-1)  # [N tokens, V]: of the replies alone
        nats = -log_p.gather(-1, targets[mask][:, None])[:, 0]
        above = nats + (log_p.exp() * log_p).sum(-1)
        rank = (log_p > -nats[:, None]).sum(-1).double().log1p()
        table = torch.stack([nats.double(), above.double(), rank], dim=1).cpu().numpy()
        for row, part in zip(rows, np.split(table, np.cumsum(mask.sum(1).cpu().numpy())[:-1])):
            nats = part[:, 0]
            features[row] = [nats.mean(), nats.max(), nats.min(), nats.std(), *part[:, 1:].mean(0), nats[0], nats[-1]]
    return features


@dataclass
class ReplyFeatures:
    """Replies as the evaluator sees them: ``texts`` [N], and ``features`` [N, F]: lengths and likelihood features."""

    texts: list[str]
    features: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)

    def part(self, rows) -> "ReplyFeatures":
        return ReplyFeatures([self.texts[row] for row in rows], self.features[rows])

    def of_readers(self, readers: Sequence[int]) -> "ReplyFeatures":
        """Return the same replies with the likelihood features of some readers alone, by number; lengths and texts stay."""
        size = len(LIKELIHOOD_FEATURES)
        columns = [LENGTHS + size * reader + number for reader in readers for number in range(size)]
        return ReplyFeatures(self.texts, self.features[:, [*range(LENGTHS), *columns]])


class Evaluator:
    """A classifier of replies, trained anew for each question: a logistic regression on their words and likelihoods.

    Its features are the n-grams of characters and words of a reply, and the ``likelihood_features`` of each model in
    ``readers``. Readers should be different, and one better than the bot that is evaluated.
    """

    def __init__(self, readers: Sequence, tokenizer):
        self.readers, self.tokenizer = list(readers), tokenizer

    def featurize(self, pairs: Sequence[Pair]) -> ReplyFeatures:
        """Return the features of replies: the expensive part, done once for people's replies."""
        texts = [self.tokenizer.decode([int(token) for token in pair.reply]) for pair in pairs]
        lengths = np.array([[len(pair.reply), np.log(len(pair.reply))] for pair in pairs])
        columns = (likelihood_features(reader, pairs, self.tokenizer.pad) for reader in self.readers)
        return ReplyFeatures(texts, np.hstack([lengths, *columns]))

    def accuracy(self, human: ReplyFeatures, machine: ReplyFeatures) -> float:
        """Train on the first half of both, return the share of the second half that is classified right.

        Row r of both should answer the same context: so the contexts of the test are held out (and the conversations, if
        the rows are sorted by them). Raises ValueError unless both have the same number of replies, 40 or more.
        """
        if len(human) != len(machine) or len(human) < 40:
            raise ValueError(
                f"{len(human)} replies of people, {len(machine)} of the bot: give equally many, 40 or more"
            )
        half = len(human) // 2
        train, test = ((human.part(rows), machine.part(rows)) for rows in (range(half), range(half, len(human))))
        score = _fitted(*train)
        people, bots = (score(replies) for replies in test)
        return float(np.concatenate([people > 0, bots <= 0]).mean())

    def log_odds(self, human: ReplyFeatures, machine: ReplyFeatures) -> Callable[[ReplyFeatures], np.ndarray]:
        """Train on all of both; return a function that gives the log-odds that people wrote other replies, float64 [N]."""
        return _fitted(human, machine)


def _fitted(human: ReplyFeatures, machine: ReplyFeatures) -> Callable[[ReplyFeatures], np.ndarray]:
    """Return a function that gives the log-odds that people wrote other replies, float64 [N]."""
    import scipy.sparse
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_union
    from sklearn.preprocessing import StandardScaler

    common = {"sublinear_tf": True, "min_df": 2, "lowercase": False}
    words = make_union(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 4), **common),
        TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), **common),
    ).fit(human.texts + machine.texts)
    scale = StandardScaler().fit(np.vstack([human.features, machine.features]))

    def table(texts: list[str], features: np.ndarray):
        return scipy.sparse.hstack([words.transform(texts), 0.3 * scale.transform(features)]).tocsr()

    labels = np.repeat([1, 0], [len(human), len(machine)])
    both = table(human.texts + machine.texts, np.vstack([human.features, machine.features]))
    classifier = LogisticRegression(C=3.0, max_iter=1000).fit(both, labels)
    return lambda replies: classifier.decision_function(table(replies.texts, replies.features))


# --- the tests of the evaluator, and its result ------------------------------------------------------------------------


@dataclass(frozen=True)
class SanityCheck:
    """What an evaluator must show before it is asked: its accuracy on people against people, and against random words."""

    same: float
    random: float

    @property
    def passed(self) -> bool:
        return SAME[0] <= self.same <= SAME[1] and self.random >= RANDOM

    def __str__(self) -> str:
        result = "may be asked" if self.passed else "must not be asked"
        return (
            f"people against people {self.same:.2f} (should be {SAME[0]} to {SAME[1]}), people against random words "
            f"{self.random:.2f} (should be {RANDOM} or more): this evaluator {result}"
        )


def sanity_check(
    evaluator: Evaluator, pairs: Sequence[Pair], human: ReplyFeatures | None = None, seed: int = 0
) -> SanityCheck:
    """Test an evaluator on people's replies ``pairs``: halves of them, labeled at random, and as many random words.

    ``human`` is what ``evaluator.featurize(pairs)`` gave, if that was done before.
    """
    human = evaluator.featurize(pairs) if human is None else human
    random = evaluator.featurize(random_words(evaluator.tokenizer, pairs, np.random.default_rng(seed)))
    return sanity_of_features(evaluator, human, random, seed)


def sanity_of_features(evaluator: Evaluator, human: ReplyFeatures, random: ReplyFeatures, seed: int = 0) -> SanityCheck:
    """Return what ``sanity_check`` does, of features that are there already, or of those of some readers.

    The first test guards against a leak and against an evaluator that sees patterns in chance, not against replies of people
    and bots that were written down differently. Raises ValueError for less than 80 replies: half are tested against half.
    """
    if len(human) < 80:
        raise ValueError(f"{len(human)} replies of people are too few to test an evaluator: give 80 or more")
    rng, half, accuracies = np.random.default_rng(seed), len(human) // 2, []
    for _ in range(SPLITS):
        order = rng.permutation(len(human))
        accuracies.append(evaluator.accuracy(human.part(order[:half]), human.part(order[half : 2 * half])))
    return SanityCheck(sum(accuracies) / SPLITS, evaluator.accuracy(human, random))


def random_words(tokenizer, pairs: Sequence[Pair], rng: np.random.Generator) -> list[Pair]:
    """Return the pairs with every token between the first and the last sampled anew, uniformly from all ordinary tokens."""
    ids = special_token_ids(tokenizer, forbidden=True)
    special = {ids["pad"], ids["end"], *ids["speakers"], *ids["forbidden"]}
    ordinary = [token for token in range(len(tokenizer)) if token not in special]
    return [
        Pair(context, [int(reply[0]), *rng.choice(ordinary, len(reply) - 2).tolist(), int(reply[-1])])
        for context, reply in pairs
    ]


def adversarial_success(
    evaluator: Evaluator, human: ReplyFeatures, machine: ReplyFeatures, sanity: SanityCheck
) -> float:
    """Return AdverSuc: 1 − the accuracy of ``evaluator``, trained anew on half of these replies and asked about the rest.

    ``sanity`` is the result of ``sanity_check``: raises ValueError for an evaluator that did not pass, and as ``accuracy``
    does.
    """
    if not sanity.passed:
        raise ValueError(f"this evaluator says nothing about a bot: {sanity}. Give it more replies, or better readers.")
    return 1 - evaluator.accuracy(human, machine)
