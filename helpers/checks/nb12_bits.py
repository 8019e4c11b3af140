"""Checks of notebook 12's first lesson: scales and zero points, a quantized matrix, two nibbles in a byte."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, difference, kind, refuse_fixed_device, refuse_known, same, tensor

CHANGED = "You changed a tensor that you were given: it is needed again. Compute a new one."
DEVICE = "A tensor of yours is always on the CPU. On a GPU that fails: make it with torch.full_like, or device=weight.device."
SMALLEST = 2.0**-24


def scales(low, high, bits: int, symmetric: bool):
    """The right scales and zero points, to hold an answer against."""
    import torch

    low, high = low.clamp(max=0), high.clamp(min=0)
    if symmetric:
        spread, steps = torch.maximum(-low, high), 2 ** (bits - 1) - 1
    else:
        spread, steps = high - low, 2**bits - 1
    scale = (spread / steps).clamp(min=SMALLEST).half().float()
    zero = torch.full_like(scale, 2 ** (bits - 1)) if symmetric else (-low / scale).round()
    return scale, zero


@exercise
def check_scale_and_zero(scale_and_zero: Callable) -> str:
    """Build: symmetric and asymmetric scales, rounded to 16 bits, and whole zero points."""
    import torch

    low = torch.tensor([-0.42, -0.10, 0.20, -0.90, 0.0])
    high = torch.tensor([0.31, 0.70, 0.90, -0.30, 0.0])
    for bits in (3, 8):
        _check_symmetric(_pair(call(scale_and_zero, low, high, bits, True, changed=CHANGED)), low, high, bits)
        _check_asymmetric(_pair(call(scale_and_zero, low, high, bits, False, changed=CHANGED)), low, high, bits)
    refuse_fixed_device(lambda: scale_and_zero(low.to("meta"), high.to("meta"), 4, True), DEVICE)
    return "One number a row says how fine the grid is, another where 0 lies."


def _pair(answer):
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise Wrong(f"Return two tensors, the scales and the zero points. I got {kind(answer)}.")
    return [tensor(part, (5,), f"a tensor of {what}") for part, what in zip(answer, ("scales", "zero points"))]


def _check_symmetric(answer, low, high, bits: int) -> None:
    import torch

    largest, steps = torch.maximum(-low, high), 2 ** (bits - 1) - 1
    right, middle = scales(low, high, bits, True)
    as_half = lambda spread: spread.clamp(min=SMALLEST).half().float()  # noqa: E731
    _refuse_zero_scale(answer[0])
    refuse_known(
        answer[0],
        {
            "Symmetric: your last code is 2^(b−1). It is 2^(b−1) − 1, or it would not fit.": as_half(
                largest / (steps + 1)
            ),
            "Symmetric: you spread all codes over max |w|, which is only one side of the grid. Divide by 2^(b−1) − 1.": as_half(
                largest / (2**bits - 1)
            ),
            "Symmetric: you looked at the largest weight only. A large negative one counts, too: take max(−low, high).": as_half(
                high.clamp(min=0) / steps
            ),
            "Symmetric: that is the asymmetric scale. Here the larger of −low and high decides.": as_half(
                (high.clamp(min=0) - low.clamp(max=0)) / (2**bits - 1)
            ),
        },
    )
    _refuse_unrounded(answer[0], largest / steps)
    if not same(answer[0], right, 1e-9):
        raise Wrong(f"Symmetric scales for {bits} bits: yours have {difference(answer[0], right)}.")
    if same(answer[1], torch.zeros(5)):
        raise Wrong(
            "Symmetric: codes run from 0 to 2^b − 1, so the code that stands for 0 is the middle, 2^(b−1), not 0."
        )
    if not same(answer[1], middle):
        raise Wrong(f"Symmetric zero points for {bits} bits: yours have {difference(answer[1], middle)}.")


def _check_asymmetric(answer, low, high, bits: int) -> None:
    steps = 2**bits - 1
    low, high, narrow = low.clamp(max=0), high.clamp(min=0), (high - low) / steps
    right, zero = scales(low, high, bits, False)
    as_half = lambda spread: spread.clamp(min=SMALLEST).half().float()  # noqa: E731
    _refuse_zero_scale(answer[0])
    refuse_known(
        answer[0],
        {
            "Asymmetric: widen the range first, so that it holds 0: low at most 0, high at least 0.": as_half(narrow),
            "Asymmetric: you divided by 2^b. Between 2^b codes there are 2^b − 1 steps.": as_half(
                (high - low) / 2**bits
            ),
            "Asymmetric: that is the symmetric scale. Here the codes run from low to high.": scales(
                low, high, bits, True
            )[0],
        },
    )
    _refuse_unrounded(answer[0], (high - low) / steps)
    if not same(answer[0], right, 1e-9):
        raise Wrong(f"Asymmetric scales for {bits} bits: yours have {difference(answer[0], right)}.")
    refuse_known(
        answer[1],
        {
            "The zero point must be a whole number, or 0 would not come back as 0: round it.": -low / right,
            "You rounded before you divided: round(−low) / s. It is round(−low / s).": (-low).round() / right,
            "The sign of the zero point is wrong: it is −low / s, how many steps 0 lies above the smallest weight.": (
                low / right
            ).round(),
            "You rounded down. round() goes to the nearest.": (-low / right).floor(),
            "That is the code of 0 counted from the top: take −low, not high.": (high / right).round(),
        },
    )
    if not same(answer[1], zero):
        raise Wrong(f"Asymmetric zero points for {bits} bits: yours have {difference(answer[1], zero)}.")


def _refuse_zero_scale(scale) -> None:
    if not (scale[-1] > 0):
        raise Wrong("A row of zeros got the scale 0, and 0 / 0 is no number. Clamp: .clamp(min=2**-24).half().float().")


def _refuse_unrounded(scale, exact) -> None:
    if same(scale[:4] * 1e6, exact[:4] * 1e6, 0.1) and not same(scale[:4], exact[:4].half(), 1e-9):
        raise Wrong("The scales are not rounded to 16 bits. The file holds them in 16, so: .half().float() at once.")


# -- a whole matrix ----------------------------------------------------------------------------------------------------
def example():
    """A matrix [4, 12] whose rows differ in size and lean to one side; one row ends between two codes on both sides."""
    import torch

    weight = torch.randn(4, 12, generator=torch.Generator().manual_seed(3)) * torch.tensor(
        [[1.0], [0.1], [3.0], [0.02]]
    )
    weight[1] = torch.linspace(
        -0.25, 0.45, 12
    )  # the scale 0.1 is a little smaller in 16 bits: 3 + 5 is one code too many
    return weight + torch.tensor([[0.4], [0.0], [0.0], [0.01]])


def quantized(
    weight, bits: int, group, symmetric: bool, axis: int = 2, rounding: str = "round", clamp: bool = True, groups=None
):
    """The right codes, scales and zero points [R, G], or what one of the known mistakes gives."""
    size = weight.shape[1] if group in ("tensor", "row") else weight.shape[1] // group if groups else group
    grouped = weight.unflatten(1, (-1, size))
    over = (0, 1, 2) if group == "tensor" else (axis,)
    scale, zero = scales(grouped.amin(over, keepdim=True), grouped.amax(over, keepdim=True), bits, symmetric)
    codes = getattr(grouped / scale, rounding)() + zero
    codes = codes.clamp(0, 2**bits - 1) if clamp else codes % 256
    return codes.flatten(1), scale[..., 0], zero[..., 0]


@exercise
def check_quantize(quantize: Callable) -> str:
    """Build: a matrix in few bits, with a scale for the tensor, each row or each group."""
    import torch

    weight = example()
    for bits, group, symmetric in (
        (4, "row", True),
        (3, "row", False),
        (4, "tensor", True),
        (3, 4, True),
        (3, 4, False),
    ):
        _check_one(call(quantize, weight, bits, group, symmetric, changed=CHANGED), weight, bits, group, symmetric)
    edge = torch.tensor([[-0.19, 0.1, 0.37]])  # its scale is rounded down, so the last code would be 256
    if not same(call(quantize, edge, 8, "row", False, changed=CHANGED).codes, quantized(edge, 8, "row", False)[0]):
        raise Wrong("A code became 256, and a byte holds 0 to 255: clamp to 0 … 2^bits − 1 first, then .to(torch.uint8).")
    answer = call(quantize, weight, changed=CHANGED)
    if not same(answer.codes, quantized(weight, 8, "row", True)[0]):
        raise Wrong('Without settings it is 8 bits, group="row", symmetric=True.')
    return "Codes, a scale and a zero point: the matrix can go."


def _check_one(answer, weight, bits: int, group, symmetric: bool) -> None:
    import torch

    if not all(hasattr(answer, part) for part in ("codes", "scale", "zero", "bits")):
        raise Wrong(f"Return Quantized(codes, scale, zero, bits). I got {kind(answer)}.")
    where = f"{bits} bits, group={group!r}, {'symmetric' if symmetric else 'asymmetric'}"
    codes, scale, zero = quantized(weight, bits, group, symmetric)
    if not torch.is_tensor(answer.codes) or tuple(answer.codes.shape) != tuple(weight.shape):
        raise Wrong(f"{where}: codes have the shape of the weight, {list(weight.shape)}. I got {kind(answer.codes)}.")
    if (
        group == 4
        and not same(answer.scale, scale)
        and same(answer.scale, quantized(weight, bits, 4, symmetric, groups=1)[1])
    ):
        raise Wrong(f"{where}: you cut each row into 4 groups. group is how many neighbors share a scale.")
    for part, name, right in ((answer.scale, "scale", scale), (answer.zero, "zero", zero)):
        _check_shape(part, name, right, where, group)
    if same(answer.scale, quantized(weight, bits, group, not symmetric)[1]):
        raise Wrong(f"{where}: the scales are those of the other kind. Hand symmetric on to scale_and_zero.")
    if not same(answer.scale, scale, 1e-4):
        raise Wrong(
            f"{where}: the scales have {difference(answer.scale, scale)}. Of which weights did you take low and high?"
        )
    _check_codes(answer.codes, weight, bits, group, symmetric, codes, zero, where)
    if not same(answer.zero, zero):
        raise Wrong(f"{where}: the zero points have {difference(answer.zero, zero)}.")
    if answer.codes.dtype != torch.uint8:
        raise Wrong(f"The codes are {answer.codes.dtype}. Turn them into bytes at the end: .to(torch.uint8).")
    if answer.scale.dtype != torch.float16 or answer.zero.dtype != torch.float16:
        raise Wrong("Scale and zero point are stored in 16 bits: .half().")
    if answer.bits != bits:
        raise Wrong(f"The last part of Quantized is bits, here {bits}, and yours is {answer.bits!r}.")


def _check_shape(part, name: str, right, where: str, group) -> None:
    import torch

    if not torch.is_tensor(part):
        raise Wrong(f"{where}: {name} is {kind(part)}, not a tensor.")
    if tuple(part.shape) == (*right.shape, 1):
        raise Wrong(f"{where}: {name} still has a last dimension of 1. Take {name}[..., 0].")
    if tuple(part.shape) != tuple(right.shape):
        hint = (
            'With group="tensor" all weights share one. '
            if group == "tensor"
            else "Cut the rows: each group has its own. "
        )
        raise Wrong(f"{where}: {name} has shape {list(part.shape)} and should have {list(right.shape)}. {hint}")


def _check_codes(answer, weight, bits, group, symmetric, codes, zero, where: str) -> None:
    if same(answer, codes):
        return
    spread = zero.repeat_interleave(weight.shape[1] // zero.shape[1], 1)
    refuse_known(
        answer,
        {
            f"{where}: the zero point is not added. The code of 0 is z.": (
                (codes - spread) % 256 if symmetric else codes - 300
            ),
            f"{where}: you rounded down. Use .round() before the codes become bytes.": quantized(
                weight, bits, group, symmetric, rounding="floor"
            )[0],
            f"{where}: you cut off the decimals. Use .round() before the codes become bytes.": quantized(
                weight, bits, group, symmetric, rounding="trunc"
            )[0],
            f"{where}: a code lies above 2^b − 1. Scale and zero point are both rounded, so clamp to 0 … 2^b − 1.": quantized(
                weight, bits, group, symmetric, clamp=False
            )[0]
            if not symmetric
            else codes - 300,
        },
    )
    raise Wrong(f"{where}: the codes have {difference(answer, codes)}.")


# -- two in a byte -----------------------------------------------------------------------------------------------------
@exercise
def check_pack_nibbles(pack_nibbles: Callable) -> str:
    """Build: two codes of 4 bits in a byte, the first in the low half."""
    import torch

    codes = torch.tensor([[1, 2, 3, 4], [15, 0, 7, 9], [8, 8, 0, 15], [5, 6, 12, 11]], dtype=torch.uint8)
    low, high = codes[:, 0::2].long(), codes[:, 1::2].long()
    answer = tensor(call(pack_nibbles, codes, changed=CHANGED), (4, 2), "a matrix of bytes")
    refuse_known(
        answer,
        {
            "The two halves are swapped: the first code goes to the low half, the second to the high one.": low * 16
            + high,
            "You paired the first half of a row with its second half. Neighbors share a byte: codes[:, 0::2] and [:, 1::2].": (
                codes[:, :2].long() + 16 * codes[:, 2:].long()
            ),
            "You added without moving the second code up by four bits: << 4.": low + high,
            "You joined the bits without moving the second code up by four bits: << 4.": low | high,
            "You moved the second code by three bits. Four: << 4.": (low | high << 3) % 256,
            "Only the first of two codes is in the byte.": low,
        },
    )
    right = low + 16 * high
    if not same(answer, right):
        raise Wrong(f"For my matrix yours has {difference(answer, right)}.")
    if pack_nibbles(codes).dtype != torch.uint8:
        raise Wrong(f"A byte is a torch.uint8. Yours are {pack_nibbles(codes).dtype}, and take more room than before.")
    try:
        odd = torch.cat((codes[:2], codes[2:, :1]), 1)  # five codes in a row
        odd = tensor(pack_nibbles(odd), (2, 3), "three bytes for five codes")
    except Wrong:
        raise
    except Exception:
        raise Wrong("Five codes in a row take three bytes, and yours stops there. Append a column of zeros.") from None
    if not same(odd, torch.tensor([[33, 67, 8], [15, 151, 5]])):
        raise Wrong("With an odd number of codes the high half of the last byte is 0. Yours is something else.")
    return "Two codes share a byte, and both come back."
