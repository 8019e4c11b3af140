"""Which statements of a submission an answer needs: its own definitions, and of the other cells what these ask for.

Nothing here runs a learner's code; it is read as syntax trees. All that only prints, plots, trains or asks is left out.
"""

import ast
from dataclasses import dataclass, field
from functools import cached_property

from IPython.core.inputtransformer2 import TransformerManager

from tests.notebooks.definitions import global_names
from tests.notebooks.rules import bound

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)
# What a constant of another cell may call: nothing that reads, trains, or lasts.
CHEAP = set("set frozenset dict list tuple str bytes int float bool len range min max sum sorted compile".split())
LONGEST_CELL = 200_000  # letters


@dataclass(frozen=True)
class Surroundings:
    """What an answer of one notebook finds before a learner's own code is run, as texts of statements and as names.

    ``ours`` are all statements of the notebook as we give it out, ``run`` those that have been run for an answer (imports,
    functions), ``given`` the names that earlier answers define: the learner's own or the solution's.
    """

    ours: frozenset[str]
    run: frozenset[str]
    given: frozenset[str]


@dataclass
class Selection:
    """What to run of a submission for one answer: statements by cell, and what a teacher should know about it.

    ``missing`` are names that the answer needs and that a cell computes which is not run; ``untouched`` says that the answer
    is the stub as we give it out.
    """

    parts: list[tuple[str, list[ast.stmt]]] = field(default_factory=list)
    defined: bool = False
    untouched: bool = False
    remarks: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)


class Statement:
    """One statement at the top of a cell; what it binds, changes and needs is found out once."""

    def __init__(self, node: ast.stmt):
        self.node = node

    @cached_property
    def binds(self) -> set[str]:
        return set() if self.machinery else bound(self.node)

    @cached_property
    def changes(self) -> set[str]:
        """The names that it binds, or whose things it changes: TABLE in ``TABLE[0] = 1`` and in ``TABLE.update(more)``."""
        if self.machinery or isinstance(self.node, DEFINITIONS + IMPORTS):
            return self.binds
        places = [
            node
            for node in ast.walk(self.node)
            if isinstance(getattr(node, "ctx", None), ast.Store) and not _is_name(node)
        ]
        calls = [node.value.func for node in ast.walk(self.node) if _is_call(node)]
        return self.binds | {_root(node) for node in [*places, *calls] if not _is_name(node)} - {""}

    @cached_property
    def needs(self) -> set[str]:
        try:
            return global_names(self.node)
        except (SyntaxError, ValueError, RecursionError):  # a `return` outside of a function; what unparse cannot write
            return {node.id for node in ast.walk(self.node) if _is_name(node)}

    @cached_property
    def text(self) -> str:
        try:
            return ast.unparse(self.node)
        except (ValueError, RecursionError):
            return ""

    @cached_property
    def machinery(self) -> bool:
        """Whether it is the notebook's own: ``f = checked(f, …)``, or the import of a check."""
        if isinstance(self.node, ast.ImportFrom):
            return (self.node.module or "").startswith("helpers.checks")
        value = getattr(self.node, "value", None)
        return isinstance(value, ast.Call) and getattr(value.func, "id", "") == "checked"

    @cached_property
    def harmless(self) -> bool:
        """Whether it may run although it stands in another cell: a definition, an import, or a constant cheap to compute."""
        if isinstance(self.node, DEFINITIONS + IMPORTS):
            return True
        if not isinstance(self.node, ast.Assign | ast.AnnAssign | ast.AugAssign) or self.node.value is None:
            return False
        calls = [node.func for node in ast.walk(self.node.value) if isinstance(node, ast.Call)]
        names = {call.id if _is_name(call) else getattr(call, "attr", "") for call in calls}
        return isinstance(self.node.value, ast.Lambda) or names <= CHEAP


