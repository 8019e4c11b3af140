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
    decode,
    encode,
    learn_merges,
    learn_merges_fast,
    merge,
    most_frequent_pair,
    tokenizer_from,
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


@given(TEXTS, st.integers(1, 40))
@settings(max_examples=400, deadline=None)
def test_recounting_only_what_changed_finds_the_same_merges(texts, count):
    assert learn_merges_fast(word_counts(texts), count) == learn_merges(word_counts(texts), count)


def test_the_fast_learner_counts_and_merges_with_the_functions_it_is_given():
    calls = Counter()

    def counted(function):
        def run(*arguments):
            calls[function.__name__] += 1
            return function(*arguments)

        return run

    assert learn_merges_fast({b"abc": 2}, 9, counted(count_pairs), counted(merge)) == [(b"a", b"b"), (b"ab", b"c")]
    assert calls == {"count_pairs": 5, "merge": 2}
    assert learn_merges_fast({b"abc": 1}, 5) == [] == learn_merges_fast({}, 5)


@given(TEXTS, st.integers(1, 40), st.text(alphabet="aab b1é🌊c", max_size=30))
@settings(max_examples=200, deadline=None)
def test_encoding_gives_the_librarys_ids_and_decoding_the_text(texts, count, text):
    tokenizer = BPETokenizer.train([*texts, "ab"], FEWEST + count)
    ranks = {pair: rank for rank, pair in enumerate(tokenizer.merges)}
    ids = {piece: number for number, piece in enumerate(tokenizer.bytes) if piece}
    ours = [number for word in words(text) for number in encode(word, ranks, ids)]
    assert ours == tokenizer.encode(text)
    assert decode(ours, tokenizer.bytes) == text


@given(TEXTS, st.integers(1, 40), st.text(alphabet="aab b1é🌊c", max_size=30))
@settings(max_examples=100, deadline=None)
def test_a_tokenizer_of_four_functions_is_the_librarys(texts, count, text):
    mine = tokenizer_from(count_pairs, merge, encode, decode).train([*texts, "ab"], FEWEST + count)
    library = BPETokenizer.train([*texts, "ab"], FEWEST + count)
    assert mine.merges == library.merges and mine.tokens == library.tokens
    ids = mine.encode(text)
    assert ids == library.encode(text) and mine.decode(ids) == text
    assert mine.decode([mine.end, *ids], special=True) == library.decode([library.end, *ids], special=True)
    streamer, theirs = mine.streamer(), library.streamer()
    assert [streamer.push(number) for number in ids] == [theirs.push(number) for number in ids]
    assert streamer.finish() == theirs.finish() == ""


def test_a_tokenizer_of_four_functions_gives_out_no_half_character():
    streamer = tokenizer_from(count_pairs, merge, encode, decode)().streamer()
    first, second = streamer.tokenizer.encode("ñ")
    assert [streamer.push(number) for number in (first, second, first)] == ["", "ñ", ""]
    assert streamer.finish() == "�"


def test_a_tokenizer_of_four_functions_cuts_words_as_it_is_told():
    digits = tokenizer_from(count_pairs, merge, encode, decode, pretokenize=lambda text: [bytes([b]) for b in text.encode()])
    assert digits.train(["12 12 12"], FEWEST + 9).merges == ()
    assert tokenizer_from(count_pairs, merge, encode, decode).train(["12 12 12"], FEWEST + 9).merges != ()


def test_half_a_character_is_shown_as_one_sign():
    assert decode([0, 2], [b"n", b"\xc3\xb1", b"\xc3"]) == "n�" and decode([], []) == ""


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
