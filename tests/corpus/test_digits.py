"""The digits: as many and as dark as promised, split once and for all, and a missing library gets a sentence."""

import sys

import pytest
import torch

from helpers.corpus.digits import DigitBatches, light_on_dark, load_digits


def test_the_split_keeps_every_digit_once():
    train, test = load_digits()
    assert train.images.shape == (1400, 1, 8, 8) and test.images.shape == (397, 1, 8, 8)
    assert train.images.dtype == torch.float32 and train.labels.dtype == torch.int64
    # The set holds no two equal images, so that nothing of the test part was seen in training.
    everything = torch.cat((train.images, test.images)).flatten(1)
    assert len(everything.unique(dim=0)) == len(everything)
    counts = torch.cat((train.labels, test.labels)).bincount()
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_paper_is_minus_one_and_ink_one():
    images = load_digits()[0].images
    assert images.min() == -1 and images.max() == 1
    assert (images[..., 0] == -1).float().mean() > 0.9  # the left edge is paper


def test_it_is_always_the_same():
    once, again = load_digits(), load_digits()
    assert torch.equal(once[0].images, again[0].images) and torch.equal(once[1].labels, again[1].labels)


def test_a_sign_is_light_on_dark_and_glows_to_the_right():
    image = torch.full((1, 1, 8, 8), -1.0)
    image[0, 0, 3, 4], image[0, 0, 5, 7] = 0.5, 1.0  # one gray dot, and one at the right edge
    expected = torch.ones(8, 8)
    expected[3, 4], expected[3, 5], expected[5, 7] = -0.5, 0.25, -1.0
    assert torch.equal(light_on_dark(image)[0, 0], expected)
    assert torch.equal(light_on_dark(image[:0]), image[:0])


def test_batches_are_sampled_anew_and_come_again():
    train, _ = load_digits()
    batches, again, other = DigitBatches(train, 16), DigitBatches(train, 16), DigitBatches(train, 16, seed=1)
    assert batches[3].inputs.shape == (16, 1, 8, 8) and batches[3].targets.shape == (16,)
    assert torch.equal(batches[3].inputs, again[3].inputs)
    assert not torch.equal(batches[3].targets, batches[4].targets)
    assert not torch.equal(batches[3].targets, other[3].targets)
    # An image keeps its label.
    image, label = batches[3].inputs[0], batches[3].targets[0]
    place = (train.images == image).flatten(1).all(1).nonzero()[0]
    assert train.labels[place] == label


def test_a_missing_library_gets_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        load_digits()
