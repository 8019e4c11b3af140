"""A request's way has a status for each refusal; the wire's bytes are those of the service; a stop loses nothing."""

import pytest

from helpers.serving.sse import event
from helpers.show.drawings.traffic import graceful_stop, request_path, sse_on_the_wire


def test_every_refusal_has_its_status(legible):
    drawing = request_path()
    words = legible(drawing)
    for status in (413, 401, 429, 503):
        assert f"(else {status})" in words and f">{status}<" in drawing.svg


def test_the_bytes_are_those_that_the_service_sends(legible):
    drawing = sse_on_the_wire()
    words = legible(drawing)
    length = sum(len(event(text)) for text in ("How", " are", " you 😀"))
    assert f"3 events as {length} bytes, cut by the network into 4 chunks" in words
    assert "Events completed: 0 by chunk 0, 1 by chunk 1, 1 by chunk 2, 1 by chunk 3." in words
    assert drawing.svg.count(">↵<") == 6 and ">f0<" in drawing.svg


def test_any_cut_is_legible(legible):
    assert "completed: 1 by chunk 0." in legible(sse_on_the_wire(["a"], []))
    legible(sse_on_the_wire(["Hi", "you 😀😀", "[DONE]"], [1, 2, 7, 25, 31, 33, 40]))
    legible(sse_on_the_wire(["x" * 84], range(1, 92)))


@pytest.mark.parametrize(
    ("texts", "cuts", "sentence"),
    [
        ([], [], "give 1 to 4"),
        (["x"] * 5, [], "give 1 to 4"),
        (["x" * 85], [], "93 bytes"),
        (["x"], [0], "from 1 to 8"),
        (["x"], [9], "from 1 to 8"),
        (["x"], [3, 2], "must rise"),
    ],
)
def test_what_cannot_be_drawn_is_said(texts, cuts, sentence):
    with pytest.raises(ValueError, match=sentence):
        sse_on_the_wire(texts, cuts)


def test_a_stop_says_its_order(legible):
    words = legible(graceful_stop())
    assert words.index("not ready") < words.index("refuses") < words.index("are finished") < words.index("closes")
