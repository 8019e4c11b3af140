"""The decks without a browser: what is asked comes before its answer, solutions stay in the notes, nothing is too high."""

import ast
import re
from html.parser import HTMLParser

import nbformat
import pytest

pytest.importorskip("mdit_py_plugins", reason="Markdown of the kit: make setup")

from tests.kit import lessons, outline, plans, slides
from tests.kit.layout import HEIGHT, _side_by_side, equation, lines_of, printed
from tests.kit.pictures import CLOSER, closer, drawn, smallest, table
from tests.kit.render import literal, markdown
from tests.kit.results import broken, is_lesson, narrowed, signature, undocumented
from tests.kit.sentences import blocks, definitions, grounded, lead, leans, meant, question, sentences, unlinked
from tests.notebooks import books

PATHS = books.paths()


class Words(HTMLParser):
    """The words of a page, those inside and outside of the speaker's notes apart."""

    def __init__(self):
        super().__init__()
        self.notes = 0
        self.seen, self.said = [], []

    def handle_starttag(self, tag, attributes):
        self.notes += tag == "aside"

    def handle_endtag(self, tag):
        self.notes -= tag == "aside"

    def handle_data(self, data):
        (self.said if self.notes else self.seen).append(data)


@pytest.fixture(scope="module", params=PATHS, ids=[path.name[:2] for path in PATHS])
def deck(request):
    return outline.deck(lessons.lesson(request.param))


def words(html: str) -> str:
    return re.sub(r"\W+", "", re.sub(r"<[^>]+>", "", html)).lower()


def test_each_prediction_is_on_one_slide_and_its_answer_on_a_later_one(deck):
    predicted = [cell for cell in deck.book.cells if cell.cell_type == "markdown" and "**Predict.**" in cell.source]
    places = [index for index, slide in enumerate(deck.slides) if slide.kind == "predict"]
    asking = [deck.slides[index].cell for index in places]
    assert asking == [cell.id for cell in predicted]
    order = {cell.id: index for index, cell in enumerate(deck.book.cells)}
    # What is talked about while a cell runs comes before that cell's results.
    shown = [order[slide.cell] for slide in deck.slides if slide.kind != "trains"]
    assert shown == sorted(shown)
    for cell, index, following in zip(predicted, places, [*places[1:], len(deck.slides)]):
        asked = words(markdown(cell.source.partition("**Predict.**")[2]))[:60]
        assert asked in words(deck.slides[index].body)
        between = {slide.kind for slide in deck.slides[index + 1 : following]}
        assert between & {"answer", "build"}, f"no answer to {asked}"
        result = words(deck.slides[index + 1].body)
        assert len(result) < 20 or result not in words("".join(slide.body for slide in deck.slides[:index]))


def test_no_solution_is_outside_the_notes(deck):
    parser = Words()
    parser.feed(slides.page(deck))
    seen, said = ("".join(part).replace(" ", "") for part in (parser.seen, parser.said))
    given = "".join(cell.source for cell in deck.book.cells if "solution" not in books.tags(cell))
    given += "".join(
        re.sub(r"<[^>]+>", "", str(output)) for cell in deck.book.cells for output in cell.get("outputs", [])
    )
    given = given.replace(" ", "")
    found = 0
    for cell in deck.book.cells:
        if "solution" not in books.tags(cell):
            continue
        for code in re.findall(r"```python\n(.*?)```", cell.source, re.DOTALL):
            for line in {line.partition("  #")[0].replace(" ", "") for line in code.splitlines()}:
                if len(line) > 14 and line not in given:
                    assert line not in seen, line
                    assert line in said, line
                    found += 1
    assert found > 1


def test_quizzes_keep_their_answer_in_the_notes(deck):
    asked = [slide for slide in deck.slides if slide.kind == "quiz"]
    assert [slide.cell for slide in asked] == [
        cell.id for cell in deck.book.cells if cell.cell_type == "code" and "quiz(" in cell.source
    ]
    for slide in asked:
        assert slide.body.count("<li>") >= 2
        assert any("Answer" in note for note in slide.notes)


