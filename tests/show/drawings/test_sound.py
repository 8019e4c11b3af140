"""A vowel: the pulses come at the pitch, the filter peaks at the formants, and every vowel of the package is legible."""

import re

import pytest

from helpers.corpus.vowels import FORMANTS
from helpers.show.drawings.sound import source_filter


@pytest.mark.parametrize("vowel", FORMANTS)
@pytest.mark.parametrize("pitch", [60.0, 110.0, 262.5, 400.0])
def test_every_vowel_is_legible(vowel, pitch, legible):
    drawing = source_filter(pitch, FORMANTS[vowel])
    assert f"{pitch:g} pulses a second" in legible(drawing)
    assert all(f">{formant:,g}<" in drawing.svg for formant in FORMANTS[vowel])


def test_one_formant_is_enough(legible):
    assert "ring at 500 hertz, the formants" in legible(source_filter(100, [500]))


def test_the_filter_peaks_at_its_formants():
    path = re.search(
        r'<path d="(M[^"]+)" fill="none" stroke="#1e3e81" stroke-width="1.8"', source_filter(110, (730, 2440)).svg
    )
    points = [tuple(map(float, point.split())) for point in path[1][1:].split("L")]
    heights = [-y for _, y in points]
    peaks = [i * 4000 / 120 for i in range(1, 120) if heights[i - 1] < heights[i] > heights[i + 1]]
    assert len(peaks) == 2 and abs(peaks[0] - 730) < 40 and abs(peaks[1] - 2440) < 40


def test_there_are_as_many_pulses_as_the_pitch_says():
    for pitch, pulses in ((100, 3), (200, 6)):
        assert source_filter(pitch, [500]).svg.count('stroke="#2c1735" stroke-width="2.2"') == pulses


def test_what_cannot_be_drawn_is_said():
    for call, sentence in (
        (lambda: source_filter(20), "a pitch of 20 hertz cannot be drawn: give 60 to 400"),
        (lambda: source_filter(110, ()), "formants are 1 to 3 frequencies"),
        (lambda: source_filter(110, (900, 500)), "rising, from 200 to 3,800"),
        (lambda: source_filter(110, (900, 4000)), "rising, from 200 to 3,800"),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()
