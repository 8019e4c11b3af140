"""Badges, student copies, and definitions taken out of a notebook."""

import nbformat
import pytest

from tests.notebooks import badges, books, definitions, minutes, setup_cell, solved, specimen, student
from tests.notebooks.rules import Book
from tests.notebooks.rules.reading import anchors

NEW = "https://github.com/ada/one-conversation"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project of its own with the specimen notebook and a README."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(books, "ROOT", tmp_path)
    monkeypatch.setattr(books, "NOTEBOOKS", tmp_path / "notebooks")
    text = f"git clone {specimen.ADDRESS}\n[book](https://github.com/rasbt/LLMs-from-scratch)\n"
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    (tmp_path / ".github" / "ISSUE_TEMPLATE").mkdir(parents=True)
    old = specimen.ADDRESS.removeprefix("https://github.com/").partition("/")[0]
    text = f"{specimen.ADDRESS}/issues https://{old}.github.io/one-conversation/search.html https://x.github.io/book\n"
    (tmp_path / ".github" / "ISSUE_TEMPLATE" / "config.yml").write_text(text, encoding="utf-8")
    books.write(specimen.specimen(), tmp_path / "notebooks" / specimen.PATH.name)
    (tmp_path / "notebooks" / "glossary.md").write_text("## Turn\n", encoding="utf-8")
    return tmp_path


def test_a_new_address_reaches_every_place(folder, monkeypatch):
    assert specimen.ADDRESS != NEW
    monkeypatch.setattr(books, "address", lambda: NEW)
    assert badges.main(["--check"]) == 1
    assert badges.main([]) == 0
    assert badges.main(["--check"]) == 0
    stored = (folder / "notebooks" / specimen.PATH.name).read_text(encoding="utf-8")
    assert (
        specimen.ADDRESS not in stored and "github/ada/one-conversation/blob/main/notebooks/99_specimen.ipynb" in stored
    )
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert readme == f"git clone {NEW}\n[book](https://github.com/rasbt/LLMs-from-scratch)\n"
    form = (folder / ".github" / "ISSUE_TEMPLATE" / "config.yml").read_text(encoding="utf-8")
    assert form == f"{NEW}/issues https://ada.github.io/one-conversation/search.html https://x.github.io/book\n"


def test_a_name_that_goes_on_is_replaced_whole():
    for address in (f"{NEW}-2027", NEW):
        text = f"{NEW}/issues {NEW}-2026 {badges.pages(NEW)}/a.html https://github.com/ada/another-conversation"
        first = badges.stamp_text(text, address)
        assert first.split()[:3] == [f"{address}/issues", address, f"{badges.pages(address)}/a.html"]
        assert first.split()[3] == "https://github.com/ada/another-conversation"
        assert badges.stamp_text(first, address) == first
        colab = badges.badge(f"{NEW}-2026", "02.ipynb")
        assert badges.stamp_text(colab, address) == badges.badge(address, "02.ipynb")


def test_stamping_fills_a_bare_notebook():
    book = specimen.notebook(specimen.markdown("# 02 · Title\n\nText."), specimen.code("", "setup"))
    badges.stamp(book, "02_title.ipynb", NEW)
    assert book.cells[0].source == f"# 02 · Title\n\n{badges.badge(NEW, '02_title.ipynb')}\n\nText."
    assert book.cells[1].source == setup_cell.source(NEW)
    with pytest.raises(ValueError, match="exactly one code cell"):
        badges.stamp(specimen.notebook(specimen.markdown("# 02")), "02.ipynb", NEW)
    with pytest.raises(ValueError, match="begin with"):
        badges.stamp(specimen.notebook(specimen.code("", "setup")), "02.ipynb", NEW)


def test_the_setup_cell_is_short_plain_and_carries_its_address_once():
    source = setup_cell.source(NEW)
    compile(source, "setup", "exec")
    assert len(source.splitlines()) <= 12 and max(map(len, source.splitlines())) <= 120
    assert source.count(NEW) == 1


