"""What learners build in the exercises of notebook 05 does what the package and the library do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.corpus.bpe import FEWEST, BPETokenizer
from helpers.corpus.merges import apply_merges, count_pairs, merge
from tests.answers.solutions import run, solutions

SOLUTIONS = solutions("05_words_from_bytes")
WORDS = st.dictionaries(st.text("abc", min_size=2, max_size=6), st.integers(1, 5), min_size=1, max_size=6)


def solution(name):
    return run(SOLUTIONS[name], name)


@given(WORDS)
def test_the_next_pair_is_one_the_package_counts_most_often(words):
    counts = count_pairs({tuple(word): times for word, times in words.items()})
    found = solution("next_pair")(words)
    assert counts[found] == max(counts.values())
    assert found == min(pair for pair in counts if counts[pair] == counts[found])


@given(WORDS)
def test_the_next_pair_is_the_librarys_first_merge(words):
    texts = [word for word, times in words.items() for _ in range(2 * times)]
    ((left, right),) = BPETokenizer.train(texts, FEWEST + 1).merges
    assert solution("next_pair")(words) == (left.decode(), right.decode())


@given(st.lists(st.integers(1, 3), max_size=12), st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_merging_numbers_is_merging_pieces(ids, pair):
    letters = {1: "a", 2: "b", 3: "c"}
    merged = merge([letters[number] for number in ids], (letters[pair[0]], letters[pair[1]]))
    names = {**letters, 9: letters[pair[0]] + letters[pair[1]]}
    assert [names[number] for number in solution("merge_numbers")(ids, pair, 9)] == list(merged)


@given(st.lists(st.text("abc", max_size=12), min_size=1, max_size=4), st.text("abcd", max_size=15))
@settings(max_examples=60, deadline=None)
def test_a_word_is_cut_as_the_library_cuts_it(texts, word):
    tokenizer = BPETokenizer.train([*texts, "ab"] * 2, FEWEST + 12)
    merges = [(left.decode(), right.decode()) for left, right in tokenizer.merges]
    pieces = solution("cut")(word, merges)
    assert [piece.encode() for piece in pieces] == [tokenizer.bytes[number] for number in tokenizer.encode(word)]
    assert tuple(piece.encode() for piece in pieces) == apply_merges(word.encode(), tokenizer.merges)


@pytest.mark.parametrize("text", ["the dog and the dog", "naïve 🐕"])
def test_bits_per_byte_does_not_depend_on_the_tokens(text):
    nothing, some = BPETokenizer(), BPETokenizer.train([text] * 3, FEWEST + 8)
    counts = [len(tokenizer.encode(text)) for tokenizer in (nothing, some)]
    assert counts[0] > counts[1]
    same = [solution("bits_per_byte")(60 / count, count, text) for count in counts]  # 60 bits for the text, either way
    assert same == pytest.approx([60 / len(text.encode())] * 2)


def test_the_premium_of_bytes_is_the_ratio_of_bytes():
    sentences = {"German": "Würde", "English": "dignity", "Russian": "достоинство"}
    found = solution("premium")(BPETokenizer().encode, sentences)
    assert found == pytest.approx({name: len(text.encode()) / 7 for name, text in sentences.items()})
