"""Fill every stub of the notebooks with its solution, to see that the learner's own code carries the whole notebook.

usage: python -m tests.notebooks.solved     (writes copies, not yet run, to build/solved/)
"""

import ast
import itertools
import json
import os
import re
import shutil
from collections import defaultdict
from pathlib import Path

from tests.notebooks import books
from tests.notebooks.rules import tags
from tests.notebooks.student import copy

WRITTEN = {"build", "exercise"}
FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)
NOT_COMPARED = {"image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json"}  # as in nbval
REPLACED = re.findall(
    "^regex: (.*)$\n^replace: (.*)$",
    Path(__file__).with_name("nbval_sanitize.cfg").read_text(encoding="utf-8"),
    re.MULTILINE,
)
# Cells whose numbers hang on how the learner draws at random, {id: why}: of these, the lines with a True are compared.
DRAWN = {
    "5ee8b4ad": "07: the checks of the learner's layers drew from the same generator first",
    "e0118b6d": "11: the learner's typos differ, though drawn from the same generator",
    "77558584": "11: the cost of these typos",
    "44ae9e37": "11: the cost of these typos",
    "6afaad39": "11: the lengths of texts with these typos",
}
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
    """Say where a notebook that was run with the learner's code does not say what the stored one does.

    Each check must be passed, and each build cell must hand on the learner's version. All other cells must say the same, word
    for word and number for number, as nbval compares them; build cells, exercises and DRAWN must print their lines with
    a True.
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
        if "nbval-ignore-output" in tags(one):
            continue
        if tags(one) & WRITTEN or one.id in DRAWN:
            found += [
                f"{beginning}: no longer says {line!r}" for line in CLAIM.findall(said) if line not in now.splitlines()
            ]
        elif changed := difference(one.outputs, other.outputs):
            found.append(f"{beginning}: {changed}")
    return found


def difference(stored: list, now: list) -> str | None:
    """Return in which words two lists of outputs differ, None where they do not: pictures and random ids are left out."""
    before, after = compared(stored), compared(now)
    if before.keys() != after.keys():
        return f"its outputs are of other kinds: {sorted(before)}, now {sorted(after)}"
    for kind in before:
        lines = [text.splitlines() for text in ("\n".join(before[kind]), "\n".join(after[kind]))]
        for one, other in itertools.zip_longest(*lines, fillvalue=""):
            if one != other:
                start = max(0, len(os.path.commonprefix([one, other])) - 40)  # a table in HTML is one long line
                one, other = one[start : start + 120], other[start : start + 120]
                return f"it said {one!r}, and now says {other!r}"
    return None


def compared(outputs: list) -> dict[str, list[str]]:
    """Return {kind of output: its texts}, as the settings of nbval (nbval_sanitize.cfg) make them equal between computers."""
    texts = defaultdict(list)
    for output in outputs:
        kinds = output.get("data") or {output.get("name", "error"): output.get("text") or output.get("evalue", "")}
        for kind, text in kinds.items():
            if kind not in NOT_COMPARED:
                texts[kind].append(sanitized(text if isinstance(text, str) else json.dumps(text, sort_keys=True)))
    return texts


def sanitized(text: str) -> str:
    """Return a text with the replacements of nbval_sanitize.cfg."""
    for pattern, replacement in REPLACED:
        text = re.sub(pattern, replacement, text)
    return text


if __name__ == "__main__":
    target = books.ROOT / "build" / "solved"
    shutil.rmtree(target, ignore_errors=True)
    print(f"{copy(target, levels=1, change=solve)} notebooks with every stub filled are in build/solved/.")
