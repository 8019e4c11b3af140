"""Wrong answers of notebook 12's first lesson, each with words of its own message: grids, packed codes, GPTQ."""

import torch

from helpers.compression.quantization import Quantized


# -- Build: scales and zero points -------------------------------------------------------------------------------------
def grid(low, high, bits, symmetric, *, widen=True, steps=None, spread=None, zero=None, half=True, smallest=2**-24):
    """The right answer, with one thing in another way."""
    low, high = (low.clamp(max=0), high.clamp(min=0)) if widen else (low, high)
    steps = steps or (2 ** (bits - 1) - 1 if symmetric else 2**bits - 1)
    spread = spread(low, high) if spread else torch.maximum(-low, high) if symmetric else high - low
    scale = (spread / steps).clamp(min=smallest)
    scale = scale.half().float() if half else scale
    if zero is None:
        zero = torch.full_like(scale, 2 ** (bits - 1)) if symmetric else (-low / scale).round()
    return scale, zero(low, high, scale) if callable(zero) else zero


def last_code_too_large(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric, steps=2 ** (bits - 1) if symmetric else None)


def all_codes_on_one_side(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric, steps=2**bits - 1)


def only_the_largest(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric, spread=(lambda low, high: high) if symmetric else None)


def always_asymmetric(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, False)


def always_symmetric(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, True)


def zero_is_zero(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric, zero=torch.zeros_like(low) if symmetric else None)


def not_widened(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric, widen=symmetric)


def as_many_steps_as_codes(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric, steps=None if symmetric else 2**bits)


def not_in_16_bits(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric, half=False)


def zero_divided_by_zero(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric, smallest=0.0)


def zero_not_whole(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric, zero=None if symmetric else lambda low, high, scale: -low / scale)


def rounded_before_the_division(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric, zero=None if symmetric else lambda low, high, scale: (-low).round() / scale)


def zero_below(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric, zero=None if symmetric else lambda low, high, scale: (low / scale).round())


def zero_rounded_down(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric, zero=None if symmetric else lambda low, high, scale: (-low / scale).floor())


def always_eight_bits(low, high, bits=8, symmetric=True):
    return grid(low, high, 8, symmetric)


def scale_alone(low, high, bits=8, symmetric=True):
    return grid(low, high, bits, symmetric)[0]


def clamped_in_place(low, high, bits=8, symmetric=True):
    return grid(low.clamp_(max=0), high.clamp_(min=0), bits, symmetric)


SCALES = {
    last_code_too_large: "your last code is 2^(b−1)",
    all_codes_on_one_side: "only one side of the grid",
    only_the_largest: "the largest weight only",
    always_asymmetric: "that is the asymmetric scale",
    always_symmetric: "that is the symmetric scale",
    zero_is_zero: "is the middle, 2^(b−1), not 0",
    not_widened: "widen the range first",
    as_many_steps_as_codes: "you divided by 2^b",
    not_in_16_bits: "not rounded to 16 bits",
    zero_divided_by_zero: "got the scale 0",
    zero_not_whole: "must be a whole number",
    rounded_before_the_division: "rounded before you divided",
    zero_below: "sign of the zero point",
    zero_rounded_down: "You rounded down",
    always_eight_bits: "Symmetric scales for 3 bits",
    scale_alone: "Return two tensors",
    clamped_in_place: "You changed a tensor",
}


# -- Build: a matrix in few bits ---------------------------------------------------------------------------------------
def matrix(
    weight, bits, group, symmetric, *, size=None, axis=2, rounding="round", clamp=True, form=Quantized, add=True
):
    """The right answer, with one thing in another way."""
    size = size or (weight.shape[1] if group in ("tensor", "row") else group)
    grouped = weight.unflatten(1, (-1, size))
    over = (0, 1, 2) if group == "tensor" else (axis,)
    scale, zero = grid(grouped.amin(over, keepdim=True), grouped.amax(over, keepdim=True), bits, symmetric)
    codes = getattr(grouped / scale, rounding)() + (zero if add else 0)
    codes = (codes.clamp(0, 2**bits - 1) if clamp else codes % 256).to(torch.uint8).flatten(1)
    return form(codes, scale[..., 0].half(), zero[..., 0].half(), bits)


