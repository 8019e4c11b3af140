"""Packages that the course can show and does not need: asked for by name, and how to get them (notebooks 10 and 12 to 14).

>>> from helpers.extras import missing
>>> print(missing("tensorboard") or "TensorBoard is installed.")

A notebook that shows such a package asks first, and goes on without it.
"""

from importlib.util import find_spec

# Module: the range of its package in the extras [track], [export], [cluster] and [serve] of pyproject.toml; a test compares them.
EXTRAS = {
    "tensorboard": "tensorboard>=2.15",
    "onnx": "onnx>=1.18",
    "onnxruntime": "onnxruntime>=1.23",
    "onnxscript": "onnxscript>=0.5",
    "dask": "dask>=2024.8",
    "distributed": "distributed>=2024.8",
    "pyarrow": "pyarrow>=17",
    "fastapi": "fastapi>=0.115",
    "limits": "limits>=3.13",
    "prometheus_client": "prometheus-client>=0.20",
    "pydantic": "pydantic>=2.7",
    "uvicorn": "uvicorn>=0.30",
}


def missing(*modules: str) -> str:
    """Return "" when all ``modules`` are installed, else a sentence that names those that are not and the command to get them.

    Each is a key of ``EXTRAS``; nothing is imported, and nothing is installed. Raises ValueError for another module.
    """
    if unknown := [name for name in modules if name not in EXTRAS]:
        raise ValueError(f"{unknown[0]!r} is in no extra of the course; known are {', '.join(EXTRAS)}")
    absent = [name for name in modules if not _is_installed(name)]
    if not absent:
        return ""
    wanted = " ".join(f'"{EXTRAS[name]}"' for name in absent)
    verb, pronoun = ("is", "it") if len(absent) == 1 else ("are", "them")
    what = f"{' and '.join(absent)} {verb} not installed"
    return f"{what}. To get {pronoun}: make extras in the course's folder, or pip install {wanted}"


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
