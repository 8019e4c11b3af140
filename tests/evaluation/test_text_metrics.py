"""The metrics: values worked out by hand, and equality with the definitions written down slowly."""

import math
import random
from collections import Counter

import pytest

from helpers.evaluation.text_metrics import bits_per_byte, bleu, distinct, entropy, self_bleu
from tests.benchmarks import bench_metrics


def slow_sentence_bleu(references, hypothesis, n):
    """Sentence BLEU from its definition, as NLTK computes it with smoothing method 1. All texts are token lists."""

    def counts(words, order):
        return Counter(tuple(words[i : i + order]) for i in range(len(words) - order + 1))

    product = 1.0
    for order in range(1, n + 1):
        own = counts(hypothesis, order)
        matches = sum(min(own[gram], max(counts(words, order)[gram] for words in references)) for gram in own)
        if order == 1 and matches == 0:
            return 0.0
        product *= (matches if matches else 0.1) / max(1, sum(own.values()))
    length = len(hypothesis)
    closest = min((abs(len(words) - length), len(words)) for words in references)[1]
    return product ** (1 / n) * (1.0 if length >= closest else math.exp(1 - closest / length))


def slow_bleu(hypotheses, references, n):
    return sum(slow_sentence_bleu(references, words, n) for words in hypotheses) / len(hypotheses)


def slow_self_bleu(texts, n):
    scores = [slow_sentence_bleu(texts[:i] + texts[i + 1 :], words, n) for i, words in enumerate(texts)]
    return sum(scores) / len(scores)


def sentences(number, seed, words="aabbcdef", most=9):
    """Return random token lists; so few words repeat within a sentence and between them. One is empty."""
    rng = random.Random(seed)
    return [[]] + [rng.choices(words, k=rng.randint(1, most)) for _ in range(number - 1)]


def test_bits_per_byte_by_hand():
    assert bits_per_byte(8 * math.log(2), "abcd") == pytest.approx(2.0)
    assert bits_per_byte(6 * math.log(2), "né🌊") == pytest.approx(6 / 7)  # 1 + 2 + 4 bytes
    assert bits_per_byte(6 * math.log(2), iter(["né", "", "🌊"])) == pytest.approx(6 / 7)
    assert bits_per_byte(0, "a") == 0.0
    assert bits_per_byte(math.inf, "a") == math.inf


@pytest.mark.parametrize("text", ["", [], ["", ""]])
def test_bits_per_byte_of_no_text_is_refused(text):
    with pytest.raises(ValueError, match="at least one byte"):
        bits_per_byte(1.0, text)


@pytest.mark.parametrize("nats", [-1.0, math.nan])
def test_bits_per_byte_refuses_what_is_no_surprise(nats):
    with pytest.raises(ValueError, match="sum of -log p"):
        bits_per_byte(nats, "abc")


def test_distinct_by_hand():
    texts = ["a b a", "a b  A"]
    assert distinct(texts, 1) == pytest.approx(3 / 6)  # a, b and A
    assert distinct(texts, 2) == pytest.approx(3 / 4)  # ab ba, ab bA: pairs do not run on into the next text
    assert distinct(texts, 3) == 1.0
    assert distinct(texts, 4) == 0.0  # there are none
    assert distinct(texts * 2, 1) == pytest.approx(3 / 12)  # falls with the size of the set


def test_entropy_by_hand():
    assert entropy(["a b c d"], 1) == pytest.approx(math.log(4))
    assert entropy(["a a a b"], 1) == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert entropy(["a b a", "a b"], 2) == pytest.approx(-2 / 3 * math.log(2 / 3) - 1 / 3 * math.log(1 / 3))
    assert entropy(["a a", "a"], 1) == 0.0
    assert entropy(["a"], 2) == 0.0


def test_bleu_by_hand():
    # One matches twice in the first reference, cat once in the second: "the" is clipped at 2, as in the paper.
    references = ["the cat is on the mat", "there is a cat on the mat"]
    assert bleu(["the the the the the the the"], references, 1) == pytest.approx(2 / 7)
    # Orders 1 and 2: 3 of 3 words, and "a b" of two pairs; as long as its reference.
    assert bleu(["a b c"], ["c a b"], 2) == pytest.approx(math.sqrt(1 * 1 / 2))
    # No pair matches: 0.1 of 2 pairs. No triple: 0.1 of 1.
    assert bleu(["a b c"], ["c b a"], 3) == pytest.approx((1 * 0.1 / 2 * 0.1 / 1) ** (1 / 3))
    # The average over hypotheses, of which one is perfect and one half.
    assert bleu(["a b", "a x"], ["a b"], 1) == pytest.approx(0.75)
    assert bleu(["A"], ["a"], 1) == 0.0  # case is kept


def test_counts_are_clipped_by_one_reference_not_by_their_sum():
    assert bleu(["a a a"], ["a x y", "a a z", "a w v"], 1) == pytest.approx(2 / 3)