def test_every_slide_has_notes_and_a_minute_and_fits(deck):
    clock: dict[str, int] = {}
    for slide in deck.slides:
        assert slide.height <= HEIGHT + 40, slide.id
        assert slide.notes, slide.id
        assert re.match(r"Minute \d+ of \d+|Optional|Exercise", slide.clock), slide.clock
        if slide.clock.startswith("Minute"):
            now, total = map(int, re.findall(r"\d+", slide.clock)[:2])
            assert now <= total
            part = slide.clock.partition("part ")[2]
            assert now >= clock.get(part, 0), f"{slide.id}: the minute falls"
            clock[part] = now
    assert len({slide.id for slide in deck.slides}) == len(deck.slides)


def test_minutes_are_those_of_the_plan_and_only_in_the_notes(deck):
    rows = {row["title"]: row["minutes"] for row in plans.rows(deck.found)}
    sections = [slide for slide in deck.slides if slide.kind in ("title", "section")]
    assert not any(re.search(r'class="(minutes|time)"', slide.body) for slide in sections)
    named = 0
    for slide in sections:
        part = next((part for part in deck.found.parts if part.cell == slide.cell and not part.first), None)
        said = re.search(r"In this section: (\d+) minutes? of class", "".join(slide.notes))
        if part and part.title in rows and not slide.optional and said:
            assert int(said[1]) == rows[part.title]
            named += 1
    assert named > 3


def test_exercises_lie_below(deck):
    inside = [
        slide
        for slide in deck.slides
        if re.search(r"\d+ · Exercises$", slide.foot) or re.search(r"\d+ · Exercises</h1>", slide.body)
    ]
    assert inside or deck.found.stem.startswith("00")
    assert all(slide.optional for slide in inside)


def test_no_sentence_on_a_slide_is_torn_out(deck):
    sources = {cell.id: cell.source for cell in deck.book.cells}
    points = 0
    for slide in deck.slides:
        begins = [
            words(markdown(unlinked(text)))[:30]
            for kind, text in blocks(sources[slide.cell])
            if kind == "paragraph_open"
        ]
        # What stands below an equation or another sentence leans on that.
        for point in re.findall(r'</h2>\s*(<div class="prose point".*?</div>)', slide.body, re.DOTALL):
            points += 1
            text = " ".join(re.sub(r"<[^>]+>", "", point).split())
            # What leans on the sentence before comes with it, but where a paragraph begins, or would be too long.
            alone = leans(sentences(text)[0]) and len(text) < 80 and "equations" not in slide.body
            assert not alone or any(words(text).startswith(begin[:20]) for begin in begins), f"{slide.id}: {text}"
    assert points > 3 or len(deck.slides) < 70


def test_the_notes_say_where_a_lesson_of_45_minutes_ends(deck):
    said = [slide for slide in deck.slides if any("Where to stop" in note for note in slide.notes)]
    assert said and not any(slide.optional for slide in said)


def test_the_same_notebook_gives_the_same_deck(tmp_path):
    one, other = (slides.write_deck(PATHS[4], tmp_path / name).read_bytes() for name in ("one", "other"))
    assert one == other


def test_optional_slides_lie_below_the_one_before(tmp_path):
    made = outline.deck(lessons.lesson(PATHS[4]))
    text = slides.page(made)
    assert text.count("<section") - text.count("<section>") == len(made.slides)
    assert text.count("<section") == text.count("</section>")
    below = text.split("↓ optional")[1].split("</section>\n</section>")[0]
    assert 'class="deeper optional"' in below


