"""The runs behind notebook 07: can a conversation's text say how upbeat its writers found it?

    python -m helpers experiments sentiment        run what data/sentiment.csv lacks (a quarter of an hour on one core)

Classes: rated 10 ("high") against 1 to 7 ("low"). Ratings of 5 are left out, because 5 is what the form began with; 8 and 9
are in the middle. Two sets: "balanced", as many high as low at random; and "matched", where each low conversation stands beside
a high one of the same length in tokens (10 % apart at most), so that length says nothing. Three folds: every conversation is
predicted once, by a classifier that was trained on the other two folds; pairs stay together.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers import data_path
from helpers.bots import checkpoints
from helpers.corpus.conversations import Conversation
from helpers.corpus.load import load
from helpers.evaluation.intervals import bootstrap_interval
from helpers.experiments.run_missing import check_finished, run_missing
from helpers.io import read_rows, write_rows
from helpers.models.gpt import GPT
from helpers.models.gpt_classifier import GPTClassifier, LabeledBatches, class_loss, in_batches
from helpers.runtime import seed_everything
from helpers.training import fit

HIGH, LOW, DEFAULT = (10,), (1, 2, 3, 4, 6, 7), 5  # ratings of "upbeat"
APART, FOLDS, TOKENS = 0.1, 3, 128  # of matched lengths, in logarithms; the GPT reads the last tokens of a conversation
PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)  # inverse strengths of the logistic regressions, chosen within the training folds
PASSES, BATCH, RATE, RANK = 2, 16, 2e-3, 8  # of the tuned GPT
SETS = ("balanced", "matched")
COLUMNS = (
    "set", "method", "conversations", "accuracy", "low", "high", "fold_sd", "over_length", "over_low", "over_high", "train"
)  # fmt: skip


class LabeledSet(NamedTuple):
    """Conversations, their class, and which belong together: a matched pair must not be divided between the folds."""

    talks: list[Conversation]
    labels: np.ndarray  # int64 [N]: 1 for high, 0 for low
    groups: np.ndarray  # int64 [N]

    def folds(self, seed: int = 0) -> np.ndarray:
        """Return the fold of each conversation, int64 [N], the same for all of a group."""
        order = np.random.default_rng(seed).permutation(self.groups.max() + 1)
        return order[self.groups] % FOLDS


def rated(conversations: Sequence[Conversation]) -> list[Conversation]:
    """Return the conversations whose "upbeat" was moved away from the default of 5."""
    return [talk for talk in conversations if talk.meta["ratings"].get("upbeat", DEFAULT) != DEFAULT]


def balanced_set(conversations: Sequence[Conversation], seed: int = 0) -> LabeledSet:
    """Return as many high conversations as low ones, at random. Raises ValueError when one class is empty."""
    low, high = _classes(conversations, seed)
    number = min(len(low), len(high))
    return LabeledSet(low[:number] + high[:number], np.repeat([0, 1], number), np.arange(2 * number))


def matched_set(conversations: Sequence[Conversation], tokenizer, seed: int = 0) -> LabeledSet:
    """Return pairs of a low conversation and the high one nearest in length, which is 10 % longer or shorter at most.

    Each conversation is in one pair; low ones without a partner are left out. Raises ValueError when there is no pair.
    """
    low, high = _classes(conversations, seed)
    length = {talk.id: math.log(len(tokenizer.encode_conversation(talk))) for talk in low + high}
    pairs, free = [], {talk.id: talk for talk in high}
    for talk in low:
        nearest = min(free, key=lambda key: (abs(length[key] - length[talk.id]), key), default=None)
        if nearest is not None and abs(length[nearest] - length[talk.id]) <= APART:
            pairs.append((talk, free.pop(nearest)))
    if not pairs:
        raise ValueError("no two conversations of the two classes have the same length: give more conversations")
    talks = [talk for side in zip(*pairs) for talk in side]
    return LabeledSet(talks, np.repeat([0, 1], len(pairs)), np.tile(np.arange(len(pairs)), 2))


def _classes(conversations: Sequence[Conversation], seed: int) -> list[list[Conversation]]:
    sides = []
    for ratings in (LOW, HIGH):
        side = sorted((t for t in rated(conversations) if t.meta["ratings"]["upbeat"] in ratings), key=lambda talk: talk.id)
        if not side:
            raise ValueError(f"no conversation is rated {', '.join(map(str, ratings))}: there is nothing to tell apart")
        random.Random(seed).shuffle(side)
        sides.append(side)
    return sides


# --- what a classifier is given ----------------------------------------------------------------------------------------


def words_of(talks: Sequence[Conversation], tokenizer, tokens: int | None = None) -> list[str]:
    """Return each conversation as one text without its speakers; with ``tokens``, the end of it that the GPT reads, too."""
    special = {tokenizer.end, *(tokenizer.speaker(name) for talk in talks for name in {turn.speaker for turn in talk.turns})}
    texts = []
    for ids in token_rows(talks, tokenizer, tokens):
        turns = (list(part) for is_special, part in groupby(ids, special.__contains__) if not is_special)
        texts.append(" ".join(map(tokenizer.decode, turns)))
    return texts


def token_rows(talks: Sequence[Conversation], tokenizer, tokens: int | None = TOKENS) -> list[list[int]]:
    """Return ``<end>`` and the last ``tokens`` − 1 tokens of each conversation (None: all of them)."""
    rows = [tokenizer.encode_conversation(talk) for talk in talks]
    return [[tokenizer.end, *(row if tokens is None else row[-(tokens - 1) :])] for row in rows]


def lengths_of(talks: Sequence[Conversation], tokenizer) -> np.ndarray:
    """Return the logarithms of the numbers of turns and of tokens, float64 [N, 2]."""
    return np.log([[len(talk.turns), len(tokenizer.encode_conversation(talk))] for talk in talks])


# --- classifiers: each is given training and held-out items and returns predictions for both -----------------------------


def linear(train, labels, held_out) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression on features [N, F], standardized; how strong its penalty is, is chosen within ``train``."""
    from sklearn.preprocessing import StandardScaler

    return _logistic(StandardScaler(), train, labels, held_out)


