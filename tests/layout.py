"""Which file of helpers imports which: read from the code, for the test of the layout and for the drawing of it."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "helpers"
# In the order data flows: a room may import from those before it, never from those after it. The two last may look at
# everything, and nothing looks at them.
ROOMS = (
    "corpus",
    "models",
    "generation",
    "training",
    "evaluation",
    "interpretability",
    "bots",
    "experiments",
    "show",
    "checks",
)
LAST = ("show", "checks")


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Return {dotted name: path} of every module of a package, the package's own name first in each."""
    names = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def imports(source: str, name: str, known, is_package: bool = False) -> set[str]:
    """Return which of the ``known`` modules a module called ``name`` imports, at its top, in its functions, relatively."""
    wanted = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            wanted |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = name.split(".")
            base = base[: len(base) - node.level + is_package] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            wanted |= {full if (full := f"{module}.{alias.name}") in known else module for alias in node.names}
    return {name for name in wanted if name in known}


def graph(package: Path = PACKAGE) -> dict[str, set[str]]:
    """Return {module: the modules it imports} of a package."""
    known = modules(package)
    return {
        name: imports(path.read_text(encoding="utf-8"), name, known, path.name == "__init__.py") - {name}
        for name, path in known.items()
    }


def room(name: str) -> str:
    """Return the room of a module, "" for one that stands beside the rooms (io, runtime, the command line)."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else ""


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Return every group of modules that import each other, by way of others or not: there should be none."""

    def reached(start: str) -> set[str]:
        seen, left = set(), [start]
        while left:
            new = arrows.get(left.pop(), set()) - seen
            seen |= new
            left += new
        return seen

    reach = {name: reached(name) for name in arrows}
    groups = {
        frozenset(other for other in reach[name] if name in reach[other]) for name in arrows if name in reach[name]
    }
    return sorted(sorted(group) for group in groups)
