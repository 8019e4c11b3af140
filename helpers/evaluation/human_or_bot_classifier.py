"""Can a machine tell the bot from people? Adversarial success, by an evaluator that is tested first (built in notebook 08).

AdverSuc (Li et al. 2017) is 1 − the accuracy of an evaluator, freshly trained on people's and the bot's replies to other
contexts: 0.5 is a bot that cannot be told from people, 0 one that always is. It measures the evaluator as much as the bot, so
that must first pass two tests: it must not tell people from people, and it must tell people from random words.

Replies are ``helpers.corpus.batches.context_reply_pairs.Pair``s: context and reply in token numbers, the closing token included.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from helpers.corpus.batches.base import IGNORED
from helpers.corpus.batches.context_reply_pairs import Pair, batch_of
from helpers.models.utils import device_of, evaluating

ROWS = 64  # replies read side by side
READ = 32  # of a context the last so many tokens are read: what a reply answers is near
SAME, RANDOM = (0.45, 0.55), 0.95  # what the two tests demand of the accuracy
COINS = 20  # random halves of people's replies, the accuracies averaged: one alone has too much luck in it
LENGTHS = 2  # features before those: of a reply's length
READINGS = ("mean", "worst", "best", "spread", "beyond what it expected", "rank", "first", "last")


@torch.no_grad()
def readings(model, pairs: Sequence[Pair], pad: int) -> np.ndarray:
    """Return how ``model`` reads each reply after its context, float64 [N, 8], named by READINGS.

    From the nats of each token of the reply: their mean, largest, smallest and standard deviation, the mean of what they
    exceed the model's own expectation by (its entropy), the mean logarithm of the token's rank, and the first and last.
    A reader need not have written the replies (Gehrmann et al. 2019). ``model`` is an encoder–decoder or a GPT.
    """
    found = np.zeros((len(pairs), len(READINGS)))
    order = sorted(range(len(pairs)), key=lambda row: len(pairs[row].reply) + min(READ, len(pairs[row].context)))
    for at in range(0, len(order), ROWS):
        rows = order[at : at + ROWS]
        logits, targets, counted = _read(model, [pairs[row] for row in rows], pad)
        log_p = torch.log_softmax(logits.float(), dim=-1)  # [N tokens, V]: of the replies alone
        nats = -log_p.gather(-1, targets[:, None])[:, 0]
        beyond = nats + (log_p.exp() * log_p).sum(-1)
        rank = (log_p > -nats[:, None]).sum(-1).double().log1p()
        table = torch.stack([nats.double(), beyond.double(), rank], dim=1).cpu().numpy()
        for row, part in zip(rows, np.split(table, np.cumsum(counted.sum(1).cpu().numpy())[:-1])):
            said = part[:, 0]
            found[row] = [said.mean(), said.max(), said.min(), said.std(), *part[:, 1:].mean(0), said[0], said[-1]]
    return found


def _read(model, pairs: Sequence[Pair], pad: int):
    """Return the logits [N, V] at the tokens of the replies, these tokens [N], and where they stand, bool [B, T]."""
    device = device_of(model)
    pairs = [Pair(list(pair.context[-READ:]), list(pair.reply)) for pair in pairs]
    with evaluating(model):
        if hasattr(model, "read"):
            batch = batch_of(pairs, pad)
            batch = type(batch)(*(part.to(device) for part in batch[:3]))
            logits, targets = model.read(batch), batch.targets
        else:
            rows = [[*pair.context, *pair.reply] for pair in pairs]
            ids = torch.full((len(rows), max(map(len, rows))), pad)
            targets = torch.full_like(ids, IGNORED)
            for number, (row, pair) in enumerate(zip(rows, pairs)):
                ids[number, : len(row)] = torch.tensor(row)
                targets[number, len(pair.context) + 1 : len(row)] = ids[number, len(pair.context) + 1 : len(row)]
            logits, targets = model(ids[:, :-1].to(device))[0], targets[:, 1:].to(device)
    counted = targets != IGNORED
    return logits[counted], targets[counted], counted


@dataclass
class Replies:
    """Replies as the evaluator sees them: ``texts`` [N], and ``features`` [N, F] of how the readers read them."""

    texts: list[str]
    features: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)

    def part(self, rows) -> "Replies":
        return Replies([self.texts[row] for row in rows], self.features[rows])

    def seen_by(self, readers: Sequence[int]) -> "Replies":
        """Return the same replies with the readings of some readers alone, by their numbers; lengths and texts stay."""
        first = range(LENGTHS)
        columns = [LENGTHS + len(READINGS) * reader + place for reader in readers for place in range(len(READINGS))]
        return Replies(self.texts, self.features[:, [*first, *columns]])


class Evaluator:
    """Judges replies by their words and by how surprised good readers are; trained anew for each question.

    A logistic regression on two kinds of features: which n-grams of characters and words a reply has, and the ``readings``
    of each model in ``readers``. Readers should be different, and one better than the bot that is judged.
    """

    def __init__(self, readers: Sequence, tokenizer):
        self.readers, self.tokenizer = list(readers), tokenizer

    def see(self, pairs: Sequence[Pair]) -> Replies:
        """Return what the evaluator looks at: the costly part, done once for people's replies."""
        texts = [self.tokenizer.decode([int(token) for token in pair.reply]) for pair in pairs]
        lengths = np.array([[len(pair.reply), np.log(len(pair.reply))] for pair in pairs])
        return Replies(texts, np.hstack([lengths, *(readings(one, pairs, self.tokenizer.pad) for one in self.readers)]))

    def accuracy(self, human: Replies, machine: Replies) -> float:
        """Train on the first half of both, return the share of the second half that is told right.

        Row r of both should answer the same context: so the contexts of the test are held out (and the conversations, if
        the rows are sorted by them). Raises ValueError unless
        both have the same number of replies, 40 or more.
        """
        if len(human) != len(machine) or len(human) < 40:
            raise ValueError(
                f"{len(human)} replies of people, {len(machine)} of the bot: give equally many, 40 or more"
            )
        half = len(human) // 2
        learn, test = (
            (one.part(rows), other.part(rows))
            for rows in (range(half), range(half, len(human)))
            for one, other in [(human, machine)]
        )
        return _learned(*learn)(*test)


