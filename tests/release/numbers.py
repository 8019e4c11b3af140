"""The two tables of notebooks/different_numbers.md: cells that are known to differ, and what differs between two computers.

python -m tests.release.numbers              write the list of cells again, from the notebooks' tags
python -m tests.release.numbers --measure    measure the other table again on this computer, and on it imitating an older one
"""

import argparse
import re
import sys

from helpers.io import write_text
from tests.notebooks import books, solved

PAGE = books.NOTEBOOKS / "different_numbers.md"
CELLS = re.compile(r"(<!-- cells -->\n).*?(<!-- /cells -->)", re.DOTALL)
OWN = re.compile(r"(<!-- own code -->\n).*?(<!-- /own code -->)", re.DOTALL)
MEASURED = re.compile(r"(<!-- measured -->\n).*?(<!-- /measured -->)", re.DOTALL)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
UNSTABLE = "nbval-ignore-output"


def cells(book) -> list[tuple[str, str]]:
    """Return (section, cell's first line of code) of each cell whose output is not compared, the setup cell left out."""
    found, section = [], ""
    for cell in book.cells:
        heading = HEADING.search(cell.source) if cell.cell_type == "markdown" else None
        section = heading[1] if heading else section
        if UNSTABLE in books.tags(cell) and "setup" not in books.tags(cell):
            found.append((section, first_line(cell.source)))
    return found


def first_line(source: str, most: int = 60) -> str:
    """Return the first line of a cell that does something, cut to ``most`` characters."""
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    line = next((line for line in lines if not line.startswith(("import ", "from ", "#", "torch.manual_seed("))), lines[0])
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def list_of_cells() -> str:
    """Return the table of all cells that are known to differ, as Markdown."""
    rows, count = ["| notebook | section | the cell begins |", "|---|---|---|"], 0
    for path in books.paths():
        for section, line in cells(books.read(path)):
            rows.append(f"| [{path.stem[:2]}]({path.name}) | {escaped(section)} | `` {escaped(line)} `` |")
            count += 1
    total = sum(cell.cell_type == "code" for path in books.paths() for cell in books.read(path).cells)
    return f"{count} of {total:,} code cells:\n\n" + "\n".join(rows) + "\n"


def escaped(words: str) -> str:
    """Return words for a cell of a Markdown table."""
    return words.replace("|", "\\|")


def list_of_own() -> str:
    """Return the cells whose numbers change once the learner's own code is in the build cells before, as Markdown."""
    rows, known = [], {}
    for path in books.paths():
        for cell in books.read(path).cells:
            known[cell.id] = (path, cell.source)
    for cell, why in solved.DRAWN.items():
        path, source = known[cell]
        rows.append(f"- [{path.stem[:2]}]({path.name}), `` {first_line(source)} ``: {why.partition(': ')[2]}.")
    return "\n".join(rows) + "\n"


def page(text: str | None = None) -> str:
    """Return the page with both lists made anew from the notebooks; the measured table stays as it is."""
    text = PAGE.read_text(encoding="utf-8") if text is None else text
    for place, made in ((CELLS, list_of_cells()), (OWN, list_of_own())):
        text = place.sub(lambda found, made=made: found[1] + made + found[2], text)
    return text


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the tables of notebooks/different_numbers.md.")
    parser.add_argument("--measure", action="store_true", help="measure on this computer (a minute)")
    options = parser.parse_args(arguments)
    text = page()
    if options.measure:
        from tests.release.computers import table

        measured = table()
        text = MEASURED.sub(lambda found: found[1] + measured + found[2], text)
    write_text(PAGE, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