def test_student_copies_hold_no_answers(folder, tmp_path):
    path = folder / "notebooks" / specimen.PATH.name
    book = books.read(path)
    book.cells.append(specimen.markdown("**For the teacher.** See [the data](../data/README.md).", "instructor"))
    book.cells.append(specimen.markdown("See [the data](../data/README.md)."))
    books.write(book, path)
    target = tmp_path / "build" / "student"
    assert student.copy(target, levels=1) == 1
    copy = books.read(target / path.name)
    text = books.text(copy)
    assert "Solution" not in text and "For the teacher" not in text and "return 2 * number" not in text
    assert copy.cells[-1].source == "See [the data](../../data/README.md)."
    assert len(copy.cells) == len(book.cells) - 7 and (target / "glossary.md").exists()
    assert not any(cell.get("outputs") for cell in copy.cells)


def test_student_copies_pack_the_answers_of_quizzes():
    source = 'total = 2\nquiz("Wieviel – é? "\n     "Say.", {1: "No.", 2: ""},\n     answer=total,'
    source += '\n     why="It is "\n         "two.")'
    packed = student.without_answers(source)
    assert "answer" not in packed and "No." not in packed and "two" not in packed
    given = []
    names = {"quiz": lambda question, **arguments: given.append((question, arguments))}
    exec(packed, names)
    assert given == [("Wieviel – é? Say.", {"options": {1: "No.", 2: ""}, "answer": 2, "why": "It is two."})]
    assert student.without_answers("print(1)") == "print(1)"


def test_solved_copies_hold_the_solution_where_the_stub_was():
    book = solved.solve(specimen.specimen())
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    written = [cell.source for cell in code if solved.WRITTEN & set(books.tags(cell))]
    assert len(written) == 6
    body = "(number):\n    return 2 * number\n\n\n"
    assert written[0] == f"def twofold{body}twofold = checked(twofold, check_double, otherwise=twice)"
    assert written[-1] == f"def double{body}check_double(double)"
    assert not any(cell.get("outputs") for cell in book.cells)


def test_a_solution_of_several_definitions_replaces_all_of_them():
    stub = "from x import check_b\n\n\ndef a():\n    ...\n\n\nclass B:\n    ...\n\n\ncheck_b(B)"
    both = "import math\n\n\ndef a():\n    return 1\n\n\nclass B:\n    one = a()\n"
    code = solved.filled(stub, both)
    assert code.count("def a") == code.count("class B") == 1 and "..." not in code and code.endswith("check_b(B)")
    compile(code, "cell", "exec")


OWN = "✔ Yes.\n→ From here on this notebook runs your own `twofold`.\n"


FALSE = "it said 'the same: True', and now says 'the same: False'"


def ran(built: str = OWN, exercise: str = "✔ Yes.\n", claim: str = "the same: True\n"):
    """Return the specimen with a claim, as a run left it."""
    book = specimen.specimen()
    book.cells.append(specimen.code("print(same)", printed=claim))
    said = {"build": built, "exercise": exercise}
    for cell in book.cells:
        for tag in said.keys() & set(books.tags(cell)):
            for output in cell.get("outputs", []):
                output["text"] = said[tag]
    return book


@pytest.mark.parametrize(
    "run, words",
    [
        (
            ran(built="✘ No.\n→ From here on this notebook runs the package's `twofold`.\n"),
            "the learner's version was not taken",
        ),
        (ran(built="✔ Yes.\n"), "the learner's version was not taken"),
        (ran(exercise="✘ No.\n"), "the solution does not pass its check: ✘ No."),
        (ran(exercise="○ Not tried yet.\n"), "the solution does not pass its check: ○ Not tried yet."),
        (
            ran(built="✔ Yes.\n→ From here on this notebook runs your own `twofold`.\n", claim="the same: False\n"),
            FALSE,
        ),
        (ran(claim="the same: True\n0.25 nats\n"), "it said '', and now says '0.25 nats'"),
        (ran(claim=""), "its outputs are of other kinds: ['stdout'], now []"),
    ],
)
def test_a_solved_copy_that_breaks_a_claim_is_named(run, words):
    assert solved.broken_claims(ran(), ran()) == []
    assert any(words in fault for fault in solved.broken_claims(ran(), run))


