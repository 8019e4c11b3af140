"""Notebooks as pages: boxes, folds, links, quizzes, and what is alive only in a notebook."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.book import editions, explorables, marks, pages, site
from tests.notebooks import books

WORDS = "How many legs has a corgi?\n  a) 3\n  b) four, or\n     2 and 2"
KEY = {
    "question": "How many?",
    "options": ["3", "four, or 2 and 2"],
    "answer": "four, or 2 and 2",
    "why": "Count < them.",
}


@pytest.fixture(autouse=True)
def nothing_stored(monkeypatch):
    monkeypatch.setattr(explorables, "block", lambda *_, **__: None)
    monkeypatch.setattr(explorables, "quiz", lambda *_: KEY)


def live(source, words):
    shown = new_output("display_data", data={"text/plain": words})
    return new_code_cell(
        source, outputs=[new_output("stream", text="before\n"), shown], metadata={"tags": ["exercise"]}
    )


def page(*cells):
    return pages.page(new_notebook(cells=[new_markdown_cell("# Dogs\n\nText."), *cells]), "04_dogs")


@pytest.mark.parametrize(
    "link, here",
    [
        ("03_encoder.ipynb", "03_encoder.md"),
        ("03_encoder.ipynb#1--here", "03_encoder.md#1--here"),
        ("glossary.md#gate", "glossary.md#gate"),
        ("README.md", "where_is_it.md"),
        ("#above", "#above"),
        ("https://arxiv.org/abs/1", "https://arxiv.org/abs/1"),
        ("../data/README.md", f"{books.address()}/blob/main/data/README.md"),
        ("LICENSE", f"{books.address()}/blob/main/notebooks/LICENSE"),
    ],
)
def test_links_lead_to_pages_or_to_the_repository(link, here):
    assert marks.links(f"[a]({link}) and `[b]({link})`") == f"[a]({here}) and `[b]({link})`"


def test_anchors_are_those_of_github():
    assert marks.slug("1 · Why `√d`? Pre-norm, post-norm") == "1--why-d-pre-norm-post-norm"


def test_a_fence_is_longer_than_those_inside():
    assert marks.fenced("python", "````\nx\n````").startswith("`````python\n")


def test_a_labeled_quote_becomes_a_box_and_another_stays_a_quote():
    box = marks.boxed("> **While it trains** (a minute). What\n> next?", "meanwhile")
    assert box == "::::{admonition} While it trains (a minute)\n:class: meanwhile\n\nWhat\nnext?\n::::"
    quote = '> "We propose." ([Vaswani](https://a.example))'
    assert marks.boxed(quote, "record") == quote


def test_a_prediction_becomes_a_box_but_not_in_code():
    text = marks.prose("**Predict.** Which\none?\n\nAfter.\n\n```\n**Predict.** no\n```")
    assert text.count("{admonition} Predict") == 1 and "Which\none?\n::::" in text and "\n\nAfter." in text


def test_a_fold_on_one_line_is_read_as_markdown():
    assert "</summary>\n\nIt is $x$.\n\n</details>" in marks.prose(
        "<details><summary>Why?</summary>It is $x$.</details>"
    )


def test_the_badge_becomes_buttons():
    badge = "[![Open in Colab](https://a.example/colab-badge.svg)](https://colab.research.google.com/x)"
    title = marks.title(f"# Dogs\n\n**2017** · {badge}", "04_dogs.ipynb")
    assert "![" not in title and 'href="_sources/04_dogs.ipynb" download' in title
    assert "/blob/main/notebooks/04_dogs.ipynb" in title


def test_a_quiz_is_shown_without_its_code_and_with_a_folded_answer():
    source = 'legs = 2 + 2\nquiz("How many?",\n     options=[3, "x"], answer=legs, why="Secret.")'
    text = page(live(source, WORDS))
    assert "legs = 2 + 2" in text and "answer=" not in text and "Secret" not in text
    assert '<ol type="a"><li>3</li><li>four, or 2 and 2</li></ol><details class="answer">' in text
    assert "<b>b) four, or 2 and 2</b><br>Count &lt; them." in text


def test_large_numbers_of_a_quiz_have_commas():
    key = KEY | {"options": ["1024", "3374400", "a < b 1000"], "answer": "3374400"}
    text = pages.quiz("How many?\n  a) 1024\n  b) 3374400\n  c) a < b 1000", key)
    assert "<li>1,024</li><li>3,374,400</li><li>a &lt; b 1000</li>" in text and "<b>b) 3,374,400</b><br>Count" in text


def test_a_cell_that_is_only_a_quiz_shows_no_code():
    assert pages.without_quiz('from helpers.show import quiz\n\nquiz("?", [1, 2], answer=1)') == ""


def test_a_quiz_whose_key_is_not_stored_says_where_it_is_answered():
    assert "<details" not in pages.quiz(WORDS, None) and "The notebook checks your answer" in pages.quiz(WORDS, None)


def test_a_chat_box_says_that_it_lives_in_the_notebook():
    text = page(live("ChatBox(bot)", "No message to bot yet."))
    assert pages.CHAT in text and "No message" not in text and "before</pre>" in text


def test_words_of_an_explorable_without_frames_stand_there_and_frames_replace_them(monkeypatch):
    cell = live("explore_merges(tokenizer)", "After 0 merges.")
    assert '<p class="words' in page(cell) and "After 0 merges." in page(cell)
    monkeypatch.setattr(explorables, "block", lambda stem, cell, prefix, static: f"<i>{stem} {prefix} {static}</i>")
    assert f"<i>04_dogs x-{cell.id} _static</i>" in page(cell) and "After 0 merges." not in page(cell)


def test_setup_and_imports_are_folded_and_other_code_is_not():
    imports = "\n".join(f"import module_{number}" for number in range(6))
    setup = new_code_cell("print(1)", metadata={"tags": ["setup"]})
    assert page(setup, new_code_cell(imports)).count('<details class="code">') == 2
    assert '<details class="code">' not in page(new_code_cell("import json\nprint(2)"))


def test_sections_say_their_minutes_and_deeper_cells_are_marked():
    section = new_markdown_cell("## 1 · Legs\n\nText.", metadata={"minutes": 7})
    deeper = new_markdown_cell("### Deeper · Paws\n\nMore.", metadata={"tags": ["deeper"]})
    text = page(section, deeper, new_code_cell("paws()", metadata={"tags": ["deeper"]}))
    assert '<p class="minutes">7 minutes</p>' in text and f'id="cell-{section.id}"' in text
    assert '### Deeper · Paws\n\n```{raw} html\n<div class="deeper">' in text and 'class="cell deeper"' in text


def test_only_the_teachers_page_has_the_teachers_boxes():
    box = new_markdown_cell("> **For the teacher.** Ask.", metadata={"tags": ["instructor"]})
    book = new_notebook(cells=[new_markdown_cell("# Dogs"), box])
    shown = {edition: pages.page(editions.for_reading(book, edition), "04_dogs") for edition in editions.EDITIONS}
    assert ":class: teacher" in shown["teacher"] and "teacher" not in shown["learner"]


def test_a_column_without_a_name_has_no_empty_header():
    row = '<tr><th class="head"><p></p></th><th class="head"><p>bits</p></th></tr>'
    assert site.without_empty_headers(row) == '<tr><td></td><th class="head"><p>bits</p></th></tr>'
