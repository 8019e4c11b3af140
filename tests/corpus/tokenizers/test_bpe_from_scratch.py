"""The byte-pair encoder to be read: its merges and its cuts are the library's, ties included."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.corpus.load import load
from helpers.corpus.tokenizers.bpe import FEWEST, BPETokenizer, words
from helpers.corpus.tokenizers.bpe_from_scratch import (
    apply_merges,
    count_pairs,
    learn_merges,
    merge,
    most_frequent_pair,
)

# Few letters, so that pairs tie, overlap and build each other; a space, digits and bytes of several alphabets.
TEXTS = st.lists(st.text(alphabet="aab b1é🌊", max_size=40), min_size=1, max_size=4)


def word_counts(texts):
    return Counter(word for text in texts for word in words(text))


def learned_by_the_library(texts, count):
    return list(BPETokenizer.train(texts, FEWEST + count).merges)


def test_pair_counts_include_their_overlaps():
    counts = count_pairs({("a", "a", "a"): 2, ("b", "a"): 3, ("c",): 9})
    assert counts == {("a", "a"): 4, ("b", "a"): 3}


def test_a_merge_does_not_overlap_and_leaves_the_rest():
    assert merge(("a", "a", "a"), ("a", "a")) == ("aa", "a")
    assert merge(tuple("abcab"), ("a", "b")) == ("ab", "c", "ab")
    assert merge((b"ab", b"c"), (b"a", b"b")) == (b"ab", b"c")
    assert merge([], (b"a", b"b")) == ()


def test_a_tie_goes_to_the_lower_numbers_and_the_left_piece_decides():
    numbers = {"a": 0, "b": 1, "c": 2}
    assert most_frequent_pair({("b", "a"): 2, ("a", "c"): 2, ("a", "b"): 1}, numbers) == ("a", "c")
    assert most_frequent_pair({("a", "c"): 2, ("a", "b"): 2}, numbers) == ("a", "b")
    with pytest.raises(ValueError, match="there is no pair"):
        most_frequent_pair({}, numbers)


def test_learning_stops_when_no_pair_occurs_twice():
    assert learn_merges({b"abc": 1}, 5) == [] == learn_merges({}, 5)
    assert learn_merges({b"ab": 2, b"abc": 1}, 9) == [(b"a", b"b")]


@given(TEXTS, st.integers(1, 40))
@settings(max_examples=400, deadline=None)
def test_merges_are_the_librarys_also_where_pairs_tie(texts, count):
    if any(texts):
        theirs = learned_by_the_library(texts, count)
        assert learn_merges(word_counts(texts), len(theirs)) == theirs


@given(TEXTS, st.integers(1, 40), st.text(alphabet="aab b1é🌊c", max_size=30))
@settings(max_examples=300, deadline=None)
def test_words_are_cut_as_the_library_cuts_them(texts, count, text):
    tokenizer = BPETokenizer.train([*texts, "ab"], FEWEST + count)
    ours = [piece for word in words(text) for piece in apply_merges(word, tokenizer.merges)]
    assert ours == [tokenizer.bytes[number] for number in tokenizer.encode(text)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=6), st.text("abc", max_size=20))
def test_merges_of_any_origin_are_applied_as_the_library_applies_them(pairs, text):
    # Also merges that no training would find: the same token made in two ways, and parts that never stand alone.
    merges, known = [], [b"a", b"b", b"c"]
    for left, right in pairs:
        pair = (known[ord(left) % len(known)], known[ord(right) * 7 % len(known)])
        if pair not in merges:
            merges.append(pair)
            known.append(b"".join(pair))
    tokenizer = BPETokenizer(merges)
    assert list(apply_merges(text.encode(), merges)) == [tokenizer.bytes[number] for number in tokenizer.encode(text)]


def test_four_hundred_merges_of_real_conversations_are_the_librarys():
    texts = [turn.text for conversation in load("chitchat").train[:25] for turn in conversation.turns]
    ours = learn_merges(word_counts(texts), 400)
    assert len(ours) == 400 and ours == learned_by_the_library(texts, 400)
    tokenizer = BPETokenizer(ours)
    for text in texts[:40]:
        pieces = [piece for word in words(text) for piece in apply_merges(word, ours)]
        assert pieces == [tokenizer.bytes[number] for number in tokenizer.encode(text)]