def test_outputs_are_compared_as_nbval_compares_them():
    def shown(**data):
        return nbformat.v4.new_output("display_data", {kind.replace("_", "/"): text for kind, text in data.items()})

    def error(words):
        return nbformat.v4.new_output("error", ename="ValueError", evalue=words, traceback=[words])

    table = shown(text_plain="a  b", text_html="<table>1</table>")
    assert solved.difference([table], [table]) is None and solved.difference([], []) is None
    assert "'<table>1</table>', and now says '<table>2</table>'" in solved.difference(
        [table], [shown(text_plain="a  b", text_html="<table>2</table>")]
    )
    assert solved.difference([shown(image_png="one")], [shown(image_png="two")]) is None
    drawings = (shown(text_html=f"<svg>{x}</svg> words") for x in (1, 2))
    assert solved.difference(*([drawing] for drawing in drawings)) is None
    assert "'no x', and now says 'no y'" in solved.difference([error("no x")], [error("no y")])


def test_what_nbval_ignores_may_differ():
    one, other = ran(claim="1 s\n"), ran(claim="2 s\n")
    assert solved.broken_claims(one, other)
    one.cells[-1].metadata["tags"] = ["nbval-ignore-output"]
    assert not solved.broken_claims(one, other)


def test_of_cells_whose_numbers_are_drawn_the_claims_are_compared(monkeypatch):
    assert solved.DRAWN.keys() <= {cell.id for path in books.paths() for cell in books.read(path).cells}
    one = ran(claim="0.25 nats, the same: True\n")
    monkeypatch.setattr(solved, "DRAWN", {one.cells[-1].id: "drawn"})
    for claim, words in (("0.5 nats, the same: False\n", "no longer says"), ("0.25 nats, the same: True\n0.5\n", None)):
        other = ran(claim=claim)
        other.cells[-1].id = one.cells[-1].id
        found = solved.broken_claims(one, other)
        assert words in found[0] if words else not found


def test_minutes_are_words_lines_predictions_and_stars():
    def book(*cells):
        return specimen.notebook(specimen.markdown("# 99 · T\n\n**Time:** x **You need** y", "build"), *cells)

    def clock(*cells):
        return minutes.clock(book(*cells), specimen.PATH)

    empty = clock()
    assert empty.lessons == [pytest.approx(6 / 180 + 90 / 60, abs=0.02)]
    words = specimen.markdown("word " * 180 + "<details>\n\n" + "folded " * 99 + "</details>")
    assert clock(words).lessons[0] - empty.lessons[0] == pytest.approx(1)
    lines = specimen.code("import a\nfrom b import (\n    c,\n)\n\n" + "x = 1\n" * 12)
    assert clock(lines).lessons[0] - empty.lessons[0] == pytest.approx(2)
    assert clock(specimen.markdown("**Predict.**")).lessons[0] - empty.lessons[0] == pytest.approx(1 + 1 / 180)
    assert clock(specimen.markdown("word " * 900, "instructor")).lessons == empty.lessons
    built, exercise = clock(*specimen.build_cell(1)), clock(*specimen.exercise(1))
    assert built.building == 8 and exercise.exercises == pytest.approx(4, abs=0.1)
    deeper = clock(specimen.markdown("word " * 360, "deeper"))
    assert deeper.deeper == pytest.approx(2) and deeper.lessons == empty.lessons
    two = clock(words, specimen.markdown("**Second lesson.**", "lesson-break"), words, words)
    assert len(two.lessons) == 2 and two.lessons[1] > two.lessons[0]
    assert two.total == pytest.approx(empty.total + 3, abs=0.1)
    cells = words, specimen.markdown("**Second lesson.**", "lesson-break"), *specimen.build_cell(1)
    assert clock(*cells).written == [0, 8]
    assert ", in 2 lessons of 5 and 10 (10 of them for the code you write)." in minutes.sentence(
        book(*cells), specimen.PATH
    )


