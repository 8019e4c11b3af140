"""What learners build in notebook 05 does what the package and the library do."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.corpus.tokenizers import bpe_from_scratch as package
from helpers.corpus.tokenizers.bpe import FEWEST, BPETokenizer
from helpers.corpus.tokenizers.bpe import words as pretokenize
from helpers.evaluation import text_metrics
from tests.answers.solutions import run, solutions

NOTEBOOK = "05_words_from_bytes"
BUILT = ("count_pairs", "merge", "encode", "decode")
WORDS = st.dictionaries(st.text("abc", min_size=1, max_size=6), st.integers(1, 5), max_size=6)
TEXTS = st.lists(st.text(alphabet="aab b1é🌊", max_size=40), min_size=1, max_size=4)


def solution(name):
    return run(solutions(NOTEBOOK)[name], name, NOTEBOOK)


def learners_tokenizer(**others):
    return package.tokenizer_from(*map(solution, BUILT), **others)


@given(WORDS)
def test_pairs_are_counted_as_the_package_counts_them(words):
    cut = {tuple(word): times for word, times in words.items()}
    assert solution("count_pairs")(cut) == package.count_pairs(cut)


@given(st.lists(st.sampled_from(["a", "b", "ab"]), max_size=8), st.sampled_from([("a", "b"), ("a", "a"), ("ab", "a")]))
def test_a_pair_is_merged_as_the_package_merges_it(pieces, pair):
    assert solution("merge")(tuple(pieces), pair) == package.merge(pieces, pair)


@given(TEXTS, st.integers(1, 30), st.text(alphabet="aab b1é🌊c", max_size=30))
@settings(max_examples=60, deadline=None)
def test_the_learners_tokenizer_is_the_librarys(texts, count, text):
    mine = learners_tokenizer().train([*texts, "ab"], FEWEST + count)
    library = BPETokenizer.train([*texts, "ab"], FEWEST + count)
    assert mine.merges == library.merges
    if len(library) == FEWEST + len(library.merges):  # two merges to one piece: rare, and then the order of merging may differ
        assert mine.encode(text) == library.encode(text)
    assert mine.decode(library.encode(text)) == library.decode(library.encode(text)) == text


@given(st.lists(st.integers(0, 259), max_size=12))
def test_broken_characters_are_decoded_as_the_librarys(ids):
    tokenizer = BPETokenizer([(b"n", b"o"), (b"no", b"w"), (b"\xc3", b"\xb1"), (b"no", b"\xc3\xb1")])
    assert solution("decode")([n + 5 for n in ids], tokenizer.bytes) == tokenizer.decode([n + 5 for n in ids])


@given(st.floats(0, 1e6), st.text(min_size=1, max_size=9))
def test_bits_per_byte_is_the_packages(nats, text):
    assert solution("bits_per_byte")(nats, text) == pytest.approx(text_metrics.bits_per_byte(nats, text))


def test_no_token_of_a_tokenizer_for_numbers_holds_two_digits():
    split_digits = solution("split_digits")
    text = "in 2016 and in 2016, 1000000 times"
    mine = learners_tokenizer(pretokenize=lambda text: split_digits(pretokenize(text))).train([text] * 9, FEWEST + 30)
    assert mine.decode(mine.encode(text)) == text and len(mine.merges) > 5
    assert not any(sum(bytes([byte]).isdigit() for byte in token) > 1 for token in mine.bytes)
    assert mine.encode("2016") == mine.encode(" 2016")[1:]


def test_the_premium_of_bytes_is_the_ratio_of_bytes():
    sentences = {"German": "Würde", "English": "dignity", "Russian": "достоинство"}
    found = solution("premium")(BPETokenizer().encode, sentences)
    assert found == pytest.approx({name: len(text.encode()) / 7 for name, text in sentences.items()})


def test_dropout_shortens_nothing_and_loses_nothing():
    tokenizer = BPETokenizer.train(["no no now know knew new"] * 3, FEWEST + 6)
    ranks = {pair: rank for rank, pair in enumerate(tokenizer.merges)}
    ids = {piece: number for number, piece in enumerate(tokenizer.bytes) if piece}
    cut, rng = solution("encode_with_dropout"), np.random.default_rng(0)
    assert cut(b" know", ranks, ids, 0.0, rng) == tokenizer.encode(" know")
    lengths = Counter()
    for dropout in (0.1, 0.5, 0.9):
        for _ in range(200):
            found = cut(b" know", ranks, ids, dropout, rng)
            assert tokenizer.decode(found) == " know"
            lengths[dropout] += len(found)
    assert lengths[0.1] < lengths[0.5] < lengths[0.9]
