"""Finding, reading and writing the notebooks, and the one address of the repository."""

import ast
from collections.abc import Iterator
from pathlib import Path

import nbformat

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10; pytest brings tomli there
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"


def project() -> dict:
    """Return the `[project]` table of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def address() -> str:
    """Return the repository's address, as it stands in pyproject.toml and nowhere else."""
    return project()["urls"]["Repository"].rstrip("/")


def paths(only=()) -> list[Path]:
    """Return the notebooks in order; with `only`, those whose name starts with one of these beginnings.

    Raises ValueError when a beginning fits no notebook.
    """
    every = sorted(NOTEBOOKS.glob("*.ipynb"))
    wanted = [Path(str(beginning)).stem for beginning in only]
    for beginning in wanted:
        if not any(path.stem.startswith(beginning) for path in every):
            known = ", ".join(path.stem for path in every) or "none yet"
            raise ValueError(f"no notebook begins with {beginning!r}; there are: {known}")
    return [path for path in every if not wanted or path.stem.startswith(tuple(wanted))]


def read(path: Path):
    """Return the notebook at `path`."""
    return nbformat.read(path, as_version=4)


def text(book) -> str:
    """Return a notebook as it is stored: the same notebook always gives the same text."""
    return nbformat.writes(book, version=4).rstrip("\n") + "\n"


def write(book, path: Path) -> bool:
    """Store a notebook if it changed, and say whether it did."""
    new = text(book)
    if path.exists() and path.read_text(encoding="utf-8") == new:
        return False
    path.write_text(new, encoding="utf-8")
    return True


def tags(cell) -> list[str]:
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


def title(book) -> str:
    """Return the text of the notebook's first heading."""
    first = book.cells[0].source if book.cells else ""
    return first.splitlines()[0].lstrip("# ").strip() if first.startswith("#") else "untitled"


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield (last part of the name, call) for each call: `plots.show(…)` gives "show"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id, node
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr, node
