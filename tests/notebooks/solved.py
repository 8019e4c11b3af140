"""Fill every stub of the notebooks with its solution, to see that the learner's own code carries the whole notebook.

usage: python -m tests.notebooks.solved     (writes copies, not yet run, to build/solved/)
"""

import ast
import re
import shutil

from tests.notebooks import books
from tests.notebooks.rules import tags
from tests.notebooks.student import copy

WRITTEN = {"build", "exercise"}
FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)
CLAIM = re.compile(r"^.*\bTrue\b.*$", re.MULTILINE)


def solve(book):
    """Put each solution into the stub before it, forget all outputs, and return the notebook."""
    stub = None
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            stub = cell if WRITTEN & tags(cell) and "quiz(" not in cell.source else None
        elif "solution" in tags(cell) and stub is not None:
            stub.source = filled(stub.source, FENCE.search(cell.source)[1])
            stub = None
    return book


def filled(stub: str, solution: str) -> str:
    """Return a stub's cell with the solution's code in place of the definitions that it holds, too."""
    names = {node.name for node in ast.parse(solution).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    lines, written = stub.splitlines(keepends=True), False
    for node in reversed(ast.parse(stub).body):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names:
            lines[node.lineno - 1 : node.end_lineno] = [] if written else [solution]
            written = True
    return "".join(lines) if written else stub


def broken_claims(stored, run) -> list[str]:
    """Say where a notebook that was run with the learner's code says what the stored one does not.

    Each check must be passed, each build cell must hand on the learner's version, and each printed line with a True must
    come again. Other numbers may differ: another network was trained.
    """
    found = []
    for one, other in zip(stored.cells, run.cells, strict=True):
        if one.cell_type != "code":
            continue
        said, now = ("".join(out.get("text", "") for out in cell.outputs) for cell in (one, other))
        beginning = repr(" ".join(one.source.split())[:50])
        if re.search("^[○✘]", now, re.MULTILINE):
            found.append(f"{beginning}: the solution does not pass its check: {now.strip()}")
        if "build" in tags(one) and "this notebook runs your own" not in now:
            found.append(f"{beginning}: the learner's version was not taken: {now.strip()}")
        if "nbval-ignore-output" not in tags(one):
            found += [f"{beginning}: no longer says {line!r}" for line in CLAIM.findall(said) if line not in now.splitlines()]
    return found


if __name__ == "__main__":
    target = books.ROOT / "build" / "solved"
    shutil.rmtree(target, ignore_errors=True)
    print(f"{copy(target, levels=1, change=solve)} notebooks with every stub filled are in build/solved/.")
