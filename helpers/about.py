"""What decides which numbers come out here: the versions of the course and its packages, the processor, the settings.

python -m helpers about        print it, to be pasted into an issue (it holds no name of a person and no path)
"""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

from helpers.extras import EXTRAS

COURSE = "one-conversation"
# What changes numbers and is set outside the course: threads, vector instructions, devices, our own choices.
SETTINGS = ("ATEN_", "CUBLAS_", "CUDA_VISIBLE", "HELPERS_DEVICE", "HELPERS_PRESET", "MKL_", "OMP_", "ONEDNN_", "OPENBLAS_",
            "PYTHONHASHSEED", "PYTORCH_", "VECLIB_")  # fmt: skip
ROOT = Path(__file__).resolve().parents[1]


def report() -> str:
    """Return the versions, the computer and the settings as lines of text.

    In a clone of the course a version that is not the one the stored outputs were made with is followed by that one.
    """
    lines = {"one-conversation": course(), **computer()}
    recorded = pinned(ROOT / "constraints.txt")
    for name in packages():
        here = installed(name)
        other = recorded.get(name, here)
        same = here is None or here.partition("+")[0] == other  # 2.13.0+cpu is 2.13.0, built for processors
        lines[name] = (here or "not installed") + ("" if same else f"   (the outputs were made with {other})")
    lines["settings"] = settings(dict(os.environ))
    width = max(map(len, lines))
    return "\n".join(f"{name:{width}}  {words}" for name, words in lines.items())


def course(folder: Path = ROOT) -> str:
    """Return the version of the course and, where it can be known, the commit of a clone or of pip's."""
    words = installed(COURSE) or "not installed"
    if (folder / ".git").exists():
        commit = _git(folder, "rev-parse", "--short", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
        return f"{words}, a clone" + (f" at {commit}" if commit else "") + (", with changes of your own" if changed else "")
    try:
        origin = metadata.distribution(COURSE).read_text("direct_url.json") or ""
    except metadata.PackageNotFoundError:
        origin = ""
    commit = origin.partition('"commit_id": "')[2][:7]
    return f"{words}, installed" + (f" at {commit}" if commit else "")


def _git(folder: Path, *arguments: str) -> str:
    """Return what a git command prints, "" where there is no git or it fails."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def computer() -> dict[str, str]:
    """Return {what: words} of the Python, the system and what torch computes with: device, threads, vector instructions."""
    import torch

    from helpers.runtime import DEVICES, describe, has_bf16

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    device = os.environ.get("HELPERS_DEVICE", "").strip().lower()
    name = device if there.get(device) else next(name for name in DEVICES if there[name])
    blas = "MKL" if torch.backends.mkl.is_available() else "not MKL"
    number = "bfloat16" if has_bf16(name) else "float32"
    return {
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": " ".join(filter(None, [platform.system(), platform.release(), platform.machine(), *platform.libc_ver()])),
        "device": f"{describe(name)}, {number} for the big products",
        "threads": f"{torch.get_num_threads()} of {os.cpu_count()} processors",
        "instructions": f"{torch.backends.cpu.get_cpu_capability()}; BLAS of torch: {blas}",
    }


def packages() -> list[str]:
    """Return the packages that the notebooks compute with: those the course requires, then the optional ones."""
    from packaging.requirements import Requirement

    try:
        asked = [Requirement(line) for line in metadata.requires(COURSE) or []]
    except metadata.PackageNotFoundError:
        asked = []
    required = [item.name for item in asked if item.marker is None or "extra" not in str(item.marker)]
    optional = [Requirement(text).name for text in EXTRAS.values()]
    return list(dict.fromkeys([*required, "ipykernel", *optional]))


def installed(name: str) -> str | None:
    """Return the version of a package, None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def pinned(path: Path) -> dict[str, str]:
    """Return {package: version} of a file of pins, as far as they are for this Python; {} where there is no such file."""
    from packaging.requirements import Requirement

    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    return {pin.name: str(pin.specifier)[2:] for pin in pins if pin.marker is None or pin.marker.evaluate()}


def settings(variables: dict[str, str]) -> str:
    """Return those of ``variables`` that change numbers, as "NAME=value", or "none"; paths are left out."""
    found = [f"{name}={value}" for name, value in sorted(variables.items()) if name.startswith(SETTINGS)]
    found = [words for words in found if "/" not in words and "\\" not in words]
    return ", ".join(found) or "none"
