"""The grid of a few bits is computed, not painted: scale, zero point, numbers and the worst error."""

import pytest

from helpers.show.drawings.compressing import gptq, pruning_masks, quantization, two_in_a_byte


def test_a_symmetric_grid_by_hand(legible):
    words = legible(quantization([-0.9, 0.1, 0.6], bits=3))  # scale .9 / 3; −3, 0.33 → 0, 2
    assert "the scale is 0.30. The weights −0.90, 0.10, 0.60 become −3, 0, 2, and back −0.90, 0.00, 0.60" in words
    assert "wrong by 0.10 at most" in words


def test_an_asymmetric_grid_by_hand(legible):
    words = legible(quantization([-1.0, 0.0, 2.0], bits=2, symmetric=False))  # scale 3 / 3, zero point 1
    assert "the scale is 1.00, the zero point 1." in words
    assert "become 0, 1, 3, and back −1.00, 0.00, 2.00: wrong by 0.00" in words


@pytest.mark.parametrize("bits", [2, 3, 4])
@pytest.mark.parametrize("symmetric", [True, False])
def test_every_grid_is_legible(bits, symmetric, legible):
    legible(quantization([-0.8, -0.31, -0.05, 0.12, 0.4, 0.62], bits, symmetric))
    legible(quantization([5.0, 6.0], bits, symmetric))


def test_two_numbers_in_a_byte(legible):
    assert "11 + 16 · 6 = 107, in bits 01101011" in legible(two_in_a_byte())
    with pytest.raises(ValueError, match="4 bits hold 0 to 15"):
        two_in_a_byte(16, 0)


def test_the_error_moves_to_the_columns_that_are_left(legible):
    assert "The first 3 are rounded" in legible(gptq(8, 3)) and "the 4 still to come" in gptq(8, 3).words
    legible(gptq(14, 0))
    with pytest.raises(ValueError, match="2 to 14 columns"):
        gptq(3, 3)


def test_each_mask_sets_half_to_zero(legible):
    drawing = pruning_masks()
    legible(drawing)
    assert drawing.svg.count('fill="#ffffff" stroke="#c9cdd6"') == 3 * 24


@pytest.mark.parametrize("arguments", [([1.0],), ([1.0, 1.0],), ([0.0, 1.0], 1), ([0.0, 1.0], 5)])
def test_what_cannot_be_drawn_is_said(arguments):
    with pytest.raises(ValueError, match="give 2 to"):
        quantization(*arguments)
