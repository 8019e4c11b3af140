"""Server-sent events: what is written can be read again, however the network cuts it."""

import pytest

from helpers.serving.sse import DONE, EventParser, event

TEXTS = ["", "Hello!", "two\nlines", " spaces ", "café 😀", '{"a":1}', DONE]


def parsed(pieces):
    parser = EventParser()
    return [text for piece in pieces for text in parser.feed(piece)]


def test_a_dict_becomes_json_in_one_line():
    assert event({"text": "é\n"}) == 'data: {"text":"é\\n"}\n\n'.encode()
    assert event("a\r\nb\rc") == b"data: a\ndata: b\ndata: c\n\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"])
def test_any_cut_gives_the_same_events(size, ends):
    stream = b"".join(map(event, TEXTS)).replace(b"\n", ends)
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    # A single \r at the very end could be half of \r\n: the line is over all the same.
    assert parsed(pieces) == TEXTS


def test_comments_and_other_fields_are_left_out():
    assert parsed([b": still here\n\nid: 7\nevent: note\ndata: x\nretry: 3\n\nevent: nothing\n\n"]) == ["x"]


def test_what_was_not_completed_is_no_event():
    assert parsed([b"data: whole\n\ndata: half\n"]) == ["whole"]


def test_bytes_that_are_no_text_stop_nothing():
    assert parsed([b"data: \xff\n\n"]) == ["\N{REPLACEMENT CHARACTER}"]
