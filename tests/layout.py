"""Which file of helpers imports which: read from the code, for the test of the layout and for the drawing of it.

python -m tests.layout        draw the rooms again (helpers/layout.svg) and list their files in helpers/README.md
"""

import ast
import re
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
    "robustness",
    "compression",
    "bots",
    "experiments",
    "serving",
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


# --- the drawing and the list ------------------------------------------------------------------------------------------

README, PICTURE = PACKAGE / "README.md", PACKAGE / "layout.svg"
LIST = re.compile(r"(<!-- rooms -->\n).*?(<!-- /rooms -->)", re.DOTALL)
LEFT, RIGHT, WIDE, LINE = 40, 560, 490, 19  # where the column of rooms and the two side rooms stand, in pixels


def says(path: Path) -> str:
    """Return the first line of a module's docstring, which says what it is for."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def files(name: str) -> list[str]:
    """Return the modules of a room, with their folders, e.g. "batches/base"."""
    paths = (PACKAGE / name).rglob("*.py")
    return sorted(
        path.relative_to(PACKAGE / name).with_suffix("").as_posix() for path in paths if path.name != "__init__.py"
    )


def uses(name: str, arrows: dict[str, set[str]]) -> list[str]:
    """Return the rooms that the modules of a room import from, in the order data flows."""
    there = {room(other) for module, others in arrows.items() if room(module) == name for other in others}
    return [other for other in ROOMS if other in there - {name}]


def lines_of(name: str, most: int = 66) -> list[str]:
    """Return the files of a room as lines of at most about ``most`` characters, each folder on lines of its own."""
    lines, folder = [], None
    for file in sorted(files(name), key=lambda file: ("/" in file, file)):
        here, _, word = file.rpartition("/")
        if here != folder or len(lines[-1]) + len(word) > most:
            lines.append(f"{here}/ {word}" if here and here != folder else word)
        else:
            lines[-1] += f" · {word}"
        folder = here
    return lines


def drawing():
    """Return the rooms as a Drawing: data flows down, an arrow points up to what a room uses."""
    from helpers.show import theme
    from helpers.show.svg import TITLE_HEIGHT, Drawing, write

    arrows, body, y = graph(), "", TITLE_HEIGHT + 6
    soft = f'font-size="12" fill="{theme.SOFT}"'
    for name in ROOMS[: -len(LAST)]:
        lines = lines_of(name)
        high = 30 + LINE * len(lines) + (LINE if uses(name, arrows) else 0)
        body += f'<rect x="{LEFT}" y="{y}" width="{WIDE}" height="{high}" rx="6" fill="none" stroke="{theme.BLUE}"/>'
        body += write(LEFT + 12, y + 20, name, f'font-weight="700" fill="{theme.BLUE}"')
        below = y + 20
        for line in lines:
            below += LINE
            body += write(LEFT + 12, below, line, 'font-size="12"')
        if known := uses(name, arrows):
            smaller = f'font-size="11" fill="{theme.SOFT}"'  # the last room imports from all before it, in one line
            body += write(LEFT + 12, below + LINE, f"imports from {', '.join(known)}", smaller)
        y += high + 22
        if name != ROOMS[-len(LAST) - 1]:
            body += f'<path d="M{LEFT + 60} {y - 20}v14m-4 -5l4 5l4 -5" stroke="{theme.INK}" fill="none" stroke-width="1.5"/>'
    top, bottom = TITLE_HEIGHT + 6, y - 22
    for name in LAST:
        lines = ["may import from any room;", "no room imports from it", *lines_of(name, 26)]
        least = 34 + LINE * len(lines)
        high = max(bottom - top, least) if name == LAST[-1] else least
        body += f'<rect x="{RIGHT}" y="{top}" width="220" height="{high}" rx="6" fill="none" stroke="{theme.ORANGE}"/>'
        body += write(RIGHT + 12, top + 20, name, f'font-weight="700" fill="{theme.ORANGE}"')
        for number, line in enumerate(lines, 1):
            body += write(RIGHT + 12, top + 20 + LINE * number, line, soft if number < 3 else 'font-size="12"')
        top += high + 22
    y = max(y, top)
    words = (
        "Data flows down: " + ", ".join(ROOMS[: -len(LAST)]) + ". Beside them show and checks, which nothing imports."
    )
    return Drawing(body, words, "The rooms of helpers, in the order data flows", y)


def listing() -> str:
    """Return the rooms and what each of their files is for, as Markdown."""
    parts = []
    for name in ROOMS:
        parts.append(f"### {name}\n\n{says(PACKAGE / name / '__init__.py')}\n")
        parts.append("\n".join(f"- `{file}`: {says(PACKAGE / name / f'{file}.py')}" for file in files(name)) + "\n")
    return "\n".join(parts) + "\n"


def readme() -> str:
    return LIST.sub(lambda found: found[1] + listing() + found[2], README.read_text(encoding="utf-8"))


def main() -> None:
    from helpers.io import write_text

    write_text(PICTURE, drawing().svg + "\n")
    write_text(README, readme())


if __name__ == "__main__":
    main()
