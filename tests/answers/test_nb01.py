"""Notebook 01: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import hashlib
import random

import pytest

from helpers.checks import nb01
from tests.answers.solutions import run, solutions

SOLUTIONS = solutions("01_from_dump_to_conversations")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number):
    name = ""
    while number:
        number, digit = divmod(number, 36)
        name = DIGITS[digit] + name
    return name


def position(thread):
    return int.from_bytes(hashlib.blake2b(thread.encode(), digest_size=8).digest(), "big") / 2**64


def is_text(record):
    return isinstance(record["parent_id"], str)


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def keeps_decimal(record):
    parent = record["parent_id"]
    return record["link_id"] if parent is None else parent if is_text(record) else f"t1_{parent}"


def forgets_null(record):
    return record["parent_id"] if is_text(record) else "t1_" + base36(record["parent_id"] or 0)


def forgets_prefix(record):
    parent = record["parent_id"]
    return record["link_id"] if parent is None else parent if is_text(record) else base36(parent)


def backwards(record):
    parent = record["parent_id"]
    return (
        record["link_id"] if parent is None else parent if is_text(record) else "t1_" + base36(parent)[::-1]
    )


def forgets_the_post(record):
    parent = record["parent_id"]
    return record["link_id"] if parent is None else parent if is_text(record) else "t1_" + base36(parent)


def strips_the_prefix(record):
    return record["parent_id"][3:] if is_text(record) else "t1_" + base36(record["parent_id"])


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def only_the_mark(text):
    return text.replace("> ", "")


def any_greater_than(text):
    return "\n".join(line for line in text.split("\n") if ">" not in line)


def faces_too(text):
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(">"))


def no_indent(text):
    return "\n".join(
        line for line in text.split("\n") if not (line.startswith(">") and not line.startswith(">:"))
    )


def spoilers_too(text):
    return "\n".join(
        line for line in text.split("\n") if not (line.lstrip().startswith(">") and not line.lstrip().startswith(">:"))
    )


def strips_lines(text):
    lines = [line.strip() for line in text.split("\n")]
    return "\n".join(line for line in lines if not (line.startswith(">") and not line.startswith((">:", ">!"))))


def empty_lines_too(text):
    lines = [line for line in text.split("\n") if line]
    return "\n".join(line for line in lines if line.lstrip()[:1] != ">" or line.lstrip()[:2] in (">:", ">!"))


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def walk(replies, start, pick):
    chain = [start]
    while replies.get(chain[-1]):
        chain.append(pick(replies[chain[-1]])[0])
    return chain


def first_in_file(replies, start):
    return walk(replies, start, lambda found: found[0])


def best_of_all(replies, start):
    return [
        start,
        max((reply for found in replies.values() for reply in found), key=lambda reply: reply[1])[0],
    ]


def file_order_ties(replies, start):
    return walk(replies, start, lambda found: max(found, key=lambda reply: reply[1]))


def stops_at_negative(replies, start):
    chain = [start]
    while best := min(replies.get(chain[-1], []), key=lambda r: (-r[1], r[2]), default=None):
        if best[1] < 0:
            break
        chain.append(best[0])
    return chain


def forgets_start(replies, start):
    return walk(replies, start, lambda found: min(found, key=lambda r: (-r[1], r[2])))[1:]


# -- Exercise 4 --------------------------------------------------------------------------------------------------------
def builtin_hash(thread):
    place = hash(thread) % 100
    return "train" if place < 90 else "val" if place < 95 else "test"


def throws_dice(thread):
    return random.choices(["train", "val", "test"], [90, 5, 5])[0]


def by_date(thread):
    place = int(thread[3:], 36) / int("t3_4e1f"[3:], 16)
    number = int(thread[3:], 16) / 20_000 if thread.startswith("t3_") else place
    return "train" if number < 0.90 else "val" if number < 0.95 else "test"


def eighty(thread):
    return "train" if position(thread) < 0.80 else "val" if position(thread) < 0.90 else "test"


def uneven(thread):
    return "train" if position(thread) < 0.90 else "val" if position(thread) < 0.99 else "test"


def other_names(thread):
    return "train" if position(thread) < 0.90 else "validation" if position(thread) < 0.95 else "test"


# -- Exercise 5 --------------------------------------------------------------------------------------------------------
def only_itself(parents, dropped):
    return set(parents) - set(dropped)


def one_step(parents, dropped):
    return {
        c for c, p in parents.items() if c not in dropped and p not in dropped and (p is None or p in parents)
    }


def whole_thread(parents, dropped):
    return set() if dropped else {"a", "b", "c", "d", "e"}


def walk_up(parents, dropped, missing, again):
    alive = set()
    for start in parents:
        here, seen = start, set()
        while here is not None and here in parents and here not in dropped and here not in seen:
            seen.add(here)
            here = parents[here]
        if here is None or (here not in parents and missing) or (here in seen and again):
            alive.add(start)
    return alive


def forgives_missing(parents, dropped):
    return walk_up(parents, dropped, missing=True, again=False)


def forgives_cycles(parents, dropped):
    return walk_up(parents, dropped, missing=False, again=True)


def never_ends(parents, dropped):
    alive = set()
    for start in parents:
        here = start
        while here is not None and here in parents and here not in dropped:
            here = parents[here]
        if here is None:
            alive.add(start)
    return alive


def recursive(parents, dropped):
    def fine(name, seen=()):
        if name is None:
            return True
        return (
            name in parents
            and name not in dropped
            and name not in seen[-3:]
            and fine(parents[name], (*seen[-3:], name))
        )

    return {name for name in parents if fine(name)}


WRONG = {
    "parent_name": {
        keeps_decimal: "base 36",
        forgets_null: "reply to the post",
        forgets_prefix: "prefix is missing",
        backwards: "backwards",
        forgets_the_post: "the post's own number",
        strips_the_prefix: "come back as it is",
    },
    "drop_quotes": {
        only_the_mark: "Drop the whole line",
        any_greater_than: "inside a line is not a quote",
        faces_too: "is a face",
        no_indent: "Look behind them",
        spoilers_too: "opens a spoiler",
        empty_lines_too: "stay as they are",
        strips_lines: "stay as they are",
    },
    "best_reply_chain": {
        first_in_file: "accident of the dump",
        best_of_all: "whole tree",
        file_order_ties: "same score",
        stops_at_negative: "only reply",
        forgets_start: "must begin with",
    },
    "choose_split": {
        builtin_hash: "hash() of a string changes",
        throws_dice: "got two answers",
        by_date: "split by date",
        eighty: "it should be about 90%",
        uneven: "both should be about 5%",
        other_names: "you returned 'validation'",
    },
    "survivors": {
        only_itself: "lost its context",
        one_step: "one step up only",
        whole_thread: "dropped too much",
        forgives_missing: "not in the file",
        forgives_cycles: "answer each other",
        never_ends: "never ends",
        recursive: "Follow the path with a loop",
    },
}


def verdict(exercise, answer, capsys):
    getattr(nb01, f"check_{exercise}")(answer)
    return capsys.readouterr().out


@pytest.mark.parametrize("exercise", WRONG)
def test_the_shown_solution_passes(exercise, capsys):
    assert verdict(exercise, run(SOLUTIONS[exercise], exercise), capsys).startswith("✔ ")


@pytest.mark.parametrize("exercise", WRONG)
def test_an_untouched_stub_is_not_a_mistake(exercise, capsys):
    assert "Not tried yet" in verdict(exercise, lambda *arguments: ..., capsys)
    assert "Not tried yet" in verdict(exercise, lambda *arguments: None, capsys)


@pytest.mark.parametrize(
    "exercise, answer, words", [(e, a, w) for e, wrong in WRONG.items() for a, w in wrong.items()]
)
def test_each_wrong_answer_hears_its_own_mistake(exercise, answer, words, capsys):
    said = verdict(exercise, answer, capsys)
    assert said.startswith("✘ ") and words in said
    assert not any(other in said for other in WRONG[exercise].values() if other != words)
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize("exercise", WRONG)
def test_an_answer_that_crashes_gets_a_sentence(exercise, capsys):
    assert "stopped with ZeroDivisionError" in verdict(exercise, lambda *arguments: 1 / 0, capsys)


def test_every_exercise_of_the_notebook_is_tested():
    assert set(SOLUTIONS) == set(WRONG)