def bag_of_words(train, labels, held_out) -> tuple[np.ndarray, np.ndarray]:
    """The same on which words a text contains, of those that three training texts contain."""
    from sklearn.feature_extraction.text import CountVectorizer

    return _logistic(CountVectorizer(binary=True, min_df=min(3, len(train))), train, labels, held_out)


def _logistic(features, train, labels, held_out) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    classifier = GridSearchCV(LogisticRegression(max_iter=500), {"C": PENALTIES}, cv=4)
    model = make_pipeline(features, classifier).fit(train, labels)
    return model.predict(train), model.predict(held_out)


def majority(train, labels, held_out) -> tuple[np.ndarray, np.ndarray]:
    """The class that more of the training conversations have, for all; high where there are as many."""
    chosen = int(2 * labels.sum() >= len(labels))
    return np.full(len(train), chosen), np.full(len(held_out), chosen)


def tuned(train, labels, held_out, *, bot, seed: int = 0, passes: int = PASSES) -> tuple[np.ndarray, np.ndarray]:
    """The GPT with LoRA and a linear layer, trained on token rows for so many passes."""
    seed_everything(seed)
    model, pad = GPTClassifier(bot.model, RANK), bot.tokenizer.pad
    batches = LabeledBatches(train, labels, BATCH, seed, pad=pad)
    history = fit(model, batches, steps=passes * len(batches), learning_rate=RATE, loss=class_loss, progress=False)
    check_finished(history)
    return tuple(in_batches(model, model, rows, pad).argmax(1).numpy() for rows in (train, held_out))


# --- the table ---------------------------------------------------------------------------------------------------------


class SentimentRun(NamedTuple):
    """One way to classify, on one of the two sets, in all folds."""

    set: str
    method: str

    @property
    def key(self) -> dict:
        return self._asdict()


METHODS = ("majority", "length", "words", "words at the end", "untrained gpt", "frozen gpt", "tuned gpt")
RUNS = tuple(SentimentRun(name, method) for method in METHODS for name in SETS)


def classifier(method: str, talks: Sequence[Conversation], bot) -> tuple[Sequence, Callable]:
    """Return what a method is given of each conversation, and the function that learns and predicts.

    Raises ValueError, with the known ones, for another method.
    """
    tokenizer, pad = bot.tokenizer, bot.tokenizer.pad
    if method in ("majority", "length"):
        return lengths_of(talks, tokenizer), linear if method == "length" else majority
    if method.startswith("words"):
        return words_of(talks, tokenizer, TOKENS if method == "words at the end" else None), bag_of_words
    rows = token_rows(talks, tokenizer)
    if method == "tuned gpt":
        return rows, partial(tuned, bot=bot)
    if method in ("untrained gpt", "frozen gpt"):
        seed_everything(0)
        model = GPTClassifier(bot.model if method == "frozen gpt" else GPT(replace(bot.model.settings, zero_output=False)))
        return in_batches(model.features, model, rows, pad).double().numpy(), linear
    raise ValueError(f"there is no method {method!r}; known are {', '.join(METHODS)}")


def cross_validated(method: str, data: LabeledSet, bot) -> tuple[np.ndarray, float]:
    """Return whether each conversation was predicted rightly when its fold was held out, bool [N], and the share in training."""
    items, predict = classifier(method, data.talks, bot)
    folds, right, known = data.folds(), np.zeros(len(data.labels), bool), []
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        train, held_out = ([items[index] for index in part] for part in (inside, outside))
        seed = {"seed": fold} if method == "tuned gpt" else {}
        fitted, predicted = predict(train, data.labels[inside], held_out, **seed)
        right[outside] = predicted == data.labels[outside]
        known.append((fitted == data.labels[inside]).mean())
    return right, float(np.mean(known))


def row_of(run: SentimentRun, data: LabeledSet, bot) -> dict:
    """Return the row of a run: accuracy, its 95 % interval over conversations (pairs), and the same minus that of "length"."""
    right, train = cross_validated(run.method, data, bot)
    gain = right.astype(float) - cross_validated("length", data, bot)[0]
    interval, over = (bootstrap_interval(values, data.groups, np.random.default_rng(0)) for values in (right, gain))
    by_fold = [float(right[data.folds() == fold].mean()) for fold in range(FOLDS)]
    figures = (len(right), float(right.mean()), *interval, float(np.std(by_fold, ddof=1)), float(gain.mean()), *over, train)
    return run.key | dict(zip(COLUMNS[2:], figures))


def labeled_sets(corpus, tokenizer) -> dict[str, LabeledSet]:
    """Return the two sets, from all conversations of a corpus: none of its splits has low ratings enough."""
    every = [*corpus.train, *corpus.val, *corpus.test]
    return {"balanced": balanced_set(every), "matched": matched_set(every, tokenizer)}


def main(path: Path | None = None) -> None:
    """Execute every run that the file lacks."""
    path = path or data_path() / "sentiment.csv"
    bot = checkpoints.load("gpt")
    sets = labeled_sets(load(), bot.tokenizer)
    run_missing(
        RUNS,
        read_rows(path),
        lambda run: [row_of(run, sets[run.set], bot)],
        lambda rows: write_rows(path, COLUMNS, rows),
    )
