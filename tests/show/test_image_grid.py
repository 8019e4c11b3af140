"""Rows of pictures: every pixel in its place, gaps between, and words that begin with the claim."""

import numpy as np
import pytest
import torch

from helpers.show import pictures


def sheet(**rows):
    return pictures(rows, "Two rows", "Squares.").fig.axes[0].images[0].get_array().filled(np.nan)


def test_every_pixel_has_its_place_and_gaps_lie_between():
    made = torch.arange(8.0).reshape(2, 1, 2, 2) / 8
    found = sheet(real=-made[:1, 0], made=made)
    assert found.shape == (5, 5)
    np.testing.assert_allclose(found[:2, :2], -made[0, 0])
    np.testing.assert_allclose(found[3:, 3:], made[1, 0])
    assert np.isnan(found[2]).all() and np.isnan(found[:, 2]).all() and np.isnan(found[:2, 3:]).all()


def test_the_words_begin_with_the_claim_and_the_rows_are_named():
    picture = pictures({"real": np.zeros((3, 4, 4)), "made $": np.zeros((3, 4, 4))}, "All alike", "Two gray rows.")
    assert picture.words == "All alike. Two gray rows."
    assert [tick.get_text() for tick in picture.fig.axes[0].get_yticklabels()] == ["real", r"made \$"]


def test_long_rows_are_cut():
    assert sheet(many=np.zeros((500, 2, 2))).shape == (2, 24 * 3 - 1)


def test_wrong_input_gets_a_sentence():
    for rows in ({}, {"none": torch.zeros(0, 1, 8, 8)}, {"a": np.zeros((1, 2, 2)), "b": np.zeros((1, 3, 3))}):
        with pytest.raises(ValueError, match="at least one row"):
            pictures(rows, "title", "words")
