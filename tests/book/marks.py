"""Markdown of the notebooks made into Markdown of the book: links, boxes, folded parts, anchors."""

import re
from collections.abc import Callable
from html import escape

from tests.notebooks import books
from tests.notebooks.badges import BADGE

CODE = re.compile(r"^(?P<fence>```+|~~~+).*?^(?P=fence)[ ]*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?P<to>[^)\s]+)\)")
LABEL = re.compile(r"\*\*(?P<label>[^*]+?)(?P<stop>\.?)\*\*(?P<note> \([^)]*\)\.)?\s*")
ONE_LINE = re.compile(r"^<details><summary>(?P<summary>.*?)</summary>(?P<text>.+)</details>$", re.MULTILINE)
PREDICTION = re.compile(r"^\*\*Predict\.\*\* (?P<text>(?:.+\n?)+)", re.MULTILINE)
NOTEBOOK = re.compile(r"(\d\d_\w+)\.ipynb")
# Files of the folder notebooks/ which are pages of the book, by their name there.
PAGES = {"README.md": "where_is_it.md", "glossary.md": "glossary.md"}


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and JupyterLab's readers know it: lower case, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower()).replace(" ", "-")


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Apply `change` to a Markdown text, its code blocks and code spans left as they are."""
    codes = []

    def put_aside(code) -> str:
        codes.append(code[0])
        return f"\0{len(codes) - 1}\0"

    return re.sub("\0(\\d+)\0", lambda m: codes[int(m[1])], change(CODE.sub(put_aside, text)))


def fenced(kind: str, text: str) -> str:
    """Return `text` in a fence longer than every fence inside it."""
    longest = max((len(ticks) for ticks in re.findall(r"`{3,}", text)), default=2)
    ticks = "`" * (longest + 1)
    return f"{ticks}{kind}\n{text}\n{ticks}"


def raw(html: str) -> str:
    """Return HTML as a block that Markdown leaves alone, blank lines and all."""
    return fenced("{raw} html", html)


def box(title: str, text: str, kind: str) -> str:
    """Return an admonition; `kind` is its class."""
    return f"::::{{admonition}} {title}\n:class: {kind}\n\n{text.strip()}\n::::"


def links(text: str, pages=()) -> str:
    """Point the links of a file in notebooks/ to pages of the book, and those to other files to the repository.

    `pages` are the names of further pages that the book has, such as "accessibility.md".
    """

    def mended(link) -> str:
        to = link["to"]
        if re.match(r"[a-z]+:|#", to):
            return link[0]
        path, hash_, anchor = to.partition("#")
        if NOTEBOOK.fullmatch(path):
            path = NOTEBOOK.sub(r"\1.md", path)
        elif path in PAGES or path in pages:
            path = PAGES.get(path, path)
        else:
            path = path.removeprefix("../") if path.startswith("../") else f"notebooks/{path}"
            path = f"{books.address()}/blob/main/{path}"
        return f"]({path}{hash_}{anchor})"

    return outside_code(text, lambda part: LINK.sub(mended, part))


def boxed(text: str, kind: str) -> str:
    """Return a passage that is one labeled box, such as `> **While it trains.** …`, as an admonition; others unchanged."""
    lines = text.strip().splitlines()
    quoted = all(line.startswith(">") for line in lines)
    plain = "\n".join(re.sub(r"^> ?", "", line) for line in lines) if quoted else text.strip()
    label = LABEL.match(plain)
    if not label or not (label["stop"] or label["note"]):
        return text
    note = (label["note"] or "").rstrip(".")
    return box(label["label"] + note, plain[label.end() :], kind)


def unfold_lines(text: str) -> str:
    """Give a `<details>` on one line blank lines around its text, so that Markdown and mathematics in it are read."""
    return ONE_LINE.sub(lambda m: f"<details><summary>{m['summary']}</summary>\n\n{m['text']}\n\n</details>\n", text)


def predictions(text: str) -> str:
    """Put every passage that asks for a prediction into a box."""
    return PREDICTION.sub(lambda m: box("Predict", m["text"], "predict") + "\n", text)


def prose(text: str) -> str:
    """Return a notebook's Markdown with links, folded parts and predictions as the book has them."""
    return links(outside_code(text, lambda part: predictions(unfold_lines(part))))


def title(text: str, name: str) -> str:
    """Return a notebook's first cell with buttons instead of the badge, which is a picture from elsewhere."""
    repository = books.address().removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{repository}/blob/main/notebooks/{name}"
    buttons = (
        f'<a class="button" href="{escape(colab)}">Open in Colab</a> '
        f'<a class="button" href="_sources/{name}" download>Download the notebook</a>'
    )
    return BADGE.sub(lambda badge: buttons, text)
