"""Take the solutions out of a notebook, exactly as a learner reads them."""

import ast
import functools
import json
import re
from contextlib import suppress
from pathlib import Path

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@functools.cache
def _cells(notebook: str) -> list[dict]:
    return json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]


@functools.cache
def solutions(notebook: str) -> dict[str, str]:
    """Return {name of the function or class to write: code of its solution} from the cells tagged ``solution``."""
    found = {}
    for cell in _cells(notebook):
        if "solution" in cell["metadata"].get("tags", []):
            code = re.search(r"```python\n(.*?)```", "".join(cell["source"]), re.DOTALL).group(1)
            found[re.findall(r"^(?:def|class) (\w+)", code, re.MULTILINE)[-1]] = code
    return found


def run(code: str, name: str, notebook: str = ""):
    """Run ``code`` and return what it calls ``name``.

    With ``notebook`` the code finds what a learner's cell finds there: the imports of the notebook, the functions that its
    other cells define, and the solutions of the cells before it (a block that is made of the attention written earlier).
    """
    names: dict = {"__name__": "solution"}
    if notebook:
        for statement in imports(notebook):
            exec(statement, names)
        for definition in functions(notebook):
            with suppress(NameError):  # a default value that is computed on the page
                exec(definition, names)
        for other, earlier in solutions(notebook).items():
            if other == name:
                break
            exec(compile(earlier, f"<solution {other}>", "exec"), names)
    exec(compile(code, f"<solution {name}>", "exec"), names)
    return names[name]


@functools.cache
def functions(notebook: str) -> tuple[str, ...]:
    """Return the functions that a notebook defines outside its build cells and exercises."""
    cells = [cell for cell in _cells(notebook) if cell["cell_type"] == "code"]
    tags = [set(cell["metadata"].get("tags", [])) for cell in cells]
    trees = [
        ast.parse("".join(cell["source"])) for cell, own in zip(cells, tags) if not own & {"setup", "build", "exercise"}
    ]
    return tuple(ast.unparse(node) for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef))


@functools.cache
def imports(notebook: str) -> tuple[str, ...]:
    """Return the import lines of a notebook's code cells, the set-up cell left out."""
    cells = [cell for cell in _cells(notebook) if cell["cell_type"] == "code"]
    trees = [ast.parse("".join(cell["source"])) for cell in cells if "setup" not in cell["metadata"].get("tags", [])]
    return tuple(
        ast.unparse(node) for tree in trees for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
    )
