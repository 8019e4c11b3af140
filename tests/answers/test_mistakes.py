"""data/mistakes.json is what the wrong answers in these tests give: their names, their words, and a sentence of each task."""

import importlib
import re
import sys

import pytest

from tests.answers import mistakes
from tests.notebooks import books

STEMS = [path.stem for path in books.paths()]
STORED = mistakes.stored()
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def listed(task: dict) -> dict[str, list[str]]:
    """Return {words: names} as stored."""
    return {mistake["words"]: [mistake["name"], *mistake["same_message"]] for mistake in task["mistakes"]}


@pytest.mark.parametrize("stem", STEMS)
def test_tasks_names_and_words_are_those_of_the_notebooks_and_the_tests(stem):
    tasks = mistakes.tasks(books.read(books.NOTEBOOKS / f"{stem}.ipynb"))
    assert [vars(task) for task in tasks] == [
        {"name": name} | {key: stored[key] for key in ("cell", "kind", "title", "check")}
        for name, stored in STORED[stem].items()
    ], "run python -m tests.answers.mistakes"
    for name, answers in mistakes.wrong_answers(stem).items():
        now: dict[str, list[str]] = {}
        for answer, (_, words) in answers.items():
            now.setdefault(words, []).append(answer)
        assert now == listed(STORED[stem][name]), f"{name}: run python -m tests.answers.mistakes"


@pytest.mark.parametrize("stem", STEMS)
def test_one_mistake_of_each_task_hears_the_stored_sentence(stem):
    wrong = mistakes.wrong_answers(stem)
    for place, task in enumerate(mistakes.tasks(books.read(books.NOTEBOOKS / f"{stem}.ipynb"))):
        known = STORED[stem][task.name]["mistakes"]
        one = known[place % len(known)]
        said = mistakes.says(task.verdict(), wrong[task.name][one["name"]][0])
        # The last digits of a number differ between computers.
        assert NUMBER.sub("", said) == NUMBER.sub("", one["says"]), f"{task.name}: run python -m tests.answers.mistakes"
        assert [float(number) for number in NUMBER.findall(said)] == pytest.approx(
            [float(number) for number in NUMBER.findall(one["says"])], rel=1e-2, abs=1e-3
        )


def test_a_wrong_answer_that_remembers_earlier_checks_is_found_as_new():
    before = importlib.import_module("tests.answers.test_nb02")
    (task,) = [task for task in mistakes.tasks(books.read(books.paths(["02"])[0])) if task.name == "count_ngrams"]
    found = [mistakes.wrong_answers("02_the_rnn_reddit_bot")["count_ngrams"]["in_one_table"][0] for _ in range(2)]
    said = [mistakes.says(task.verdict(), answer) for answer in (*found, found[0])]
    assert said[0] == said[1] != said[2] and "an earlier call" in said[0]
    assert sys.modules["tests.answers.test_nb02"] is importlib.import_module("tests.answers").test_nb02 is before


def test_sentences_say_nothing_of_this_computer():
    every = [mistake for stem in STEMS for task in STORED[stem].values() for mistake in task["mistakes"]]
    assert not [
        says for mistake in every if re.search(r" at 0x|[/\\]tests[/\\]|site-packages", says := mistake["says"])
    ]
    assert all(mistake["words"] in mistake["says"] for mistake in every)
    assert all(re.fullmatch(r"\w+", mistake["name"]) for mistake in every)


def test_a_mistake_without_a_name_in_the_tests_is_called_after_its_words():
    answers = {(lambda: 1): "Those are seconds, not days", (lambda: 2): "two"}
    assert list(mistakes.named("days", answers, [])) == ["Those_are_seconds_not_days", "two"]
    with pytest.raises(ValueError, match="called two"):
        mistakes.named("days", {(lambda: 1): "two", (lambda: 2): "two!"}, [])
