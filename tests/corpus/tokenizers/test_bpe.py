"""The byte-pair tokenizer: every text round trips, special tokens cannot be forged, the same texts give the same file."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from helpers.corpus.tokenizers.base import special_token_ids
from helpers.corpus.tokenizers.bpe import ALPHABET, FEWEST, SPECIAL, SYMBOLS, BPETokenizer, words
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.corpus.tokenizers.load import load_tokenizer
from tests import factories

TEXTS = [
    "hello hello, how are you? I'm fine. <end> <A>",
    "how are you today? 2019 2019 2018",
    "Füße, Füße, naïve 🌊🌊 😀 こんにちは こんにちは",
    "the end, the end, the end\n\n\nthe  end",
]
TOKENIZER = BPETokenizer.train(TEXTS, 340)
IDS = st.lists(st.integers(0, len(TOKENIZER) - 1), max_size=40)


def test_the_symbols_are_the_librarys():
    assert sorted(SYMBOLS) == sorted(pre_tokenizers.ByteLevel.alphabet())
    cutter = pre_tokenizers.ByteLevel(add_prefix_space=False)
    for text in ("a b", "\n\t", "é", "🌊", "\x00\x7f\xad"):
        assert "".join(SYMBOLS[byte] for byte in text.encode()) == "".join(
            symbol for symbol, _ in cutter.pre_tokenize_str(text)
        )


def test_bytes_come_first_then_a_token_per_merge():
    assert TOKENIZER.tokens[: len(SPECIAL)] == SPECIAL == ("<pad>", "<end>", "<A>", "<B>", "<other>")
    assert sorted(TOKENIZER.bytes[len(SPECIAL) : FEWEST]) == [bytes([b]) for b in range(256)]
    assert [TOKENIZER.bytes[len(SPECIAL) + i][0] for i in range(256)] == list(ALPHABET)
    assert list(TOKENIZER.bytes[FEWEST:]) == [left + right for left, right in TOKENIZER.merges]
    assert len(TOKENIZER) == len(TOKENIZER.tokens) == len(TOKENIZER.bytes)
    assert TOKENIZER.unknown is None and TOKENIZER.pad == 0 and TOKENIZER.end == 1
    assert " the" in TOKENIZER.tokens and "hello" in TOKENIZER.tokens and "\\xf0" in TOKENIZER.tokens


def test_tokens_and_merges_are_the_librarys():
    library = TOKENIZER._fast()
    for number, token in list(enumerate(TOKENIZER.bytes))[len(SPECIAL) :]:
        assert library.token_to_id("".join(SYMBOLS[byte] for byte in token)) == number
    assert library.encode("hello 🌊").ids == TOKENIZER.encode("hello 🌊")


@given(st.text(max_size=80))
@settings(max_examples=300)
def test_any_text_comes_back(text):
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text
    assert all(len(SPECIAL) <= number < len(TOKENIZER) for number in ids)
    assert b"".join(words(text)) == text.encode()
    assert BPETokenizer().encode(text) == [5 + ALPHABET.index(byte) for byte in text.encode()]  # no merge: bytes


@given(st.lists(st.text(max_size=20), max_size=5))
def test_many_texts_at_once_are_each_as_alone(texts):
    assert TOKENIZER.encode_all(texts) == [TOKENIZER.encode(text) for text in texts]


@given(IDS)
@settings(max_examples=300)
def test_any_numbers_can_be_decoded_at_once_or_one_by_one(ids):
    streamer = TOKENIZER.streamer()
    pieces = [streamer.push(number) for number in ids]
    assert "".join(pieces) + streamer.finish() == TOKENIZER.decode(ids)


def test_a_stream_holds_bytes_back_until_the_character_is_whole():
    ids = BPETokenizer().encode("é🌊")
    streamer = BPETokenizer().streamer()
    assert [streamer.push(number) for number in ids] == ["", "é", "", "", "", "🌊"]
    assert streamer.finish() == ""
    streamer.push(ids[0])
    assert streamer.push(TOKENIZER.end) == "�"  # the turn ended in the middle of a character
    streamer.push(ids[0])
    assert streamer.finish() == "�"
    with pytest.raises(ValueError, match="no token has the number -1"):
        streamer.push(-1)


def test_characters_can_be_streamed_too():
    tokenizer = CharTokenizer.train(["abc"])
    streamer = tokenizer.streamer()
    ids = [tokenizer.speaker("A"), *tokenizer.encode("ab?"), tokenizer.end]
    assert [streamer.push(number) for number in ids] == ["", "a", "b", "�", ""]
    assert streamer.finish() == ""


def test_cut_characters_show_as_replacement():
    ids = BPETokenizer().encode("🌊")
    assert BPETokenizer().decode(ids[:2]) == "�"
    assert BPETokenizer().decode([*ids[:2], 1, *ids[2:]], special=True) == "�<end>��"


def test_text_cannot_forge_a_special_token():
    for text in (*SPECIAL, "<A>hello<B>", "<end><end>"):
        assert min(TOKENIZER.encode(text)) >= len(SPECIAL)
        assert TOKENIZER.decode(TOKENIZER.encode(text)) == text
    often = BPETokenizer.train(["<end> <pad> <A>"] * 50, 400)
    assert min(often.encode("<end> <A>")) >= len(SPECIAL)


def test_half_of_a_surrogate_pair_is_shown_as_replacement():
    assert TOKENIZER.decode(TOKENIZER.encode("a\ud83cb")) == "a�b"
    BPETokenizer.train(["\ud83c\ud83c"], 300)


def test_conversation_is_one_sequence_with_speakers_and_end():
    conversation = factories.conversation("hello", "hello you", "", "🌊", speakers="ABCD")
    ids = TOKENIZER.encode_conversation(conversation)
    assert TOKENIZER.decode(ids, special=True) == "<A>hello<B>hello you<other><other>🌊<end>"
    assert TOKENIZER.decode(ids) == "hellohello you🌊"


def test_training_joins_the_most_frequent_pair():
    tokenizer = BPETokenizer.train(["aaab aaab aab"], FEWEST + 2)
    assert tokenizer.merges[0] == (b"a", b"a")
    assert len(tokenizer) == FEWEST + 2
    assert BPETokenizer.train(["abcdefg"], 500).merges == ()  # no pair occurs twice


def test_no_token_reaches_across_a_cut():
    tokenizer = BPETokenizer.train(["in the end, in the end"] * 9, 2000)
    assert max(tokenizer.bytes, key=len) in (b" the", b" end")
    assert words("it's 12 things,  ok?") == [b"it", b"'s", b" 12", b" things", b",", b" ", b" ok", b"?"]


def test_the_same_texts_give_the_same_file(tmp_path):
    for name, texts in (("a", TEXTS), ("b", TEXTS), ("c", TEXTS[::-1])):
        BPETokenizer.train(iter(texts), 320).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()


def test_save_and_load(tmp_path):
    path = tmp_path / "new folder" / "tokenizer.json"
    TOKENIZER.save(path)
    for loaded in (BPETokenizer.load(path), load_tokenizer(path)):
        assert type(loaded) is BPETokenizer
        assert (loaded.merges, loaded.tokens, loaded.bytes) == (TOKENIZER.merges, TOKENIZER.tokens, TOKENIZER.bytes)
        assert loaded.encode(TEXTS[2]) == TOKENIZER.encode(TEXTS[2])
    CharTokenizer.train(["abc"]).save(path)
    assert load_tokenizer(path).characters == ("a", "b", "c")


@pytest.mark.parametrize(
    "tokenizer", [TOKENIZER, CharTokenizer.train(["a b\nc\r\u2028é🌊"])], ids=["pairs", "characters"]
)
def test_a_file_whose_line_ends_were_converted_gives_the_same_ids(tmp_path, tokenizer):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    assert b"\r" not in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    for text in (*TEXTS, "a\r\nb\u2028"):
        assert load_tokenizer(path).encode(text) == tokenizer.encode(text)


def test_special_token_ids_are_the_arguments_of_models_and_samplers():
    characters = CharTokenizer("ab")
    assert special_token_ids(TOKENIZER) == {"speakers": (2, 3, 4), "pad": 0, "end": 1}
    assert special_token_ids(characters) == {"speakers": (3, 4, 5), "pad": 0, "end": 2}
    assert special_token_ids(TOKENIZER, forbidden=True)["forbidden"] == ()
    assert special_token_ids(characters, forbidden=True)["forbidden"] == (characters.unknown,) == (1,)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[1, 2]",
        "{broken",
        "\x80",
        '{"kind": "byte pairs"}',
        '{"kind": ["byte pairs"]}',
        '{"kind": "byte pairs", "merges": 3}',
        '{"kind": "byte pairs", "merges": ["a"]}',
        '{"kind": "byte pairs", "merges": ["ab c"]}',
        '{"kind": "byte pairs", "merges": ["a \\u20ac"]}',
        '{"kind": "words", "merges": []}',
    ],
)
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content.encode("latin-1"))
    for load in (BPETokenizer.load, load_tokenizer):
        with pytest.raises(ValueError, match="tokenizer.json"):
            load(path)


def test_each_kind_refuses_the_file_of_the_other(tmp_path):
    CharTokenizer.train(["ab"]).save(tmp_path / "characters")
    TOKENIZER.save(tmp_path / "pairs")
    with pytest.raises(ValueError, match="holds no byte pairs"):
        BPETokenizer.load(tmp_path / "characters")
    with pytest.raises(ValueError, match="holds no characters"):
        CharTokenizer.load(tmp_path / "pairs")


def test_the_file_holds_the_merges_as_text(tmp_path):
    TOKENIZER.save(tmp_path / "t")
    record = json.loads((tmp_path / "t").read_text(encoding="utf-8"))
    assert record["kind"] == "byte pairs" and "t he" in record["merges"]


@pytest.mark.parametrize("texts", [[], [""], iter(["", ""])])
def test_training_on_nothing_is_refused(texts):
    with pytest.raises(ValueError, match="there is no text to train a tokenizer on"):
        BPETokenizer.train(texts)


def test_a_vocabulary_smaller_than_the_bytes_is_refused():
    with pytest.raises(ValueError, match="a vocabulary of 260 is too small: 5 special tokens and 256 bytes"):
        BPETokenizer.train(["abc"], 260)
    assert len(BPETokenizer.train(["abcabc"], 261)) == 261


def test_one_text_instead_of_a_list_is_refused():
    with pytest.raises(ValueError, match="put it into a list"):
        BPETokenizer.train("hello")
    with pytest.raises(ValueError, match="put it into a list"):
        TOKENIZER.encode_all("hello")


def test_numbers_outside_the_vocabulary_are_refused():
    for number in (-1, len(TOKENIZER)):
        with pytest.raises(ValueError, match=f"no token has the number {number}"):
            TOKENIZER.decode([number])


def test_merges_out_of_order_are_refused():
    with pytest.raises(ValueError, match="b'ab' is merged before it is a token"):
        BPETokenizer([(b"ab", b"c"), (b"a", b"b")])


def test_two_merges_may_lead_to_one_token():
    tokenizer = BPETokenizer([(b"a", b"b"), (b"b", b"c"), (b"ab", b"c"), (b"a", b"bc")])
    assert len(tokenizer) == FEWEST + 3 and len(tokenizer.merges) == 4
    assert tokenizer.decode(tokenizer.encode("abc bc")) == "abc bc"
