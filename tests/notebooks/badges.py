"""Write the repository's address into every notebook (Colab badge, setup cell) and into the texts that name it.

usage: python -m tests.notebooks.badges [--check]
"""

import argparse
import re
import sys

from tests.notebooks import books, setup_cell

BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*colab-badge\.svg\)\]\([^)]*\)")
# A copy may be called one-conversation-2027: the name is replaced whole.
OURS = re.compile(
    r"(?:https://github\.com|(?<=colab\.research\.google\.com/)github)/[\w.-]+/one-conversation[\w-]*"
    r"|https://[\w-]+\.github\.io/one-conversation[\w-]*"
)
# Besides the notebooks; as far as they are there.
TEXTS = ("README.md", "CITATION.cff", "pyproject.toml", ".github/*.md", ".github/ISSUE_TEMPLATE/*.yml", "notebooks/*.md")


def badge(address: str, name: str) -> str:
    """Return the markdown of the badge that opens notebook `name` in Colab."""
    repository = address.removeprefix("https://github.com/")
    return (
        "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        f"(https://colab.research.google.com/github/{repository}/blob/main/notebooks/{name})"
    )


def stamp(book, name: str, address: str):
    """Put badge and setup cell into a notebook, and return it.

    Raises ValueError when the notebook does not begin with a title, or has not exactly one cell tagged `setup`.
    """
    first = book.cells[0]
    if first.cell_type != "markdown" or not first.source.startswith("# "):
        raise ValueError(f"{name}: the first cell must be markdown and begin with '# title'")
    if BADGE.search(first.source):
        first.source = BADGE.sub(lambda _: badge(address, name), first.source, count=1)
    else:
        heading, _, rest = first.source.partition("\n")
        first.source = f"{heading}\n\n{badge(address, name)}\n\n{rest.lstrip()}".rstrip()
    setups = [cell for cell in book.cells if "setup" in books.tags(cell)]
    if len(setups) != 1 or setups[0].cell_type != "code":
        raise ValueError(f"{name}: exactly one code cell must be tagged 'setup', {len(setups)} cells are")
    setups[0].source = setup_cell.source(address)
    return book


def stamp_text(text: str, address: str) -> str:
    """Put the address into a text that names the repository on GitHub, in a Colab link, or by the address of its pages."""
    repository = address.removeprefix("https://github.com/")

    def new(found: re.Match) -> str:
        if ".github.io/" in found[0]:
            return pages(address)
        return address if found[0].startswith("https") else f"github/{repository}"

    return OURS.sub(new, text)


def pages(address: str) -> str:
    """Return where GitHub Pages shows the book of a repository."""
    account, _, name = address.removeprefix("https://github.com/").partition("/")
    return f"https://{account}.github.io/{name}"


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description="Write the repository's address into every notebook and text.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if something would change")
    options = parser.parse_args(arguments)
    address, stale = books.address(), []
    for path in books.paths():
        before = path.read_text(encoding="utf-8")
        book = stamp(books.read(path), path.name, address)
        if books.text(book) != before:
            stale.append(path)
            if not options.check:
                books.write(book, path)
    for path in (path for pattern in TEXTS for path in sorted(books.ROOT.glob(pattern))):
        before = path.read_text(encoding="utf-8")
        if (after := stamp_text(before, address)) != before:
            stale.append(path)
            if not options.check:
                path.write_text(after, encoding="utf-8")
    names = ", ".join(path.name for path in stale)
    if options.check:
        print(f"Not stamped: {names}. Run `make badges`." if stale else "Every notebook carries the address.")
        return bool(stale)
    print(f"Stamped {address} into {names}." if stale else f"Every notebook already carries {address}.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(str(error))
