"""Quality and diversity of replies: means over tokens, and sampled replies that keep the order and the contexts."""

import pytest

from helpers.corpus.batches.base import Pair
from helpers.evaluation.human_or_bot_classifier import likelihood_features
from helpers.evaluation.quality_diversity import quality_and_diversity, with_sampled_replies
from tests.evaluation.small_language import TOKENIZER, bot, pairs


def test_answers_keep_the_order_and_the_contexts():
    asked = [*pairs(6), Pair([TOKENIZER.end], [TOKENIZER.speaker("B"), 9, TOKENIZER.end])]
    answered = with_sampled_replies(bot(), asked, TOKENIZER, max_tokens=5)
    assert [pair.context for pair in answered] == [pair.context for pair in asked]
    assert all(pair.reply[0] == other.reply[0] and 2 <= len(pair.reply) <= 6 for pair, other in zip(answered, asked))
    assert answered == with_sampled_replies(bot(), asked, TOKENIZER, max_tokens=5)
    assert answered != with_sampled_replies(bot(), asked, TOKENIZER, max_tokens=5, seed=1)


def test_quality_is_the_mean_over_tokens_not_over_replies(evaluator):
    two = [pairs(1)[0], Pair(pairs(1)[0].context, pairs(1)[0].reply[:3])]
    found = quality_and_diversity(evaluator, two)
    each = likelihood_features(evaluator.readers[0], two, TOKENIZER.pad)[:, 0]
    lengths = [len(pair.reply) - 1 for pair in two]
    assert found["nats"] == pytest.approx((each * lengths).sum() / sum(lengths))
    assert found["distinct-2"] is None and found["words"] == pytest.approx(2)
    same = quality_and_diversity(evaluator, [pairs(1)[0]] * 400)
    assert same["self-bleu-2"] == pytest.approx(1) and same["distinct-2"] < 0.01
