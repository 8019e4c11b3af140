"""The check of notebook 12's GPTQ: column after column, the error handed on to the later ones."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, difference, kind, refuse_known, same
from helpers.checks.nb12_bits import CHANGED, scales


def example():
    """A matrix [16, 10], and the Hessian of inputs that go together."""
    import torch

    rng = torch.Generator().manual_seed(0)
    inputs = torch.randn(200, 4, generator=rng) @ torch.randn(4, 10, generator=rng) + 0.3 * torch.randn(
        200, 10, generator=rng
    )
    inputs = inputs.double() * torch.linspace(0.5, 3, 10).double()
    return torch.randn(16, 10, generator=rng), 2 * inputs.T @ inputs / 200


def codes_of(
    weight, hessian, bits=3, symmetric=False, damp=0.01, *, sign=1, divide=True, moved=True, inverse=True,
    relative=True, again=False, square=False,
):  # fmt: skip
    """The right codes [R, C], or what one of the known mistakes gives."""
    import torch

    scale, zero = (part.double() for part in scales(weight.amin(1), weight.amax(1), bits, symmetric))
    left, h = weight.double().clone(), hessian.double().clone()
    h += damp * (h.diagonal().mean() if relative else 1) * torch.eye(len(h), dtype=torch.float64)
    h = torch.linalg.inv(h) if inverse else h
    upper = h if square else torch.linalg.cholesky(h, upper=True)
    codes = torch.zeros(weight.shape, dtype=torch.float64)
    for j in range(weight.shape[1]):
        if again:
            scale, zero = (
                part.double() for part in scales(left.amin(1).float(), left.amax(1).float(), bits, symmetric)
            )
        source = left[:, j] if moved else weight[:, j].double()
        codes[:, j] = ((source / scale).round() + zero).clamp(0, 2**bits - 1)
        error = (source - scale * (codes[:, j] - zero)) / (upper[j, j] if divide else 1)
        left[:, j + 1 :] -= sign * error[:, None] * upper[j, j + 1 :]
    return codes


@exercise
def check_gptq(gptq: Callable) -> str:
    """Build: GPTQ with a scale for each row."""
    import torch

    weight, hessian = example()
    answer = call(gptq, weight, hessian, 3, False, 0.01, changed=CHANGED)
    if not all(hasattr(answer, part) for part in ("codes", "scale", "zero", "bits")):
        raise Wrong(f"Return Quantized(codes, scale, zero, bits). I got {kind(answer)}.")
    if not torch.is_tensor(answer.codes) or answer.codes.shape != weight.shape:
        raise Wrong(f"The codes have the shape of the weight, {list(weight.shape)}. I got {kind(answer.codes)}.")
    nearest = codes_of(weight, torch.eye(10).double())
    if not same(answer.codes, right := codes_of(weight, hessian)):
        refuse_known(
            answer.codes,
            {
                "These are the nearest codes: no column makes up for another. Update the later columns of a copy, take "
                "the codes from that copy, and U with upper=True: a lower triangle is 0 there.": nearest,
                "You add the error to the later columns. Subtract it: left[:, k] −= error · U[j, k].": codes_of(
                    weight, hessian, sign=-1
                ),
                "The error is not divided by U[j, j].": codes_of(weight, hessian, divide=False),
                "You took the triangle of H. It is the triangle of its inverse.": codes_of(
                    weight, hessian, inverse=False
                ),
                "You used the inverse of H itself. Take its upper triangle by torch.linalg.cholesky.": codes_of(
                    weight, hessian, square=True
                ),
                "damp is a share of the mean of H's diagonal. You added damp itself.": codes_of(
                    weight, hessian, relative=False
                ),
                "The damping is missing: H's diagonal gets damp times its mean.": codes_of(weight, hessian, damp=0.0),
                "The scales move with the weights. Take them once, before anything moves.": codes_of(
                    weight, hessian, again=True
                ),
            },
        )
        raise Wrong(f"For my matrix the codes have {difference(answer.codes, right)}.")
    scale, zero = scales(weight.amin(1), weight.amax(1), 3, False)
    for part, name, wanted in ((answer.scale, "scale", scale), (answer.zero, "zero", zero)):
        if not torch.is_tensor(part) or not same(part, wanted[:, None], 1e-4):
            raise Wrong(
                f"{name} is one number for each row, shape [16, 1], from the row's smallest and largest weight."
            )
    if answer.codes.dtype != torch.uint8 or answer.scale.dtype != torch.float16 or answer.zero.dtype != torch.float16:
        raise Wrong("Codes are torch.uint8, scale and zero point torch.float16.")
    _check_settings(gptq, weight, hessian)
    return "What one column gets wrong, the later ones make up for."


def _check_settings(gptq: Callable, weight, hessian) -> None:
    if not same(gptq(weight, hessian, 4, True).codes, codes_of(weight, hessian, 4, True)):
        raise Wrong(
            "With 4 bits and symmetric=True the codes are others than mine. Are bits and symmetric used everywhere?"
        )
    if not same(gptq(weight, hessian, 3, False, 0.5).codes, codes_of(weight, hessian, damp=0.5)):
        raise Wrong("With damp=0.5 the codes are others than mine. Is your damp always 0.01?")
    if gptq(weight, hessian, 4).bits != 4:
        raise Wrong("The last part of Quantized is bits.")
