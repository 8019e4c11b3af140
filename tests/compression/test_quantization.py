"""Quantization: by hand, an error of half a step at most, groups that keep outliers to themselves, nonsense refused."""

import pytest
import torch

from helpers.compression.quantization import (
    Quantized,
    encode,
    error,
    quantize,
    quantize_parameters,
    quantized,
    scale_and_zero,
)
from tests.factories import gpt

IDS = torch.arange(2, 14)[None]


def weights(rows=6, columns=32, seed=0):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


def steps_away(weight, matrix):
    """Return how many steps of its scale the farthest weight has moved."""
    moved = (weight - matrix.dequantized()).abs().unflatten(1, (matrix.scale.shape[1], -1))
    return (moved / matrix.scale.float()[..., None]).max().item()


def test_symmetric_by_hand():
    """Largest |w| 7 in 4 bits: steps of 1, zero in the middle at 8; 2.4 and 2.6 go to their neighbors."""
    matrix = quantize(torch.tensor([[-7.0, 2.4, 2.6, 0.0]]), 4)
    assert matrix.codes.tolist() == [[1, 10, 11, 8]] and matrix.scale.item() == 1 and matrix.zero.item() == 8
    assert matrix.dequantized().tolist() == [[-7, 2, 3, 0]] and matrix.symmetric


def test_asymmetric_by_hand():
    """From −1 to 2 in 2 bits: steps of 1, zero point 1, all four codes are used."""
    matrix = quantize(torch.tensor([[-1.0, 2.0, 0.0, 1.2]]), 2, symmetric=False)
    assert matrix.codes.tolist() == [[0, 3, 1, 2]] and matrix.zero.item() == 1 and not matrix.symmetric
    assert matrix.dequantized().tolist() == [[-1, 2, 0, 1]]


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("group", ["tensor", "row", 8, 1])
@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_no_weight_moves_by_more_than_half_a_step(bits, group, symmetric):
    """An asymmetric zero point that is rounded may cost the outermost weights another half."""
    weight = weights()
    matrix = quantize(weight, bits, group, symmetric)
    stored = 2**bits / 2**11  # of the largest weight, for the scale has eleven binary digits
    assert steps_away(weight, matrix) <= (0.5 if symmetric else 1) + stored
    assert matrix.codes.dtype == torch.uint8 and matrix.codes.max().item() < 2**bits
    assert matrix.scale.dtype == matrix.zero.dtype == torch.float16


@pytest.mark.parametrize("symmetric", [True, False])
def test_zero_stays_zero(symmetric):
    """Rounding before or after the zero point is added is one thing only where that is a whole number; then 0 is a code."""
    weight = weights() + 0.37
    weight[:, ::3] = 0
    for bits in (2, 3, 4, 8):
        matrix = quantize(weight, bits, 8, symmetric)
        assert matrix.zero.equal(matrix.zero.round()) and (matrix.dequantized()[:, ::3] == 0).all()


def test_a_range_without_zero_is_widened_to_it():
    scale, zero = scale_and_zero(torch.tensor([3.0, -6.0]), torch.tensor([6.0, -3.0]), 4, symmetric=False)
    torch.testing.assert_close(scale, torch.full((2,), 0.4), atol=1e-3, rtol=0)
    assert zero.tolist() == [0, 15]


def test_codes_are_those_of_the_scale_that_is_stored():
    """The scale is rounded to float16 first; codes of the unrounded one would drift by up to a step at the far end."""
    weight = torch.linspace(-1, 1, 2001)[None] * 1.0003
    matrix = quantize(weight, 8)
    wanted = encode(weight, matrix.scale.float(), matrix.zero.float(), 8)
    assert matrix.codes.equal(wanted) and steps_away(weight, matrix) < 0.51 + 127 * 2.0**-11


def test_an_outlier_coarsens_its_own_group_alone():
    weight = weights(4, 64)
    weight[1, 5] = 40
    errors = [
        error(weight.where(weight < 9, 0), _without(quantize(weight, 4, group))) for group in ("tensor", "row", 16)
    ]
    assert errors[0] > 1.5 * errors[1] > 1.5 * 1.5 * errors[2]


