"""Words and codes in one vocabulary: no id means two things, and a file gives the same ids again."""

import pytest
import torch

from helpers.corpus.tokenizers.load import load_tokenizer
from helpers.corpus.tokenizers.words_and_codes import WordsAndCodes


@pytest.fixture
def tokenizer():
    return WordsAndCodes(["thick", "seven"], torch.tensor([[0.5, -1.0], [0.25, 0.0], [1 / 3, 1.0]]))


def test_words_and_codes_have_ids_of_their_own(tokenizer):
    assert len(tokenizer) == 4 + 2 + 3 == len(set(tokenizer.tokens))
    special = {tokenizer.pad, tokenizer.end, tokenizer.caption, tokenizer.media}
    assert [len(special), *tokenizer.word_ids, *tokenizer.code_ids] == [4, 4, 5, 6, 7, 8]
    assert sorted([*special, *tokenizer.word_ids, *tokenizer.code_ids]) == list(range(len(tokenizer)))
    assert tokenizer.encode("seven thick") == [5, 4] and tokenizer.unknown is None


def test_codes_there_and_back(tokenizer):
    numbers = torch.tensor([[0, 2], [1, 1]])
    ids = tokenizer.encode_codes(numbers)
    assert ids.tolist() == [[6, 8], [7, 7]] and torch.equal(tokenizer.decode_codes(ids), numbers)
    with pytest.raises(ValueError, match="codes 0 to 2: got 0 to 3"):
        tokenizer.encode_codes(torch.tensor([0, 3]))
    with pytest.raises(ValueError, match=r"the id 5 \(seven\) is no code"):
        tokenizer.decode_codes(torch.tensor([6, 5]))
    with pytest.raises(ValueError, match="the id 9"):
        tokenizer.decode_codes(torch.tensor([6, 9]))


def test_what_is_read_by_people(tokenizer):
    ids = [tokenizer.caption, 4, 5, tokenizer.media, 8, tokenizer.end]
    assert tokenizer.decode(ids) == "thick seven ‹2›"
    assert tokenizer.decode(ids, special=True) == "<caption> thick seven <media> ‹2› <end>"
    with pytest.raises(ValueError, match="no token has the number 9"):
        tokenizer.decode([9])


def test_unknown_words_and_uneven_captions_are_refused(tokenizer):
    with pytest.raises(ValueError, match="the word 'eight' is unknown; known are thick, seven"):
        tokenizer.encode("thick eight")
    assert tokenizer.captions(["thick seven", "seven seven"]).tolist() == [[4, 5], [5, 5]]
    with pytest.raises(ValueError, match=r"as many words each; these have \[1, 2\]"):
        tokenizer.captions(["thick seven", "seven"])


@pytest.mark.parametrize("words", [["a", "a"], [""], ["two words"], ["<media>"]])
def test_no_word_is_twice_or_none(words):
    with pytest.raises(ValueError, match="words without spaces, each once"):
        WordsAndCodes(words, torch.zeros(1, 1))


@pytest.mark.parametrize("codes", [torch.zeros(0, 4), torch.zeros(3), torch.tensor([[float("nan")]])])
def test_codes_are_a_table_of_numbers(codes):
    with pytest.raises(ValueError, match="finite numbers"):
        WordsAndCodes(["a"], codes)


def test_a_file_gives_the_same_ids(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "t.json")
    again = load_tokenizer(tmp_path / "t.json")
    assert again.tokens == tokenizer.tokens and torch.allclose(again.codes, tokenizer.codes, atol=1e-5)
    (tmp_path / "t.json").write_text('{"kind": "words and codes", "words": ["a"]}', encoding="utf-8")
    with pytest.raises(ValueError, match="holds no words and codes"):
        load_tokenizer(tmp_path / "t.json")
