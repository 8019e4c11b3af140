"""Which sections of a notebook need which: a section needs another where its code uses a name that was last bound there.

Cells are read, not run. Only the core path is looked at, and what stands before the first numbered section is always there.
"""

import ast
import builtins
import re
from functools import cache
from pathlib import Path

from tests.kit.lessons import lesson
from tests.notebooks import books

MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bound(tree: ast.AST) -> set[str]:
    """Return the names that code binds at its top level: functions, classes, imports, assignments, loops."""
    names: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        if not isinstance(node, (*SCOPES, ast.ClassDef)):
            names |= bound(node)
    return names


def used(tree: ast.AST) -> set[str]:
    """Return the names that code takes from outside: those read, and not bound by a function, class or comprehension around."""
    names: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, SCOPES):
            names |= used(node) - bound(node) - _parameters(node)
        elif isinstance(node, ast.ClassDef):
            names |= used(node) - bound(node)
        else:
            names |= used(node)
    return names


def _parameters(node: ast.AST) -> set[str]:
    """Return the names of a function's parameters, or of what a comprehension runs over."""
    return {one.arg for one in ast.walk(getattr(node, "args", ast.Pass())) if isinstance(one, ast.arg)}


@cache
def needs(path: Path) -> dict[str, dict[str, set[str]]]:
    """Return {section: {earlier section that it needs: the names}} for the numbered sections of a notebook."""
    found, owner, made = lesson(path), {}, {}
    numbers = {part.cell: part.number for part in found.parts}
    now = None
    for cell in found.book.cells:
        if cell.id in numbers and (now := numbers[cell.id]) is not None:
            made[now] = {}
        if cell.cell_type != "code" or {"deeper", "exercise", "solution"} & set(books.tags(cell)):
            continue
        for statement in ast.parse(MAGIC.sub("pass", cell.source)).body:
            new = bound(ast.Module([statement], []))
            # A loop uses what it binds itself; an assignment uses the old value.
            own = set() if isinstance(statement, ast.Assign | ast.AugAssign) else new
            for name in used(ast.Module([statement], [])) - own - set(dir(builtins)):
                if now and owner.get(name) not in (None, now):
                    made[now].setdefault(owner[name], set()).add(name)
            owner |= dict.fromkeys(new, now)
    return made
