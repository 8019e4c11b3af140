"""What learners build in the exercises of notebook 05 does what the package and the library do."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from helpers.corpus.tokenizers.bpe import FEWEST, BPETokenizer
from helpers.corpus.tokenizers.bpe_from_scratch import apply_merges, count_pairs
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


def numbered(tokenizer) -> tuple[dict, dict]:
    """Return the merges of a tokenizer as the exercises number them, and the piece of each number."""
    pieces = {number: bytes([number]) for number in range(256)}
    numbers = {piece: number for number, piece in pieces.items()}
    merges = {}
    for left, right in tokenizer.merges:
        merges[numbers[left], numbers[right]] = numbers.setdefault(left + right, len(numbers))
        pieces[numbers[left + right]] = left + right
    return merges, pieces


@given(st.lists(st.text("abcñ", max_size=12), min_size=1, max_size=4), st.text("abcdñ🐕", max_size=15))
@settings(max_examples=60, deadline=None)
def test_a_word_is_encoded_as_the_library_encodes_it(texts, word):
    tokenizer = BPETokenizer.train([*texts, "ab"] * 2, FEWEST + 12)
    assume(len(tokenizer) == FEWEST + len(tokenizer.merges))  # no two merges to one piece: the exercise has none
    merges, pieces = numbered(tokenizer)
    found = [pieces[number] for number in solution("encode")(word, merges)]
    assert tuple(found) == apply_merges(word.encode(), tokenizer.merges)
    if word.isalpha() or not word:  # the library cuts 🐕 off before it merges
        assert found == [tokenizer.bytes[number] for number in tokenizer.encode(word)]


@given(st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_what_was_encoded_is_decoded_again(text):
    merges, _ = numbered(BPETokenizer.train([text, "aññab"] * 2, FEWEST + 12))
    assert solution("decode")(solution("encode")(text, merges), merges) == text


@given(st.lists(st.integers(0, 259), max_size=12))
@settings(max_examples=60, deadline=None)
def test_decoding_is_the_librarys(ids):
    tokenizer = BPETokenizer([(b"n", b"o"), (b"no", b"w"), (b"\xc3", b"\xb1"), (b"no", b"\xc3\xb1")])
    merges, pieces = numbered(tokenizer)
    assert solution("decode")(ids, merges) == tokenizer.decode([tokenizer.bytes.index(pieces[n]) for n in ids])


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