def test_a_box_for_the_teacher_comes_before_the_slide_it_is_about(tmp_path):
    cells = [
        nbformat.v4.new_markdown_cell(
            "# 04 · T\n\n**2017**\n\n**You will build** it.\n\n**Time:** about 10 minutes; more. **You need** nothing."
        ),
        nbformat.v4.new_markdown_cell("## 1 · One\n\nWhy?", metadata={"minutes": 3}),
        nbformat.v4.new_markdown_cell("> **For the teacher.** Ask them.", metadata={"tags": ["instructor"]}),
        nbformat.v4.new_markdown_cell("## 2 · Two\n\nHow?", metadata={"minutes": 4}),
    ]
    path = tmp_path / "04_t.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    found = lessons.lesson(path)
    made = outline.Deck(found)
    index = 0
    while index < len(cells):
        index = outline._next(made, index)
    assert [slide.kind for slide in made.slides] == ["title", "section", "section"]
    assert ["Ask them." in "".join(slide.notes) for slide in made.slides] == [False, False, True]


def test_sentences_are_not_cut_inside_formulas_references_and_quotations():
    text = "It is $a. B$ here. As in Cheng et al. 2016 and J. Smith said. He asked (why? How?) twice. “One. Two.” Then *three*."
    assert sentences(text) == [
        "It is $a. B$ here.",
        "As in Cheng et al. 2016 and J. Smith said.",
        "He asked (why? How?) twice.",
        "“One. Two.”",
        "Then *three*.",
    ]
    assert lead("One is. Two are. Three were.", most=16) == "One is. Two are."
    assert question(["It is so. Is it? Yes."]) == "It is so. Is it?"
    assert question(["It is so."]) == "It is so."
    assert definitions("A **head** attends. **Careful.** It does not.") == ["A **head** attends."]


def test_a_sentence_that_points_back_comes_with_what_it_points_to():
    for torn in (
        "A **mask** hides it: no effect before its cause.",
        "With many layers that needs **warmup**.",
        "Let four words do the same.",
        "So it is.",
        "The gap is **overfitting**.",
    ):
        assert leans(torn), torn
    for whole in (
        "A **rate** that starts near 0.",
        "The **query** says what a token looks for.",
        "Position 1 must not see token 2.",
    ):
        assert not leans(whole), whole
    every = ["Position 1 must not see token 2.", "That would be easy.", "A **mask** hides it.", "Then go on."]
    assert grounded(every, 2, 400) == 0
    assert grounded(every, 2, 45) == 1
    assert grounded(every, 0, 400) == 0


def test_what_an_answer_means_is_no_direction_and_no_announcement():
    assert meant("Begin with the six rows. Only two parts do damage.") == "Only two parts do damage."
    assert meant("Too large. Compare within a number of heads:") == "Too large."
    assert meant("It is behind. Two things may contribute.") == "It is behind."
    assert meant("Look at the table.") == ""


def test_code_is_made_narrower_for_the_back_of_a_room():
    code = 'def f(first, second, third):  # what it does\n    """Words."""\n    return g("a, b", first, second)'
    assert undocumented(code) == 'def f(first, second, third):  # what it does\n    return g("a, b", first, second)'
    made = narrowed(code, 24)
    assert made.splitlines()[:3] == ["# what it does", "def f(first, second,", "      third):"]
    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(code))
    assert undocumented('def f():\n    """Words."""').endswith('"""')


def test_parts_of_a_tall_drawing_are_shown_larger():
    every = {cell.id: cell for path in PATHS for cell in books.read(path).cells}
    for cell in CLOSER:
        svg = next(
            output["data"]["image/svg+xml"]
            for output in every[cell].outputs
            if "image/svg+xml" in output.get("data", {})
        )
        for _, block in closer(svg, cell):
            size, shown = (
                float(re.search(pattern, block.html)[1]) for pattern in (r'viewBox="\S+ \S+ (\S+) ', r'width="(\d+)"')
            )
            assert smallest(svg) * shown / size >= 14
            assert block.height <= HEIGHT - 60