def test_brevity_penalty_by_hand():
    assert bleu(["a b"], ["a b c"], 1) == pytest.approx(math.exp(1 - 3 / 2))
    assert bleu(["a b c d"], ["a b c"], 1) == pytest.approx(3 / 4)  # longer than the reference: no penalty
    assert bleu(["a b"], ["a b c d", "a b c"], 1) == pytest.approx(math.exp(1 - 3 / 2))  # the closest, not the first
    assert bleu(["a b"], ["a b c", "a"], 1) == 1.0  # 1 and 3 are equally close to 2: the shorter
    assert self_bleu(["a b", "a b c"], 1) == pytest.approx((math.exp(1 - 3 / 2) + 2 / 3) / 2)


def test_texts_shorter_than_n():
    # One word: matched. No pair, triple or quadruple: 0.1 of max(1, 0) each.
    assert bleu(["a"], ["a"], 4) == pytest.approx((1 * 0.1 * 0.1 * 0.1) ** (1 / 4))
    assert self_bleu(["a b", "a b"], 3) == pytest.approx(0.1 ** (1 / 3))
    assert bleu(["", "a"], ["a b", ""], 1) == pytest.approx(1 / 2)  # an empty hypothesis scores 0
    assert bleu(["a"], [""], 2) == 0.0
    assert self_bleu(["", ""], 2) == 0.0


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_equal_to_the_definition(n, seed):
    texts, others = sentences(40, seed), sentences(30, seed + 100)
    assert bleu(texts, others, n) == pytest.approx(slow_bleu(texts, others, n), rel=1e-12)
    assert self_bleu(texts, n) == pytest.approx(slow_self_bleu(texts, n), rel=1e-12)
    assert self_bleu(texts[:3], n) == pytest.approx(slow_self_bleu(texts[:3], n), rel=1e-12)
    grams = [tuple(words[i : i + n]) for words in texts for i in range(len(words) - n + 1)]
    shares = [grams.count(gram) / len(grams) for gram in set(grams)]
    assert distinct(texts, n) == len(shares) / len(grams)
    assert entropy(texts, n) == pytest.approx(-sum(share * math.log(share) for share in shares), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_closest_length_is_found_among_lengths_far_apart(seed):
    texts = sentences(6, seed, most=60)
    others = sentences(5, seed + 50, most=60)
    assert bleu(texts, others, 1) == pytest.approx(slow_bleu(texts, others, 1), rel=1e-12)
    assert self_bleu(texts, 1) == pytest.approx(slow_self_bleu(texts, 1), rel=1e-12)


def test_strings_and_token_lists_are_the_same():
    tokens, others = sentences(20, 1), sentences(20, 2)
    texts, more = [" ".join(words) for words in tokens], [" \n".join(words) for words in others]
    assert bleu(texts, more, 3) == bleu(tokens, map(tuple, others), 3)
    for metric in (distinct, entropy, self_bleu):
        assert metric(texts, 2) == metric(tokens, 2)


def test_the_order_of_the_texts_does_not_matter():
    texts, others = sentences(40, 3), sentences(40, 4)
    mixed, mixed_others = (random.Random(0).sample(some, len(some)) for some in (texts, others))
    assert mixed != texts
    assert bleu(mixed, mixed_others, 4) == bleu(texts, others, 4)
    for metric in (distinct, entropy, self_bleu):
        assert metric(mixed, 2) == metric(texts, 2)


def test_self_bleu_of_equal_texts_is_one_and_of_unlike_texts_zero():
    assert self_bleu(["to be or not to be"] * 5, 4) == 1.0
    assert self_bleu(["a b c d", "e f g h", "i j k l"], 4) == 0.0


def test_a_twin_is_a_reference_but_the_text_itself_is_not():
    twins = ["a a b c", "a a b c", "x y"]
    assert self_bleu(twins, 2) == pytest.approx(2 / 3)  # 1 for each twin, 0 for the stranger
    # Alone, "a a b c" owns the largest count of "a": the other text has but one.
    assert self_bleu(["a a b c", "a x y z"], 1) == pytest.approx((1 / 4 + 1 / 4) / 2)


def test_more_references_score_higher():
    texts, others = sentences(20, 5, most=6), sentences(200, 6, most=6)
    assert bleu(texts, others, 4) > bleu(texts, others[:20], 4)


@pytest.mark.parametrize("metric", [distinct, entropy, self_bleu, lambda texts, n: bleu(texts, ["a"], n)])
def test_what_is_no_set_of_texts_is_refused(metric):
    with pytest.raises(ValueError, match="at least one text"):
        metric([], 2)
    with pytest.raises(ValueError, match="not one string"):
        metric("a b c", 2)
    with pytest.raises(ValueError, match="a float"):
        metric(["a", math.nan], 2)
    for n in (0, -1, 1.5):
        with pytest.raises(ValueError, match="words in an n-gram"):
            metric(["a b", "a"], n)


def test_too_few_texts_to_compare_are_refused():
    with pytest.raises(ValueError, match="at least two"):
        self_bleu(["a b c"], 2)
    with pytest.raises(ValueError, match="no references"):
        bleu(["a b c"], [], 2)


def test_the_benchmark_runs_beside_others(capsys):
    assert bench_metrics.main(["--sentences", "30", "--size", "100MB", "--repeats", "1"]) == 0
    assert "BLEU-4 of 30 sentences against 30" in capsys.readouterr().out
