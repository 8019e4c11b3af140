"""LoRA: train two thin matrices beside each frozen one (Hu et al. 2021, arXiv:2106.09685; used in notebook 07).

Fine-tuning changes a matrix W [out, in] by some ΔW. LoRA bets that a ΔW of low rank is enough, and writes it as B A with
A [rank, in] and B [out, rank]: few numbers to train, few to store, and W itself stays as it was.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

GPT_PARTS = ("qkv", "output", "up", "down")  # the four matrices of a GPT's block


class LoRALinear(nn.Module):
    """A frozen ``nn.Linear`` and what is learned beside it: y = W x + b + (alpha / rank) · B A x.

    x [..., in] gives y [..., out]. B begins at zero, so at first nothing has changed. Raises ValueError for a rank below 1
    or above the smaller side of W: then B A could not be of lower rank than W.
    """

    def __init__(self, linear: nn.Linear, rank: int = 8, alpha: float = 16.0):
        super().__init__()
        if not 1 <= rank <= min(linear.weight.shape):
            raise ValueError(f"rank is {rank}: give 1 to {min(linear.weight.shape)}, usually 4 to 16")
        self.linear, self.rank, self.alpha = linear.requires_grad_(False), rank, alpha
        like = {"device": linear.weight.device, "dtype": linear.weight.dtype}
        self.A = nn.Parameter(torch.randn(rank, linear.in_features, **like) * linear.in_features**-0.5)
        self.B = nn.Parameter(torch.zeros(linear.out_features, rank, **like))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        beside = functional.linear(functional.linear(x, self.A), self.B)
        return self.linear(x) + self.alpha / self.rank * beside

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """Return one nn.Linear that gives the same; the frozen one is changed into it."""
        self.linear.weight += self.alpha / self.rank * self.B @ self.A
        return self.linear


def add_lora(model: nn.Module, rank: int = 8, alpha: float = 16.0, parts: Sequence[str] = GPT_PARTS) -> nn.Module:
    """Freeze ``model`` and put a `LoRALinear` in the place of each nn.Linear whose name ends in one of ``parts``.

    The model is changed in place and returned; from now on only A and B are trained. Raises ValueError when it has LoRA
    already, when no part has such a name, or for a rank that does not fit.
    """
    if any(_beside(model)):
        raise ValueError("this model has LoRA already: merge_lora(model) first, or go on training what it has")
    chosen = [name for name, part in model.named_modules() if isinstance(part, nn.Linear) and _last(name) in parts]
    if not chosen:
        linear = sorted({_last(name) for name, part in model.named_modules() if isinstance(part, nn.Linear)})
        raise ValueError(f"no matrix is called {' or '.join(parts)}; this model has {', '.join(linear) or 'none'}")
    made = {name: LoRALinear(model.get_submodule(name), rank, alpha) for name in chosen}  # all fit, or nothing changes
    model.requires_grad_(False)
    for name, part in made.items():
        _put(model, name, part)
        part.A.requires_grad_(True), part.B.requires_grad_(True)
    return model


def merge_lora(model: nn.Module) -> nn.Module:
    """Add every B A to its W and take the extra matrices away; the model is changed in place, trainable, and returned.

    It gives the same as before, up to rounding, and costs what it cost without LoRA. Raises ValueError without LoRA.
    """
    for name, part in _checked(model):
        _put(model, name, part.merged())
    return model.requires_grad_(True)


def save_lora(model: nn.Module, path: str | os.PathLike) -> Path:
    """Write A and B alone, float32, to a safetensors file and return its path; raises ValueError without LoRA.

    The file remembers rank, alpha and a fingerprint of the frozen matrices, so that it cannot be put on another model.
    """
    from safetensors.torch import save

    parts = _checked(model)
    tensors = {f"{name}.{side}": getattr(part, side).detach().cpu().float() for name, part in parts for side in "AB"}
    about = {"rank": parts[0][1].rank, "alpha": parts[0][1].alpha, "beside": _fingerprint(parts)}
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(save({name: value.contiguous() for name, value in tensors.items()}, {"lora": json.dumps(about)}))
    return fresh.replace(path)


def load_lora(model: nn.Module, path: str | os.PathLike) -> nn.Module:
    """Put the A and B of a file that ``save_lora`` wrote beside the matrices of ``model``, in place, and return it.

    Raises ValueError when the file is missing, damaged, or was trained beside other matrices than this model's.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})["lora"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # a file is no dict
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{Path(path).name} is no file of save_lora, or damaged: {error}") from None
    names = sorted({name.rpartition(".")[0] for name in tensors})
    found = dict(model.named_modules())
    parts = [(name, found[name]) for name in names if isinstance(found.get(name), nn.Linear)]
    if len(parts) < len(names) or _fingerprint(parts) != about["beside"]:
        raise ValueError(
            f"{Path(path).name} was trained beside the matrices of another model: load it on the one it was made for, "
            "as it was before LoRA"
        )
    add_lora(model, about["rank"], about["alpha"], sorted({_last(name) for name in names}))
    with torch.no_grad():
        for name, part in _checked(model):
            part.A.copy_(tensors[f"{name}.A"]), part.B.copy_(tensors[f"{name}.B"])
    return model


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _put(model: nn.Module, name: str, part: nn.Module) -> None:
    above, _, last = name.rpartition(".")
    setattr(model.get_submodule(above), last, part)


def _beside(model: nn.Module) -> Iterator[tuple[str, LoRALinear]]:
    return ((name, part) for name, part in model.named_modules() if isinstance(part, LoRALinear))


def _checked(model: nn.Module) -> list[tuple[str, LoRALinear]]:
    parts = list(_beside(model))
    if not parts:
        raise ValueError("this model has no LoRA: add_lora(model) puts it there")
    return parts


def _fingerprint(parts: Sequence[tuple[str, nn.Module]]) -> str:
    """Return a hash of the frozen matrices, rounded to 16 bits as checkpoints store them, in the order of their names."""
    known = hashlib.sha256()
    for name, part in sorted(parts):
        weight = (part.linear if isinstance(part, LoRALinear) else part).weight
        known.update(name.encode() + weight.detach().cpu().half().numpy().tobytes())
    return known.hexdigest()
