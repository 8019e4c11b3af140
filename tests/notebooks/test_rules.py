"""Each rule can fail: a good notebook, broken in one place, makes exactly the rules meant for it complain."""

import copy

import pytest

from tests.notebooks import build, definitions, minutes, specimen
from tests.notebooks.rules import RULES, Book
from tests.notebooks.specimen import SOLUTION, code, drawing, figure, markdown

GOOD = specimen.specimen()


def complaints(book, path=specimen.PATH) -> dict[str, list[str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(definitions.TABLE, "99", {})
        return {name: found for name, rule in RULES.items() if (found := rule(Book(book, path)))}


def place(book, beginning: str) -> int:
    return next(i for i, cell in enumerate(book.cells) if cell.source.startswith(beginning))


def cell(book, beginning: str):
    return book.cells[place(book, beginning)]


def insert(new, beginning: str = "## Exercises"):
    """Return a breaker that puts a cell before the one that begins so, and numbers the code cells anew."""

    def breaker(book):
        new_cell = copy.deepcopy(new)
        new_cell.id = f"new-{len(book.cells)}"
        book.cells.insert(place(book, beginning), new_cell)
        for number, other in enumerate((c for c in book.cells if c.cell_type == "code"), 1):
            other.execution_count = number

    return breaker


def edit(beginning: str, old: str, new: str):
    def breaker(book):
        found = cell(book, beginning)
        assert old in found.source
        found.source = found.source.replace(old, new)

    return breaker


def change(beginning: str, **attributes):
    def breaker(book):
        cell(book, beginning).update(copy.deepcopy(attributes))

    return breaker


def remove(beginning: str):
    def breaker(book):
        del book.cells[place(book, beginning)]
        for number, other in enumerate((c for c in book.cells if c.cell_type == "code"), 1):
            other.execution_count = number

    return breaker


def remove_all(beginning: str):
    """Return a breaker that takes out a task with its stub and its solution."""

    def breaker(book):
        start = place(book, beginning)
        del book.cells[start : start + 3]
        for number, other in enumerate((c for c in book.cells if c.cell_type == "code"), 1):
            other.execution_count = number

    return breaker


def metadata(beginning: str, **new):
    return lambda book: cell(book, beginning).metadata.update(new)


def duplicate_id(book):
    book.cells[1].id = book.cells[2].id


def widget_states(book):
    book.metadata["widgets"] = {}


def goes_wrong(*tags):
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["ValueError: no"]}
    return code("raise ValueError('no')", *tags, outputs=[specimen.new_output(**error)])


def swap_sections(book):
    book.cells[-1], book.cells[-2] = book.cells[-2], book.cells[-1]


def ignored(number: int):
    """Return a breaker that leaves the outputs of so many cells unchecked."""

    def breaker(book):
        places = ("And the same", "**Predict.** Are", "## Limits", "## Recap")
        for turn in range(number - 1):  # one is the setup cell
            insert(code("total = 1", "nbval-ignore-output"), places[turn % len(places)])(book)

    return breaker


def no_minutes(book):
    for found in book.cells:
        found.metadata.pop("minutes", None)


def builds(number: int):
    """Return a breaker after which a notebook has so many build cells."""

    def breaker(book):
        for new in range(4, number + 1):
            for each in specimen.build_cell(new):
                insert(each)(book)

    return breaker


def late_build(book):
    start = place(book, "### Build 1")
    moved = [book.cells.pop(start) for _ in range(3)]
    for each in moved:
        insert(each)(book)


def a_long_lesson(words: int):
    """Return a breaker that adds a passage of so many words, in cells short enough."""

    def breaker(book):
        for _ in range(words // 180):
            insert(markdown("word " * 180))(book)

    return breaker


def code_cells(number: int):
    """Return a breaker after which a notebook has so many code cells."""

    def breaker(book):
        for _ in range(number - sum(cell.cell_type == "code" for cell in book.cells)):
            insert(markdown("And now."))(book)
            insert(code("total = 1"))(book)

    return breaker


def fewer_exercises(book):
    start = place(book, "### Exercise 2")
    del book.cells[start : start + 6]


def exercises(number: int):
    """Return a breaker after which a notebook has so many exercises."""

    def breaker(book):
        for new in range(4, number + 1):
            for each in specimen.exercise(new):
                insert(each, "## Limits")(book)

    return breaker


def goals(number: int):
    return edit("## Goals", "- **explain** a rule\n", "- **explain** a rule\n" * (number - 2))


PLAIN = "And the same"
NO_WORDS = specimen.new_output("display_data", data=dict(drawing()[0].data) | {"text/plain": "Tokens"})
WIDGET = specimen.new_output("display_data", data={build.WIDGET_VIEW: {}, "text/plain": "IntSlider(value=3)"})
BROKEN = [
    ("metadata_is_minimal", widget_states),
    ("format_is_valid", duplicate_id),
    ("format_is_valid", lambda book: book.update(nbformat_minor=4)),
    ("format_is_valid", lambda book: book.cells[1].pop("id")),
    ("format_is_valid", change("## Setup", attachments=5)),
    ("cells_carry_only_tags_and_minutes", metadata(PLAIN, jupyter={"source_hidden": True})),
    ("tags_are_known", metadata(PLAIN, tags=["instructer"])),
    ("tags_are_known", insert(goes_wrong("raises-exception"))),
    ("tags_are_known", insert(code("1", "instructor"))),
    ("tags_are_known", insert(code("1", "while-it-trains"))),
    ("tags_are_known", insert(code("# NBVAL_IGNORE_OUTPUT\ntotal = 2"))),
    ("tags_are_known", metadata(PLAIN, tags=["nbval-skip"])),
    ("setup_is_stamped", edit("import subprocess", "seed=0", "seed=1")),
    ("setup_is_stamped", metadata("import subprocess", tags=["setup"])),
    ("setup_is_stamped", insert(code("total = 0"), "import subprocess")),
    ("badge_is_stamped", edit("# 99", "99_specimen.ipynb", "98_specimen.ipynb")),
    ("code_is_plain_python", insert(code("!ls"))),
    ("code_is_plain_python", insert(code("%time total"))),
    ("no_semicolon_at_the_end", insert(code("total = 2;"))),
    ("code_cells_are_short", insert(code("\n".join(["total = 1"] * 41)))),
    ("code_cells_are_short", code_cells(71)),
    ("words_between_code", lambda book: [insert(code("total = 1"))(book) for _ in range(3)]),
    ("code_runs_the_same_everywhere", insert(code("interact(draw, n=(0, 3))"))),
    ("code_runs_the_same_everywhere", insert(code("from IPython.display import clear_output\nclear_output()"))),
    ("code_runs_the_same_everywhere", insert(code("again = _"))),
    ("code_runs_the_same_everywhere", insert(code("again = Out[3]"))),
    ("code_runs_the_same_everywhere", insert(code("again = In[3]"))),
    ("code_runs_the_same_everywhere", insert(code("interact(draw)", "nbval-ignore-output"))),
    ("code_runs_the_same_everywhere", insert(code("from tqdm import tqdm"))),
    ("few_outputs_are_ignored", ignored(9)),
    ("exercises_are_complete", edit("### Exercise 1", "★", "")),
    ("exercises_are_complete", edit("### Exercise 1", "<details>", "<p>")),
    ("exercises_are_complete", change("def double", outputs=[])),
    ("exercises_are_complete", edit("def double", "check_double(double)", "double(2)")),
    ("exercises_are_complete", remove("<details><summary>Solution")),
    ("exercises_are_complete", remove("def double")),
    ("exercises_are_complete", edit("<details><summary>Solution", "```python", "```")),
    ("exercises_are_complete", edit("<details><summary>Solution", "def twofold", "def threefold")),
    ("exercises_are_complete", edit("def twofold", "checked(twofold, check_double", "checked(twofold, twofold")),
    ("exercises_are_complete", edit("<details><summary>Solution", "```\n\n", "```\n")),
    ("exercises_are_complete", insert(markdown(SOLUTION, "solution"), "## Limits")),
    ("exercises_are_complete", fewer_exercises),
    ("exercises_are_complete", exercises(6)),
    ("quiz_keys_are_computed", edit("quiz(", "answer=total", "answer=2")),
    ("quiz_keys_are_computed", edit("quiz(", "options=[1, 2]", "options=[2]")),
    ("definitions_are_listed", insert(code("def triple(number):\n    return 3 * number"))),
    ("cells_were_run_in_order", change("total = 1", execution_count=9)),
    ("cells_were_run_in_order", change("total = 1", execution_count=None)),
    ("what_is_shown_is_stored", change("total = 1", outputs=[])),
    ("what_is_shown_is_stored", insert(code("plots.show(total)"))),
    ("what_is_shown_is_stored", insert(code("display(total)"))),
    ("what_is_shown_is_stored", change("quiz(", outputs=[])),
    ("outputs_are_clean", insert(goes_wrong())),
    ("outputs_are_clean", insert(code("f()", printed="UserWarning: do not\n"))),
    ("outputs_are_clean", change("total = 1", outputs=[WIDGET])),
    ("outputs_are_clean", insert(code("f()", outputs=[specimen.new_output("stream", name="stderr", text="oh\n")]))),
    ("outputs_belong_to_no_machine", insert(code("f()", printed="read /home/ada/RC_2005-12.zst\n"))),
    ("outputs_belong_to_no_machine", insert(code("f()", printed="<Thread object at 0x7f110d332c10>\n"))),
    ("outputs_belong_to_no_machine", insert(code("f()", printed="100% 10/10 [00:01<00:00, 7.0it/s]\n"))),
    ("figures_are_said_in_words", change("figure =", outputs=figure(alt=""))),
    ("figures_are_said_in_words", change("figure =", outputs=figure(words="Look."))),
    ("figures_are_said_in_words", change("figure =", outputs=figure("A figure of turns.", "A figure of turns."))),
    ("figures_are_said_in_words", change("Tokens(", outputs=drawing('<svg role="img"></svg>'))),
    ("figures_are_said_in_words", change("Tokens(", outputs=drawing('<svg aria-label="Three tokens, one said"></svg>'))),
    ("figures_are_said_in_words", change("Tokens(", outputs=drawing("<svg></svg>"))),
    ("figures_are_said_in_words", change("Tokens(", outputs=[NO_WORDS])),
    ("the_title_tells_what_to_expect", edit("# 99", "**You will build**", "Here is")),
    ("the_title_tells_what_to_expect", edit("# 99", "2005", "")),
    ("sections_stand_in_order", swap_sections),
    ("sections_stand_in_order", edit("## Limits", "Limits", "Borders")),
    ("goals_are_verbs", edit("## Goals", "explain", "explanation of")),
    ("goals_are_verbs", edit("## Goals", "- **explain** a rule\n", "")),
    ("goals_are_verbs", goals(6)),
    ("the_synopsis_exists_as_code", edit("## Goals", "print(total", "print(sum_total")),
    ("the_synopsis_exists_as_code", edit("## Goals", "print(total", "print(total total")),
    ("the_synopsis_exists_as_code", edit("## Goals", "data_path)", "data_path.nothing)")),
    ("the_synopsis_exists_as_code", edit("## Goals", "data_path\n", "no_such_thing as data_path\n")),
    ("the_synopsis_exists_as_code", edit("## Goals", "from helpers import", "from helpers.nowhere import")),
    ("the_synopsis_exists_as_code", edit("## Goals", "```python", "```")),
    ("the_synopsis_exists_as_code", edit("## Goals", "print(total", "data_path(folder=total)\nprint(total")),
    ("the_synopsis_exists_as_code", edit("## Goals", "print(total", "# data_path(folder=total)\nprint(total")),
    (
        "the_synopsis_exists_as_code",
        edit(
            "## Goals", "print(total", "from helpers.models.gpt import GPTConfig\nGPTConfig.modern(9, width=total)\nprint(total"
        ),
    ),
    ("predictions_come_before_results", edit("**Predict.** Are", "**Predict.**", "Well.")),
    ("predictions_come_before_results", edit("## Limits", "It is", "**Predict.** It is")),
    ("minutes_are_computed", no_minutes),
    ("minutes_are_computed", metadata(PLAIN, minutes=5)),
    ("minutes_are_computed", metadata("## Setup", minutes=0)),
    ("minutes_are_computed", edit("# 99", "minutes for the core", "minutes, or so, for the core")),
    ("minutes_are_computed", insert(markdown("word " * 180))),
    ("learners_build_early", remove_all("### Build 3")),
    ("learners_build_early", builds(6)),
    ("learners_build_early", late_build),
    ("learners_build_early", edit("def twofold", "    ...", "    pass")),
    ("learners_build_early", edit("def twofold", "twofold = checked", "other = checked")),
    ("learners_build_early", change("def twofold", outputs=code("", printed="○ Not tried yet\n").outputs)),
    ("mechanisms_are_drawn_and_written", edit("## By hand", "$1 + 1$", "1 + 1")),
    ("mechanisms_are_drawn_and_written", remove("Tokens(['x']")),
    ("numbers_are_shown", change("total = 1", outputs=code("", printed="True\n" * 7).outputs)),
    ("deeper_sections_can_be_skipped", edit("### Deeper", "Deeper", "Three")),
    ("deeper_sections_can_be_skipped", insert(code("six = 2 * three"))),
    ("deeper_sections_can_be_skipped", insert(code("def six():\n    return 2 * three\n\n\nsix = six()", "goes-wrong"))),
    ("a_lesson_fits_its_hour", a_long_lesson(60 * 180)),
    ("words_are_the_fields", insert(markdown("Whoever reads this has read it."))),
    ("words_are_the_fields", insert(markdown("The judge decides."))),
    ("words_are_the_fields", insert(markdown("An LLM-as-a-judge throws dice."))),
    ("spelling_is_american", insert(markdown("The optimiser is new."))),
    ("spelling_is_american", insert(markdown("Unlabelled colours."))),
    ("references_lead_somewhere", insert(markdown("See section 3."))),
    ("references_lead_somewhere", insert(markdown("See sections 1 and 2, and exercise 9."))),
    ("references_lead_somewhere", insert(markdown("Notebook 77 has it."))),
    ("references_lead_somewhere", insert(markdown("It is in section 99 of notebook 02."))),
    ("passages_are_short", insert(markdown("word " * 181))),
    ("images_are_here_and_described", insert(markdown("![a tree](https://example.org/tree.png)"))),
    ("images_are_here_and_described", insert(markdown("![](LICENSE)"))),
    ("images_are_here_and_described", insert(markdown('<img src="LICENSE">'))),
    ("images_are_here_and_described", insert(markdown("<img src='no_such_tree.png' alt='a tree'>"))),
    ("images_are_here_and_described", insert(markdown("![a tree](no_such_tree.png)"))),
    ("links_lead_somewhere", insert(markdown("See [the next](98_no_such.ipynb)."))),
    ("links_lead_somewhere", insert(markdown("See [above](#Nowhere)."))),
]  # fmt: skip


def test_the_specimen_keeps_every_rule():
    assert complaints(GOOD) == {}


@pytest.mark.parametrize("rule, breaker", BROKEN, ids=[f"{rule}-{i}" for i, (rule, _) in enumerate(BROKEN)])
def test_broken_in_one_place(rule, breaker):
    book = copy.deepcopy(GOOD)
    breaker(book)
    if rule != "minutes_are_computed":
        minutes.stamp(book, specimen.PATH)
    assert list(complaints(book)) == [rule]


@pytest.mark.parametrize("beginning", ["total = 1", "import subprocess", "def double"])
def test_a_cell_without_count_and_outputs_is_seen(beginning):
    # nbval compares nothing in such a cell, whatever its tags.
    book = copy.deepcopy(GOOD)
    change(beginning, execution_count=None, outputs=[])(book)
    assert "cells_were_run_in_order" in complaints(book)


AT_THE_LIMIT = [
    code_cells(70), ignored(8), exercises(5), goals(5), builds(5), a_long_lesson(50 * 180),
    change("total = 1", outputs=code("", printed="True\n" * 6).outputs),
    insert(markdown("See exercise 2, section 1 of notebook 02, and notebook 16.")),
    insert(markdown("GPT-4 as a judge: this is called **LLM-as-a-judge**.")),
    insert(markdown("As they say, “whoever wins”, a \"colour\", and `heap`.\n\n> nobody judges")),
    insert(code("\n".join(["total = 1"] * 40))),
    insert(markdown("word " * 180)),
    change("figure =", outputs=figure("Five words are just enough.", "Five words are just enough.")),
    insert(markdown("<img src='LICENSE' alt='a tree'>")),
    insert(markdown('<img src="data:image/png;base64,AAAA" alt="a tree">')),
    insert(code("from IPython.display import clear_output\nclear_output()", "nbval-ignore-output")),
    insert(code("_ = 1\nagain = _")),
    insert(code("for _ in range(3):\n    total = 1")),
    insert(markdown("See [a place](#t1_-and-t3_).\n\n### t1_ and t3_")),
]  # fmt: skip


@pytest.mark.parametrize("change_it", AT_THE_LIMIT)
def test_what_is_allowed_is_no_fault(change_it):
    book = copy.deepcopy(GOOD)
    change_it(book)
    minutes.stamp(book, specimen.PATH)
    assert complaints(book) == {}


def test_every_rule_has_been_seen_to_fail():
    assert {rule for rule, _ in BROKEN} == set(RULES)