def number_of_groups(weight, bits=8, group="row", symmetric=True):
    return matrix(weight, bits, group, symmetric, size=None if isinstance(group, str) else weight.shape[1] // group)


def groups_forgotten(weight, bits=8, group="row", symmetric=True):
    return matrix(weight, bits, group if group == "tensor" else "row", symmetric)


def tensor_forgotten(weight, bits=8, group="row", symmetric=True):
    return matrix(weight, bits, "row" if group == "tensor" else group, symmetric)


def always_symmetric_matrix(weight, bits=8, group="row", symmetric=True):
    return matrix(weight, bits, group, True)


def codes_rounded_down(weight, bits=8, group="row", symmetric=True):
    return matrix(weight, bits, group, symmetric, rounding="floor")


def codes_cut_off(weight, bits=8, group="row", symmetric=True):
    return matrix(weight, bits, group, symmetric, rounding="trunc")


def bytes_before_the_clamp(weight, bits=8, group="row", symmetric=True):
    answer = matrix(weight, bits, group, symmetric, clamp=False)  # 256 has become 0: too late to clamp
    return answer._replace(codes=answer.codes.clamp(0, 2**bits - 1))


def not_clamped(weight, bits=8, group="row", symmetric=True):
    return matrix(weight, bits, group, symmetric, clamp=False)


def without_zero_point(weight, bits=8, group="row", symmetric=True):
    return matrix(weight, bits, group, symmetric, add=False, clamp=False)


def a_plain_tuple(weight, bits=8, group="row", symmetric=True):
    return matrix(weight, bits, group, symmetric, form=lambda *parts: parts)


def the_way_back(weight, bits=8, group="row", symmetric=True):
    return matrix(weight, bits, group, symmetric).dequantized()


def an_extra_dimension(weight, bits=8, group="row", symmetric=True):
    whole = matrix(weight, bits, group, symmetric)
    return whole._replace(scale=whole.scale[..., None])


def codes_as_floats(weight, bits=8, group="row", symmetric=True):
    whole = matrix(weight, bits, group, symmetric)
    return whole._replace(codes=whole.codes.float())


def scales_in_32_bits(weight, bits=8, group="row", symmetric=True):
    whole = matrix(weight, bits, group, symmetric)
    return whole._replace(scale=whole.scale.float())


def eight_bits_noted(weight, bits=8, group="row", symmetric=True):
    return matrix(weight, bits, group, symmetric)._replace(bits=8)


MATRIX = {
    number_of_groups: "you cut each row into 4 groups",
    groups_forgotten: "each group has its own",
    tensor_forgotten: "all weights share one",
    always_symmetric_matrix: "those of the other kind",
    codes_rounded_down: "you rounded down",
    codes_cut_off: "cut off the decimals",
    bytes_before_the_clamp: "A code became 256",
    not_clamped: "clamp to 0 … 2^b − 1",
    without_zero_point: "the zero point is not added",
    a_plain_tuple: "Return Quantized(codes, scale, zero, bits)",
    the_way_back: "Return Quantized(codes, scale, zero, bits)",
    an_extra_dimension: "still has a last dimension of 1",
    codes_as_floats: "Turn them into bytes at the end",
    scales_in_32_bits: "stored in 16 bits",
    eight_bits_noted: "The last part of Quantized is bits",
}


# -- Build: two nibbles in a byte --------------------------------------------------------------------------------------
def padded(codes):
    return torch.nn.functional.pad(codes, (0, codes.shape[1] % 2))


def halves_swapped(codes):
    codes = padded(codes)
    return codes[:, 1::2] | codes[:, 0::2] << 4


def halves_of_the_row(codes):
    codes = padded(codes)
    middle = codes.shape[1] // 2
    return codes[:, :middle] | codes[:, middle:] << 4


def added_only(codes):
    codes = padded(codes)
    return codes[:, 0::2] + codes[:, 1::2]


def joined_only(codes):
    codes = padded(codes)
    return codes[:, 0::2] | codes[:, 1::2]


def moved_by_three(codes):
    codes = padded(codes)
    return codes[:, 0::2] | codes[:, 1::2] << 3


def the_first_alone(codes):
    return padded(codes)[:, 0::2]


def as_long(codes):
    codes = padded(codes).long()
    return codes[:, 0::2] + 16 * codes[:, 1::2]


def even_only(codes):
    return codes[:, 0::2] | codes[:, 1::2] << 4


def odd_doubled(codes):
    codes = torch.cat((codes, codes[:, -1:]), 1) if codes.shape[1] % 2 else codes
    return codes[:, 0::2] | codes[:, 1::2] << 4


NIBBLES = {
    halves_swapped: "two halves are swapped",
    halves_of_the_row: "first half of a row with its second half",
    added_only: "You added without moving",
    joined_only: "You joined the bits without moving",
    moved_by_three: "by three bits",
    the_first_alone: "Only the first of two codes",
    as_long: "take more room than before",
    even_only: "yours stops there",
    odd_doubled: "the high half of the last byte is 0",
}


# -- Build: GPTQ -------------------------------------------------------------------------------------------------------
def by_columns(weight, hessian, bits=4, symmetric=False, damp=0.01, *, sign=1, divide=True, moved=True, lower=False,
               invert=True, relative=True, again=False, square=False):  # fmt: skip
    """The right answer, with one thing in another way."""
    first, zero_point = (part.double() for part in grid(weight.amin(1), weight.amax(1), bits, symmetric))
    scale, zero, left, h = first, zero_point, weight.double().clone(), hessian.double().clone()
    h += damp * (h.diagonal().mean() if relative else 1) * torch.eye(len(h), dtype=torch.float64)
    h = torch.linalg.inv(h) if invert else h
    upper = h if square else torch.linalg.cholesky(h, upper=not lower)
    codes = torch.empty(weight.shape, dtype=torch.uint8)
    for j in range(weight.shape[1]):
        if again:
            scale, zero = (part.double() for part in grid(left.amin(1).float(), left.amax(1).float(), bits, symmetric))
        column = left[:, j] if moved else weight[:, j].double()
        codes[:, j] = ((column / scale).round() + zero).clamp(0, 2**bits - 1).to(torch.uint8)
        error = (column - scale * (codes[:, j] - zero)) / (upper[j, j] if divide else 1)
        left[:, j + 1 :] -= sign * error[:, None] * upper[j, j + 1 :]
    return Quantized(codes, first[:, None].half(), zero_point[:, None].half(), bits)


def from_the_original(weight, hessian, bits=4, symmetric=False, damp=0.01):
    return by_columns(weight, hessian, bits, symmetric, damp, moved=False)


def error_added(weight, hessian, bits=4, symmetric=False, damp=0.01):
    return by_columns(weight, hessian, bits, symmetric, damp, sign=-1)


def not_divided(weight, hessian, bits=4, symmetric=False, damp=0.01):
    return by_columns(weight, hessian, bits, symmetric, damp, divide=False)


def lower_triangle(weight, hessian, bits=4, symmetric=False, damp=0.01):
    return by_columns(weight, hessian, bits, symmetric, damp, lower=True)


def not_inverted(weight, hessian, bits=4, symmetric=False, damp=0.01):
    return by_columns(weight, hessian, bits, symmetric, damp, invert=False)


def inverse_itself(weight, hessian, bits=4, symmetric=False, damp=0.01):
    return by_columns(weight, hessian, bits, symmetric, damp, square=True)


def damp_itself(weight, hessian, bits=4, symmetric=False, damp=0.01):
    return by_columns(weight, hessian, bits, symmetric, damp, relative=False)


def no_damp(weight, hessian, bits=4, symmetric=False, damp=0.01):
    return by_columns(weight, hessian, bits, symmetric, 0.0)


def moving_scales(weight, hessian, bits=4, symmetric=False, damp=0.01):
    return by_columns(weight, hessian, bits, symmetric, damp, again=True)


def damp_fixed(weight, hessian, bits=4, symmetric=False, damp=0.01):
    return by_columns(weight, hessian, bits, symmetric)


def always_asymmetric_gptq(weight, hessian, bits=4, symmetric=False, damp=0.01):
    return by_columns(weight, hessian, bits, False, damp)


def weight_moved(weight, hessian, bits=4, symmetric=False, damp=0.01):
    answer = by_columns(weight, hessian, bits, symmetric, damp)
    weight -= 0.1
    return answer


def codes_only(weight, hessian, bits=4, symmetric=False, damp=0.01):
    return by_columns(weight, hessian, bits, symmetric, damp).codes


GPTQ = {
    from_the_original: "no column makes up for another",
    error_added: "Subtract it",
    not_divided: "not divided by U[j, j]",
    lower_triangle: "no column makes up for another",
    not_inverted: "the triangle of H.",
    inverse_itself: "the inverse of H itself",
    damp_itself: "You added damp itself",
    no_damp: "The damping is missing",
    moving_scales: "The scales move with the weights",
    damp_fixed: "Is your damp always 0.01",
    always_asymmetric_gptq: "With 4 bits and symmetric=True",
    weight_moved: "You changed a tensor",
    codes_only: "Return Quantized(codes, scale, zero, bits)",
}
