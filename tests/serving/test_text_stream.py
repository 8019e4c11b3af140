"""Text that may be sent: no half character, no half stop string, nothing lost or doubled."""

import random

import pytest

from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.serving.text_stream import TextStream, settled


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("hello", [], ("hello", "", False)),
        ("hello", ["STOP"], ("hello", "", False)),
        ("hello S", ["STOP"], ("hello ", "S", False)),
        ("hello STO", ["STOP"], ("hello ", "STO", False)),
        ("hello STOP you", ["STOP"], ("hello ", "", True)),
        ("aab", ["aac"], ("aab", "", False)),
        ("xaa", ["aab"], ("x", "aa", False)),
        ("xaaa", ["aab"], ("xa", "aa", False)),
        ("one two", ["two", "one"], ("", "", True)),
        ("a\n", ["\n\n", "\nB"], ("a", "\n", False)),
        ("hello", [""], ("hello", "", False)),
    ],
)
def test_what_may_be_sent(text, stops, expected):
    assert settled(text, stops) == expected


class Letters:
    """A tokenizer whose tokens are a few letters each."""

    def __init__(self, pieces):
        self.pieces = pieces

    def streamer(self):
        return self

    def push(self, number):
        return self.pieces[number]

    def finish(self):
        return ""


def sent(pieces, stops, trim=True):
    """Return what a stream sends for these pieces, and whether it was stopped."""
    stream, out = TextStream(Letters(pieces), stops, trim), []
    for number in range(len(pieces)):
        out.append(stream.push(number))
        if stream.stopped:
            break
    return [*out, stream.finish()], stream.stopped


def test_however_a_text_is_cut_the_same_is_sent():
    rng = random.Random(0)
    text, stops = "  a STO b STSTOP c ", ["STOP"]
    for _ in range(200):
        cuts = sorted(rng.sample(range(len(text)), rng.randint(0, 9)))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)])]
        out, stopped = sent(pieces, stops)
        assert ("".join(out), stopped) == ("a STO b ST", True)
        assert ("".join(sent(pieces, [])[0])) == text.strip()
        assert ("".join(sent(pieces, [], trim=False)[0])) == text


def test_nothing_is_held_back_longer_than_it_may_be_a_stop():
    out, _ = sent(["he", "l", "S", "lo"], ["STOP"])
    assert out == ["he", "l", "", "Slo", ""]


def test_what_was_held_back_is_sent_at_the_end():
    assert sent(["hello ST"], ["STOP"]) == (["hello", " ST"], False)


def test_a_character_of_several_tokens_is_sent_whole():
    tokenizer = BPETokenizer([])
    ids = tokenizer.encode("né😀!")
    stream = TextStream(tokenizer)
    out = [stream.push(number) for number in ids]
    assert len(ids) == 8 and [piece for piece in out if piece] == ["n", "é", "😀", "!"]
    cut = TextStream(tokenizer)
    assert [cut.push(number) for number in ids[:4]] == ["n", "", "é", ""] and cut.finish() == "�"