def test_equations_are_split_where_they_stand_side_by_side():
    assert _side_by_side(r"a = b \qquad c = \begin{cases} 1 \qquad x \\ 2 \end{cases}") == [
        "a = b",
        r"c = \begin{cases} 1 \qquad x \\ 2 \end{cases}",
    ]
    assert equation("x" * 200).html.count("math") == 1
    assert "\\[a &lt; b\\]" in equation("a < b").html


def test_what_is_printed_is_broken_and_shared_out():
    assert broken("a " * 80).count("\n") == 1
    pages = printed("\n".join(map(str, range(100))), 500)
    assert len(pages) > 2
    assert all(page.height <= 500 for page in pages)
    assert [int(line) for page in pages for line in re.sub(r"<[^>]+>", "", page.html).split()] == list(range(100))
    prompts = printed("\n".join(["> " + "word " * 8, *["    bot:  " + "reply " * 12] * 4] * 6), 560)
    assert len(prompts) > 1
    assert all(re.sub(r"<[^>]+>", "", page.html).startswith("&gt; ") for page in prompts)
    assert all(float(re.search(r"font-size:([\d.]+)", page.html)[1]) >= 17 for page in prompts)
    assert "14px" not in printed("one long line " * 20, 500)[0].html
    assert lines_of("word " * 100, 40) > lines_of("word " * 100, 20)


def test_a_drawing_too_small_to_read_is_cut_in_two():
    rows = "".join(f'<text x="10" y="{y}" font-size="10">row</text>' for y in range(60, 780, 20))
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 820 800" width="820" height="800" role="img" aria-label="words">'
        f'<rect width="820" height="800"/><text x="16" y="27" font-size="15">title</text>{rows}</svg>'
    )
    pieces = drawn(svg, "p", 560)
    assert len(pieces) > 1
    for piece in pieces:
        assert piece.height <= 560
        assert "title" not in piece.html
        width, unit = (
            float(re.search(pattern, piece.html)[1]) for pattern in (r'width="(\d+)"', r'viewBox="0 \S+ (\S+) ')
        )
        assert smallest(svg) * width / unit >= 11
    assert (
        len(
            drawn(svg.replace('font-size="10"', 'font-size="17"').replace('font-size="15"', 'font-size="17"'), "p", 560)
        )
        == 1
    )


def test_a_long_table_is_shared_out_with_its_head():
    rows = "".join(f"<tr><td>row {number}</td><td>{number}</td></tr>" for number in range(60))
    parts = table(f"<table><thead><tr><th>name</th><th>n</th></tr></thead><tbody>{rows}</tbody></table>", 500)
    assert len(parts) > 1
    assert all(part.height <= 500 + 18 and "<th>name" in part.html for part in parts)
    assert sum(part.html.count("<td>row") for part in parts) == 60


def test_code_is_shown_where_it_is_the_lesson():
    cell = nbformat.v4.new_code_cell
    assert is_lesson(cell("a = 1\nb = a + 1\nc = a * b\nprint(c)"))
    assert not is_lesson(cell("drawings.transformer(4)"))
    assert not is_lesson(cell("\n".join(f"a{n} = {n}" for n in range(20))))
    assert not is_lesson(cell("a = 1\nb = a + 1\nc = a * b", metadata={"tags": ["build"]}))
    stub = 'from helpers.checks.nb04 import check_f\n\n\ndef f(x):\n    """Twice x."""\n    ...\n\n\nf = checked(f, check_f)'
    assert signature(stub) == 'def f(x):\n    """Twice x."""\n    ...'


def test_literal_text_is_shown_as_it_is():
    text = "<B> costs $5 * 2_000 `x` [y](z) a|b ~~c~~ & more"
    assert re.sub(r"<[^>]+>", "", markdown(literal(text))).strip() == text.replace("&", "&amp;").replace(
        "<B>", "&lt;B&gt;"
    )
