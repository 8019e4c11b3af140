"""The merge tree is what the tokenizer does."""

import pytest

from helpers.show.drawings.bpe import bpe_tree

MERGES = [("l", "l"), ("h", "e"), (b" ", b"he"), ("ll", "o"), (" he", "llo")]


def test_a_word_becomes_one_token(legible):
    words = legible(bpe_tree(" hello", MERGES))
    assert "The 6 bytes of “hello” become 1 token: “␣hello”." in words and "1 “ll”, 2 “he”" in words


def test_the_earliest_merge_comes_first(legible):
    assert "“ab” and “c”" in legible(bpe_tree("abc", [("a", "b"), ("b", "c")]))
    assert "“a” and “bc”" in legible(bpe_tree("abc", [("b", "c"), ("a", "b")]))


def test_without_a_merge_that_fits_the_bytes_remain(legible):
    words = legible(bpe_tree("é", [("a", "b")]))
    assert "The 2 bytes of “é” become 2 tokens: “c3” and “a9”. No merge fits." in words


def test_tokens_are_those_of_the_tokenizer():
    from helpers.corpus.tokenizers.bpe import BPETokenizer

    tokenizer = BPETokenizer.train(["the cat sat on the mat with the other cats " * 9], 300)
    pieces = [tokenizer.tokens[i] for i in tokenizer.encode(" the")]
    assert f"become {len(pieces)} token" in bpe_tree(" the", tokenizer.merges).words


@pytest.mark.parametrize("word", ["a", "abcdefghijklmnopqrst", "naïveté", "a\nb\tc", "日本語"])
def test_any_word_is_legible(word, legible):
    data = word.encode()
    legible(bpe_tree(word, [(data[:i], data[i : i + 1]) for i in range(1, len(data))]))


@pytest.mark.parametrize(
    ("word", "merges", "sentence"), [("", [], "0 bytes"), ("a" * 21, [], "1 to 20"), ("ab", [("a", "b", "c")], "pair")]
)
def test_wrong_input_is_refused_with_a_sentence(word, merges, sentence):
    with pytest.raises(ValueError, match=sentence):
        bpe_tree(word, merges)
