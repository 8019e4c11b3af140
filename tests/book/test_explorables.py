"""The book's explorables: HTML that stands without JavaScript, files that fit the stored notebooks, comparisons that notice."""

import json
import re
from html.parser import HTMLParser

import nbformat
import pytest

from helpers.show import Drawing, Explore
from helpers.show.frames import make_frames
from tests.book import capture, explorables, frames
from tests.notebooks import books

STEM, CELL = "99_invented", "abc"


def squares(n=2, kind="a", bold=False, text="", price=1.0):
    words = f"{n} <squares> of kind {kind}\n{'bold' if bold else 'thin'}, {price:g} each"
    body = f'<defs><pattern id="dots"/></defs><g><rect fill="url(#dots)" width="{n}"/></g>'
    return Drawing(body, words, f"{n} squares", 50)


@pytest.fixture
def stored(tmp_path, monkeypatch):
    monkeypatch.setattr(explorables, "STORED", tmp_path)
    explore = Explore(squares, n=range(1, 5), kind=["a", "b & c"], bold=True, text="", price=(0.5, 2.0, 0.5))
    made = make_frames(explore.in_book(n=[1, 2, 4], price=[]))
    explorables.path(STEM, CELL).write_text(made.text(), encoding="utf-8")
    return made


class Elements(HTMLParser):
    """Collects (tag, attributes) of a piece of HTML."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def all(self, *tags):
        return [attributes for tag, attributes in self.found if tag in tags]


def test_the_first_frame_stands_in_the_page(stored):
    html = explorables.block(STEM, CELL, "x-abc")
    assert "2 squares</text>" in html and "2 &lt;squares&gt; of kind a\nbold, 1 each</p>" in html
    assert len(Elements(html).all("svg")) == 1 and html.count("aria-live") == 1
    assert "<noscript>" in html and '<div class="controls" hidden>' in html


def test_every_control_has_a_label_and_starts_where_the_frame_does(stored):
    page = Elements(explorables.block(STEM, CELL, "x-abc"))
    n, bold = page.all("input")
    (kind,) = page.all("select")
    assert [a["for"] for a in page.all("label")] == [n["id"], kind["id"], bold["id"]]
    assert (n["type"], n["min"], n["max"], n["value"], n["aria-valuetext"]) == ("range", "1", "3", "2", "2")
    assert json.loads(n["data-settings"]) == ["1", "2", "4"]
    assert bold["type"] == "checkbox" and "checked" in bold
    assert ["selected" in option for option in page.all("option")] == [True, False]


def test_ids_are_prefixed_and_the_drawing_can_be_scrolled_by_keyboard(stored):
    html = explorables.block(STEM, CELL, "x-abc")
    ids = [a["id"] for tag, a in Elements(html).found if "id" in a]
    assert all(each == "x-abc" or each.startswith("x-abc-") for each in ids) and len(set(ids)) == len(ids)
    assert 'id="x-abc-dots"' in html and "url(#x-abc-dots)" in html
    (drawing,) = [a for a in Elements(html).all("div") if a.get("class", "").startswith("drawing")]
    assert drawing["tabindex"] == "0" and drawing["role"] == "group" and drawing["aria-label"]


def test_what_is_left_out_is_said(stored):
    html = explorables.block(STEM, CELL, "x-abc")
    said = "write your own text, change price (here 1.00) and try more values of n."
    assert f"In the notebook you can also {said}" in html


def test_a_control_that_mostly_changes_nothing_is_named(tmp_path, monkeypatch):
    def draw(step=0, head=0):
        return squares(step * 10 + (head if step == 1 else 0) + 1)

    monkeypatch.setattr(explorables, "STORED", tmp_path)
    explorables.path(STEM, CELL).write_text(make_frames(Explore(draw, step=range(3), head=range(2))).text(), encoding="utf-8")
    html = explorables.block(STEM, CELL, "x-abc")
    assert "The head makes a difference only when step is 1." in html and "The step makes" not in html


def test_scripts_lie_where_the_page_is_told(stored, tmp_path):
    files = explorables.write(tmp_path / "out")
    sources = [a["src"] for a in Elements(explorables.block(STEM, CELL, "x", static="../_static")).all("script")]
    scripts = [file.relative_to(tmp_path / "out").as_posix() for file in files if file.suffix == ".js"]
    assert {f"../_static/{script}" for script in scripts} == set(sources)
    script = (tmp_path / "out" / "explorables" / f"99_{CELL}.js").read_text(encoding="utf-8")
    name, handed = re.fullmatch(r'explorable\("(\w+)", (.*)\);\n', script, re.DOTALL).groups()
    handed = json.loads(handed)
    assert name == f"99_{CELL}" and handed["parts"] == stored.parts and handed["words"] == stored.words
    assert handed["order"] == stored.order and handed["frames"] == stored.frames


def test_no_key_stops_inside_the_pictures(tmp_path):
    (first, *_) = explorables.STORED.glob("00_*.json")
    assert any("tabindex" in part for part in explorables.read_frames(first.read_text(encoding="utf-8")).parts)
    script = next(file for file in explorables.write(tmp_path) if file.stem == first.stem)
    assert "tabindex" not in script.read_text(encoding="utf-8")
    assert '<g tabindex' not in explorables.block("00_start_here", first.stem[3:], "x")


def test_without_stored_frames_there_is_nothing(stored):
    assert explorables.block(STEM, "other", "x") is None and explorables.quiz(STEM, "other") is None


def code(source, cell="abc", words=""):
    cell = nbformat.v4.new_code_cell(source, id=cell)
    if words:
        cell.outputs = [nbformat.v4.new_output("display_data", data={"text/plain": words})]
    return cell


def test_a_cell_is_known_by_its_last_expression():
    assert explorables.kind(code("x = 1\nexplore_merges(tokenizer, x)")) == "explorable"
    assert explorables.kind(code("Explore(draw, n=(0, 3))")) == "explorable"
    assert explorables.kind(code('quiz("How many?", [1, 2], answer=1)')) == "quiz"
    assert explorables.kind(code("from helpers.show import explore_merges")) == ""
    assert explorables.kind(code("quiz('?', [1, 2], 1)\nprint(1)")) == "" == explorables.kind(code("# nothing"))
    assert explorables.kind(code("kept = Explore(draw, n=(0, 3))")) == ""
    assert explorables.kind(nbformat.v4.new_markdown_cell("Now `explore_merges(tokenizer)`: look.")) == ""


def test_what_does_not_fit_a_notebook_is_named(stored):
    book = nbformat.v4.new_notebook(cells=[code("explore_squares()", CELL, "2 <squares> of kind a\nbold, 1 each")])
    assert frames.faults(book, STEM) == []
    book.cells[0].outputs[0].data["text/plain"] = "3 squares"
    assert "says something else" in frames.faults(book, STEM)[0]
    book.cells.append(code("Explore(draw)", "new", "words"))
    book.cells.append(code("quiz('?', [1, 2], 1)", "q", "?"))
    assert [fault.partition(": ")[2] for fault in frames.faults(book, STEM)[1:]] == [
        "no frames are stored", "no key of its quiz is stored",
    ]  # fmt: skip
    del book.cells[0]
    assert frames.faults(book, STEM)[-1].endswith(f"99_{CELL}.json belongs to no cell")


@pytest.mark.parametrize("path", books.paths(), ids=lambda path: path.stem)
def test_the_stored_frames_and_keys_are_those_of_the_notebook(path):
    found = frames.faults(books.read(path), path.stem)
    assert not found, "\n".join([*found, f"run: python -m tests.book.frames --only {path.stem[:2]}"])


def test_stored_explorables_move_and_stay_small():
    files = [file for file in explorables.STORED.glob("*.json") if not file.stem.endswith("_quizzes")]
    for file in files:
        made = explorables.read_frames(file.read_text(encoding="utf-8"))
        assert len(made.words) > 1 and len(made.frames) > 1, file.name
        assert all(made.svg(place).endswith("</svg>") for place in (0, made.start, len(made.order) - 1)), file.name
    assert sum(file.stat().st_size for file in files) < 6e6


COUNTED = "bit|character|letter|merge|picture|prompt|reply|request|row|rule|token|vote|word"
SPOILED = {
    "a count of one with a plural": re.compile(rf"(?<![\d.,−])1 (?:{COUNTED.replace('reply', 'replie')})s\b"),
    "a count with a singular": re.compile(rf"(?<![\d.,])(?:[2-9]|\d\d+) (?:{COUNTED})\b(?! \d)"),
    "two spaces": re.compile(r"\S  +\S"),
    "an empty clause": re.compile(r"\b(?:in|of|by|which) ?[.,;:](?=\s|$)"),
    "two ends of a sentence": re.compile(r"[.:;,] ?[.:;]\s"),
    "a sign before nothing": re.compile(r"[+−]0\.0+(?!\d)"),
}
LONGEST = 45  # words of a sentence, and of an item of a list that has semicolons


def spoiled(words: str) -> list[str]:
    """Return what a listener would stumble over in the words of a frame; quotations are left as they are."""
    bare = re.sub("“[^”]*”", "“X”", words)
    found = [f"{what}: “{match[0]}”" for what, pattern in SPOILED.items() if (match := pattern.search(bare))]
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z“])|;|\n", bare)
    return found + [f"a sentence of {len(part.split())} words" for part in parts if len(part.split()) > LONGEST]


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        ("It falls on the last token (1 characters).", 1), ("It falls on 1 character, 2 bits. “1 bits  of .”", 0),
        ("A text of 5 token", 1), ("Token 12 of 12", 0), ("It has  two", 1), ("A set, of which .", 1), ("One.. two", 1),
        ("Head 1 compares row 1 of 2 rows.", 0), ("The cost is −0.000 bits.", 1), ("The cost is −0.0004 bits.", 0),
        ("a " * 46, 1), ("a " * 30 + "; " + "a " * 30, 0),
    ],
)  # fmt: skip
def test_what_a_listener_would_stumble_over(words, faults):
    assert len(spoiled(words)) == faults, spoiled(words)


def test_the_words_of_stored_frames_can_be_listened_to():
    found = [
        f"{file.name}: {fault}: {words}"
        for file in sorted(explorables.STORED.glob("*.json"))
        if not file.stem.endswith("_quizzes")
        for words in explorables.read_frames(file.read_text(encoding="utf-8")).words
        for fault in spoiled(words)
    ]
    assert not found, "\n".join(found)


def test_the_extremes_of_every_control(stored):
    rest = {"n": 1, "kind": 0, "bold": 1}
    expected = [rest] + [rest | {name: end} for name, most in (("n", 2), ("kind", 1), ("bold", 1)) for end in (0, most)]
    assert frames.extremes(stored) == sorted({4 * e["n"] + 2 * e["kind"] + e["bold"] for e in expected})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("mean 4.2 over 33 tokens", "mean 4.3 over 33 tokens", True), ("4.2 bits", "4.4 bits", False),
        ("1,200 words", "1,300 words", True), ("33 tokens", "35 tokens", False), ("“a” 10", "“b” 10", False),
        ("90 % of it", "91 % of it", True), ("0.99", "1.0", True), ("one 2", "one 2 3", False),
    ],
)  # fmt: skip
def test_numbers_may_be_rounded_to_a_neighbor(one, other, same):
    assert frames.alike(one, other) is same


def test_drawing_changes_no_random_number():
    import random

    import numpy
    import torch

    def numbers():
        return random.random(), numpy.random.rand(), torch.rand(1).item()

    for source, seed in ((random.seed, 1), (numpy.random.seed, 1), (torch.manual_seed, 1)):
        source(seed)
    expected = numbers()
    for source, seed in ((random.seed, 1), (numpy.random.seed, 1), (torch.manual_seed, 1)):
        source(seed)
    with capture.unchanged():
        numbers()
    assert numbers() == expected


def test_a_quiz_is_kept_as_texts(tmp_path):
    from helpers.show import quiz

    asked = quiz("How many?", {2: "no", 3: ""}, answer=3, why="Count.")
    assert capture.keep(asked, "abc", str(tmp_path / "kept")) == "quiz"
    kept = json.loads((tmp_path / "kept").read_text(encoding="utf-8"))
    assert kept == {"question": "How many?", "options": ["2", "3"], "answer": "3", "why": "Count."}
    assert capture.keep("anything", "abc", str(tmp_path / "other")) == ""


def test_the_live_words_of_chosen_places(tmp_path):
    explore = Explore(squares, n=range(1, 5))
    assert capture.say(explore, "abc", [0, 3], str(tmp_path / "said")) == "explorable"
    said = json.loads((tmp_path / "said").read_text(encoding="utf-8"))
    assert said == {"count": 4, "words": [[0, squares(1).words], [3, squares(4).words]]}
    capture.say(explore, "abc", None, str(tmp_path / "said"))
    assert len(json.loads((tmp_path / "said").read_text(encoding="utf-8"))["words"]) == 4
