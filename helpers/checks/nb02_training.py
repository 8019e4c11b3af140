"""Check of the training loop that learners write in notebook 02; ``helpers.checks.nb02`` hands it on."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import kind, near, shown

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


def _run(variant: str = "", clip: float = CLIP, steps: int = STEPS) -> tuple[list[float], list[float]]:
    """Return the losses and the final weights of the loop, or of the loop with one known mistake."""
    import torch
    from torch import nn

    model = _model()
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=RATE), []
    for batch in _batches()[:steps]:
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
            nn.utils.clip_grad_norm_(model.parameters(), 1.0 if variant == "clip at 1" else clip)
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
    "clip at 1": "You clip at 1.0, whatever `clip` says. Hand `clip` on to `clip_grad_norm_`.",
    "step before backward": "The step comes before the gradients of its batch are there: first `backward()`, then `step()`.",
    "no clip": "The gradient was not clipped before the step: `clip_grad_norm_(model.parameters(), clip)` after `backward()`.",
    "clip values": "You clipped single numbers, which turns the gradient. `clip_grad_norm_` shortens it and keeps its direction.",
    "clip each": "You clipped each tensor by itself. All gradients together have one length: give all parameters at once.",
    "first batch only": "Every step was made with the first batch. Each step takes the next one.",
}


@exercise
def check_train(train: Callable) -> str:
    """Build: (model, batches, optimizer, loss, clip) to the list of losses; the model is trained in place."""
    try:
        answer, model, events = _trained(train, _batches())
    except TypeError as error:
        if "'Tensor' object is not callable" not in str(error):
            raise
        raise Wrong("You called the number `loss`, so that function is gone at the next batch. Use another name.") from None
    weights = _weights(model)
    if answer is None and "step" in events:
        raise Wrong("The model was trained, but nothing came back. Return the list of losses.")
    losses, (right, final) = _losses(tried(answer)), _run()
    if "backward" not in events:
        raise Wrong("There are no gradients: `backward()` on the loss computes them.")
    if "step" not in events and not _alike(weights, _weights(_model())):
        raise Wrong("The weights changed, but not by the optimizer you were given. Call `optimizer.step()` of the given one.")
    if "step" not in events:
        raise Wrong("The weights did not change. After the gradients, `optimizer.step()` moves them.")
    if next(event for event in events if event != "loss") == "step":
        raise Wrong(MISTAKES["step before backward"])
    if _alike(weights, _weights(_model())):
        raise Wrong("You clear the gradients after computing them, so the step has none: `zero_grad()` comes first.")
    for variant, message in MISTAKES.items():
        if _alike(weights, _run(variant)[1]):
            raise Wrong(message)
    if not _alike(weights, final):
        longer = _times_as_long(_weights(_trained(train, _batches()[:1])[1]))
        if longer:
            raise Wrong(
                f"The first step has the right direction, but is {longer:.3g} times as long as it should be. Does "
                "`clip_grad_norm_` get `clip` as it is?"
            )
        raise Wrong("After four batches the weights differ from those of: zero_grad, backward, clip, step. Compare line by line.")
    if _alike(losses, _run("loss afterwards")[0]):
        raise Wrong("Keep the loss that the gradient was computed from, before the step, not one computed afterwards.")
    if not _alike(losses, right):
        told = [shown([round(value, 3) for value in values]) for values in (right, losses)]
        raise Wrong(f"The weights are right, the losses are not: I expected {told[0]} and got {told[1]}.")
    if (asked := events.count("loss")) != STEPS:
        raise Wrong(f"For {STEPS} batches you called `loss` {asked} times. Once each: our loss carries the state on.")
    _, model, _ = _trained(train, _batches(), clip=1e6)
    if not _alike(_weights(model), _run(clip=1e6)[1]):
        raise Wrong("A gradient shorter than `clip` must stay as it is. `clip_grad_norm_` only ever shortens.")
    try:
        answer, _, _ = _trained(train, iter(_batches()))
    except TypeError as error:
        raise Wrong(f"`batches` may be a stream without a length ({error}). Go through it with `for batch in batches`.") from None
    if not _alike(_losses(answer), right):
        raise Wrong("`batches` may be a stream that can be read only once. Go through it once, with `for batch in batches`.")
    return "Clear, backward, clip, step: the same four lines train everything in this course, up to GPT."


def _times_as_long(weights: list[float]) -> float | None:
    """Return how many times as long as the right one a first step is that goes in its direction; None for any other."""
    start = _weights(_model())
    moved, right = ([now - before for now, before in zip(each, start)] for each in (weights, _run(steps=1)[1]))
    ratio = sum(a * b for a, b in zip(moved, right)) / sum(b * b for b in right)
    return ratio if ratio > 0 and _alike(moved, [ratio * b for b in right]) else None


def _trained(train: Callable, batches, clip: float = CLIP) -> tuple:
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
    return train(model, batches, Optimizer(model.parameters(), lr=RATE), loss, clip), model, events


def _losses(answer) -> list[float]:
    import torch

    if isinstance(answer, list | tuple) and answer and all(torch.is_tensor(value) for value in answer):
        raise Wrong("These losses are tensors, and each keeps its whole computation in memory. Keep the number: `value.item()`.")
    if not isinstance(answer, list | tuple) or not all(isinstance(value, float) for value in answer):
        raise Wrong(f"I expected a list of losses, one number for each batch, and got {kind(answer)}.")
    if len(answer) != STEPS:
        raise Wrong(f"For {STEPS} batches I expected {STEPS} losses and got {len(answer)}.")
    return list(answer)
