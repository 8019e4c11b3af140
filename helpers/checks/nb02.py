"""Checks of notebook 02, *The RNN Reddit bot*; those of counting, sampling and training stand in files of their own."""

import math
from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, same, shown
from helpers.checks.nb02_lstm import check_LSTMCell
from helpers.checks.nb02_ngram import check_count_ngrams, check_mixed_probability
from helpers.checks.nb02_sampling import check_min_p_probabilities, check_sampling_probabilities
from helpers.checks.nb02_training import check_train

__all__ = [
    "check_LSTMCell",
    "check_clip_gradients",
    "check_count_ngrams",
    "check_min_p_probabilities",
    "check_mixed_probability",
    "check_sampling_probabilities",
    "check_step_backward",
    "check_train",
]


@exercise
def check_clip_gradients(clip_gradients: Callable) -> str:
    """Exercise 2: tensors shortened by one factor, to a joint length of at most ``limit``."""
    import torch

    def ask(given: list, limit: float) -> list:
        changed = "You changed the gradients you were given. Return new tensors."
        answer = call(clip_gradients, given, limit, changed=changed, first=limit == 6.5)
        if answer is None:  # the first question is answered, so a return is missing
            raise Wrong("For gradients that are short enough nothing came back. Return them there, too.")
        if not isinstance(answer, list | tuple) or len(answer) != len(given):
            raise Wrong(f"I expected a list with one tensor for each gradient and got {shown(answer)}.")
        if not all(torch.is_tensor(a) and a.shape == b.shape for a, b in zip(answer, given)):
            raise Wrong("Each gradient must come back as a tensor of the shape it had.")
        return [tensor.detach().float() for tensor in answer]

    def like(*expected) -> bool:
        return all(same(a, b, 1e-6) for a, b in zip(answer, expected))

    given = [torch.tensor([3.0, 0.0]), torch.tensor([[4.0], [12.0]])]  # joined, an arrow of length 13
    answer = ask(given, 6.5)
    if like(given[0], given[1] * 6.5 / math.sqrt(160)):
        raise Wrong(
            "You clipped each tensor by itself, so the gradient changes direction. There is one length, over all tensors."
        )
    if like(given[0], given[1].clamp(-6.5, 6.5)):
        raise Wrong("You clipped single numbers, so the gradient changes direction. Multiply everything by one factor instead.")
    if like(*(tensor * 6.5 / (3 + math.sqrt(160)) for tensor in given)):
        raise Wrong("You added up the lengths of the tensors. Add up all squares, then take one square root.")
    if like(*(tensor * 6.5 / 169 for tensor in given)):
        raise Wrong("You forgot the square root: 169 is the sum of the squares, and the length is 13.")
    if like(*(tensor / 13 for tensor in given)):
        raise Wrong("The gradient came back with length 1. The factor is the limit divided by the length.")
    if not like(given[0] / 2, given[1] / 2):
        raise Wrong(f"The joint length is 13, so with limit 6.5 everything is halved; I got {shown(answer)}.")
    answer = ask(given, 100.0)
    if not like(*given):
        raise Wrong("The gradient is shorter than the limit, and you changed its length. Clipping only ever shortens.")
    try:
        answer = ask([torch.zeros(2)], 1.0)
    except ZeroDivisionError:
        answer = [torch.full((2,), math.nan)]
    if not torch.equal(answer[0], torch.zeros(2)):
        raise Wrong("Gradients of zero have the length 0, and you divide by it. They should stay zero.")
    return "One factor for all, and never above one: the gradient keeps its direction."


@exercise
def check_step_backward(step_backward: Callable) -> str:
    """Exercise 3: gradients of one recurrent step with respect to W_xh, W_hh, b and the old hidden state."""
    import torch

    rng = torch.Generator().manual_seed(0)
    W, U, b, x, h, d = (  # E = 2 and H = 3, so that a wrong shape shows; W_hh, here U, is not symmetric
        torch.randn(*size, generator=rng, dtype=torch.float64) for size in ((2, 3), (3, 3), (3,), (2,), (3,), (3,))
    )
    new = torch.tanh(x @ W + h @ U + b)
    changed = "You changed what you were given, as `*=` does. Make new tensors: the caller needs the old ones."
    answer = call(step_backward, x, h, new, U, d, changed=changed)
    if not isinstance(answer, tuple | list) or len(answer) != 4 or not all(map(torch.is_tensor, answer)):
        raise Wrong("Return four gradients, all tensors, in this order: of W_xh, W_hh, b and the old hidden state h.")

    def four(z) -> tuple:
        return torch.outer(x, z), torch.outer(h, z), z, z @ U.T

    def like(z) -> bool:
        return all(map(same, answer, four(z)))

    z = d * (1 - new**2)
    right = four(z)
    if like(d):
        raise Wrong("The tanh is missing. Its slope is 1 − h_new²: multiply d_h_new by it first.")
    if like(d * (1 - h**2)):
        raise Wrong("The slope of the tanh belongs to what came out: 1 − h_new², not 1 − h².")
    if like(d * (1 - torch.tanh(new) ** 2)):
        raise Wrong("You took the tanh twice. h_new is a tanh already, so its slope is simply 1 − h_new².")
    if like(d * (1 - new)):
        raise Wrong("The slope of the tanh is 1 − h_new², with a square.")
    if like(1 - new**2):
        raise Wrong("This is the slope of the tanh alone. Multiply it by d_h_new, the gradient that arrives.")
    if same(answer[0], right[0].T):
        raise Wrong("The gradient of W_xh is transposed: it must have the shape of W_xh, E × H. What came in is first.")
    names = ("W_xh", "W_hh", "b", "the old hidden state h")
    wrong = [i for i in range(4) if not same(answer[i], right[i])]
    if wrong and all(any(same(part, expected) for part in answer) for expected in right):
        raise Wrong("The order is not right: first W_xh, then W_hh, then b, then the old hidden state h.")
    if 1 in wrong and same(answer[1], right[1].T):
        raise Wrong("The gradient of W_hh is transposed: the row is what came in (h), the column what went out.")
    if 1 in wrong and same(answer[1], torch.outer(new, z)):
        raise Wrong("W_hh was multiplied with the old hidden state h, not with h_new: its gradient is outer(h, d_z).")
    if 3 in wrong and same(answer[3], z @ U):
        raise Wrong("On the way back the hidden state passes W_hh the other way: transpose it.")
    if wrong:
        raise Wrong(f"The gradient of {' and of '.join(names[i] for i in wrong)} differs from autograd's.")
    return "All four equal autograd's. Put it into a loop from the last step to the first, and you train a network by hand."
