"""Each rule for the finished book finds the fault it is for on a small invented site, and none on a good one."""

import json

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.book import check

BOX = "Ask the whole class first who has ever seen a corgi."
WHY = "A corgi is a dog, and dogs have just the four legs."
GOOD = """<!DOCTYPE html><html><head><link rel="stylesheet" href="_static/book.css"></head><body>
<h1 id="top">Dogs</h1><a href="#top">up</a> <a href="other.html#there">there</a> <a href="https://arxiv.org/abs/1">paper</a>
<svg aria-label="a > b"><path d="M0 0"/></svg><script>if (1 < 2) { "<a href='nowhere'>" }</script>
<div class="quiz"><p>How many legs?</p><details class="answer"><summary>Answer</summary><p>4. WHY</p></details></div>
</body></html>""".replace("WHY", WHY)
NOTEBOOKS = {
    "dogs": new_notebook(
        cells=[
            new_markdown_cell("# Dogs\n\nHow many legs?"),
            new_markdown_cell(f"> **For the teacher.** {BOX}", metadata={"tags": ["instructor"]}),
            new_code_cell(f'quiz("How many legs?", options=[4, 5], answer=2 + 2, why="{WHY}")'),
        ]
    )
}


@pytest.fixture
def site(tmp_path):
    """A site of two pages in both editions, without a fault."""
    folder = tmp_path / "book"
    for place in (folder, folder / "teacher"):
        (place / "_sources").mkdir(parents=True)
        (place / "dogs.html").write_text(GOOD if place == folder else GOOD.replace("_static", "../_static"), "utf-8")
        (place / "other.html").write_text('<p id="there">Here.</p>', "utf-8")
    (folder / "_static").mkdir()
    (folder / "_static" / "book.css").write_text("a { background: url(data:image/png;base64,aGk=) }", "utf-8")
    put_index(folder, "leg", "dog")
    return folder


def put_index(folder, *terms):
    index = {"docnames": ["dogs", "other"], "terms": dict.fromkeys(terms, 0)}
    (folder / "searchindex.js").write_text(f"Search.setIndex({json.dumps(index)})", "utf-8")


def spoil(site, old, new, name="dogs.html"):
    page = site / name
    text = page.read_text("utf-8")
    assert old in text
    page.write_text(text.replace(old, new, 1), "utf-8")


def leaked(site):
    return check.leaked(site, NOTEBOOKS)


RULES = {
    rule.__name__: rule for rule in (check.broken, check.repeated, check.foreign, check.heavy, check.revealing, leaked)
}
FAULTS = {  # rule: (what is replaced, with what, what the complaint says)
    "a page that is not there": ("broken", "other.html#there", "gone.html", "nothing at gone.html"),
    "an anchor that is not there": ("broken", "other.html#there", "other.html#where", "no anchor at other.html#where"),
    "an anchor on this page": ("broken", "#top", "#bottom", "no anchor at #bottom"),
    "a picture that is not there": ("broken", "<svg", '<img src="gone.png" alt="x"><svg', "nothing at gone.png"),
    "a page beside the book": ("broken", "other.html#there", "../kit/index.html", "nothing at ../kit/index.html"),
    "an id twice": ("repeated", "<svg", '<svg id="top"', "top stands there 2 times"),
    "a script from elsewhere": (
        "foreign",
        "<svg",
        '<script src="https://cdn.example/x.js"></script><svg',
        "<script> fetches",
    ),
    "a style from elsewhere": ("foreign", "_static/book.css", "//cdn.example/book.css", "<link> fetches"),
    "a picture from elsewhere": ("foreign", "<svg", '<img src="https://a.example/b.png"><svg', "<img> fetches"),
    "a font from elsewhere": (
        "foreign",
        "<svg",
        "<style>@import 'https://a.example/f.css'</style><svg",
        "a style fetches",
    ),
    "a teacher's box": ("leaked", "<svg", f"<p>{BOX}</p><svg", "gives away"),
    "a teacher's box with marks": (
        "leaked",
        "<svg",
        f"<p>{BOX.replace('class', '<em>class</em>')}</p><svg",
        "gives away",
    ),
    "an answer before it is unfolded": ("leaked", "How many legs?", WHY, "gives away"),
    "an answer in a script": ("leaked", "1 < 2", f'why = "{WHY}"', "gives away"),
}


@pytest.mark.parametrize("name", RULES)
def test_a_good_site_has_no_fault(site, name):
    assert RULES[name](site) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_by_its_rule_alone(site, fault):
    rule, old, new, words = FAULTS[fault]
    spoil(site, old, new)
    complaints = {name: found for name in RULES if (found := RULES[name](site))}
    assert set(complaints) == {rule} or fault == "a style from elsewhere" and rule in complaints
    assert len(complaints[rule]) == 1 and words in complaints[rule][0] and "dogs.html" in complaints[rule][0]


def test_the_teachers_page_may_say_it_all(site):
    spoil(site, "<svg", f"<p>{BOX} {WHY}</p><svg", "teacher/dogs.html")
    assert leaked(site) == []


def test_sources_and_search_give_nothing_away(site):
    (site / "_sources" / "dogs.ipynb").write_text(json.dumps({"source": [f"why='{WHY}'"]}), "utf-8")
    put_index(site, "corgi", "dog")
    assert [fault.split(":")[0] for fault in leaked(site)] == ["_sources/dogs.ipynb"]  # "corgi" stands in the quiz, too
    put_index(site, "class")
    assert "searchindex.js: knows “class”, which only a teacher's box of dogs says" in leaked(site)


def test_a_style_sheet_fetches_nothing(site):
    (site / "_static" / "book.css").write_text("@font-face { src: url('https://a.example/f.woff2') }", "utf-8")
    assert "_static/book.css: a style fetches https://a.example/f.woff2" in check.foreign(site)


def test_the_size_is_limited_and_maps_are_left_out(site):
    (site / "_static" / "book.css.map").write_text("{}", "utf-8")
    assert check.heavy(site) == ["_static/book.css.map: a map for developers"]
    assert "takes" in check.heavy(site, limit=100)[-1]


def test_a_path_of_this_computer_is_found(site, tmp_path):
    spoil(site, "Dogs", f"Dogs in {tmp_path}")
    assert check.revealing(site, root=tmp_path) == [f"dogs.html: contains {tmp_path}"]


def test_downloads_are_equal_to_the_byte(site, monkeypatch):
    monkeypatch.setattr(check.making, "downloads", lambda edition: {"a.ipynb": b"a", "b.ipynb": b"b"})
    for folder in (site / "_sources", site / "teacher" / "_sources"):
        (folder / "a.ipynb").write_bytes(b"a")
        (folder / "b.ipynb").write_bytes(b"b")
    assert check.changed(site) == []
    (site / "_sources" / "a.ipynb").write_bytes(b"a ")
    (site / "_sources" / "b.ipynb").unlink()
    (site / "teacher" / "_sources" / "c.md").write_bytes(b"")
    assert check.changed(site) == [
        "the learner's download a.ipynb is another",
        "the learner's download b.ipynb is missing",
        "the teacher's download c.md is too many",
    ]


def test_a_notebook_without_a_page_is_missed(site):
    assert "teacher/00_start_here.html: there is no such page" in check.missing(site)
