"""Check of the LSTM cell that learners write in notebook 02; ``helpers.checks.nb02`` hands it on."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, kind, module, refuse_known, shown, tensor


@exercise
def check_LSTMCell(LSTMCell: type) -> str:
    """Build: one step of an LSTM, x [B, E] and the state (h, c), each [B, H], to the new state (h, c)."""
    import torch

    cell, x, h, c = _cell(LSTMCell, 4, 2, 3)
    changed = "You changed the state you were given, as `*=` does. Make new tensors: the caller needs the old ones."
    try:
        answer = call(lambda x, h, c: cell(x, (h, c)), x, h, c, changed=changed)
    except RuntimeError as error:
        if "size of tensor a (12) must match" not in str(error):
            raise
        raise Wrong("`.chunk(4)` cuts the rows, which are the texts. Cut the last dimension: `.chunk(4, dim=-1)`.") from None
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise Wrong(f"Return two tensors, the new h and the new c, and not {kind(answer)}.")
    new_h, new_c = (tensor(part, (4, 3), f"the new {name}, a row for each text") for part, name in zip(answer, "hc"))
    with torch.no_grad():
        _compare(cell, x, h, c, new_h.detach(), new_c.detach())
    _check_gradients(cell, x, h, c)
    _check_another_size(*_cell(LSTMCell, 2, 4, 5))
    return "Forget, add, show: an LSTM cell, equal to the formulas."


def _cell(LSTMCell: type, rows: int, inputs: int, hidden: int) -> tuple:
    """Return a learner's cell with random weights, and random x, h and c for ``rows`` texts."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        cell = module(tried(LSTMCell(inputs, hidden)), "a cell").double()
        parts = {"W_xh": (inputs, 4 * hidden), "W_hh": (hidden, 4 * hidden), "b": (4 * hidden,)}
        held = {name: tuple(weights.shape) for name, weights in cell.named_parameters()}
        for name, shape in parts.items():
            if held.get(name) != shape:
                raise Wrong(f"{name} should have the shape {list(shape)}: keep what `__init__` of the stub makes.")
        for weights in cell.parameters():
            weights.data = torch.randn(weights.shape, dtype=torch.float64)
        return cell, *(torch.randn(rows, size, dtype=torch.float64) for size in (inputs, hidden, hidden))


def _step(cell, x, h, c) -> tuple:
    """Return the new h and c by the formulas."""
    i, f, g, o = (x @ cell.W_xh + h @ cell.W_hh + cell.b).chunk(4, dim=-1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def _check_gradients(cell, x, h, c) -> None:
    import torch

    def gradients(step: Callable) -> tuple:
        given = [part.clone().requires_grad_() for part in (h, c)]
        first = step(x, *given)
        second = step(x, *first)  # twice, so that the gradient passes through both states
        total = second[0].sum() + (second[1] ** 2).sum()
        sources = [given[1], given[0], cell.W_xh, cell.W_hh, cell.b]
        return torch.autograd.grad(total, sources, allow_unused=True) if total.requires_grad else [None] * len(sources)

    mine, right = gradients(lambda x, h, c: cell(x, (h, c))), gradients(lambda *given: _step(cell, *given))
    for name, one, other in zip(("the old c", "the old h", "W_xh", "W_hh", "b"), mine, right):
        if one is None or not torch.allclose(one, other, atol=1e-6):
            raise Wrong(f"The numbers are right, the gradient of {name} is not: use no `detach`, `.data` or `no_grad`.")


def _check_another_size(cell, x, h, c) -> None:
    import torch

    sizes = "It works for 4 texts and 3 hidden units, but not for 2 texts and 5: write no size into the code"
    try:
        with torch.no_grad():
            new_h, new_c = cell(x, (h, c))
    except (RuntimeError, ValueError, IndexError) as error:
        raise Wrong(f"{sizes} ({error}).") from None
    right_h, right_c = (part.detach() for part in _step(cell, x, h, c))
    for name, answer, expected in (("c", new_c, right_c), ("h", new_h, right_h)):
        if answer.shape != expected.shape:
            raise Wrong(f"{sizes}. The new {name} has shape {list(answer.shape)}.")
        if not torch.allclose(answer, expected):
            raise Wrong(f"{sizes}. The new {name} is {difference(answer, expected)}.")


def _compare(cell, x, h, c, new_h, new_c) -> None:
    import torch

    sigmoid, tanh = torch.sigmoid, torch.tanh
    both = x @ cell.W_xh + h @ cell.W_hh
    i, f, g, o = (both + cell.b).chunk(4, dim=-1)
    right = sigmoid(f) * c + sigmoid(i) * tanh(g)
    shown_h = sigmoid(o) * tanh(right)
    if torch.allclose(new_h, right) and torch.allclose(new_c, shown_h):
        raise Wrong("The two came back in the wrong order: first h, then c.")
    ib, fb, gb, _ = both.chunk(4, dim=-1)
    keep, add = sigmoid(f) * c, sigmoid(i) * tanh(g)
    mistakes = {
        "The bias b is missing from the gates.": sigmoid(fb) * c + sigmoid(ib) * tanh(gb),
        "Forget gate and input gate are exchanged. The order of the four parts is i, f, g, o, and f multiplies the old c.": (
            sigmoid(i) * c + sigmoid(f) * tanh(g)
        ),
        "The order of the four parts is i, f, g, o: the third is the candidate, the fourth the output gate.": (
            keep + sigmoid(i) * tanh(o)
        ),
        "The candidate g goes through tanh, not through the sigmoid: it may be negative.": keep + sigmoid(i) * sigmoid(g),
        "g went through the sigmoid first. It goes through tanh alone.": keep + sigmoid(i) * tanh(sigmoid(g)),
        "The gates are not squashed: i and f go through the sigmoid, so that they lie between 0 and 1.": f * c + i * tanh(g),
        "The input gate is missing: it multiplies the candidate before it is added.": keep + tanh(g),
        "The forget gate is missing: it multiplies the old cell state.": c + add,
        "You multiplied the old cell state by 1 − f. At f = 1 it is kept.": (1 - sigmoid(f)) * c + add,
        "No tanh stands between the old c and the new one: c = f · c + i · g, and nothing around it.": tanh(right),
        "The old cell state is missing from the new one: c = f · c + i · g.": add,
        "This is the old c, unchanged: c = f · c + i · g.": c,
    }
    refuse_known(new_c, mistakes)
    if not torch.allclose(new_c, right, atol=1e-6):
        raise Wrong(f"The new c differs from f · c + i · g; for the first text I got {shown(new_c[0])}.")
    mistakes = {
        "h lacks its tanh: h = o · tanh(c).": sigmoid(o) * right,
        "h was made from the old cell state. Compute c first: h = o · tanh(c) with the new c.": sigmoid(o) * tanh(c),
        "The output gate is missing: h = o · tanh(c).": tanh(right),
        "The output gate is not squashed: o goes through the sigmoid.": o * tanh(right),
        "This h is the same as c. The output is h = o · tanh(c).": right,
    }
    refuse_known(new_h, mistakes)
    if not torch.allclose(new_h, shown_h, atol=1e-6):
        raise Wrong(f"c is right, h is not: h = o · tanh(c); for the first text I got {shown(new_h[0])}.")
