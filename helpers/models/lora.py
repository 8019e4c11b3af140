"""LoRA: train two thin matrices beside each frozen one (Hu et al. 2021, arXiv:2106.09685; used in notebook 07).

Fine-tuning changes a matrix W [out, in] by some ΔW. LoRA bets that a ΔW of low rank is enough, and writes it as B A with
A [rank, in] and B [out, rank]: few numbers to train, few to store, and W itself stays as it was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from helpers.io import sha256, write_bytes

GPT_PARTS = ("qkv", "output", "gate", "up", "down")  # the matrices of a GPT's block; a gate has SwiGLU alone
PREFIX = "base_model.model."  # of all names in a file of the library PEFT
SUFFIXES = {"A": ".lora_A.weight", "B": ".lora_B.weight"}


class LoRALinear(nn.Module):
    """A frozen ``nn.Linear`` and what is learned beside it: y = W x + b + (alpha / rank) · B A x.

    x [..., in] gives y [..., out]. B begins at zero, so at first nothing has changed; ``scale`` is alpha / rank. Raises
    ValueError for a rank below 1 or above the smaller side of W: then B A could not be of lower rank than W.
    """

    def __init__(self, linear: nn.Linear, rank: int = 8, alpha: float = 16.0):
        super().__init__()
        if not 1 <= rank <= min(linear.weight.shape):
            raise ValueError(f"rank is {rank}: give 1 to {min(linear.weight.shape)}, usually 4 to 16")
        self.linear, self.scale = linear.requires_grad_(False), alpha / rank
        like = {"device": linear.weight.device, "dtype": linear.weight.dtype}
        self.A = nn.Parameter(torch.randn(rank, linear.in_features, **like) * linear.in_features**-0.5)
        self.B = nn.Parameter(torch.zeros(linear.out_features, rank, **like))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        beside = functional.linear(functional.linear(x, self.A), self.B)
        return self.linear(x) + self.scale * beside

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """Return one nn.Linear that gives the same; the frozen one is changed into it."""
        self.linear.weight += self.scale * self.B @ self.A
        return self.linear


def add_lora(
    model: nn.Module,
    rank: int = 8,
    alpha: float = 16.0,
    parts: Sequence[str] = GPT_PARTS,
    layer: Callable[..., nn.Module] = LoRALinear,
) -> nn.Module:
    """Freeze ``model`` and put a `LoRALinear` in the place of each nn.Linear whose name ends in one of ``parts``.

    The model is changed in place and returned; from now on only A and B are trained. Raises ValueError when it has LoRA
    already, when no part has such a name, for a rank that does not fit, and for a matrix that another part uses, too, such
    as the head of a tied model: merging would change both. ``layer(linear, rank, alpha)`` makes the `LoRALinear`: a class of
    your own may stand here, with the same ``linear``, ``scale``, ``A`` and ``B``.
    """
    if any(map(_is_lora, model.modules())):
        raise ValueError("this model has LoRA already: merge_lora(model) first, or go on training what it has")
    linears = {name: part for name, part in model.named_modules() if isinstance(part, nn.Linear)}
    chosen = {name: part for name, part in linears.items() if _last(name) in parts}
    if not chosen:
        known = ", ".join(sorted({_last(name) for name in linears})) or "none"
        raise ValueError(f"no matrix is called {' or '.join(parts)}; this model has {known}")
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    for part in chosen.values():
        if len(users := names[id(part.weight)]) > 1:
            raise ValueError(
                f"{' and '.join(users)} are one matrix: LoRA on one of them would change both when merged. Leave it out of "
                "parts, or make a model that is not tied"
            )
    replacements = {name: layer(part, rank, alpha) for name, part in chosen.items()}  # all fit, or nothing changes
    model.requires_grad_(False)
    for name, part in replacements.items():
        model.set_submodule(name, part)
        part.A.requires_grad_(True), part.B.requires_grad_(True)
    return model


def merge_lora(model: nn.Module) -> nn.Module:
    """Add every B A to its W and take the extra matrices away; the model is changed in place, trainable, and returned.

    It gives the same as before, up to rounding, and costs what it cost without LoRA. Raises ValueError without LoRA.
    """
    for name, part in _lora_parts(model).items():
        model.set_submodule(name, LoRALinear.merged(part))  # a class of the learner's own has no such method
    return model.requires_grad_(True)


def save_lora(model: nn.Module, path: str | os.PathLike) -> Path:
    """Write A and B alone, float32, to a safetensors file and return its path; raises ValueError without LoRA.

    Names are those of the library PEFT, "base_model.model.….lora_A.weight"; its metadata hold PEFT's adapter config and a
    fingerprint of the frozen matrices, so that it cannot be put on another model.
    """
    parts = _lora_parts(model)
    tensors = {
        f"{PREFIX}{name}{suffix}": getattr(part, side).detach().float()
        for name, part in parts.items()
        for side, suffix in SUFFIXES.items()
    }
    one = next(iter(parts.values()))
    rank = len(one.A)
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": one.scale * rank, "target_modules": sorted({*map(_last, parts)})}
    return write_adapter(path, tensors, config | {"base": fingerprint((n, p.linear.weight) for n, p in parts.items())})


def load_lora(model: nn.Module, path: str | os.PathLike) -> nn.Module:
    """Put the A and B of a file that ``save_lora`` wrote beside the matrices of ``model``, in place, and return it.

    Raises ValueError when the file is missing, damaged, or was trained beside other matrices than this model's.
    """
    tensors, config = read_adapter(path, "save_lora", ("r", "lora_alpha", "target_modules", "base"))
    names = {name.removeprefix(PREFIX).removesuffix(SUFFIXES["A"]) for name in tensors if name.endswith(SUFFIXES["A"])}
    modules = dict(model.named_modules())
    linears = {name: modules[name] for name in sorted(names) if isinstance(modules.get(name), nn.Linear)}
    if len(linears) < len(names) or fingerprint((n, p.weight) for n, p in linears.items()) != config["base"]:
        raise ValueError(
            f"{Path(path).name} was trained beside the matrices of another model: load it on the one it belongs to, as that "
            "was before LoRA"
        )
    add_lora(model, config["r"], config["lora_alpha"], config["target_modules"])
    with torch.no_grad():
        for name, part in _lora_parts(model).items():
            for side, suffix in SUFFIXES.items():
                getattr(part, side).copy_(tensors[f"{PREFIX}{name}{suffix}"])
    return model


# --- files of what was trained beside a model: of LoRA here, and of reward models ----------------------------------------


def write_adapter(path: str | os.PathLike, tensors: dict[str, torch.Tensor], config: dict) -> Path:
    """Write tensors, and a config with their hash, to a safetensors file and return its path."""
    from safetensors.torch import save

    tensors = {name: value.cpu().contiguous() for name, value in tensors.items()}
    config = config | {"sha256": _content_hash(tensors)}
    return write_bytes(path, save(tensors, {"format": "pt", "adapter_config": json.dumps(config)}))


def read_adapter(path: str | os.PathLike, writer: str, fields: Iterable[str]) -> tuple[dict[str, torch.Tensor], dict]:
    """Return the tensors and the config of a file of ``write_adapter``.

    Raises ValueError when the file is missing or damaged, or its config lacks one of ``fields``.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            config = json.loads((file.metadata() or {})["adapter_config"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # a file is no dict
        if missing := [field for field in (*fields, "sha256") if field not in config]:
            raise ValueError(f"it does not tell {missing[0]}")
        if config["sha256"] != _content_hash(tensors):
            raise ValueError("its numbers are not the ones that were saved")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{Path(path).name} is no file of {writer}, or damaged: {error}") from None
    return tensors, config


def fingerprint(parameters: Iterable[tuple[str, torch.Tensor]]) -> str:
    """Return a hash of named parameters, in the order of their names, rounded to 16 bits as checkpoints store them."""
    return _content_hash({name: value.detach().half() for name, value in parameters})


def _content_hash(tensors: dict[str, torch.Tensor]) -> str:
    return sha256(name.encode() + value.cpu().numpy().tobytes() for name, value in sorted(tensors.items()))


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _is_lora(part: nn.Module) -> bool:
    """Whether a part is a LoRALinear, or a class of the learner's own with the same four things in it."""
    return isinstance(getattr(part, "linear", None), nn.Linear) and all(hasattr(part, name) for name in ("A", "B", "scale"))


def _lora_parts(model: nn.Module) -> dict[str, LoRALinear]:
    parts = {name: part for name, part in model.named_modules() if _is_lora(part)}
    if not parts:
        raise ValueError("this model has no LoRA: add_lora(model) puts it there")
    return parts
