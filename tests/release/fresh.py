"""What is made from something else is what its command makes of it today: outputs, minutes, tables, frames, drawings."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# What the line says, the module whose --check knows, the command that makes it anew.
COMMANDS = [
    ("notebooks are as the builder left them", "tests.notebooks.build", "make notebooks"),
    ("the address stands in every notebook", "tests.notebooks.badges", "make badges"),
    ("minutes are the computed ones", "tests.notebooks.minutes", "python -m tests.notebooks.minutes"),
    ("explorables and quizzes are those of the notebooks", "tests.book.frames", "python -m tests.book.frames"),
]


def command(module: str, cure: str) -> Callable[[Path], list[str]]:
    """Return a check that runs ``python -m module --check`` and hands on the last lines of what it says."""

    def check(root: Path) -> list[str]:
        line = [sys.executable, "-m", module, "--check"]
        done = subprocess.run(line, cwd=root, capture_output=True, text=True)
        if not done.returncode:
            return []
        said = (done.stdout + done.stderr).strip().splitlines() or [f"{module} failed"]
        return [*said[-3:], f"run: {cure}"]

    return check


def compared(path: Path, text: Callable[[], str], cure: str) -> Callable[[Path], list[str]]:
    """Return a check that a file holds what a function makes, line ends aside."""

    def check(root: Path) -> list[str]:
        here = (root / path).read_text(encoding="utf-8") if (root / path).exists() else None
        return [] if here == text() else [f"{path} is not what its command makes today; run: {cure}"]

    return check


def course_map() -> str:
    """Return the README with the map of notebooks as the builder would write it, nothing measured anew."""
    from tests.notebooks import books, build

    return build.course_map((books.ROOT / "README.md").read_text(encoding="utf-8"), {})


def concepts() -> str:
    from tests.notebooks.concepts import table

    return table()


def layout_picture() -> str:
    from tests.layout import drawing

    return drawing().svg + "\n"


def layout_list() -> str:
    from tests.layout import readme

    return readme()


def timeline() -> str:
    from helpers.show import timeline

    return timeline().svg + "\n"


def page_of_numbers() -> str:
    from tests.release.numbers import page

    return page()


def mistakes(root: Path) -> list[str]:
    """Say which tasks of the notebooks data/mistakes.json does not know as they are. (Its messages: `make test`.)"""
    from tests.answers.mistakes import stored, tasks
    from tests.notebooks import books

    known = {
        (stem, name, task["title"], task["cell"]) for stem, of_notebook in stored().items() for name, task in of_notebook.items()
    }
    here = {(path.stem, task.name, task.title, task.cell) for path in books.paths() for task in tasks(books.read(path))}
    return [
        f"data/mistakes.json: {stem}, {name} has changed; run: python -m tests.answers.mistakes"
        for stem, name, *_ in sorted(known ^ here)
    ]


FILES = [
    ("the README's map is the course", Path("README.md"), course_map, "make notebooks"),
    ("the table of concepts is that of data/concepts.json", Path("notebooks", "README.md"), concepts,
     "python -m tests.notebooks.concepts"),
    ("the list of wobbling cells is that of the notebooks", Path("notebooks", "different_numbers.md"), page_of_numbers,
     "python -m tests.release.numbers"),
    ("the drawing of the package is the package", Path("helpers", "layout.svg"), layout_picture, "python -m tests.layout"),
    ("the list of the package's files is whole", Path("helpers", "README.md"), layout_list, "python -m tests.layout"),
    ("the timeline is that of data/timeline.json", Path(".github", "timeline.svg"), timeline,
     "write helpers.show.timeline().svg to .github/timeline.svg"),
]  # fmt: skip