def _learned(human: Replies, machine: Replies):
    """Return a function that gives the accuracy on other replies of people and of the bot."""
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

    def table(human: Replies, machine: Replies):
        features = scale.transform(np.vstack([human.features, machine.features]))
        return scipy.sparse.hstack([words.transform(human.texts + machine.texts), 0.3 * features]).tocsr()

    def who(human: Replies, machine: Replies):
        return np.repeat([1, 0], [len(human), len(machine)])

    judge = LogisticRegression(C=3.0, max_iter=1000).fit(table(human, machine), who(human, machine))
    return lambda human, machine: float(judge.score(table(human, machine), who(human, machine)))


# --- the tests of the evaluator, and its verdict -----------------------------------------------------------------------


@dataclass(frozen=True)
class Sanity:
    """What an evaluator must show before it is asked: its accuracy on people against people, and against random words."""

    same: float
    random: float

    @property
    def passed(self) -> bool:
        return SAME[0] <= self.same <= SAME[1] and self.random >= RANDOM

    def __str__(self) -> str:
        verdict = "may be asked" if self.passed else "must not be asked"
        return (
            f"people against people {self.same:.2f} (should be {SAME[0]} to {SAME[1]}), people against random words "
            f"{self.random:.2f} (should be {RANDOM} or more): this evaluator {verdict}"
        )


def sanity(evaluator: Evaluator, pairs: Sequence[Pair], human: Replies | None = None, seed: int = 0) -> Sanity:
    """Test an evaluator on people's replies ``pairs``: halves of them, labeled by a coin, and as many random words.

    ``human`` is what ``evaluator.see(pairs)`` gave, if that was done before.
    """
    human, dice = evaluator.see(pairs) if human is None else human, np.random.default_rng(seed)
    return tested_on(evaluator, human, evaluator.see(random_words(evaluator, pairs, dice)), seed)


def tested_on(evaluator: Evaluator, human: Replies, random: Replies, seed: int = 0) -> Sanity:
    """Return what ``sanity`` does, of replies that the evaluator, or some of its readers, have seen.

    The first test guards against a leak and against a judge that sees patterns in chance, not against replies of people and
    bots that were written down differently. Raises ValueError for less than 80 replies: half of them are held against half.
    """
    if len(human) < 80:
        raise ValueError(f"{len(human)} replies of people are too few to test an evaluator: give 80 or more")
    halves, dice = [], np.random.default_rng(seed)
    for _ in range(COINS):
        order = dice.permutation(len(human))
        half = len(human) // 2
        halves.append(evaluator.accuracy(human.part(order[:half]), human.part(order[half : 2 * half])))
    return Sanity(sum(halves) / COINS, evaluator.accuracy(human, random))


def random_words(evaluator: Evaluator, pairs: Sequence[Pair], dice: np.random.Generator) -> list[Pair]:
    """Return the pairs with every token between the first and the last drawn anew, all ordinary tokens alike."""
    tokenizer = evaluator.tokenizer
    special = {
        tokenizer.pad,
        tokenizer.end,
        tokenizer.unknown,
        *(tokenizer.speaker(name) for name in ("A", "B", "other")),
    }
    ordinary = [token for token in range(len(tokenizer)) if token not in special]
    return [
        Pair(
            pair.context,
            [int(pair.reply[0]), *dice.choice(ordinary, len(pair.reply) - 2).tolist(), int(pair.reply[-1])],
        )
        for pair in pairs
    ]


def adversarial_success(evaluator: Evaluator, human: Replies, machine: Replies, tested: Sanity) -> float:
    """Return AdverSuc: 1 − the accuracy of ``evaluator``, trained anew on half of these replies and asked about the rest.

    ``tested`` is what ``sanity`` found: raises ValueError for an evaluator that did not pass, and as ``accuracy`` does.
    """
    if not tested.passed:
        raise ValueError(f"this evaluator says nothing about a bot: {tested}. Give it more replies, or better readers.")
    return 1 - evaluator.accuracy(human, machine)
