"""GPTQ: two columns by hand, nothing gained where inputs have nothing in common, a smaller error where they do."""

import pytest
import torch

from helpers.compression.gptq import gptq, gptq_model, hessian, layer_inputs, output_error
from helpers.compression.quantization import encode, quantize, scale_and_zero
from tests.factories import gpt

IDS = torch.randint(16, (4, 20), generator=torch.Generator().manual_seed(0))


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def alike_inputs(rows=200, columns=24, seed=1):
    """Inputs that depend on one another, as those of a network do."""
    return numbers(rows, columns // 4, seed=seed) @ numbers(columns // 4, columns, seed=seed + 1) + 0.1 * numbers(
        rows, columns
    )


def test_the_hessian_by_hand():
    assert hessian(torch.tensor([[1.0, 2.0], [3.0, 0.0]])).tolist() == [[10, 2], [2, 4]]


def test_the_second_column_makes_up_for_the_first():
    """Two inputs that are always alike: what the first weight loses by rounding, the second is given before it is rounded.

    0.4 and 0.4 (steps of 1) are 0.8 together. To the nearest both become 0; GPTQ gives 0 to the first, 0.8 → 1 to the second.
    """
    weight = torch.tensor([[0.4, 0.4, -7.0, 8.0]])
    inputs = torch.cat((numbers(500, 1).expand(-1, 2), numbers(500, 2, seed=1)), dim=1)
    nearest, ours = quantize(weight, 4, symmetric=False), gptq(weight, hessian(inputs), 4, damp=1e-4)
    assert nearest.dequantized()[0, :2].tolist() == [0, 0] and ours.dequantized()[0, :2].tolist() == [0, 1]
    assert output_error(weight, ours, inputs) < 0.1 * output_error(weight, nearest, inputs)


def test_each_column_as_the_inverse_hessian_says():
    """The paper's formula written out, slowly: after each column the inverse of the Hessian of those that are left."""
    weight, left_over = numbers(5, 6, seed=3), hessian(alike_inputs(columns=8)[:, :6])
    left_over = left_over + 0.01 * left_over.diagonal().mean() * torch.eye(6)
    scale, zero = (part.double() for part in scale_and_zero(weight.amin(1), weight.amax(1), 3, symmetric=False))
    left, wanted = weight.double(), []
    for column in range(6):
        inverse = torch.linalg.inv(left_over[column:, column:])
        wanted.append(encode(left[:, column], scale, zero, 3))
        fault = left[:, column] - scale * (wanted[-1] - zero)
        left[:, column:] -= fault[:, None] * inverse[0] / inverse[0, 0]
    assert gptq(weight, left_over, 3, damp=1e-9).codes.equal(torch.stack(wanted, 1))


def test_inputs_that_have_nothing_in_common_leave_nothing_to_make_up_for():
    weight = numbers(6, 16)
    for symmetric in (True, False):
        ours = gptq(weight, torch.eye(16), 3, symmetric)
        assert ours.codes.equal(quantize(weight, 3, symmetric=symmetric).codes) and ours.symmetric == symmetric


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_outputs_change_less_than_by_rounding_to_the_nearest(bits):
    weight, inputs, others = numbers(12, 24), alike_inputs(), alike_inputs()[::2] + 0.05 * numbers(100, 24, seed=9)
    ours, nearest = gptq(weight, hessian(inputs), bits), quantize(weight, bits, symmetric=False)
    assert output_error(weight, ours, inputs) < 0.6 * output_error(weight, nearest, inputs)
    assert output_error(weight, ours, others) < 0.8 * output_error(weight, nearest, others)
    assert (weight - ours.dequantized()).norm() > (weight - nearest.dequantized()).norm()  # the weights change more


def test_an_input_that_is_always_zero_does_no_harm():
    inputs = alike_inputs()
    inputs[:, 3] = 0
    matrix = gptq(numbers(4, 24), hessian(inputs), 4)
    assert torch.isfinite(matrix.dequantized()).all()
    assert gptq(numbers(4, 24), torch.zeros(24, 24), 4).codes.equal(quantize(numbers(4, 24), 4, symmetric=False).codes)


def test_what_enters_a_layer():
    model = gpt(std=0.3)
    found = layer_inputs(model, IDS, ["blocks.1.down.weight", "blocks.0.attention.qkv.weight"])
    _, cache = model.run_with_cache(IDS, names=["blocks.1.hook_mlp_post", "blocks.0.hook_resid_pre"])
    torch.testing.assert_close(found["blocks.1.down.weight"], cache["blocks.1.hook_mlp_post"].flatten(0, 1))
    normed = model.blocks[0].norm_1(cache["blocks.0.hook_resid_pre"]).flatten(0, 1)
    torch.testing.assert_close(found["blocks.0.attention.qkv.weight"], normed)
    assert not model.blocks[1].down._forward_pre_hooks


def test_a_model_is_rounded_layer_by_layer():
    model = gpt(std=0.3, bigram_rows=13)
    small, before = gptq_model(model, IDS, 3), model(IDS)[0]
    assert sorted(small.packed) == sorted(name for name, _ in model.named_parameters() if name.startswith("blocks"))
    assert small.embed.weight.equal(model.embed.weight) and small.bigrams.weight.equal(model.bigrams.weight)
    name = "blocks.1.up.weight"  # it is rounded for the inputs that the rounded layers before it give
    inputs = layer_inputs(small, IDS, [name])[name]
    assert small.packed[name].codes.equal(gptq(model.get_parameter(name).detach(), hessian(inputs), 3).codes)
    nearest = model
    from helpers.compression.quantization import quantized

    nearest = quantized(model, 3, "row", False, ("attention", "MLP"))
    assert (small(IDS)[0] - before).square().mean() < 0.8 * (nearest(IDS)[0] - before).square().mean()


def test_what_makes_no_sense_is_said():
    weight = numbers(2, 4)
    with pytest.raises(ValueError, match=r"4 columns has a Hessian \[4, 4\], not \[3, 3\]"):
        gptq(weight, torch.eye(3))
    with pytest.raises(ValueError, match="damp is 0"):
        gptq(weight, torch.eye(4), damp=0)
    with pytest.raises(ValueError, match="1 bits were asked for"):
        gptq(weight, torch.eye(4), 1)
    with pytest.raises(ValueError, match="give the inputs of one layer"):
        hessian(torch.zeros(0, 3))
    with pytest.raises(ValueError, match="'embed.weight' is not the weight of an nn.Linear"):
        layer_inputs(gpt(), IDS, ["embed.weight"])
