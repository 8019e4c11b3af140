"""Files that matter: written under a temporary name, then renamed; tables of numbers; hashes."""

import csv
import os
import tempfile
from pathlib import Path


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


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8 by way of a temporary name, so that a crash never leaves half a file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, 0o644)  # mkstemp makes private files; ours are meant to be read by all
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
