"""The reader reads real digits and no noise; shares, spread and copies by hand."""

import sys

import pytest
import torch

from helpers.corpus.pictures import Captioner, load_pictures
from helpers.evaluation.picture_metrics import as_asked, caption_accuracy, copies, digit_reader, spread


@pytest.fixture(scope="module")
def parts():
    return load_pictures()


@pytest.fixture(scope="module")
def read(parts):
    return digit_reader(parts[0])


def test_the_reader_reads_digits_it_never_saw(parts, read):
    _, test = parts
    assert (read(test.images) == test.labels).float().mean() > 0.98
    order = torch.randperm(64)  # the pixels in disorder: it reads the shape, not how much ink there is
    mixed = test.images.flatten(1)[:, order].reshape(-1, 8, 8)
    assert (read(mixed) == test.labels).float().mean() < 0.3


def test_captions_word_by_word():
    shares = caption_accuracy(["thick upright one", "thin upright two"], ["thick upright two", "thick upright two"])
    assert shares == {"thickness": 0.5, "slant": 1.0, "digit": 0.5, "all three": 0.0}
    assert caption_accuracy(["upright thick one"], ["thick upright one"])["thickness"] == 0
    assert caption_accuracy(["thin upright one"] * 3, ["thin upright one"] * 3)["all three"] == 1
    with pytest.raises(ValueError, match="give as many"):
        caption_accuracy(["thin upright one"], [])


def test_real_pictures_are_as_their_captions_say(parts, read):
    train, test = parts
    captioner = Captioner.fit(train.images, train.labels)
    shares = as_asked(read, captioner, test.images, test.captions)
    assert shares["thickness"] == shares["slant"] == 1 and shares["digit"] > 0.98
    other = [f"thick upright {caption.split()[2]}" for caption in test.captions]
    asked = as_asked(read, captioner, test.images, other)
    assert asked["digit"] == shares["digit"] and asked["thickness"] < 0.5 > asked["slant"]
    with pytest.raises(ValueError, match="one caption for each"):
        as_asked(read, captioner, test.images, other[1:])
    with pytest.raises(ValueError, match="at least one picture"):
        as_asked(read, captioner, test.images[:0], [])


def test_spread_by_hand():
    one, two = torch.zeros(2, 8, 8), torch.zeros(2, 8, 8)
    one[1, 0, 0], two[1, 0, 0] = 2.0, 4.0  # variances 2 and 8
    images, labels = torch.cat((one, two + 5)), torch.tensor([0, 0, 1, 1])
    assert spread(images, labels) == pytest.approx(5**0.5)
    assert spread(images[:3], labels[:3]) == pytest.approx(2**0.5)  # a single picture has none
    with pytest.raises(ValueError, match="no digit has two pictures"):
        spread(images[1:3], labels[1:3])


def test_copies_are_equal_in_every_pixel(parts):
    train, test = parts
    some = torch.cat((train.images[:3], test.images[:1]))
    assert copies(some, train.images) == 0.75
    with pytest.raises(ValueError, match="at least one"):
        copies(some[:0], train.images)


def test_a_missing_library_gets_a_sentence(parts, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        digit_reader(parts[0])
