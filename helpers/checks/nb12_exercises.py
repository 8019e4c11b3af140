"""Checks of notebook 12's exercises on bits: scales that leave outliers outside, and a KV cache in few bits."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, difference, refuse_known, same, tensor
from helpers.checks.nb12_bits import CHANGED, scales


@exercise
def check_clipped_scale(clipped_scale: Callable) -> str:
    """Exercise: symmetric scales from a percentile of each row's |w|."""
    import torch

    weight = torch.randn(4, 40, generator=torch.Generator().manual_seed(1)) * torch.tensor([[1.0], [0.1], [2.0], [0.5]])
    weight[2, 7], weight[0, 3] = -30.0, 9.0
    size = weight.abs()
    answer = tensor(call(clipped_scale, weight, 4, 90, changed=CHANGED), (4,), "a scale for each row")
    right = torch.quantile(size, 0.9, 1) / 7
    refuse_known(
        answer,
        {
            "That is the largest |w|, outliers and all. Take the percentile.": size.amax(1) / 7,
            "You took the percentile of w, not of |w|: a negative weight can be large.": torch.quantile(weight, 0.9, 1)
            / 7,
            "One percentile for the whole matrix: each row has its own, dim=1.": torch.quantile(size, 0.9).expand(4)
            / 7,
            "The last code of 4 bits is 7, 2^(b−1) − 1. You divided by 8.": right * 7 / 8,
            "The last code of 4 bits is 7, 2^(b−1) − 1. You divided by 15, the number of all steps.": right * 7 / 15,
            "That is the percentile itself. Divide by the last code, 2^(b−1) − 1.": right * 7,
            "That is the share of the largest |w|, percent / 100 times it. A percentile sorts: torch.quantile.": (
                0.9 * size.amax(1) / 7
            ),
            "You took the percentile from the other end: 90 % of the |w| lie *below* the scale's reach.": (
                torch.quantile(size, 0.1, 1) / 7
            ),
        },
    )
    if not same(answer, right):
        raise Wrong(f"For 4 bits and 90 % yours has {difference(answer, right)}.")
    if not same(clipped_scale(weight, 3, 100), size.amax(1) / 3):
        raise Wrong("With 100 % and 3 bits the largest |w| of each row becomes the code 3.")
    if not same(clipped_scale(weight, 4, 75), torch.quantile(size, 0.75, 1) / 7):
        raise Wrong("With 75 % it gives something else than it should: use percent, whatever it is.")
    return "What lies outside is clamped, so that the rest gets a finer grid."


@exercise
def check_quantize_vectors(quantize_vectors: Callable) -> str:
    """Exercise: keys or values, rounded with a scale and a zero point for each token and head."""
    import torch

    x = torch.randn(2, 3, 5, 8, generator=torch.Generator().manual_seed(2))
    x = x * torch.linspace(0.2, 3, 5)[:, None] + torch.linspace(-1, 1, 3)[:, None, None]

    def back(over, bits=3, symmetric=False):
        scale, zero = scales(x.amin(over, keepdim=True), x.amax(over, keepdim=True), bits, symmetric)
        codes = ((x / scale).round() + zero).clamp(0, 2**bits - 1)
        return scale * (codes - zero), codes, scale * codes

    right, codes, shifted = back((3,))
    answer = tensor(call(quantize_vectors, x, 3, changed=CHANGED), (2, 3, 5, 8), "keys or values of the same shape")
    refuse_known(
        answer,
        {
            "All numbers share one scale. Each token and head has its own: over the last dimension only.": back(
                (0, 1, 2, 3)
            )[0],
            "Each head has one scale for all its tokens: a later token would change earlier ones.": back((2, 3))[0],
            "Each token has one scale for all its heads. Heads differ: over the last dimension only.": back((1, 3))[0],
            "Your scale is for each of the D entries, over the tokens: it needs tokens that are not there yet.": back(
                (2,)
            )[0],
            "Symmetric: use the zero point, symmetric=False.": back((3,), symmetric=True)[0],
            "Those are the codes. Return what comes back from them: s · (q − z).": codes,
            "On the way back the zero point is not subtracted: s · (q − z).": shifted,
            "Nothing was rounded.": x,
        },
    )
    if not same(answer, right, 1e-4):
        raise Wrong(f"With 3 bits for each token yours has {difference(answer, right)}.")
    if not same(quantize_vectors(x, 4, "tensor"), back((0, 1, 2, 3), 4)[0], 1e-4):
        raise Wrong('With per="tensor" all numbers share one scale and zero point.')
    if not same(quantize_vectors(x, 4), back((3,), 4)[0], 1e-4):
        raise Wrong("With 4 bits it gives something else than it should: use bits everywhere.")
    if not same(quantize_vectors(x), back((3,), 8)[0], 1e-4):
        raise Wrong('Without settings it is 8 bits and per="token".')
    return "What is written stays as it was written, whatever comes later."
