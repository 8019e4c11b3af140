"""Write a caption: what a classifier sees is counted, the spread is measured, every control works, nothing is painted twice."""

import pytest
import torch

from helpers.show import caption_pictures, explore_captions
from tests.show.legible import problems

CAPTIONS = [
    f"{thick} {slant} {name}"
    for thick in ("thin", "thick")
    for slant in ("upright", "leaning")
    for name in ("six", "ten")
]


def paint(caption, guidance, temperature, count=12):
    rng = torch.Generator().manual_seed(len(caption))
    return (torch.rand(count, 8, 8, generator=rng) * 2 - 1) * temperature / guidance


def read(images):
    return ["six"] * (len(images) - 2) + ["ten", "a seven"]


def test_the_words_count_what_is_as_asked(parse):
    drawing = caption_pictures(paint, "thick upright six", 3.0, 0.5, read)
    parse(drawing.svg)
    assert drawing.words.startswith(
        "12 pictures for “thick upright six”, guidance 3, temperature 0.5. A classifier of its own "
    )
    assert "sees “six” in 10. Their spread around the mean picture is " in drawing.words
    assert drawing.svg.count("✗ ten") == 1 and drawing.svg.count("✗ a seven") == 1 and "✗ six" not in drawing.svg


def test_a_text_of_several_words_is_compared_word_by_word():
    drawing = caption_pictures(
        paint, "thick upright six", read=lambda images: ["thick leaning six"] * 9 + ["thin upright six"] * 3
    )
    assert "sees “thick” in 9, “upright” in 3, “six” in 12." in drawing.words and "✗ t" not in drawing.svg


def test_the_spread_is_a_share_of_that_of_real_pictures():
    pictures = paint("x", 1, 1)
    assert (
        "Their spread is 1.0 times that of real pictures."
        in caption_pictures(lambda *_: pictures, "x", reference=pictures).words
    )
    wide = pictures.mean(0) + 2 * (pictures - pictures.mean(0))
    assert "spread is 0.50 times" in caption_pictures(lambda *_: pictures, "x", reference=wide[:, None]).words
    rms = (pictures - pictures.mean(0)).square().sum().div(11).sqrt()
    assert f"mean picture is {rms:.1f}." in caption_pictures(lambda *_: pictures[:, None], "x").words


@pytest.mark.parametrize("count", [2, 12, 13, 24])
def test_every_number_of_pictures_is_legible(count, parse):
    drawing = caption_pictures(
        lambda *_: paint("x", 1, 1, count), "a caption that is long " * 4, read=lambda images: ["x"] * count
    )
    parse(drawing.svg)
    assert problems(drawing.svg) == []


def test_every_setting_of_the_controls_draws_and_none_is_painted_twice(parse):
    asked = []

    def counted(*settings):
        asked.append(settings)
        return paint(*settings)

    explore = explore_captions(counted, CAPTIONS, read)
    assert explore.settings == {
        "thickness": "thin",
        "slant": "upright",
        "digit": "six",
        "guidance": 1.0,
        "temperature": 1.0,
    }
    words = {name: set() for name in explore.settings}
    for name, control in explore.controls.items():
        rest = control.value
        for value in control._options_values:
            control.value = value
            assert explore.error is None, explore.words
            parse(explore._picture.value)
            assert problems(explore._picture.value) == []
            words[name].add(explore.words)
        control.value = rest
    assert {name: len(said) for name, said in words.items()} == {
        "thickness": 2, "slant": 2, "digit": 2, "guidance": 5, "temperature": 5
    }  # fmt: skip
    assert ("thick upright six", 1.0, 1.0) in asked and ("thin upright six", 5.0, 1.0) in asked
    assert len(asked) == len(set(asked))


def test_captions_of_other_lengths_have_menus_too():
    explore = explore_captions(paint, ["a", "b"])
    assert list(explore.controls) == ["word 1", "guidance", "temperature"]
    explore.controls["word 1"].value = "b"
    assert "for “b”" in explore.words


def test_what_cannot_be_drawn_is_said():
    for call, sentence in (
        (lambda: caption_pictures(lambda *_: paint("x", 1, 1, 1), "x"), "1 picture cannot be drawn: paint 2 to 24"),
        (lambda: caption_pictures(lambda *_: paint("x", 1, 1, 25), "x"), "25 pictures cannot be drawn"),
        (lambda: caption_pictures(paint, "x", read=lambda images: ["x"]), "1 texts for 12 pictures"),
        (lambda: explore_captions(paint, []), "captions of equally many words"),
        (lambda: explore_captions(paint, ["a b", "c"]), "captions of equally many words"),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()
