"""Rules about what the cells put out: everything run, nothing of one machine, every figure in words too."""

import ast
import re

from tests.notebooks.build import WIDGET_VIEW
from tests.notebooks.rules import Book, rule, tags, texts

SHOWING = {"print", "show", "display", "quiz"}
# A path of somebody's computer; a slash after a letter or a point is part of an address or a fraction.
MACHINE = re.compile(r"(?<![\w.:/])/(?:home|root|Users|work|private|tmp|var)/[\w.-]+|\b[A-Z]:\\\\?Users\\")
ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,16}\b")
TIMES = re.compile(r"\bit/s\b|\bs/it\b|\b\d\d:\d\d<|\bWall time\b|\bCPU times\b")


@rule
def cells_were_run_in_order(book: Book) -> list[str]:
    """nbval compares nothing in a cell without a count: every cell has one, from 1 upwards."""
    counts = [cell.execution_count for cell in book.code]
    ran = counts == list(range(1, len(counts) + 1))
    return [] if ran else [f"{book.path.name}: execution counts {counts}; run make notebooks"]


@rule
def what_is_shown_is_stored(book: Book) -> list[str]:
    """A cell that prints or shows has an output, else nbval has nothing to compare."""
    found = []
    for cell, tree in book.trees:
        last = [s.value for s in tree.body if isinstance(s, ast.Expr) and isinstance(s.value, ast.Call)]
        names = {getattr(call.func, "id", getattr(call.func, "attr", "")) for call in last}
        if names & SHOWING and not cell.outputs:
            found.append(f"{book.where(cell)}: shows something, but no output is stored")
    return found


@rule
def outputs_are_clean(book: Book) -> list[str]:
    """No error that is not announced, nothing on stderr, no warning, no leftover of a widget."""
    found = []
    for cell in book.code:
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in tags(cell):
                found.append(f"{book.where(cell)}: stops with {output.ename}")
            if output.get("name") == "stderr" and "nbval-ignore-output" not in tags(cell):
                found.append(f"{book.where(cell)}: writes to stderr: {output.text.strip()[:60]!r}")
            if WIDGET_VIEW in output.get("data", {}):
                found.append(f"{book.where(cell)}: holds a widget's random id; run make notebooks")
        if any(re.search(r"\b\w*Warning\b", text) for text in texts(cell)) and "goes-wrong" not in tags(cell):
            found.append(f"{book.where(cell)}: shows a warning")
    return found


@rule
def outputs_belong_to_no_machine(book: Book) -> list[str]:
    """No path, no address in memory, no seconds of this computer."""
    found = []
    for cell in book.code:
        for text in [cell.source, *texts(cell)]:
            for pattern, what in ((MACHINE, "a path of one computer"), (ADDRESS, "an address in memory")):
                if seen := pattern.search(text):
                    found.append(f"{book.where(cell)}: {what}: {seen[0]!r}")
        if "nbval-ignore-output" not in tags(cell) and any(TIMES.search(text) for text in texts(cell)):
            found.append(f"{book.where(cell)}: elapsed time in a checked output")
    return found


@rule
def figures_are_said_in_words(book: Book) -> list[str]:
    """A PNG has alternative text, a drawing a label; the same words stand below for whoever cannot see it."""
    found = []
    for cell in book.code:
        spoken = " ".join(" ".join(text.split()) for text in texts(cell) if not text.lstrip().startswith("<"))
        for output in cell.outputs:
            data, metadata = output.get("data", {}), output.get("metadata", {})
            if "image/png" in data:
                alt = metadata.get("image/png", {}).get("alt") or metadata.get("alt") or ""
                if len(alt.split()) < 5:
                    found.append(f"{book.where(cell)}: a figure without alternative text")
                elif " ".join(alt.split())[:60] not in spoken:
                    found.append(f"{book.where(cell)}: the figure's words are not printed below it")
            drawing = data.get("image/svg+xml") or ("<svg" in data.get("text/html", "") and data["text/html"])
            if drawing:
                if 'role="img"' not in drawing or not re.search(r'aria-label="[^"]{10,}"|<title', drawing):
                    found.append(f"{book.where(cell)}: a drawing without role and label")
                if len(spoken.split()) < 5:
                    found.append(f"{book.where(cell)}: the drawing's words are not stored beside it")
    return found
