"""Checks of the training loop and the LSTM cell that learners write in notebook 02; ``helpers.checks.nb02`` hands them on."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, gradient_of, kind, module, near, refuse_known, shown, tensor

STEPS, CLIP, RATE = 4, 0.5, 0.3


def _model():
    """Return a small model in float64, always with the same weights."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()


def _batches() -> list:
    import torch

    rng = torch.Generator().manual_seed(5)
    return [torch.randn(6, 3, generator=rng, dtype=torch.float64) * 3 for _ in range(STEPS)]


def _loss(model, batch):
    return ((model(batch[:, :2])[:, 0] - batch[:, 2]) ** 2).mean()


def _run(variant: str = "") -> tuple[list[float], list[float]]:
    """Return the losses and the final weights of the loop, or of the loop with one known mistake."""
    import torch
    from torch import nn

    model = _model()
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=RATE), []
    for batch in _batches():
        batch = _batches()[0] if variant == "first batch only" else batch
        if variant == "step before backward":
            optimizer.step()
        value = _loss(model, batch)
        if variant != "no zero_grad":
            optimizer.zero_grad()
        value.backward()
        if variant == "clip values":
            nn.utils.clip_grad_value_(model.parameters(), CLIP)
        elif variant == "clip each":
            for weights in model.parameters():
                nn.utils.clip_grad_norm_([weights], CLIP)
        elif variant != "no clip":
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        if variant != "step before backward":
            optimizer.step()
        losses.append(_loss(model, batch).item() if variant == "loss afterwards" else value.item())
    return losses, _weights(model)


def _weights(model) -> list[float]:
    return [number for weights in model.parameters() for number in weights.detach().flatten().tolist()]


def _alike(one, other) -> bool:
    return len(one) == len(other) and all(near(a, b, 1e-6) for a, b in zip(one, other))


MISTAKES = {
    "no zero_grad": "The gradients of all batches add up. Call `optimizer.zero_grad()` before `backward()`.",
    "step before backward": "The step comes before the gradients of its batch are there: first `backward()`, then `step()`.",
    "no clip": "The gradient was not clipped before the step: `clip_grad_norm_(model.parameters(), clip)` after `backward()`.",
    "clip values": "You clipped single numbers, which turns the gradient. `clip_grad_norm_` shortens it and keeps its direction.",
    "clip each": "You clipped each tensor by itself. All gradients together have one length: give all parameters at once.",
    "first batch only": "Every step was made with the first batch. Each step takes the next one.",
}


@exercise
def check_train(train: Callable) -> str:
    """Build: (model, batches, optimizer, loss, clip) to the list of losses; the model is trained in place."""
    answer, model, events = _trained(train, _batches())
    weights = _weights(model)
    if answer is None and "step" in events:
        raise Wrong("The model was trained, but nothing came back. Return the list of losses.")
    losses, (right, final) = _losses(tried(answer)), _run()
    if "backward" not in events:
        raise Wrong("There are no gradients: `backward()` on the loss computes them.")
    if "step" not in events and not _alike(weights, _weights(_model())):
        raise Wrong("The weights changed, but not by the optimizer you were given. Call `optimizer.step()`; make none of your own.")
    if "step" not in events:
        raise Wrong("The weights did not change. After the gradients, `optimizer.step()` moves them.")
    if _alike(weights, _weights(_model())):
        raise Wrong("You clear the gradients after computing them, so the step has none: `zero_grad()` comes first.")
    for variant, message in MISTAKES.items():
        if _alike(weights, _run(variant)[1]):
            raise Wrong(message)
    if not _alike(weights, final):
        raise Wrong("After four batches the weights differ from those of: zero_grad, backward, clip, step. Compare the order.")
    if _alike(losses, _run("loss afterwards")[0]):
        raise Wrong("Keep the loss that the gradient was computed from, before the step, not one computed afterwards.")
    if not _alike(losses, right):
        told = [shown([round(value, 3) for value in values]) for values in (right, losses)]
        raise Wrong(f"The weights are right, the losses are not: I expected {told[0]} and got {told[1]}.")
    if (asked := events.count("loss")) != STEPS:
        raise Wrong(f"For {STEPS} batches you called `loss` {asked} times. Once each: our loss carries the state on.")
    try:
        answer, _, _ = _trained(train, iter(_batches()))
    except TypeError as error:
        raise Wrong(f"`batches` may be a stream without a length ({error}). Go through it with `for batch in batches`.") from None
    if not _alike(_losses(answer), right):
        raise Wrong("`batches` may be a stream that can be read only once. Go through it once, with `for batch in batches`.")
    return "Clear, backward, clip, step: the same four lines train everything in this course, up to GPT."


