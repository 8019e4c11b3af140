"""The predictions of each notebook as a handout for learners, and as a page for the teacher with what the notebook shows."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from helpers.io import write_bytes
from tests.book import outputs
from tests.kit import pages
from tests.kit.lessons import Lesson, authored, heading, lessons
from tests.notebooks import books

PREDICT = "**Predict.**"
ENOUGH = 40  # words of an answer; what follows leads on to the next subject
ASIDE = {"while-it-trains", "instructor", "solution", "exercise"}  # between a question and its answer, and no part of it


@dataclass
class Question:
    """A prediction: its number in the notebook, the text that asks, and the cells that answer."""

    number: int
    cell: str
    section: str
    deeper: bool
    text: str  # Markdown, as the learner reads it
    lead: str = ""  # what the question is about, where its own words leave that open
    answer: list = field(default_factory=list)  # the cells whose outputs and prose answer


def questions(found: Lesson) -> list[Question]:
    """Return the predictions of a notebook in order."""
    asked, section, cells, leads = [], "", found.book.cells, authored(found)["lead"]
    for index, cell in enumerate(cells):
        head = heading(cell)
        section = head[1] if head and head[0] == 2 else section
        if cell.cell_type != "markdown" or PREDICT not in cell.source:
            continue
        text = " ".join(part.replace(PREDICT, "").strip() for part in paragraphs(cell.source) if PREDICT in part)
        deeper = "deeper" in books.tags(cell)
        answer = _answer(cells[index + 1 :])
        asked.append(Question(len(asked) + 1, cell.id, section, deeper, text, leads.get(cell.id, ""), answer))
    return asked


def paragraphs(source: str) -> list[str]:
    """Return the paragraphs of Markdown."""
    return re.split(r"\n\s*\n", source)


def _answer(cells) -> list:
    """Return the cells that answer: code with results up to the first prose after them, and that prose."""
    found = []
    for cell in cells:
        if ASIDE & set(books.tags(cell)):
            continue
        if cell.cell_type == "code":
            found.append(cell)
        elif any(outputs.words(code) or code.outputs for code in found):
            return found + ([cell] if not heading(cell) else [])
        elif heading(cell):
            return found
    return found


def prose(cell) -> str:
    """Return what a cell says first: its first paragraph, more while that is short, and nothing that asks the next question."""
    said = []
    for paragraph in paragraphs(cell.source):
        if PREDICT in paragraph or len(" ".join(said).split()) >= ENOUGH:
            break
        said.append(paragraph)
    return "\n\n".join(said)


def write(folder: Path) -> list[Path]:
    """Write a handout and a key for each notebook."""
    made = []
    for found in lessons():
        asked, name = questions(found), f"predictions/{pages.number(found)}"
        made.append(pages.write(folder, f"{name}.html", "handout.html", found=found, questions=asked))
        made.append(pages.write(folder, f"{name}_key.html", "key.html", found=found, questions=asked, shown=_shower(folder)))
    return made


def _shower(folder: Path):
    from markupsafe import Markup

    def picture(png: str) -> str:
        data = base64.b64decode(png)
        name = f"pictures/{hashlib.sha256(data).hexdigest()[:16]}.png"
        write_bytes(folder / "predictions" / name, data)
        return name

    def shown(question: Question):
        """Return an answer as HTML: results as they are stored, and the prose after them."""
        parts = []
        for cell in question.answer:
            if cell.cell_type == "code":
                parts.append(Markup(outputs.html(cell, f"k{question.number}-{cell.id}", picture)))
            elif said := prose(cell):
                parts.append(pages.words(said))
        return Markup("\n").join(parts)

    return shown
