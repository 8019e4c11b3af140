"""Measures of what a generator makes: counted by hand, and able to tell quality from variety and from copies."""

import pytest
import torch
from torch import nn

from helpers.evaluation.gan_metrics import accuracy, modes_covered, nearest, recognized

CORNERS = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])


class Darkness(nn.Module):
    """Reads one pixel as the class, and is as sure as the pixel beside it says."""

    def forward(self, images):
        scores = torch.zeros(len(images), 3)
        scores[torch.arange(len(images)), images[:, 0, 0, 0].long()] = images[:, 0, 0, 1]
        return scores


def image(digit, sure):
    picture = torch.zeros(1, 1, 8, 8)
    picture[0, 0, 0, 0], picture[0, 0, 0, 1] = digit, sure
    return picture


def test_modes_are_reached_by_a_tenth_of_their_share():
    assert modes_covered(CORNERS.repeat(10, 1), CORNERS, 0.1) == (4, 1.0)
    assert modes_covered(CORNERS[:1].repeat(40, 1), CORNERS, 0.1) == (1, 1.0)
    assert modes_covered(CORNERS * 5, CORNERS, 0.1) == (0, 0.0)
    # 40 points, ten for each corner: one of them makes a tenth of a share.
    rare = torch.cat((CORNERS[:1].repeat(37, 1), CORNERS[1:2], CORNERS[2:3] + 0.2, CORNERS[3:] * 9))
    assert modes_covered(rare, CORNERS, 0.1) == (2, pytest.approx(38 / 40))
    assert modes_covered(torch.cat((CORNERS[:1].repeat(79, 1), CORNERS[1:2])), CORNERS, 0.1)[0] == 1


def test_recognized_tells_quality_from_variety():
    pictures = torch.cat([image(0, 9.0), image(1, 9.0), image(2, 1.0), image(2, 9.0)])
    share, counts = recognized(Darkness(), pictures)
    assert share == 0.75 and counts.tolist() == [1, 1, 2]
    collapsed = recognized(Darkness(), image(1, 9.0).repeat(5, 1, 1, 1))
    assert collapsed[0] == 1.0 and collapsed[1].tolist() == [0, 5, 0]


def test_a_classifier_is_asked_without_dropout_and_stays_as_it_was():
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(64, 4)).train()
    pictures = torch.randn(30, 1, 8, 8)
    assert recognized(network, pictures)[1].tolist() == recognized(network, pictures)[1].tolist()
    assert network.training and network[1].training


def test_accuracy():
    pictures = torch.cat([image(0, 5.0), image(1, 5.0), image(2, 5.0), image(1, 5.0)])
    assert accuracy(Darkness(), pictures, torch.tensor([0, 1, 2, 2])) == 0.75


def test_a_copy_has_distance_zero():
    known = torch.stack([image(0, 0.0)[0], image(2, 5.0)[0]])
    distances, which = nearest(torch.cat([image(2, 5.0), image(0, 1.5)]), known)
    assert distances.tolist() == [0.0, 1.5] and which.tolist() == [1, 0]


def test_nothing_cannot_be_measured():
    for call in (
        lambda: modes_covered(CORNERS[:0], CORNERS, 0.1),
        lambda: recognized(Darkness(), image(0, 1)[:0]),
        lambda: accuracy(Darkness(), image(0, 1)[:0], torch.zeros(0)),
        lambda: nearest(image(0, 1)[:0], image(0, 1)),
    ):
        with pytest.raises(ValueError, match="at least one example"):
            call()
