"""Pictures with captions: patches there and back, thickness and slant by hand, thresholds from training pictures alone."""

import pytest
import torch

from helpers.corpus import pictures
from helpers.corpus.pictures import (
    CAPTIONS,
    Captioner,
    caption_numbers,
    from_patches,
    ink,
    load_pictures,
    patches,
    slant,
)


@pytest.fixture(scope="module")
def parts():
    return load_pictures()


def stroke(*pixels):
    image = torch.full((1, 8, 8), -1.0)
    for row, column in pixels:
        image[0, row, column] = 1.0
    return image


def test_patches_are_in_reading_order_and_so_are_their_pixels():
    image = torch.arange(24.0).reshape(1, 4, 6)
    assert patches(image)[0].tolist()[:2] == [[0, 1, 6, 7], [2, 3, 8, 9]]
    assert patches(image)[0, 3].tolist() == [12, 13, 18, 19]  # the second row of patches
    assert patches(image).shape == (1, 6, 4) and patches(image, 1).shape == (1, 24, 1)


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_patches_and_back(size):
    images = torch.randn(3, 8, 16)
    assert torch.equal(from_patches(patches(images, size), size, width=16), images)


def test_squares_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="squares of 3 pixels do not fill an image of 8 × 8"):
        patches(torch.zeros(1, 8, 8), 3)
    with pytest.raises(ValueError, match=r"give \[N, height, width\]"):
        patches(torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match=r"give \[N, patches, 4\]"):
        from_patches(torch.zeros(1, 16, 9))
    with pytest.raises(ValueError, match="make no picture 8 pixels wide"):
        from_patches(torch.zeros(1, 15, 4))


def test_ink_and_slant_by_hand():
    right = stroke(*((7 - up, up) for up in range(8)))  # one pixel to the right per pixel up
    assert ink(right).item() == 8 and slant(right).item() == pytest.approx(1)
    assert slant(right.flip(-1)).item() == pytest.approx(-1)
    assert slant(stroke(*((row, 3) for row in range(8)))).item() == pytest.approx(0)
    steep = stroke((6, 2), (4, 3), (2, 4))  # half a pixel to the right per pixel up
    assert slant(steep).item() == pytest.approx(0.5)
    shifted = stroke((7, 4), (5, 5), (3, 6))
    assert slant(shifted).item() == pytest.approx(0.5)  # where it stands does not matter
    assert slant(stroke((3, 1), (3, 5))).item() == 0 and slant(stroke()).item() == 0  # one row, no ink


def test_a_third_of_each_training_digit_is_thin(parts):
    train, _ = parts
    numbers = caption_numbers(train.captions)
    assert torch.equal(numbers[:, 2], train.labels) and len(set(train.captions)) == 90 == len(set(CAPTIONS))
    for digit in range(10):
        own = numbers[train.labels == digit]
        for attribute in (0, 1):
            assert (own[:, attribute].bincount() / len(own) - 1 / 3).abs().max() < 0.05
        thin, thick = (ink(train.images[train.labels == digit][own[:, 0] == level]) for level in (0, 2))
        assert thin.max() < thick.min()


def test_what_is_thick_is_decided_by_the_training_pictures_alone(parts, monkeypatch):
    train, test = parts
    captioner = Captioner.fit(train.images, train.labels)
    assert captioner.captions(test.images, test.labels) == test.captions
    both = Captioner.fit(torch.cat((train.images, test.images)), torch.cat((train.labels, test.labels)))
    assert both.captions(test.images, test.labels) != test.captions
    # Other test pictures leave the captions of the training pictures as they are.
    digits = pictures.load_digits()
    changed = digits[1]._replace(images=torch.full_like(digits[1].images, -1.0))
    monkeypatch.setattr(pictures, "load_digits", lambda: (digits[0], changed))
    blank = load_pictures()
    assert blank[0].captions == train.captions and {caption.split()[0] for caption in blank[1].captions} == {"thin"}


def test_a_captioner_needs_some_of_each_digit():
    with pytest.raises(ValueError, match="three pictures of each digit"):
        Captioner.fit(torch.zeros(29, 8, 8), torch.arange(29) % 10)
    with pytest.raises(ValueError, match="10 digits"):
        Captioner(torch.zeros(9, 2, 2))


def test_captions_as_numbers():
    assert caption_numbers(["thick upright seven", "thin right-leaning zero"]).tolist() == [[2, 1, 7], [0, 2, 0]]
    assert [CAPTIONS[number] for number in (0, 89)] == ["thin left-leaning zero", "thick right-leaning nine"]
    for wrong in ("seven", "upright thick seven", "thick upright ten", ""):
        with pytest.raises(ValueError, match="Write three words"):
            caption_numbers([wrong])
