"""Run notebooks and store what a book shows of what is alive in them: the frames of explorables, the keys of quizzes.

usage: python -m tests.book.frames [--only 01 …] [--check] [--timeout SECONDS]

Everything is caught in the kernel right after its cell, and the words of a resting frame must be those that the notebook
has stored. The notebooks themselves are not changed: `tests.notebooks.build` stores their outputs.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from helpers.io import write_text
from helpers.show.frames import read_frames
from helpers.show.theme import wrap
from tests.book import explorables
from tests.notebooks import books, build

CAPTURE = Path(__file__).parent / "capture.py"


class Caught:
    """What was caught while a notebook ran: give it to `build.execute` as ``after``."""

    def __init__(self, folder: Path):
        self.folder, self.explorables, self.quizzes = folder, {}, {}

    def __call__(self, client, cell) -> None:
        wanted = explorables.kind(cell)
        if not wanted:
            return
        file = self.folder / f"{cell.id}.json"
        keep = f"__import__('runpy').run_path({str(CAPTURE)!r})['keep']"
        call = f"{keep}(_oh.get({cell.execution_count}), {cell.id!r}, {str(file)!r})"
        question = client.kc.execute("", silent=True, user_expressions={"kind": call})
        answer = client.wait_for_reply(question)["content"]["user_expressions"]["kind"]
        if answer.get("data", {}).get("text/plain") != repr(wanted):
            raise ValueError(f"cell {cell.id}: no {wanted} was caught, but {answer}")
        text = file.read_text(encoding="utf-8")
        if wanted == "quiz":
            self.quizzes[cell.id] = json.loads(text)
        else:
            self.explorables[cell.id] = read_frames(text)


def catch(book, path: Path, timeout: float = 300) -> Caught:
    """Run a notebook, storing new outputs in `book`, and return what was caught on the way."""
    with tempfile.TemporaryDirectory() as folder:
        caught = Caught(Path(folder))
        build.execute(book, path.parent, timeout, after=caught)
    return caught


def differences(stored, run) -> list[str]:
    """Say which cells of a run said something else than is stored, but for those whose outputs vary."""
    return [
        f"cell {old.id} says something else after explorables were drawn"
        for old, new in zip(stored.cells, run.cells, strict=True)
        if "nbval-ignore-output" not in books.tags(old) and _said(old) != _said(new)
    ]


def _said(cell) -> list[str]:
    return [
        output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", [])
    ]


def write(caught: Caught, stem: str) -> list[str]:
    """Store what was caught in a notebook; remove what this command stored for cells that are no more. Return the files."""
    files = {explorables.path(stem, cell): frames.text() for cell, frames in caught.explorables.items()}
    if caught.quizzes:
        files[explorables.path(stem, "quizzes")] = json.dumps(caught.quizzes, ensure_ascii=False, indent=1) + "\n"
    for old in explorables.STORED.glob(f"{stem[:2]}_*.json"):
        if old not in files:
            old.unlink()
    return [write_text(file, text).name for file, text in files.items()]


def faults(book, stem: str) -> list[str]:
    """Say where the stored frames and keys do not belong to a stored notebook."""
    found, expected = [], set()
    for cell in book.cells:
        kind = explorables.kind(cell)
        file = explorables.path(stem, "quizzes" if kind == "quiz" else cell.id)
        if kind:
            expected.add(file)
        if kind == "quiz" and not explorables.quiz(stem, cell.id):
            found.append(f"{stem}, cell {cell.id}: no key of its quiz is stored")
        elif kind == "explorable" and not file.exists():
            found.append(f"{stem}, cell {cell.id}: no frames are stored")
        elif kind == "explorable":
            frames = read_frames(file.read_text(encoding="utf-8"))
            if wrap(frames.said(frames.start)) != explorables.resting(cell):
                found.append(f"{stem}, cell {cell.id}: the first frame says something else than the notebook")
    stale = sorted(set(explorables.STORED.glob(f"{stem[:2]}_*.json")) - expected)
    return found + [f"{stem}: {file.name} belongs to no cell" for file in stale]


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description="Store the frames of explorables and the keys of quizzes.")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="beginnings of names: --only 00 01")
    parser.add_argument("--check", action="store_true", help="run nothing; fail if what is stored does not fit the notebooks")
    parser.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help="for one cell (default 300)")
    options = parser.parse_args(arguments)
    problems = []
    for path in books.paths(options.only):
        stored, run = books.read(path), books.read(path)
        if not options.check:
            caught = catch(run, path, options.timeout)
            problems += differences(stored, run)
            for name in write(caught, path.stem):
                print(f"{name}: {(explorables.STORED / name).stat().st_size / 1000:,.0f} kB", flush=True)
        problems += faults(stored, path.stem)
    print("\n".join(problems) or "All explorables and quizzes are stored as the notebooks show them.")
    return bool(problems)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(str(error))