def test_a_specimen_says_its_minutes():
    book = specimen.specimen()
    assert minutes.sentence(book, specimen.PATH) in book.cells[0].source
    assert "**You need** Python." in book.cells[0].source


def test_lift_takes_a_definition_and_what_it_needs(tmp_path):
    path = specimen.runnable(
        tmp_path,
        "one.ipynb",
        "import math\nprint('not run')\nLIMIT = 3",
        "def root(x):\n    return math.sqrt(x)",
        "class Roots:\n    limit = LIMIT\n    def first(self):\n        return [root(n) for n in range(self.limit)]",
        "raise SystemExit",
    )
    assert definitions.lift(path, "Roots")().first() == [0.0, 1.0, 2**0.5]
    with pytest.raises(KeyError, match="does not define area"):
        definitions.lift(path, "area")


def test_the_table_names_helpers_that_exist():
    helped = {
        (number, name)
        for number, entries in definitions.TABLE.items()
        for name, entry in entries.items()
        if definitions.helper(entry) is not None
    }
    assert helped == set(definitions.EXAMPLES), "each definition with a helper has examples, and no other"
    assert all(len(examples) >= 2 for examples in definitions.EXAMPLES.values())


@pytest.mark.parametrize("number, name", definitions.EXAMPLES)
def test_what_a_notebook_defines_does_what_the_helper_does(number, name):
    from_notebook = definitions.lift(books.paths([number])[0], name)
    from_package = definitions.helper(definitions.TABLE[number][name])
    for arguments in definitions.EXAMPLES[number, name]:
        if (number, name) in definitions.SHAPES:
            shapes = definitions.SHAPES[number, name](*arguments)
            if isinstance(from_package, type):
                assert_same_network(from_notebook(*arguments), from_package(*arguments), shapes)
            else:
                given = [tensors(shape) for shape in shapes]
                assert_same(from_notebook(*given), from_package(*given))
        else:
            assert_same(from_notebook(*arguments), from_package(*arguments))


def tensors(shape):
    import torch

    if torch.is_tensor(shape):  # a mask: no random numbers
        return shape
    return tuple(map(tensors, shape)) if isinstance(shape, list) else torch.randn(shape)


def assert_same(one, other):
    """Equal; tensors, or several, equal but for rounding."""
    import torch

    if any(torch.is_tensor(part) for part in (one if isinstance(one, tuple) else (one,))):
        torch.testing.assert_close(one, other)
    else:
        assert one == other


def assert_same_network(one, other, shapes):
    """With the parameters of one, both give the same for the same random tensors: outputs and gradients."""
    import torch

    other.load_state_dict(one.state_dict())
    given = [tensors(shape) for shape in shapes]
    for network in (one, other):
        result = network(*given)
        sum(part.sum() for part in (result if isinstance(result, tuple) else (result,))).backward()
    torch.testing.assert_close(one(*given), other(*given))
    for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)


def test_anchors_of_glossary_and_notebook(tmp_path):
    glossary = tmp_path / "glossary.md"
    glossary.write_text(
        '## Zipf\'s law\n\n### `t1_` and *t3_*\n\n<a id="Leak"></a>\n\n```\n# no heading\n```\n', "utf-8"
    )
    assert {"zipfs-law", "zipf's-law", "leak", "t1_-and-t3_"} <= anchors(glossary)
    assert "no-heading" not in anchors(glossary)
    assert "the-story-so-far" in anchors(Book(specimen.specimen(), specimen.PATH))
