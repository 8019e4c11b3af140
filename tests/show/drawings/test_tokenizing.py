"""The stations of a text are what the tokenizer makes of it."""

import pytest

from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.show.drawings.tokenizing import tokenizer_pipeline

TOKENIZER = BPETokenizer([(b"n", b"o"), (b"no", b"w"), (b"k", b"now"), (b" ", b"know")])


def test_the_words_count_every_station_and_name_each_token_with_its_id(legible):
    words = legible(tokenizer_pipeline(TOKENIZER, "I know"))
    assert "“I know” is 6 characters, 2 words after pre-tokenization, 6 bytes and 2 tokens" in words
    one, two = TOKENIZER.encode("I know")
    assert f"“I” {one:,} and “␣know” {two:,}." in words


def test_half_a_character_is_shown_by_its_bytes(legible):
    assert "“c3” " in legible(tokenizer_pipeline(TOKENIZER, "ñ"))


@pytest.mark.parametrize("text", ["a", "I know ñandú 🌊", "x" * 24, " \n\t", "日本語"])
def test_any_short_text_is_legible(text, legible):
    legible(tokenizer_pipeline(TOKENIZER, text))


@pytest.mark.parametrize("text", ["", "x" * 25])
def test_wrong_input_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match="give 1 to 24"):
        tokenizer_pipeline(TOKENIZER, text)
