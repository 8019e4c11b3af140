"""Patches and codes: reading order, the nearest code, and an error that is measured."""

import pytest
import torch

from helpers.show.drawings.multimodal import codebook, patches

IMAGE = torch.linspace(-1, 1, 64).reshape(8, 8)
CODES = [[-1.0] * 4, [0.0] * 4, [1.0] * 4]


@pytest.mark.parametrize(
    ("high", "wide", "size"), [(8, 8, 2), (8, 8, 4), (8, 8, 1), (4, 4, 2), (16, 16, 4), (4, 8, 2), (2, 2, 2)]
)
def test_every_cut_is_legible(high, wide, size, legible):
    words = legible(patches(torch.rand(high, wide, generator=torch.Generator().manual_seed(0)) * 2 - 1, size))
    assert f"the array is [{high * wide // size**2}, {size * size}]" in words


def test_patches_and_their_pixels_are_in_reading_order():
    svg = patches([[-1, -0.75, 0, 0.25], [-0.5, -0.25, 0.5, 0.75], [1, 1, 1, 1], [1, 1, 1, 1]]).svg
    first, second = svg.index("[−1.00, −0.75, −0.50, −0.25]"), svg.index("[0.00, 0.25, 0.50, 0.75]")
    assert first < second


@pytest.mark.parametrize("count", [2, 17, 64])
def test_every_codebook_is_legible(count, legible):
    codes = torch.rand(count, 4, generator=torch.Generator().manual_seed(count)) * 2 - 1
    legible(codebook(codes))
    legible(codebook(codes, IMAGE))


def test_a_patch_gets_its_nearest_code_and_the_error_is_that_of_the_picture(legible):
    image = torch.full((4, 4), -0.9)
    image[:2, 2:], image[2:, :2] = 0.2, 0.7  # codes 1 and 2; the last patch is code 0 again
    words = legible(codebook(CODES, image))
    error = (0.1**2 * 2 + 0.2**2 + 0.3**2) / 4
    assert "nearest code: 0, 1, 2, 0." in words and f"mean squared error of {error:.3f}" in words


def test_what_cannot_be_drawn_is_said():
    for call, sentence in (
        (lambda: patches(IMAGE, 3), "patches of 3 × 3 do not divide 8 × 8 pixels"),
        (lambda: patches(torch.zeros(32, 32)), "32 × 32 pixels cannot be drawn: give 16 × 16 at most"),
        (lambda: patches(torch.zeros(16, 16), 1), "256 patches cannot be drawn: give 64 at most"),
        (lambda: patches(torch.zeros(1, 8, 8)), "a picture is a table"),
        (lambda: codebook(torch.zeros(65, 4)), "65 codes cannot be drawn: give 2 to 64"),
        (lambda: codebook(torch.zeros(8, 5)), "a code is a square patch"),
        (lambda: codebook(torch.zeros(8, 9), IMAGE), "8 × 8 pixels cannot be cut into 3 × 3"),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()
