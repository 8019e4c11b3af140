"""What long runs share: one training of a bot as its recipe says (notebook 02 on), and the tables that runs write."""

import csv
from pathlib import Path

from ..runtime import write_text


def trained(recipe, model, batches, device, resume: Path, **how) -> tuple:
    """Train ``model`` as ``recipe`` and ``how`` (arguments of ``fit``) say; return it and the seconds it took.

    ``recipe`` has a learning_rate and a weight_decay. Raises ValueError when the training was stopped: then there is
    nothing to save.
    """
    from ..training import fit

    history = fit(
        model.to(device.torch),
        batches,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        resume=resume,
        dtype=device.dtype,
        **how,
    )
    if history.stopped:
        raise ValueError(f"{history.stopped} Nothing was saved; the same command goes on from {resume}.")
    return model, history.seconds


def read_rows(path: Path) -> list[dict]:
    """Return the rows of a table, numbers as numbers, None where nothing was measured; no file is no row."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: _value(text) for key, text in row.items()} for row in csv.DictReader(file)]


def write_rows(path: Path, columns, rows) -> None:
    """Write a table anew, a dict per row, numbers with four digits after the point; what a row lacks is left empty.

    Texts must hold no comma: they are names of ours.
    """
    lines = [",".join(columns), *(",".join(_text(row.get(key)) for key in columns) for row in rows)]
    write_text(path, "\n".join(lines) + "\n")


def _value(text: str):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text or None


def _text(value) -> str:
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