def _without(matrix):
    codes = matrix.codes.clone()
    codes[1, 5] = 8
    return Quantized(codes, matrix.scale, matrix.zero, matrix.bits)


def test_bits_and_groups_that_are_finer_lose_less():
    weight = weights()
    errors = [error(weight, quantize(weight, bits)) for bits in range(2, 9)]
    assert errors == sorted(errors, reverse=True) and 1.7 < errors[4] / errors[5] < 2.3  # a bit more is half the error
    assert (
        error(weight, quantize(weight, 4, 8))
        < error(weight, quantize(weight, 4))
        < error(weight, quantize(weight, 4, "tensor"))
    )


def test_a_matrix_of_zeros_has_a_scale():
    for symmetric in (True, False):
        assert quantize(torch.zeros(2, 4), 4, symmetric=symmetric).dequantized().tolist() == [[0] * 4] * 2


def test_torch_rounds_to_the_same_numbers():
    """What training with simulated quantization uses: a scale and a zero point for each row, codes from 0 to 255."""
    weight = weights()
    matrix = quantize(weight, 8, symmetric=False)
    scale, zero = matrix.scale[:, 0].float(), matrix.zero[:, 0].int()
    theirs = torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, 0, 255)
    torch.testing.assert_close(matrix.dequantized(), theirs)


def test_the_size_counts_codes_scales_and_zero_points():
    weight = weights(6, 32)
    assert quantize(weight, 8).size == 6 * 32 + 6 * 2 and quantize(weight, 4, "tensor").size == 6 * 16 + 2
    assert (
        quantize(weight, 3, 8).size == 6 * 12 + 6 * 4 * 2 and quantize(weight, 4, 8, False).size == 6 * 16 + 6 * 4 * 4
    )
    assert quantize(weights(6, 5), 4).size == 6 * 3 + 6 * 2  # odd rows end with half a byte of nothing


def test_a_model_is_copied_part_by_part():
    model = gpt(std=0.3, bigram_rows=13)
    before = model(IDS)[0]
    small = quantized(model, 4, 8, False, ("attention", "MLP"))
    assert model(IDS)[0].equal(before) and small.embed.weight.equal(model.embed.weight)
    for name, matrix in quantize_parameters(model, 4, 8, False, ("attention", "MLP")).items():
        assert small.get_parameter(name).equal(matrix.dequantized()) and small.packed[name].codes.equal(matrix.codes)
    far, near = ((quantized(model, bits)(IDS)[0] - before).abs().mean() for bits in (3, 8))
    assert near < 0.1 * far and small.head.weight is small.embed.weight


@pytest.mark.parametrize("bits", [1, 17, 0, 16, 4.0, True, "4"])
def test_bits_that_make_no_sense_are_refused(bits):
    for action in (quantize, lambda weight, bits: scale_and_zero(weight, weight, bits)):
        with pytest.raises(ValueError, match=f"{bits} bits were asked for: give a whole number from 2 to 8"):
            action(weights(), bits)


def test_a_group_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="groups of 48 do not divide a row of 64 weights. What fits: 16, 32, 64; or"):
        quantize(weights(2, 64), 4, 48)
    with pytest.raises(ValueError, match="none of 16, 32, 64, 128"):
        quantized(gpt(n_embd=12), 4, 16)
    for group in ("column", 0, -4, 2.5, True, None):
        with pytest.raises(ValueError, match='give "tensor", "row", or how many'):
            quantize(weights(), 4, group)


def test_what_is_no_matrix_of_numbers_is_refused():
    for weight in (torch.zeros(3), torch.zeros(0, 3), torch.tensor([[float("nan")]]), torch.tensor([[float("inf")]])):
        with pytest.raises(ValueError, match=r"a matrix \[R, C\] of finite numbers"):
            quantize(weight)
