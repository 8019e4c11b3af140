"""The learner's edition has no teacher's box and no open key; the teacher's has everything."""

import copy

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.book import editions
from tests.notebooks import books


def notebook():
    output = new_output("stream", text="How many?\n")
    return new_notebook(
        cells=[
            new_markdown_cell("> **For the teacher.** Ask them.", metadata={"tags": ["instructor"]}),
            new_markdown_cell("<details><summary>Solution</summary>5</details>", metadata={"tags": ["solution"]}),
            new_code_cell('quiz("How many?", options=[4, 5], answer=2 + 3, why="Count again.")', outputs=[output]),
        ]
    )


def test_the_learners_edition_hides_boxes_and_keys_and_keeps_solutions_and_outputs():
    book = editions.learner(notebook())
    text = books.text(book)
    assert "teacher" not in text and "answer=" not in text and "Count again" not in text
    assert "Solution" in text and book.cells[-1].outputs[0].text == "How many?\n"


def test_the_teachers_edition_is_the_notebook():
    assert editions.teacher(notebook()).cells[0].source.startswith("> **For the teacher.**")


def test_a_notebook_is_not_changed_by_its_editions():
    book = notebook()
    before = copy.deepcopy(book)
    for edition in editions.EDITIONS.values():
        edition(book)
    assert book == before
