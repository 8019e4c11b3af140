"""A map of numbers: what is darkest, what its words say, and tables that do not fit."""

import pytest
import torch

from helpers.show import heat_map

ROWS, COLUMNS = ["layer 0", "layer 1"], ["head 0", "head 1", "head 2"]


def drawn(values, **how):
    return heat_map(values, ROWS, COLUMNS, "Which head?", "nats", **how)


def test_the_words_name_the_cells_farthest_from_zero_and_the_range_of_the_others():
    words = drawn([[0.1, -0.9, 0.2], [0.5, 0.0, -0.1]], highest=2).words
    assert words == (
        "Which head? Nats: layer 0, head 1 −0.90 and layer 1, head 0 0.50; the other 4 lie between −0.10 and 0.20."
    )


def test_every_cell_says_what_it_is_and_zero_has_no_sign(parse):
    cells = parse(drawn([[0.1, -0.9, 0.2], [0.5, -0.0001, -0.1]]).svg)
    assert ("layer 0, head 1: −0.90 nats", ["−0.90"]) in cells
    assert ("layer 1, head 1: 0.00 nats", ["0.00"]) in cells


def test_negative_numbers_have_another_color_and_the_largest_is_darkest():
    svg = drawn([[0.0, -0.5, 0.0], [0.0, 1.0, 0.0]]).svg
    assert 'fill="#ed6e34" fill-opacity="0.46"' in svg and 'fill="#1e3e81" fill-opacity="0.92"' in svg


def test_tensors_arrays_and_nan_can_be_drawn(parse):
    values = torch.tensor([[0.1, torch.nan, 0.2], [0.5, 0.0, 0.3]])
    assert len(parse(drawn(values).svg)) == len(parse(drawn(values.numpy()).svg)) == 5
    assert "no numbers" in drawn([[float("nan")] * 3] * 2).words


def test_many_columns_fit_the_width(parse):
    svg = heat_map([[0.5] * 40], ["row"], [f" token {i}" for i in range(40)], "Wide").svg
    assert len(parse(svg)) == 40
    edges = [float(part.split('"')[0]) for part in svg.split('<rect x="')[1:]]
    assert max(edges) < 820 - 16


@pytest.mark.parametrize("values", [[], [[]], [[1, 2, 3]], [[1, 2], [3, 4]], [[1, 2, 3], [4, 5]]])
def test_a_table_that_does_not_fit_gets_a_sentence(values):
    with pytest.raises(ValueError, match="a number for each of 2 rows and 3 columns"):
        drawn(values)


def test_too_many_rows_get_a_sentence():
    with pytest.raises(ValueError, match="at most 40"):
        heat_map([[1.0]] * 41, range(41), ["a"], "Tall")
