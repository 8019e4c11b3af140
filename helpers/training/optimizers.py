"""Which rule turns gradients into steps: AdamW for all, Muon for the matrices and AdamW for the rest, or SGD (notebook 06)."""

from collections.abc import Iterator

import torch
from torch import nn

OPTIMIZERS = ("adamw", "muon", "sgd")
BETAS = (0.9, 0.99)
ADAMW_SHARE = 0.25  # beside Muon, AdamW takes steps this much smaller: Muon's are measured in another way
MOMENTUM = 0.95  # of Muon
SGD_MOMENTUM = 0.9
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the Newton–Schulz iteration (Jordan 2024)


def make_optimizer(name: str, model: nn.Module, learning_rate: float, weight_decay: float = 0.0):
    """Return the optimizer called ``name`` for all parameters of ``model`` that are to be trained.

    "adamw" (Loshchilov & Hutter 2017), betas 0.9 and 0.99. "muon" (Jordan 2024): Muon for the matrices between the layers,
    AdamW, with a quarter of the learning rate, for what is looked up, for the scores and for single vectors. "sgd":
    stochastic gradient descent with momentum 0.9. Weight decay falls on matrices only. Every group's own learning rate
    stands in its "peak". Raises ValueError for another name.
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"there is no optimizer {name!r}; known are {', '.join(OPTIMIZERS)}")
    hidden, tables, vectors = parameter_groups(model)
    if name == "sgd":
        groups = [_group(hidden + tables, learning_rate, weight_decay), _group(vectors, learning_rate, 0.0)]
        return torch.optim.SGD([group for group in groups if group["params"]], learning_rate, momentum=SGD_MOMENTUM)
    if name == "adamw" or not hidden:
        groups = [_group(hidden + tables, learning_rate, weight_decay), _group(vectors, learning_rate, 0.0)]
        return _adamw(groups, learning_rate)
    # torch has a Muon of its own since 2.9. It computes in bfloat16: right on a GPU, three times slower on most processors.
    on_gpu = any(parameter.device.type != "cpu" for parameter in hidden)
    muon = getattr(torch.optim, "Muon", Muon) if on_gpu else Muon
    matrices = muon([_group(hidden, learning_rate, weight_decay)], lr=learning_rate, momentum=MOMENTUM)
    small = ADAMW_SHARE * learning_rate
    rest = _adamw([_group(tables, small, weight_decay), _group(vectors, small, 0.0)], small)
    return CombinedOptimizer(matrices, rest) if rest is not None else matrices


def parameter_groups(model: nn.Module) -> tuple[list, list, list]:
    """Return three lists of a model's trainable parameters: matrices between layers, tables, vectors.

    Tables are what is looked up (nn.Embedding) or gives the scores (a part called ``head``): each of their rows belongs to
    one token, so they are many vectors rather than one matrix. Vectors are biases and the factors of norms.
    """
    tables = {id(part.weight) for part in model.modules() if isinstance(part, nn.Embedding)}
    tables |= {id(value) for name, value in model.named_parameters() if "head" in name.split(".")}
    groups: tuple[list, list, list] = ([], [], [])
    for parameter in model.parameters():  # a shared parameter comes once
        if parameter.requires_grad:
            kind = 2 if parameter.ndim < 2 else 1 if id(parameter) in tables or parameter.ndim > 2 else 0
            groups[kind].append(parameter)
    return groups


def _group(parameters: list, peak: float, weight_decay: float) -> dict:
    return {"params": parameters, "peak": peak, "weight_decay": weight_decay}


def _adamw(groups: list[dict], learning_rate: float):
    groups = [group for group in groups if group["params"]]
    if not groups:
        return None
    # One pass over all numbers instead of a dozen small operations; Apple's GPU has no such kernel in every torch.
    fused = all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for g in groups for p in g["params"])
    return torch.optim.AdamW(groups, learning_rate, betas=BETAS, fused=fused)


class CombinedOptimizer:
    """Several optimizers that step as one; each parameter belongs to exactly one of them."""

    def __init__(self, *parts: torch.optim.Optimizer):
        self.parts = parts

    @property
    def param_groups(self) -> list[dict]:
        return [group for part in self.parts for group in part.param_groups]

    def zero_grad(self) -> None:
        for part in self.parts:
            part.zero_grad()

    def step(self) -> None:
        for part in self.parts:
            part.step()

    def state_dict(self) -> list[dict]:
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict]) -> None:
        for part, state in zip(self.parts, states, strict=True):
            part.load_state_dict(state)


@torch.no_grad()
def step_where(optimizer, finite: torch.Tensor) -> None:
    """Make a step if ``finite``, a bool on the parameters' device, is True, without waiting for a GPU to say so.

    Otherwise the parameters stay as they are; what the optimizer remembers of their gradients may be spoilt.
    """
    for part in getattr(optimizer, "parts", (optimizer,)):
        if part.defaults.get("fused"):
            part.grad_scale, part.found_inf = None, (~finite).float()  # what torch's GradScaler tells the fused kernels
            part.step()
            part.found_inf = None
        else:
            parameters = [each for group in part.param_groups for each in group["params"] if each.grad is not None]
            before = [parameter.clone() for parameter in parameters]
            part.step()
            for parameter, old in zip(parameters, before):
                parameter.copy_(torch.where(finite, parameter, old))


def orthogonalized(matrices: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Return matrices [N, A, B] with all singular values near 1, each keeping its directions.

    A step in the direction of the gradient alone moves much along a few directions and hardly along the others; this one
    moves alike along all. Five Newton–Schulz steps (Jordan 2024) instead of a singular value decomposition: near 1 is
    near enough (about 0.7 to 1.2), and products of matrices are what processors do best.
    """
    a, b, c = COEFFICIENTS
    wide = matrices.mT if matrices.shape[-2] > matrices.shape[-1] else matrices
    x = wide / wide.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if wide is not matrices else x


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalized (Jordan 2024): for processors, for torch without one of its own, and to be read.

    Parameters are matrices [A, B]. Each step has about the length learning rate × √(max(1, A / B)) in every direction.
    """

    def __init__(self, parameters, lr: float, momentum: float = MOMENTUM, weight_decay: float = 0.0):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for shape, alike in _by_shape(group["params"]):
                moves = []
                for parameter in alike:
                    state = self.state[parameter]
                    mean = state.setdefault("momentum_buffer", torch.zeros_like(parameter.grad))
                    mean.lerp_(parameter.grad, 1 - group["momentum"])
                    moves.append(parameter.grad.lerp(mean, group["momentum"]))  # Nesterov: look one step ahead
                length = group["lr"] * max(1, shape[0] / shape[1]) ** 0.5
                for parameter, move in zip(alike, orthogonalized(torch.stack(moves))):  # all of one shape at once
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.sub_(move, alpha=length)


def _by_shape(parameters: list) -> Iterator[tuple[torch.Size, list]]:
    shapes: dict[torch.Size, list] = {}
    for parameter in parameters:
        if parameter.grad is not None:
            shapes.setdefault(parameter.shape, []).append(parameter)
    yield from shapes.items()