def _trained(train: Callable, batches) -> tuple:
    """Return what the learner's loop answers, the model it has trained, and in which order losses, gradients and steps came."""
    import torch

    events: list[str] = []

    class Optimizer(torch.optim.SGD):
        def step(self, closure=None):
            events.append("step")
            return super().step(closure)

    def loss(model, batch):
        events.append("loss")
        value = _loss(model, batch)
        value.register_hook(lambda gradient: events.append("backward"))
        return value

    model = _model()
    return train(model, batches, Optimizer(model.parameters(), lr=RATE), loss, CLIP), model, events


def _losses(answer) -> list[float]:
    import torch

    if isinstance(answer, list | tuple) and answer and all(torch.is_tensor(value) for value in answer):
        raise Wrong("These losses are tensors, and each keeps its whole computation in memory. Keep the number: `value.item()`.")
    if not isinstance(answer, list | tuple) or not all(isinstance(value, float) for value in answer):
        raise Wrong(f"I expected a list of losses, one number for each batch, and got {kind(answer)}.")
    if len(answer) != STEPS:
        raise Wrong(f"For {STEPS} batches I expected {STEPS} losses and got {len(answer)}.")
    return list(answer)


@exercise
def check_LSTMCell(LSTMCell: type) -> str:
    """Build: one step of an LSTM, x [B, E] and the state (h, c), each [B, H], to the new state (h, c)."""
    import torch

    cell, x, h, c = _cell(LSTMCell, 4, 2, 3)
    changed = "You changed the state you were given, as `*=` does. Make new tensors: the caller needs the old ones."
    answer = call(lambda x, h, c: cell(x, (h, c)), x, h, c, changed=changed)
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


def _check_gradients(cell, x, h, c) -> None:
    h, c = h.clone().requires_grad_(), c.clone().requires_grad_()
    answer = sum(part.sum() for part in cell(x, (h, c)))
    for name, source in (("c", c), ("h", h), ("W_xh", cell.W_xh)):
        if not gradient_of(answer, source).any():
            raise Wrong(f"The numbers are right, but no gradient reaches {name}: leave out `detach`, `.data` and `no_grad`.")


def _check_another_size(cell, x, h, c) -> None:
    import torch

    sizes = "It works for 4 texts and 3 hidden units, but not for 2 texts and 5: write no size into the code"
    try:
        with torch.no_grad():
            new_h, new_c = cell(x, (h, c))
    except (RuntimeError, ValueError, IndexError) as error:
        raise Wrong(f"{sizes} ({error}).") from None
    i, f, g, o = (x @ cell.W_xh + h @ cell.W_hh + cell.b).detach().chunk(4, dim=-1)
    right = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    for name, answer, expected in (("c", new_c, right), ("h", new_h, torch.sigmoid(o) * torch.tanh(right))):
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
        "This h is the same as c. What is shown is h = o · tanh(c).": right,
    }
    refuse_known(new_h, mistakes)
    if not torch.allclose(new_h, shown_h, atol=1e-6):
        raise Wrong(f"c is right, h is not: h = o · tanh(c); for the first text I got {shown(new_h[0])}.")
