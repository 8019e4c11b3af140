"""Letters: formulas are parsed, widths are upper bounds, and everything can be made to fit."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.show.lettering import Formula, fitted, joined, shape_text, spans, text_width


def test_a_formula_has_levels():
    assert Formula("h_{t−1} x^{T}!").parts() == [("", "h"), ("_", "t−1"), ("", " x"), ("^", "T"), ("", "!")]
    assert Formula("a_b^c").parts() == [("", "a_b^c")]  # a token may hold these signs: only braces make an index


def test_spans_return_to_the_line():
    root = ElementTree.fromstring(f"<text>{spans(Formula('a_{i}b^{2}c'), 10)}</text>")
    shifts = [float(span.get("dy")) for span in root]
    assert [span.text for span in root] == ["a", "i", "b", "2", "c"] and sum(shifts) == pytest.approx(0, abs=0.11)


def test_widths():
    assert text_width("iii") < text_width("nnn") < text_width("mmm")
    assert text_width("abc", 20) == pytest.approx(2 * text_width("abc", 10))
    assert text_width("abc", bold=True) > text_width("abc")
    assert text_width("abc", 10, mono=True) == pytest.approx(18.09)
    assert text_width(Formula("h_{t}"), 10) < text_width("h_{t}", 10)


@given(st.text(min_size=1, max_size=60), st.floats(20, 300))
def test_everything_fits(text, width):
    cut, size = fitted(text, width, 13)
    assert size >= 10 and (text_width(cut, size) <= width or len(cut) == 1)
    assert cut == text or cut.endswith("…")


def test_a_formula_stays_one():
    assert isinstance(fitted(Formula("h_{t} and much more"), 30, 13)[0], Formula)


def test_shapes_and_joined_tokens():
    assert shape_text([16, 2048]) == "[16, 2,048]" and shape_text(["T", 4]) == "[T, 4]" and shape_text("[B]") == "[B]"
    assert joined(["I", " am"]) == "I am" == joined(["I", "am"]) and joined("abc") == "abc"
