"""Tokens and Bars: the words say what the picture shows, and any text can be drawn."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.show.svg import Drawing, cells
from helpers.show.tokens_and_bars import LINE, Bars, Tokens

CORGI = (["My", " corgi", " eats", " kimchi"], [None, 9.1, 3.0, 12.5])


def test_words_state_the_finding():
    drawing = Tokens(*CORGI, "Surprise")
    assert drawing.words == (
        "Surprise, in bits: highest “kimchi” 12, “corgi” 9.1 and “eats” 3.0; mean 8.2 over 3 tokens."
    )
    assert repr(drawing) == drawing.words
    assert "highest “a” 2;" in Tokens(["a"], [2], "Counts are whole").words
    assert "lowest “c” 0.50" in Tokens("abcd", [3, 2, 0.5, 1], "Surprise").words


def test_every_token_is_reached_by_keyboard_and_tells_its_value(parse):
    reached = parse(Tokens(*CORGI, "Surprise").svg)
    assert [title for title, _ in reached] == [
        "My no value",
        " corgi 9.1 bits",
        " eats 3.0 bits",
        " kimchi 12 bits",
    ]
    assert all(text in texts for text, (_, texts) in zip(CORGI[0], reached, strict=True))


def test_darkness_and_height_follow_the_value():
    light, dark = (Tokens(["a", "b"], [v, 10], "t").svg.split('fill-opacity="')[1][:4] for v in (1, 9))
    assert float(light) < float(dark)
    low, high = (float(Tokens(["a", "b"], [v, 10], "t").svg.split("v-")[1].split("h")[0]) for v in (1, 9))
    assert high == pytest.approx(9 * low)


def test_a_fixed_scale_makes_drawings_comparable():
    alone, shared = (Tokens(["a"], [2.0], "t", top=top).svg for top in (None, 8.0))
    assert 'fill-opacity="0.85"' in alone and 'fill-opacity="0.27"' in shared
    assert 'fill-opacity="0.85"' in Tokens(["a"], [20.0], "t", top=8.0).svg  # beyond the end: full, not more


def test_a_position_is_framed_and_told_first():
    drawing = Tokens(*CORGI, "Surprise", position=1)
    assert drawing.words.startswith("Token 2 of 4, “corgi”: 9.1 bits. Surprise")
    assert drawing.svg.count("stroke-width") == 1
    assert Tokens(*CORGI, "Surprise", position=0).words.startswith("Token 1 of 4, “My”: no value.")


def test_long_texts_wrap_and_stop_at_200(parse):
    short, long = Tokens(["word"] * 10, range(10), "t"), Tokens(["word"] * 500, range(500), "t")
    assert len(parse(short.svg)) == 10 and "Only" not in short.words
    assert len(parse(long.svg)) == 200
    assert long.words.endswith("Only the first 200 of 500 tokens are drawn.")
    assert "Only the first 200 of 500" in long.svg.split("</g>")[-1]
    height = [float(d.svg.split('height="')[1].split('"')[0]) for d in (short, long)]
    assert height[1] > height[0] + 5 * LINE


def test_a_line_break_starts_a_new_line_and_is_visible():
    joined, broken = (Tokens(["a", end, "b"], [1, 2, 3], "t") for end in (" ", "\n"))
    assert "⏎" in broken.svg and "⏎" in broken.words
    assert broken.svg != joined.svg
    assert [d.svg.split('height="')[1].split('"')[0] for d in (joined, broken)] == ["128", "186"]


def test_about_250_bytes_a_token():
    tokens = [f" word{i}" for i in range(200)]
    assert len(Tokens(tokens, [i / 10 for i in range(200)], "t").svg) < 200 * 290 + 1500


def test_odd_values():
    words = Tokens(["a", "b", "c"], [math.inf, math.nan, 1.0], "t").words
    assert "“a” ∞" in words and "mean 1.0 over 2 tokens" in words
    assert "no token has a value" in Tokens(["a"], [None], "t").words
    assert 'fill-opacity="0.08"' in Tokens(["a"], [0.0], "t").svg


@pytest.mark.parametrize("kind", [Tokens, Bars])
def test_wrong_input_is_refused_with_a_sentence(kind):
    with pytest.raises(ValueError, match="one number per .* got 2 .* and 1 numbers"):
        kind(["a", "b"], [1.0], "t")
    with pytest.raises(ValueError, match="at least one"):
        kind([], [], "t")
    with pytest.raises(ValueError, match="words"):
        Drawing("", "  ", "title", 10)


@pytest.mark.parametrize("length", [5, 95, 130])
def test_a_long_title_is_written_smaller_so_that_it_ends_inside_the_drawing(length):
    svg = Drawing("", "words", "n" * length, 50).svg
    size = float(re.search(r'font-size="([\d.]+)" font-weight="700"', svg)[1])
    assert length * 0.56 * size <= 788 + length * 0.56 * 0.05  # the size is rounded to a tenth
    assert (size == 15) == (length == 5)


@given(
    st.lists(st.tuples(st.text(max_size=30), st.none() | st.floats()), min_size=1, max_size=20),
    st.text(max_size=9),
)
def test_any_text_and_any_number_can_be_drawn(pairs, title):
    from xml.etree import ElementTree

    tokens, values = zip(*pairs, strict=True)
    for drawing in (
        Tokens(tokens, values, title, unit=title, position=0),
        Bars(tokens, values, title, unit=title),
    ):
        ElementTree.fromstring(drawing.svg)
        assert drawing.words


def test_emoji_accents_and_east_asian_characters_have_their_width():
    assert [cells(text) for text in ("a", "é", "e\u0301", "猫", "😀", "👍\u200d", "")] == [
        1,
        1,
        1,
        2,
        2,
        2,
        0,
    ]


def test_a_huge_token_stays_inside():
    svg = Tokens(["x" * 10_000], [1.0], "t").svg
    assert len(svg) < 2500 and "…" in svg


def test_bars_in_words_and_in_length(parse):
    bars = Bars([" the", " a", "\n"], [0.42, 0.21, 0.0], "Next", unit="of 1")
    assert bars.words == "Next: “the” 0.42 of 1, “a” 0.21 of 1 and “⏎” 0 of 1."
    reached = parse(bars.svg)
    assert [title for title, _ in reached] == [" the 0.42 of 1", " a 0.21 of 1", "⏎ 0 of 1"]
    lengths = [float(part.split('width="')[1].split('"')[0]) for part in bars.svg.split("<rect")[2:]]
    assert lengths[0] == pytest.approx(2 * lengths[1], abs=0.2) and lengths[2] == 0
    many = Bars([str(i) for i in range(90)], range(90), "Many")
    assert len(parse(many.svg)) == 40 and "80 more" not in many.words and "30 more" in many.words
    assert many.words.endswith("Only the first 40 of 90 bars are drawn.")


def test_shown_with_alternative_text_and_words_below(shown, capsys):
    drawing = Tokens(*CORGI, "Surprise")
    drawing._ipython_display_()
    ((data, metadata),) = shown
    assert data == {"image/svg+xml": drawing.svg, "text/plain": "[drawing: Surprise]"}
    assert metadata["image/svg+xml"]["alt"] == drawing.words
    assert capsys.readouterr().out.startswith("In words: Surprise, in bits: highest “kimchi”")
    assert drawing._repr_mimebundle_() == {"image/svg+xml": drawing.svg, "text/plain": repr(drawing)}
    assert drawing._repr_svg_() == drawing.svg