class Cells:
    """The code cells of a submission, read once for all of its answers: (label, source) in order."""

    def __init__(self, cells: list[tuple[str, str]]):
        self.labels = [label for label, _ in cells]
        self.errors: dict[int, Exception] = {}
        self.statements = [self._read(number, *cell) for number, cell in enumerate(cells)]

    def _read(self, number: int, label: str, source: str) -> list[Statement]:
        try:
            return [Statement(node) for node in parsed(source, label)]
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # ValueError: a null character
            self.errors[number] = error
            return []

    def defines(self, number: int, name: str, besides: frozenset[str] = frozenset()) -> bool:
        """Whether a cell defines ``name`` by a statement that is none of the texts ``besides``."""
        return any(name in one.binds and one.text not in besides for one in self.statements[number])


def parsed(source: str, label: str) -> list[ast.stmt]:
    """Return the statements of a cell; magics and shell commands become calls that are never run.

    Raises SyntaxError or ValueError for what is not Python, RecursionError or MemoryError for what is too deep.
    """
    if len(source) > LONGEST_CELL:
        raise ValueError(f"it has more than {LONGEST_CELL:,} letters")
    try:
        return ast.parse(source, label).body
    except SyntaxError:
        first, _, rest = source.lstrip().partition("\n")
        plain = rest if first.startswith("%%") else source  # %%time, %%capture …: the rest of the cell is Python
        return ast.parse(TransformerManager().transform_cell(plain), label).body


def select(cells: Cells, place: int | None, task: str, around: Surroundings) -> Selection:
    """Choose what the answer called ``task`` needs; ``place`` is the number of its cell, None where it is gone.

    Raises what made the cell unreadable, if it is not Python and no other cell holds the answer.
    """
    numbers = range(len(cells.statements))
    theirs = [n for n in numbers if cells.defines(n, task, around.ours)]
    chosen = Selection()
    if theirs and place not in theirs:
        place = theirs[-1]
        chosen.remarks.append("the answer stands in another cell")
    if place in cells.errors:
        raise cells.errors[place]
    if place is None or not cells.defines(place, task):
        return chosen
    chosen.defined = True
    chosen.remarks += _remarks(cells.statements[place])
    picked = _closure(cells, place, task, around, chosen)
    chosen.untouched = all(cells.statements[n][index].text in around.ours for n, index in picked)
    # An answer may use what cells below it define: in the end all are there, and its own cell is the last to be run.
    for number in [*(n for n in numbers if n != place), place]:
        body = [one.node for index, one in enumerate(cells.statements[number]) if (number, index) in picked]
        if body:
            chosen.parts.append((cells.labels[number], body))
    return chosen


def _closure(cells: Cells, place: int, task: str, around: Surroundings, chosen: Selection) -> set[tuple[int, int]]:
    """Return (cell, statement) of all that the answer needs; note in ``chosen.missing`` what is needed and not run."""
    needed, followed, size = {task}, {}, -1
    every = {(number, index): one for number, cell in enumerate(cells.statements) for index, one in enumerate(cell)}
    while size != len(followed):
        size = len(followed)
        for (number, index), one in every.items():
            if (number, index) in followed or not one.changes & needed:
                continue
            own = number == place
            if (_is_call(one.node) and _root(one.node) == task) if own else one.changes & around.given:
                continue
            if own or one.harmless:
                followed[number, index] = one
                needed |= one.needs
            else:
                chosen.missing |= one.binds & needed
    chosen.missing -= {name for one in followed.values() for name in one.binds}
    return {where for where, one in followed.items() if where[0] == place or one.text not in around.run}


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _root(node: ast.AST) -> str:
    """Return the name at the beginning: "f" of ``f.a[0].b(…)``."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Call | ast.Expr | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _remarks(statements: list[Statement]) -> list[str]:
    """Say what in the cell of an answer looks like a mark of its own making: it counts for nothing."""
    made = sorted({name for one in statements for name in one.binds})
    found = [
        f"defines {name} itself, which counts for nothing"
        for name in made
        if name.startswith("check_") or name == "checked"
    ]
    texts = [node.value for one in statements for node in ast.walk(one.node) if isinstance(node, ast.Constant)]
    if any(isinstance(text, str) and "✔" in text for text in texts):
        found.append("writes a ✔ itself, which counts for nothing")
    return found
