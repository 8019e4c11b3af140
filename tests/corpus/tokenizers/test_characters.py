"""The character tokenizer: round trips, unknown characters, special tokens that text cannot forge."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.corpus.tokenizers.base import SPECIAL
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.corpus.tokenizers.load import load_tokenizer
from tests import factories


@pytest.fixture
def tokenizer():
    return CharTokenizer.train(["hello world", "<end>!"])


@given(st.text(alphabet="helo wrd<n>!", max_size=50))
def test_round_trip_of_known_characters(text):
    tokenizer = CharTokenizer.train(["hello world", "<end>!"])
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(st.text(max_size=50))
def test_any_text_encodes_to_one_number_per_character(text):
    ids = CharTokenizer("abc").encode(text)
    assert len(ids) == len(text)
    assert all(number == 1 or number >= len(SPECIAL) for number in ids)


def test_unknown_characters_are_shown_as_replacement(tokenizer):
    assert tokenizer.decode(tokenizer.encode("hé\x00🌊o")) == "h���o"


def test_text_cannot_forge_a_special_token(tokenizer):
    ids = tokenizer.encode("<end>")
    assert tokenizer.end not in ids
    assert tokenizer.decode(ids) == "<end>"


def test_conversation_is_one_sequence_with_speakers_and_end(tokenizer):
    conversation = factories.conversation("he", "lo", "w", "d", speakers="ABCD")
    ids = tokenizer.encode_conversation(conversation)
    assert tokenizer.decode(ids, special=True) == "<A>he<B>lo<other>w<other>d<end>"
    assert tokenizer.decode(ids) == "helowd"


def test_vocabulary_is_in_code_point_order_and_rare_characters_are_left_out():
    tokenizer = CharTokenizer.train(["bab", "az"], min_count=2)
    assert tokenizer.characters == ("a", "b")
    assert len(tokenizer) == len(SPECIAL) + 2


def test_numbers_outside_the_vocabulary_are_refused(tokenizer):
    for number in (-1, len(tokenizer)):
        with pytest.raises(ValueError, match=f"no token has the number {number}"):
            tokenizer.decode([number])


@pytest.mark.parametrize("characters", ["aba", ["ab"], [""]])
def test_a_vocabulary_of_anything_but_single_characters_is_refused(characters):
    with pytest.raises(ValueError, match="single characters, each once"):
        CharTokenizer(characters)


def test_save_and_load(tokenizer, tmp_path):
    path = tmp_path / "new folder" / "characters.json"
    tokenizer.save(path)
    assert CharTokenizer.load(path).tokens == tokenizer.tokens
    assert [p.name for p in path.parent.iterdir()] == ["characters.json"]  # the temporary name is gone


def test_a_tilde_is_the_home_folder(tokenizer, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # the same on Windows
    tokenizer.save("~/characters.json")
    assert (tmp_path / "characters.json").is_file()
    for load in (CharTokenizer.load, load_tokenizer):
        assert load("~/characters.json").tokens == tokenizer.tokens


@pytest.mark.parametrize(
    "content", ["", "[1, 2]", '{"kind": "characters"}', "{broken", json.dumps({"characters": "aa"})]
)
def test_load_refuses_other_files(tmp_path, content):
    path = tmp_path / "characters.json"
    path.write_text(content)
    with pytest.raises(ValueError):
        CharTokenizer.load(path)
