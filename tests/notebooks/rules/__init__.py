"""What every notebook must keep, one small function a rule. Each takes a `Book` and returns its complaints.

`test_format.py` holds every notebook against every rule; `test_rules.py` breaks a good notebook in one place at a
time and demands that exactly the rule for it complains.
"""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from tests.notebooks import books
from tests.notebooks.books import calls  # noqa: F401  (the rules take it from here)

RULES: dict[str, Callable[["Book"], list[str]]] = {}
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def rule(function: Callable[["Book"], list[str]]) -> Callable[["Book"], list[str]]:
    """Add a rule to the table; its name is what a test is called."""
    RULES[function.__name__] = function
    return function


class Book:
    """A notebook with what the rules ask of it again and again."""

    def __init__(self, notebook, path: Path):
        self.notebook, self.path = notebook, path
        self.cells = notebook.cells
        self.code = [cell for cell in self.cells if cell.cell_type == "code"]
        self.markdown = [cell for cell in self.cells if cell.cell_type == "markdown"]
        # 00 shows the way; the notebooks after it teach, with goals, exercises and a recap.
        self.teaches = not path.name.startswith("00")
        # The learner's code is in the machine: what a build cell defines is what the rest of the notebook runs.
        self.builds = [cell for cell in self.code if "build" in tags(cell)]

    def where(self, cell) -> str:
        """Name a cell for a complaint: its place and how it begins."""
        place = next(i for i, other in enumerate(self.cells) if other is cell)
        beginning = " ".join(cell.source.split())[:40]
        return f"{self.path.name}, cell {place} ({beginning!r})"

    @cached_property
    def trees(self) -> list[tuple]:
        """Each code cell with its syntax tree; cells that are no plain Python have none (a rule reports them)."""
        found = []
        for cell in self.code:
            try:
                found.append((cell, ast.parse(cell.source)))
            except SyntaxError:
                continue
        return found

    @cached_property
    def headings(self) -> list[tuple]:
        """(cell index, level, text) of each heading, code fences left out."""
        found = []
        for index, cell in enumerate(self.cells):
            if cell.cell_type == "markdown":
                for marks, text in re.findall(r"^(#{1,6})\s+(.*?)\s*#*$", FENCE.sub("", cell.source), re.MULTILINE):
                    found.append((index, len(marks), text))
        return found

    def section(self, pattern: str) -> list:
        """Return the cells from the first heading (level 1 or 2) that fits `pattern` up to the next such heading."""
        tops = [(index, text) for index, level, text in self.headings if level <= 2]
        for place, (index, text) in enumerate(tops):
            if re.search(pattern, text, re.IGNORECASE):
                later = [i for i, _ in tops[place + 1 :] if i > index]
                return self.cells[index : later[0] if later else None]
        return []

    def defined(self) -> set[str]:
        """Return the names that the code cells bind at top level."""
        return {name for _, tree in self.trees for statement in tree.body for name in bound(statement)}


def bound(statement: ast.stmt) -> set[str]:
    """Return the names that one statement binds where it stands (not those inside functions and classes)."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
    nested = (child for child in ast.walk(statement) if isinstance(child, ast.Name))
    names = {child.id for child in nested if isinstance(child.ctx, ast.Store)}
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.stmt):
            names |= bound(child)
    return names


def tags(cell) -> set[str]:
    return set(books.tags(cell))


def texts(cell) -> Iterator[str]:
    """Yield what a code cell's outputs say: streams, and every textual form of what is shown."""
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        elif output.output_type == "error":
            yield "\n".join(output.traceback)
        for kind, data in output.get("data", {}).items():
            if kind.startswith("text/") or kind.endswith("+xml"):
                yield str(data)


from tests.notebooks.rules import building, cells, exercises, outputs, reading, wording  # noqa: E402, F401  (each fills the table)
