"""Run notebooks and store what a book shows of what is alive in them: the frames of explorables, the keys of quizzes.

usage: python -m tests.book.frames [--only 01 …] [--check] [--timeout SECONDS]

Everything is caught in the kernel right after its cell, and the words of a resting frame must be those that the notebook
has stored. The notebooks themselves are not changed: `tests.notebooks.build` stores their outputs.
"""

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

from helpers.io import write_text
from helpers.show.frames import Frames, read_frames
from helpers.show.theme import wrap
from tests.book import explorables
from tests.notebooks import books, build

CAPTURE = Path(__file__).parent / "capture.py"


# An explorable that runs a model for each frame: of its frames only the extremes are drawn again for a comparison.
SLOW = {"explore_sampling", "explore_few_bits", "explore_arena", "explore_captions", "explore_input_gradients", "explore_queue"}
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


class Caught:
    """What was caught while a notebook ran: give it to `build.execute` as ``after``."""

    def __init__(self, folder: Path):
        self.folder, self.explorables, self.quizzes = folder, {}, {}

    def __call__(self, client, cell) -> None:
        if kind := explorables.kind(cell):
            text = asked(client, cell, kind, f"['keep'](_oh.get({cell.execution_count}), {cell.id!r}", self.folder)
            if kind == "quiz":
                self.quizzes[cell.id] = json.loads(text)
            else:
                self.explorables[cell.id] = read_frames(text)


class Compared:
    """Compares stored frames and keys with what lives while a notebook runs: give it to `build.execute` as ``after``.

    `differences` says what is not the same.
    """

    def __init__(self, stem: str, folder: Path):
        self.stem, self.folder, self.differences = stem, folder, []

    def __call__(self, client, cell) -> None:
        kind, shown = explorables.kind(cell), f"_oh.get({cell.execution_count}), {cell.id!r}"
        if kind == "quiz":
            live = json.loads(asked(client, cell, kind, f"['keep']({shown}", self.folder))
            stored = explorables.quiz(self.stem, cell.id)
            self.differences += [f"cell {cell.id}: the quiz is {live}, stored is {stored}"] * (live != stored)
        elif kind:
            frames = read_frames(explorables.path(self.stem, cell.id).read_text(encoding="utf-8"))
            places = extremes(frames) if SLOW & set(explorables.called(cell)) else None
            live = json.loads(asked(client, cell, kind, f"['say']({shown}, {places}", self.folder))
            if live["count"] != len(frames.order):
                self.differences.append(f"cell {cell.id}: {live['count']} frames, stored are {len(frames.order)}")
            elif "nbval-ignore-output" not in books.tags(cell):
                self.differences += [
                    f"cell {cell.id}, frame {place}: {words}\nstored is: {frames.said(place)}"
                    for place, words in live["words"]
                    if not alike(words, frames.said(place))
                ]


def asked(client, cell, kind: str, call: str, folder: Path) -> str:
    """Call a function of `capture` in the notebook's kernel, which writes a file; return the file's text.

    Raises ValueError when the cell did not show what its source says.
    """
    file = folder / f"{cell.id}.json"
    call = f"__import__('runpy').run_path({str(CAPTURE)!r}){call}, {str(file)!r})"
    question = client.kc.execute("", silent=True, user_expressions={"kind": call})
    answer = client.wait_for_reply(question)["content"]["user_expressions"]["kind"]
    if answer.get("data", {}).get("text/plain") != repr(kind):
        raise ValueError(f"cell {cell.id}: no {kind} was found, but {answer.get('evalue', answer)}")
    return file.read_text(encoding="utf-8")


def extremes(frames: Frames) -> list[int]:
    """Return the places of the resting frame, and of every control at each of its ends with the others at rest."""
    places, size = [frames.start], 1
    for control in reversed(frames.controls):
        most = len(control.settings) - 1
        places += [frames.start - size * control.start, frames.start + size * (most - control.start)]
        size *= len(control.settings)
    return sorted(set(places))


def alike(words: str, other: str) -> bool:
    """Whether two texts say the same, but for numbers that another computer rounds to a neighbor."""
    if NUMBER.sub("#", words) != NUMBER.sub("#", other):
        return False
    pairs = zip(NUMBER.findall(words), NUMBER.findall(other))
    return all(abs(float(one.replace(",", "")) - float(two.replace(",", ""))) <= 1.01 * _unit(one, two) for one, two in pairs)


def _unit(*numbers: str) -> float:
    """Return the value of the last digit that counts: 0.1 for 4.2, 100 for 1,200."""
    digits = [number.replace(",", "") for number in numbers]
    return min(10.0 ** (-len(n.partition(".")[2]) if "." in n else len(n) - len(n.rstrip("0"))) for n in digits)


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
