"""A notebook made up for the tests of the kit: two lessons, two predictions, a build cell, a deeper section, an exercise."""

import nbformat.v4 as v4

from tests.kit import lessons
from tests.notebooks import books

FIRST = """# 04 · Made up

**Time:** soon. **You need** Python and the idea of [notebook 03](03_made_up.ipynb)."""


def cell(text: str, tags=(), code: bool = False, says: str = ""):
    """Return a cell; a code cell has been run and has printed `says`."""
    made = v4.new_code_cell(text) if code else v4.new_markdown_cell(text)
    made.metadata["tags"] = list(tags)
    if says:
        made.outputs = [v4.new_output("stream", text=says)]
    return made


def notebook():
    """Return the notebook; every section has 90 words, half a minute of one reader."""
    words = "\n\n" + " ".join(["word"] * 90)
    cells = [
        cell(FIRST),
        cell("## Goals\n\n1. **write** a thing;\n2. **test** it."),
        cell("> **For the teacher.** Say *nothing*. Misconception: \"it thinks\".", ["instructor"]),
        cell("## Setup"),
        cell("pass", ["setup"], code=True),
        cell("## 1 · One" + words),
        cell("Before.\n\n**Predict.** How many? A, or B?"),
        cell("print(7)", code=True, says="7\n"),
        cell("Seven, of course.\n\n**Predict.** And twice?"),
        cell("print(14)", code=True, says="14\n"),
        cell("> **While it trains.** Wait.", ["while-it-trains"]),
        cell("Fourteen."),
        cell("### Build · A thing ★★", ["build"]),
        cell("thing = ...", ["build"], code=True),
        cell("thing = 14", ["solution"], code=True),
        cell("### Deeper · More" + words, ["deeper"]),
        cell("**Second lesson.** Go on.", ["lesson-break"]),
        cell("## 2 · Two" + words),
        cell("## 3 · Exercises"),
        cell("### Exercise 1 · Again ★", ["exercise"]),
    ]
    for number, one in enumerate(cells):
        one["id"] = f"cell{number:02}"
    return v4.new_notebook(cells=cells)


def lesson(folder) -> lessons.Lesson:
    """Store the notebook in a folder, and return it as its teacher sees it."""
    path = folder / "04_made_up.ipynb"
    books.write(notebook(), path)
    return lessons.lesson(path)
