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
from tests.kit.sentences import sentences
from tests.notebooks import books

PREDICT = "**Predict.**"
LISTINGS = {"08": "bcc8aa07"}  # {notebook: the question about a listing that is read on paper, before it is run}
LEADS_ON = ("$$", "```", "> ", "#")  # a paragraph that begins so defines what comes next
ENDED = re.compile(r"[.!][)\"”*_`]*$")
ASIDE = {"while-it-trains", "instructor", "solution", "exercise"}  # between a question and its answer, and no part of it


@dataclass
class Question:
    """A prediction: its number in the notebook, the text that asks, and the cells that answer."""

    number: int
    cell: str
    section: str
    deeper: bool
    text: str  # Markdown, as the learner reads it
    part: int = 1  # of the notebook: each part has its own sheets
    lead: str = ""  # what the question is about, where its own words leave that open
    line: str = ""  # the answer in a line, where one is authored
    answer: list = field(default_factory=list)  # the cells whose outputs and prose answer


def questions(found: Lesson) -> list[Question]:
    """Return the predictions of a notebook in order."""
    asked, section, part, cells, own = [], "", 1, found.book.cells, authored(found)
    for index, cell in enumerate(cells):
        head = heading(cell)
        part += "lesson-break" in books.tags(cell)
        section = head[1] if head and head[0] == 2 else section
        if cell.cell_type != "markdown" or PREDICT not in cell.source:
            continue
        text = " ".join(part.replace(PREDICT, "").strip() for part in paragraphs(cell.source) if PREDICT in part)
        deeper = "deeper" in books.tags(cell)
        lead, line = own["lead"].get(cell.id, ""), own["answer"].get(cell.id, "")
        answer = _answer(cells[index + 1 :])
        asked.append(Question(len(asked) + 1, cell.id, section, deeper, text, part, lead, line, answer))
    return asked


def sheets(asked: list[Question]) -> list[tuple[str, list[Question]]]:
    """Return the questions as they are handed out, (name, questions) each: those of each part, then the deeper ones."""
    parts = {f"Part {question.part}": [] for question in asked}
    for question in asked:
        if not question.deeper:
            parts[f"Part {question.part}"].append(question)
    made = [(name if len(parts) > 1 else "", own) for name, own in parts.items() if own]
    deeper = [question for question in asked if question.deeper]
    return [*made, ("Deeper", deeper)] if deeper else made


def listing(found: Lesson) -> tuple[Question, list[str]] | None:
    """Return the question about a listing that is read on paper, and the listing's lines, or None."""
    cell = LISTINGS.get(found.stem[:2])
    question = next((one for one in questions(found) if one.cell == cell), None)
    return (question, question.answer[0].source.splitlines()) if question else None


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
    """Return what a cell says of an answer: all that comes before the next question, what leads to that, or a definition."""
    said, asks, defines = [], False, False
    for paragraph in paragraphs(cell.source):
        asks, defines = PREDICT in paragraph, paragraph.startswith(LEADS_ON)
        if asks or defines:
            break
        said.append(paragraph)
    text = "\n\n".join(said)
    if text.count("<details>") > text.count("</details>"):
        return text[: text.rindex("<details>")].strip()
    if not said:
        return ""
    kept = _without_lead(said[-1], asks and len(said) > 1, defines)
    return "\n\n".join([*said[:-1], kept] if kept else said[: max(1, len(said) - 1)])


def _without_lead(paragraph: str, asks: bool, defines: bool) -> str:
    """Return a last paragraph without the sentences that lead on.

    Before a prediction (`asks`) they begin with a question; before an equation (`defines`) the last one has no end;
    and everywhere they end in a colon or a question mark.
    """
    every = sentences(paragraph)
    kept = len(every)
    if asks:
        kept = next((at for at, one in enumerate(every) if one.endswith("?")), kept)
    while kept and (every[kept - 1].endswith((":", "?")) or defines and not ENDED.search(every[kept - 1])):
        kept -= 1
    return paragraph if kept == len(every) else " ".join(every[:kept])


def write(folder: Path) -> list[Path]:
    """Write a handout and a key for each notebook, and a listing where one is read on paper."""
    made = []
    for found in lessons():
        asked, name, paper = questions(found), f"predictions/{pages.number(found)}", listing(found)
        values = {"found": found, "questions": asked, "listing": paper[0].cell if paper else ""}
        made.append(pages.write(folder, f"{name}.html", "handout.html", sheets=sheets(asked), **values))
        made.append(pages.write(folder, f"{name}_key.html", "key.html", shown=_shower(folder), **values))
        if paper:
            lines = {"question": paper[0], "lines": paper[1]}
            made.append(pages.write(folder, f"{name}_listing.html", "listing.html", found=found, **lines))
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
