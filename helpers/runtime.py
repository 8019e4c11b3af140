"""What this computer offers, in words: device, number type, preset of sizes, seed (used by every notebook's setup cell)."""

import os
import platform
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEVICES = ("cuda", "mps", "cpu")


@dataclass(frozen=True)
class Preset:
    """How large the live experiments are. The notebooks' cells are the same for every preset; only these numbers change."""

    name: str
    context: int  # tokens a model sees at once
    batch_size: int  # sequences per training step
    n_embd: int  # features per token inside a model
    n_layer: int  # how many blocks are stacked


PRESETS = {
    "small": Preset("small", context=128, batch_size=32, n_embd=128, n_layer=2),
    "medium": Preset("medium", context=256, batch_size=64, n_embd=256, n_layer=4),
    "large": Preset("large", context=512, batch_size=128, n_embd=512, n_layer=8),
}
_USUAL_PRESET = {"cuda": "large", "mps": "medium", "cpu": "small"}


@dataclass(frozen=True)
class Device:
    """The device a notebook runs on. ``torch`` is a torch.device, ``dtype`` the torch type fit for its matrix products."""

    torch: Any
    dtype: Any
    preset: Preset
    words: str

    def __str__(self) -> str:
        return self.words


def start(seed: int = 0) -> Device:
    """Pick the device (CUDA, then Apple's MPS, then CPU), seed every source of chance, print the choice in a sentence.

    The environment variables ``HELPERS_DEVICE`` (cuda, mps, cpu) and ``HELPERS_PRESET`` (small, medium, large) override
    the choice. Raises ValueError when one of them names something unknown, RuntimeError when the device asked for is
    not there.
    """
    import torch

    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    name = _override("HELPERS_DEVICE", DEVICES) or next(device for device in DEVICES if present[device])
    if not present[name]:
        raise RuntimeError(
            f"HELPERS_DEVICE asks for {name!r}, but this computer has none; unset it to use what there is"
        )
    preset = PRESETS[_override("HELPERS_PRESET", PRESETS) or _USUAL_PRESET[name]]
    bf16 = has_bf16(name)
    seed_everything(seed)
    numbers = "bfloat16 for the big products" if bf16 else "float32"
    words = f"Running on {describe(name)}, {numbers}, preset {preset.name!r}, seed {seed}."
    print(words)
    return Device(torch.device(name), torch.bfloat16 if bf16 else torch.float32, preset, words)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch, so that two runs on one computer give the same numbers."""
    import numpy
    import torch

    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def has_bf16(device: str) -> bool:
    """Say whether ``device`` computes in bfloat16 in silicon: emulation is slower than float32, so it does not count."""
    if device == "cuda":
        import torch

        return torch.cuda.get_device_capability()[0] >= 8
    if device != "cpu" or not _processor_flags() & {"avx512_bf16", "amx_bf16", "bf16"}:
        return False
    import torch

    return torch.backends.cpu.get_cpu_capability() != "DEFAULT"  # torch may be restricted to what all have


def _override(variable: str, known) -> str | None:
    value = os.environ.get(variable, "").strip().lower()
    if value and value not in known:
        raise ValueError(f"{variable}={value!r} is unknown; use one of: {', '.join(known)}")
    return value or None


def describe(name: str) -> str:
    """Name a device ("cuda", "mps" or "cpu") in words."""
    if name == "cuda":
        import torch

        return f"the GPU ({torch.cuda.get_device_name()})"
    if name == "mps":
        return "the Apple GPU (MPS)"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"the CPU ({platform.machine()}, {cores} core{'s' if cores > 1 else ''})"


def _processor_flags() -> set[str]:
    """Return the feature flags Linux lists for the first processor; elsewhere nothing, and bfloat16 stays off."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    for line in lines:
        if line.lower().startswith(("flags", "features")):
            return set(line.partition(":")[2].split())
    return set()
