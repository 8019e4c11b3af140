"""Rotary positions: the hands stand where the package turns them."""

import math
import re

import pytest

from helpers.models.gpt import rotary_table
from helpers.show.drawings.rotary import rotary_positions


def test_the_hands_are_those_of_the_package():
    drawing = rotary_positions(8, [0, 1, 5])
    cos, sin = rotary_table(6, 8)
    tips = re.findall(r'M([\d.]+) ([\d.]+) L[\d. L]+Z" fill="#0f869b"', drawing.svg)
    centers = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="27"', drawing.svg)
    assert len(tips) == len(centers) == 4 * 3
    for number, ((x, y), (cx, cy)) in enumerate(zip(tips, centers)):
        pair, position = (0, 1, 2, 3)[number // 3], (0, 1, 5)[number % 3]
        angle = math.atan2(float(cy) - float(y), float(x) - float(cx))
        assert math.cos(angle) == pytest.approx(float(cos[position, pair]), abs=0.02)
        assert math.sin(angle) == pytest.approx(float(sin[position, pair]), abs=0.02)


def test_words_name_the_speeds(legible):
    words = legible(rotary_positions(32))
    assert "32 numbers is 16 pairs" in words and "pair 1 by 57.3°" in words and "pair 16 by 0.0102°" in words


@pytest.mark.parametrize(("size", "positions"), [(2, 1), (4, 8), (128, [0, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000])])
def test_any_size_is_legible(size, positions, legible):
    legible(rotary_positions(size, positions))


@pytest.mark.parametrize(
    ("size", "positions", "sentence"),
    [(7, 3, "even number"), (0, 3, "even"), (8, 9, "one to eight"), (8, [-1], "0 or more")],
)
def test_wrong_input_is_refused_with_a_sentence(size, positions, sentence):
    with pytest.raises(ValueError, match=sentence):
        rotary_positions(size, positions)
