"""A notebook as a page of the book, in Markdown: prose, code, stored outputs, and what is alive only in a notebook."""

import ast
import re
from html import escape

from tests.book import explorables, marks, outputs
from tests.notebooks import books

BOXES = {"instructor": "teacher", "while-it-trains": "meanwhile", "lesson-break": "lesson"}
MANY_IMPORTS = 6
CHAT = "In the notebook a chat box stands here: you type, and the bot replies."
VOTE = "In the notebook you vote here."
ALIVE = "In the notebook this moves. Here is how it begins."


def page(book, stem: str, static: str = "_static", picture=None, more: str = "") -> str:
    """Return a notebook's page as Markdown.

    `static` is where the page finds the shared files; `picture` as in `outputs.html`; `more`
    is Markdown to put below the title. The teacher's boxes must have been
    taken out of a learner's `book` before. Every cell has the anchor `cell-` and its id.
    """
    parts = []
    for number, cell in enumerate(book.cells):
        if cell.cell_type == "code":
            parts.append(_code(cell, stem, static, picture))
        elif number == 0:
            heading, _, rest = marks.title(cell.source, f"{stem}.ipynb").partition("\n")
            parts += [heading, marks.raw(f'<span id="cell-{cell.id}"></span>'), marks.prose(rest), more]
        else:
            parts += [marks.raw(f'<span id="cell-{cell.id}"></span>'), _text(cell)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _text(cell) -> str:
    tags = books.tags(cell)
    kind = next((BOXES[tag] for tag in tags if tag in BOXES), "record")
    if cell.source.startswith(">") or kind != "record":
        return marks.boxed(marks.prose(cell.source), kind)
    heading, _, rest = cell.source.partition("\n")
    if not heading.startswith("#"):
        heading, rest = "", cell.source
    minutes = cell.metadata.get("minutes", 0)
    if heading.startswith("## ") and minutes > 1:
        heading += "\n\n" + marks.raw(f'<p class="minutes">{minutes} minutes</p>')
    rest = marks.prose(rest).strip()
    if "deeper" in tags and rest:
        rest = "\n\n".join([marks.raw('<div class="deeper">'), rest, marks.raw("</div>")])
    return f"{heading}\n\n{rest}".strip()


def _code(cell, stem: str, static: str, picture) -> str:
    tags = [tag for tag in books.tags(cell) if tag in ("build", "exercise", "deeper", "goes-wrong")]
    results = list(_results(cell, stem, static, picture))
    code = marks.fenced("python", without_quiz(cell.source)) if without_quiz(cell.source) else ""
    if fold := _fold(cell):
        opening = f'<details class="code"><summary>{fold}</summary>'
        code = "\n\n".join([marks.raw(opening), code, marks.raw("</details>")])
    opening = f'<div id="cell-{cell.id}" class="{" ".join(["cell", *tags])}">'
    parts = [marks.raw(opening), code, marks.raw("\n".join([*results, "</div>"]))]
    return "\n\n".join(part for part in parts if part)


def _fold(cell) -> str:
    """Return the line behind which a cell's code is folded, "" where it stands open."""
    if "setup" in books.tags(cell):
        return "The setup cell: it fetches the course on Colab, and chooses CPU or GPU"
    statements = ast.parse(cell.source).body
    imports = [node for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]
    return "The imports" if len(imports) >= MANY_IMPORTS and len(statements) - len(imports) < 3 else ""


def without_quiz(source: str) -> str:
    """Return a cell's source without its quiz, "" where nothing but imports is left."""
    statements = ast.parse(source).body
    quizzes = [node for node in statements if isinstance(node, ast.Expr) and "quiz" in dict(books.calls(node))]
    lines = source.splitlines()
    for node in reversed(quizzes):
        del lines[node.lineno - 1 : node.end_lineno]
    left = [node for node in statements if node not in quizzes and not isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(lines).strip() if left or not quizzes else ""


def _results(cell, stem: str, static: str, picture):
    """Yield the outputs of a cell as HTML, in order; what is alive only in a notebook as what the book has for it."""
    still, first = [], 0
    for number, output in enumerate(cell.outputs):
        if is_alive(output):
            yield outputs.html({"outputs": still}, f"o-{cell.id}-{first}", picture)
            yield _alive(cell, output, stem, static)
            still, first = [], number + 1
        else:
            still.append(output)
    yield outputs.html({"outputs": still}, f"o-{cell.id}-{first}", picture)


def is_alive(output) -> bool:
    """Whether an output is the recorded words of something with controls, a chat box or a quiz."""
    words = output.get("data", {})
    return (
        set(words) == {"text/plain"} and output["output_type"] == "display_data" and not fleeting(words["text/plain"])
    )


def fleeting(text: str) -> bool:
    """Whether a text was only the first moment of a progress bar or a curve."""
    return bool(outputs.FLEETING.fullmatch(text))


def _alive(cell, output, stem: str, static: str) -> str:
    words = output["data"]["text/plain"]
    last = ast.parse(cell.source).body[-1]
    names = {name for name, _ in books.calls(last)}
    if "quiz" in names:
        return quiz(words, explorables.quiz(stem, cell.id))
    block = explorables.block(stem, cell.id, f"x-{cell.id}", static=static)
    if block:
        return block
    note = CHAT if "ChatBox" in names else VOTE if words.startswith(("Pair 1", "1 of ", "Which one")) else ALIVE
    return live(note, "" if "ChatBox" in names else words)


def live(note: str, words: str) -> str:
    """Return a box for what lives in the notebook: a note, and the words that were recorded of it."""
    lines, recorded = words.split("\n"), ""
    while any(lines):
        recorded += f'<p class="words {outputs.PLAIN}">{escape(outputs.unwrapped(lines), quote=False)}</p>'
    return f'<div class="live"><p class="note">{note}</p>{recorded}</div>'


def quiz(words: str, found: dict | None) -> str:
    """Return a quiz as a question with its options and, where it is known, the folded answer.

    `words` is what was recorded: the question, then the options, each on a line (or more) that begins with its letter.
    """
    question, *options = _options(words)
    listed = "".join(f"<li>{_grouped(option)}</li>" for option in options)
    answer = "The notebook checks your answer, and says why."
    if found:
        letter = chr(ord("a") + [str(option) for option in found["options"]].index(str(found["answer"])))
        answer = f"<b>{letter}) {_grouped(str(found['answer']))}</b><br>{escape(found['why'], quote=False)}"
    if found:
        answer = f'<details class="answer"><summary>Answer</summary><p>{answer}</p></details>'
    else:
        answer = f'<p class="note">{answer}</p>'
    return (
        f'<div class="quiz {outputs.PLAIN}"><p class="question">{escape(question, quote=False)}</p>'
        f'<ol type="a">{listed}</ol>{answer}</div>'
    )


def _grouped(option: str) -> str:
    """Return a quiz's option as HTML, a whole number with commas, as the course prints them."""
    return f"{int(option):,}" if re.fullmatch("[1-9][0-9]*", option) else escape(option, quote=False)


def _options(words: str) -> list[str]:
    """Return the question and the options of a quiz as it was recorded, each on one line, without the letters."""
    found = [""]
    for line in words.splitlines():
        expected = f"  {chr(ord('a') + len(found) - 1)}) "
        if line.startswith(expected):
            found.append(line[len(expected) :])
        else:
            found[-1] += " " * bool(found[-1]) + line.strip()
    return found
