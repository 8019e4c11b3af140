"""Sentences of three words, their tokenizer, and two tiny models that read them: what the tests of evaluators share."""

import random

import pytest

from helpers.corpus.batches.base import Pair
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.evaluation.human_or_bot_classifier import Evaluator
from tests import factories

WHO, DOES, WHAT = (
    "I we they you she he".split(),
    "like love want see eat hate".split(),
    "tea rain dogs cake jazz maps".split(),
)
TOKENIZER = CharTokenizer.train([" ".join([*WHO, *DOES, *WHAT]), "hello!?."] * 30, min_count=1)


def pairs(number, seed=0):
    """Return replies of people: three words and a full stop each, every one to a context of its own."""
    rng = random.Random(seed)
    speaker, other = TOKENIZER.speaker("A"), TOKENIZER.speaker("B")
    replies = []
    for _ in range(number):
        text = " ".join(rng.choice(words) for words in (WHO, DOES, WHAT)) + rng.choice(".!?")
        asked = [TOKENIZER.end, other, *TOKENIZER.encode(rng.choice(WHAT))]
        replies.append(Pair(asked, [speaker, *TOKENIZER.encode(text), other]))
    return replies


def bot(**changes):
    return factories.seq2seq(len(TOKENIZER), **special_token_ids(TOKENIZER), **changes).eval()


def gpt():
    """With noise on its parameters: a fresh one adds nothing in its blocks, it would not look at the context."""
    return factories.gpt(len(TOKENIZER), n_layer=1, context=64, noise=0.3)


@pytest.fixture(scope="module")
def evaluator():
    return Evaluator([gpt(), bot()], TOKENIZER)
