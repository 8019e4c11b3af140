"""Where the course treats each concept: from data/concepts.json to the table in notebooks/README.md.

python -m tests.notebooks.concepts        write the table again, after a section was added or renamed
"""

import json
import re
from functools import cache

from helpers import data_path
from helpers.io import write_text
from tests.notebooks import books

TABLE = books.NOTEBOOKS / "README.md"
HEADING = re.compile(r"^## (?:(?P<number>\d+) · )?(?P<title>.+)$", re.MULTILINE)
ABOUT = """# Where is it?

Every concept of the course, with the section that treats it and, in quotation marks, words to look for there. A test checks that
each section exists and contains those words. For what a term means, see the [glossary](glossary.md).
"""


def concepts() -> list[dict]:
    """Return the parts of the list: {"part": a heading, "concepts": {concept: [[notebook, section's title, words], …]}}."""
    return json.loads(data_path("concepts.json").read_text(encoding="utf-8"))


@cache
def sections(notebook: str) -> dict[str, tuple[str | None, str]]:
    """Return {title: (number, text)} of a notebook's sections, the text with all its cells, in one line."""
    (path,) = books.paths([notebook])
    found, title = {}, None
    for cell in books.read(path)["cells"]:
        heading = HEADING.search(cell["source"]) if cell["cell_type"] == "markdown" else None
        if heading:
            title = heading["title"]
            found[title] = (heading["number"], "")
        if title:
            number, text = found[title]
            found[title] = (number, f"{text} {' '.join(cell['source'].split())}")
    return found


def link(notebook: str, title: str, words: str) -> str:
    """Return a link to a section of a notebook, and the words to look for. Raises KeyError when there is no such section."""
    (path,) = books.paths([notebook])
    number, _ = sections(notebook)[title]
    section = f"section {number}, {title}" if number else title
    return f"[{notebook}]({path.name}), {section}: “{words}”"


def table() -> str:
    """Return the text of notebooks/README.md."""
    lines = [ABOUT]
    for part in concepts():
        lines += [f"## {part['part']}", "", "| concept | where |", "|---|---|"]
        rows = part["concepts"].items()
        lines += [f"| {concept} | {'<br>'.join(link(*section) for section in found)} |" for concept, found in rows]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    write_text(TABLE, table())
