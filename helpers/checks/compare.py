"""How the checks take an answer, compare it and show it: what the exercises of all notebooks have in common.

Nothing here knows an exercise. An answer of the wrong kind raises ``Wrong`` with a sentence that says what was expected.
"""

import copy
import math
from collections.abc import Callable
from numbers import Real

from helpers.checks import Wrong, tried


def shown(value, width: int = 60) -> str:
    """Return a value as it stands in a message: its repr in one line, cut after ``width`` characters.

    Tensors and arrays are shown as lists, numbers to six digits: enough to see any difference that `near` sees.
    """
    text = repr(_simple(value)).replace("\n", " ")
    return text if len(text) <= width else text[: width - 1] + "…"


def _simple(value):
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list | tuple):
        return type(value)(map(_simple, value)) if type(value) in (list, tuple) else value
    return float(f"{value:.6g}") if isinstance(value, float) else value


def kind(value) -> str:
    """Return what kind of thing an answer is, for a message: "a str: 'x'", "a Tensor of shape [2, 2]"."""
    what = f" of shape {list(value.shape)}" if hasattr(value, "shape") else f": {shown(value)}"
    return f"a {type(value).__name__}{what}"


def call(function: Callable, *arguments, changed: str, first: bool = True):
    """Return what a learner's function answers to ``arguments``; raise ``Wrong(changed)`` when it has changed one.

    With ``first=False`` a None is not taken for an untouched stub: it is a forgotten return, for the caller to name.
    """
    kept = copy.deepcopy(arguments)
    answer = function(*arguments)
    if not _equal(arguments, kept):
        raise Wrong(changed)
    return tried(answer) if first else answer


def _equal(value, other) -> bool:
    if isinstance(value, list | tuple):
        return len(value) == len(other) and all(map(_equal, value, other))
    return value.equal(other) if hasattr(value, "equal") else value is other or value == other  # NaN is not equal to itself


def number(answer, what: str) -> float:
    """Return an answer as a float; a tensor or an array of one number is one. Raises Wrong for everything else."""
    value = _single(answer)
    if not isinstance(value, Real) or isinstance(value, bool):
        raise Wrong(f"I expected one number, {what}, and got {kind(answer)}.")
    return float(value)


def _single(answer):
    return answer.item() if hasattr(answer, "item") and math.prod(getattr(answer, "shape", ())) == 1 else answer


def whole(answer, what: str = "a whole one") -> int:
    """Return an answer as an int, also from a float that is whole. Raises Wrong for everything else."""
    value = number(answer, what)
    if value % 1 != 0:  # of inf and NaN it is NaN
        raise Wrong(f"I expected one number, {what}, and got {shown(answer)}.")
    return int(value)


def items(answer, what: str) -> list:
    """Return an answer as a list: a list, a tuple, a tensor or an array. Raises Wrong for everything else."""
    answer = answer.tolist() if hasattr(answer, "tolist") else answer
    if not isinstance(answer, list | tuple):
        raise Wrong(f"I expected {what} and got {kind(answer)}.")
    return list(answer)


def tensor(answer, shape: tuple, what: str):
    """Return an answer as float64, with its gradient. Raises Wrong when it is no real tensor of that shape."""
    import torch

    if not torch.is_tensor(answer) or answer.is_complex():
        raise Wrong(f"I expected {what} and got a {type(answer).__name__}: {shown(answer)}.")
    if tuple(answer.shape) != shape:
        raise Wrong(f"I expected {what}, of shape {list(shape)}, and got shape {list(answer.shape)}.")
    return answer.double()


def scalar(answer, what: str):
    """Return an answer, a Python number or a tensor [], as a float64 tensor [] with its gradient. Raises Wrong else."""
    import torch

    if isinstance(answer, int | float) and not isinstance(answer, bool):
        return torch.tensor(float(answer)).double()
    return tensor(answer, (), what)


def module(answer, what: str):
    """Return an answer that is a network. Raises Wrong when it is no ``torch.nn.Module``: ``what`` says what was expected."""
    from torch import nn

    if not isinstance(answer, nn.Module):
        raise Wrong(f"I expected {what}, a torch.nn.Module, and got {kind(answer)}.")
    return answer


def near(answer, expected: float, tolerance: float = 1e-5) -> bool:
    """Whether a number is the expected one, up to a relative ``tolerance``; what is no number is near to nothing."""
    value = _single(answer)
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and math.isclose(value, expected, rel_tol=tolerance, abs_tol=tolerance / 1000)


def same(answer, expected, tolerance: float = 1e-5) -> bool:
    """Whether a tensor has the shape and the numbers of the expected one; what is no tensor is like nothing."""
    import torch

    expected = torch.as_tensor(expected).detach().double()
    if not torch.is_tensor(answer) or answer.is_complex() or answer.shape != expected.shape:
        return False
    return torch.allclose(answer.detach().double(), expected, rtol=1e-4, atol=tolerance, equal_nan=True)


def refuse_known(answer, mistakes: dict, alike: Callable = same) -> None:
    """Raise ``Wrong`` with the first message of ``{message: what that mistake gives}`` whose value the answer is."""
    for message, wrong in mistakes.items():
        if alike(answer, wrong):
            raise Wrong(message)


def difference(answer, expected) -> str:
    """Return where two tensors of one shape differ first: "at [0, 2, 1] 0.25 instead of 0.5"."""
    import torch

    apart = ~torch.isclose(answer.detach().double(), expected.detach().double(), rtol=1e-4, atol=1e-5)
    index = tuple(apart.nonzero()[0].tolist())
    return f"at {list(index)} {answer[index].item():.4g} instead of {expected[index].item():.4g}"


def refuse_fixed_device(run: Callable, message: str) -> None:
    """Raise ``Wrong(message)`` when ``run()`` mixes devices; call it with weights and inputs on torch's device "meta".

    That device holds shapes and no numbers and is there on every computer: what was made on the CPU fails beside it as it would
    beside a GPU. Code that needs numbers fails on it as well, for another reason, which is none of ours.
    """
    try:
        run()
    except (RuntimeError, NotImplementedError) as error:
        if "on device" in str(error) or "same device" in str(error):
            raise Wrong(message) from None


def gradient_of(answer, source):
    """Return the gradient of the sum of an answer with respect to the tensor ``source``, zeros where none flows."""
    import torch

    if not answer.requires_grad:
        return torch.zeros_like(source)
    return torch.autograd.grad(answer.sum(), source, retain_graph=True, allow_unused=True, materialize_grads=True)[0]
