"""A small picture: each pixel in its gray, paper left white, nothing outside its frame."""

import re

import pytest
import torch

from helpers.show.diagram import Area, Diagram, tint
from helpers.show.small_pictures import gray_levels, small_picture
from helpers.show.theme import INK
from tests.show.legible import edges


def test_gray_goes_from_paper_to_ink():
    assert gray_levels([[-1, 0, 1]]) == [[0, 8, 16]]
    assert gray_levels(torch.tensor([[-3.0, 0.49], [2.0, -0.99]])) == [[0, 12], [16, 0]]


def test_pixels_lie_where_they_belong():
    figure = Diagram("x")
    area = small_picture(figure, [[1, 1, -1, 0], [-1, -1, -1, 0]], 10, 50, 40)
    assert area == Area(10, 50, 40, 20)
    paths = dict(re.findall(r'<path d="([^"]+)" fill="([^"]+)"', figure.parts[0] + figure.parts[1]))
    assert paths == {
        "M40.0 50.0L50.0 50.0L50.0 60.0L40.0 60.0ZM40.0 60.0L50.0 60.0L50.0 70.0L40.0 70.0Z": tint(INK, 0.5),
        "M10.0 50.0L30.0 50.0L30.0 60.0L10.0 60.0Z": INK,
    }
    assert len(figure.parts) == 3  # two grays and the frame: paper is not drawn
    left, right, bottom = edges(figure.finish("x.").svg)
    assert (left, right) == (0, 820) and bottom <= 84


def test_what_is_no_picture_is_refused():
    for image in ([], [[]], [[1, 2], [3]], [1, 2], [[float("nan")]], torch.zeros(1, 8, 8)):
        with pytest.raises(ValueError, match=r"a picture is a table \[H, W\] of numbers from −1"):
            gray_levels(image)
