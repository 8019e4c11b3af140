"""Check of notebook 08's build cell on cycle consistency."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import gradient_of, refuse_known, same, scalar, shown


@exercise
def check_cycle_loss(cycle_loss: Callable) -> str:
    """Build 4: two translators and pictures of both domains, [N, …] each, to the loss of the two round trips."""
    import torch

    def there(images):
        return 2 * images + 1

    def back(images):
        return 0.25 * images.square()

    def square(a, b):
        return (a - b).square().mean()

    x = torch.tensor([[1.0, 0.0], [2.0, -1.0]]).double()
    y = torch.tensor([[3.0, 1.0], [-1.0, 5.0], [0.0, 2.0]]).double()
    answer = scalar(tried(cycle_loss(there, back, x, y)), "the loss, one number")
    first, second = square(back(there(x)), x), square(there(back(y)), y)
    one = "One round trip only. Add both: x there and back, and y back and there."
    by_size = (x.numel() * first + y.numel() * second) / (x.numel() + y.numel())
    known = {
        one: first,
        one + " ": second,
        "You began with the wrong translator: x goes *there* first, and then *back*.": (
            square(there(back(x)), x) + square(back(there(y)), y)
        ),
        "Both trips begin with `there`. It takes x; y starts in the other domain, so it goes *back* first.": (
            first + square(back(there(y)), y)
        ),
        "You compared after one way: the translation *should* differ. Go back before you compare.": (
            square(there(x), x) + square(back(y), y)
        ),
        "You took absolute values. DiscoGAN's distance is the mean square.": (
            (back(there(x)) - x).abs().mean() + (there(back(y)) - y).abs().mean()
        ),
        "You took the sum over all pixels. Take the mean of each trip, then add the two.": (
            x.numel() * first + y.numel() * second
        ),
        "You took one mean over the pixels of both trips. Take a mean of each trip, then add the two.": by_size,
        "You took the mean of the two trips. Add them.": (first + second) / 2,
        "You took the root. The mean square itself is the loss.": first.sqrt() + second.sqrt(),
    }
    refuse_known(answer, known)
    if not same(answer, first + second):
        raise Wrong(f"For these two domains I expected {(first + second).item():.3f} and got {shown(answer)}.")
    weight = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    through = scalar(cycle_loss(lambda images: weight * images, back, x, y), "the loss, one number")
    if not gradient_of(through, weight).any():
        raise Wrong("No gradient reaches the translators. Was something detached on the way?")
    return "There and back again: what comes home must be what left."
