"""The book's other pages: made from the course's own files, complete, in order."""

import json
import re

import pytest

from helpers import data_path
from helpers.io import read_rows
from tests.book import kit, marks, reference
from tests.notebooks import books


def headings(notebook):
    return {marks.slug(heading) for heading, _ in reference.passages(notebook)}


def anchors(text):
    """Every link of a page to a section: (notebook, anchor)."""
    return re.findall(r"\]\((\d\d)_\w+\.md#([^)]+)\)", text)


@pytest.mark.parametrize("page", [reference.glossary, reference.where_is_it])
def test_links_lead_to_sections_that_are_there(page):
    found = anchors(page())
    assert len(found) > 100
    assert [(notebook, anchor) for notebook, anchor in found if anchor not in headings(notebook)] == []


def test_every_term_leads_back_to_its_notebook():
    terms = reference.glossary().split("\n## ")[1:]
    stored = (books.NOTEBOOKS / "glossary.md").read_text(encoding="utf-8").split("\n## ")[1:]
    assert len(terms) == len(stored)
    for term, before in zip(terms, stored):
        home = re.search(r"↩ \[(\d\d)\]", before)
        assert home is None or re.search(rf"↩ \[{home[1]}\b", term) or f"({reference.stem(home[1])}.md" in term, term


def test_most_terms_lead_to_the_section_that_explains_them():
    terms = reference.glossary().split("\n## ")[1:]
    assert sum(bool(re.search(r"↩ \[[^\]]+\]\([^)]+#", term)) for term in terms) > 0.9 * len(terms)


def test_the_scoreboard_has_every_bot_and_begins_with_the_fewest_bits():
    rows = [line.split(" | ") for line in reference.scores().splitlines() if re.match(r"\| [\w-]+ \| [\d.]+ \|", line)]
    bits = [float(row[1]) for row in rows]
    assert len(rows) == len(read_rows(data_path("scoreboard.csv"))) and bits == sorted(bits)


@pytest.mark.parametrize(
    ("value", "whole", "said"),
    [
        (1.5, False, "1.500"), (0.4, False, "0.4000"), (0.01142, False, "0.01142"), (27.06, False, "27.06"),
        (4388, False, "4,388"), (2100.0, False, "2,100"), (1574924, True, "1,574,924"), (None, False, "–"),
    ],
)  # fmt: skip
def test_numbers_of_the_scoreboard_line_up(value, whole, said):
    assert reference._number(value, whole) == said


def test_the_scoreboards_head_has_as_many_columns_as_its_rows():
    head, line, *rows = [line for line in reference.scores().splitlines() if line.startswith("|")]
    assert head.startswith("| bot | bits per byte |") and len({row.count("|") for row in (head, line, *rows)}) == 1
    assert all(name in head for name in reference.scoreboard.COLUMNS)


def test_the_title_of_an_event_ends_before_its_sentence_begins():
    titles = re.findall(r"^\*\*(.+?)\*\* ", reference.timeline(), re.MULTILINE)
    assert titles and all(re.search(r"[^.?!][.?!]$", title) for title in titles)


def test_the_timeline_has_every_event_with_its_notebook():
    text = reference.timeline()
    events = json.loads(data_path("timeline.json").read_text(encoding="utf-8"))
    assert len(re.findall(r"\[Notebook \d\d (?:builds|tells of) it\]", text)) == len(events)
    years = re.findall(r"^## (\d+)$", text, re.MULTILINE)
    assert years == sorted(set(years))


def test_the_first_page_leads_to_every_notebook_and_only_the_teachers_to_the_kit():
    for entry in reference.course():
        assert f"[{entry['title']}]({entry['file'].removesuffix('.ipynb')}.md)" in reference.index(False)
    assert "\nkit\n" in reference.index(True) and "\nkit\n" not in reference.index(False)


def test_the_way_to_the_kit_has_every_notebook():
    assert all(f"../../kit/plans/{entry['notebook']}.html" in kit.page() for entry in reference.course())
