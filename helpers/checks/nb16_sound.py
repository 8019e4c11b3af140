"""Check of notebook 16's sound: the log spectrum of each frame."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, difference, refuse_known, same, tensor

CHANGED = "You changed what you were given: it is needed again. Compute something new."


@exercise
def check_log_spectrum(log_spectrum: Callable) -> str:
    """Build: frames, a window, the magnitude of the Fourier transform, its logarithm with a floor."""
    import torch

    sounds = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
    answer = call(log_spectrum, sounds, 16, 8, changed=CHANGED)
    if torch.is_tensor(answer) and answer.is_complex():
        raise Wrong("These are complex numbers: take .abs(), the magnitude, before the logarithm.")
    _check_shape(answer)
    answer = tensor(answer, (2, 5, 9), "frames as rows, [..., frames, size / 2 + 1]")
    if not torch.isfinite(answer).all():
        raise Wrong("Somewhere yours is no finite number. The order: magnitude, + 0.001, logarithm.")
    cut = sounds.unfold(-1, 16, 8)
    window, plain = torch.hann_window(16), torch.fft.rfft(cut).abs()
    size = torch.fft.rfft(cut * window).abs()
    expected = (size + 1e-3).log()
    refuse_known(
        answer,
        {
            "The window is missing: multiply each frame by torch.hann_window(size).": (plain + 1e-3).log(),
            "That is the magnitude. Its logarithm, please: an ear hears ratios.": size,
            "That is the magnitude and the 0.001. Its logarithm, please.": size + 1e-3,
            "That is a logarithm to base 10. The natural one, please: .log().": (size + 1e-3).log10(),
            "That is a logarithm to base 2. The natural one, please: .log().": (size + 1e-3).log2(),
            "You added 0.001 to the logarithm. Add it to the magnitude, inside of the logarithm.": size.log() + 1e-3,
            "That is the real part alone. The magnitude, please: .abs() of the complex number.": (
                (torch.fft.rfft(cut * window).real.abs() + 1e-3).log()
            ),
            "That is log(1 + x), which hides everything soft.": size.log1p(),
            "You squared the magnitude. Only .abs(), please.": (size**2 + 1e-3).log(),
            "You added no 0.001: silence would become −∞.": size.log(),
            "You multiplied the spectrum by a window. The window is for the samples, before the transform.": (
                (plain * torch.hann_window(9) + 1e-3).log()
            ),
            "That is a Hamming window. torch.hann_window, please.": (
                (torch.fft.rfft(cut * torch.hamming_window(16)).abs() + 1e-3).log()
            ),
        },
    )
    if not same(answer, expected):
        raise Wrong(f"For my two sounds yours has {difference(answer, expected)}.")
    quiet = tensor(log_spectrum(torch.zeros(40), 8, 8), (5, 5), "five frames of one sound")
    if not same(quiet, torch.full((5, 5), 1e-3).log()):
        raise Wrong("Silence is log 0.001 everywhere, about −6.9; yours is not. Is the 0.001 inside of the logarithm?")
    tensor(log_spectrum(torch.zeros(2_000)), (15, 65), "15 frames of 128 samples when size and hop are left out")
    return "A sound has become rows of numbers, as a picture has."


def _check_shape(answer) -> None:
    import torch

    shape = tuple(answer.shape) if torch.is_tensor(answer) else ()
    if shape == (2, 5, 16):
        raise Wrong("The second half of a Fourier transform repeats the first: torch.fft.rfft leaves it out.")
    if shape == (2, 9, 5):
        raise Wrong("Frames and frequencies are exchanged: [..., frames, frequencies].")
    if shape in ((2, 3, 9), (2, 4, 9)):
        raise Wrong("A frame begins every 8 samples, at 0, 8, 16, 24, 32: five fit into 50. Yours begin every 16.")
    if shape in ((2, 6, 9), (2, 7, 9)):
        raise Wrong("Five whole frames fit into 50 samples, yours has more: what does not fill a frame is left out.")
