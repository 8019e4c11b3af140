"""data/misconceptions.json: for every task, what its most telling wrong answers reveal, as a colleague would say it."""

import json
import re
from collections import Counter

import pytest

from tests.answers import mistakes
from tests.notebooks import books
from tests.notebooks.rules.wording import BRITISH, PRIVATE

PATH = books.ROOT / "data" / "misconceptions.json"
MISCONCEPTIONS = json.loads(PATH.read_text(encoding="utf-8"))
MISTAKES = mistakes.stored()
TASKS = [(stem, task) for stem, tasks in MISTAKES.items() for task in tasks]
SENTENCES = [
    (f"{stem}, {task}: {name}", sentence)
    for stem, tasks in MISCONCEPTIONS.items()
    for task, known in tasks.items()
    for name, sentence in known.items()
]
SHORTEST, LONGEST = 40, 200
# Beside the words that no notebook uses: ours for position, cost and output, and advice that would fit any task.
OURS = re.compile(r"(?<!in )\bplaces?\b|\b(nobody|somebody|prices?|by heart|evened|makers?|verdicts?)\b", re.IGNORECASE)
GENERIC = re.compile(
    r"\b(needs? to (review|revise|study|practice)|should (review|reread)|explain again)\b", re.IGNORECASE
)
NEXT_SENTENCE = re.compile(r"(?<=[.?!]) (?=[A-Z])")


def test_notebooks_and_tasks_are_those_of_the_mistakes_in_their_order():
    assert [(stem, task) for stem, tasks in MISCONCEPTIONS.items() for task in tasks] == TASKS


@pytest.mark.parametrize("stem", MISTAKES)
def test_three_mistakes_at_least_of_every_task_are_explained_under_the_names_that_stand_first(stem):
    for task, stored in MISTAKES[stem].items():
        known, explained = {mistake["name"] for mistake in stored["mistakes"]}, set(MISCONCEPTIONS[stem][task])
        assert explained <= known, (
            f"{task}: {explained - known} is not in data/mistakes.json, or hears another's message"
        )
        assert min(3, len(known)) <= len(explained) <= 5, task


def test_no_sentence_is_said_twice():
    halves = [half for _, words in SENTENCES for half in NEXT_SENTENCE.split(words)]
    assert not [half for half, times in Counter(halves).items() if times > 1]


def test_each_says_in_one_sentence_what_it_reveals_and_in_another_what_to_ask_or_show():
    assert not [where for where, words in SENTENCES if not SHORTEST <= len(words) <= LONGEST]
    assert not [where for where, words in SENTENCES if len(NEXT_SENTENCE.split(words)) != 2]
    assert not [where for where, words in SENTENCES if not re.fullmatch(r'[A-Z].*[.?!]"?', words)]


def test_words_are_the_fields_and_nothing_fits_any_task():
    patterns = (PRIVATE, BRITISH, OURS, GENERIC)
    assert not [(where, match[0]) for where, words in SENTENCES for one in patterns for match in one.finditer(words)]
