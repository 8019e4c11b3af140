"""Notebook 01: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import hashlib
import random
from types import SimpleNamespace

from helpers.checks import nb01, nb01_exercises
from tests.answers.common import closing_tests

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


def always_a_comment(record):
    parent, post = record["parent_id"], record["link_id"]
    if parent is None or parent == int(post[3:], 36):
        return post
    return "t1_" + (parent[3:] if is_text(record) else base36(parent))


# -- Build: drop_quotes --------------------------------------------------------------------------------------------------------
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


def needs_a_space(text):
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("> "))


def face_without_indent(text):
    return "\n".join(
        line for line in text.split("\n") if not (line.lstrip().startswith(">") and not line.startswith((">:", ">!")))
    )


def strips_lines(text):
    lines = [line.strip() for line in text.split("\n")]
    return "\n".join(line for line in lines if not (line.startswith(">") and not line.startswith((">:", ">!"))))


def empty_lines_too(text):
    lines = [line for line in text.split("\n") if line]
    return "\n".join(line for line in lines if line.lstrip()[:1] != ">" or line.lstrip()[:2] in (">:", ">!"))


# -- Build: reply_tree -------------------------------------------------------------------------------------------------
def grouped(comments, key=lambda comment: comment.parent_id, order=lambda comment: (comment.created, comment.id)):
    tree = {}
    for comment in sorted(comments, key=order):
        tree.setdefault(key(comment), []).append(comment)
    return tree


def in_file_order(comments):
    return grouped(comments, order=lambda comment: 0)


def newest_first(comments):
    return grouped(comments, order=lambda comment: -comment.created)


def ties_by_the_file(comments):
    return grouped(comments, order=lambda comment: comment.created)


def by_its_own_id(comments):
    return grouped(comments, key=lambda comment: comment.id)


def without_prefix(comments):
    return grouped(comments, key=lambda comment: comment.parent_id[3:])


def one_reply_each(comments):
    return {comment.parent_id: [comment] for comment in comments}


def ids_instead_of_comments(comments):
    return {name: [reply.id for reply in replies] for name, replies in grouped(comments).items()}


def without_the_post(comments):
    return {name: replies for name, replies in grouped(comments).items() if name.startswith("t1_")}


def sorts_what_it_was_given(comments):
    comments.sort(key=lambda comment: (comment.created, comment.id), reverse=True)
    return grouped(comments)


# -- Build: best_reply_chain -------------------------------------------------------------------------------------------
def known(reply):
    return float("-inf") if reply.score is None else reply.score


def walk(tree, comment, pick):
    chain = [comment]
    while tree.get("t1_" + chain[-1].id):
        chain.append(pick(tree["t1_" + chain[-1].id]))
    return chain


def the_oldest_reply(tree, comment):
    return walk(tree, comment, lambda replies: replies[0])


def best_of_all(tree, comment):
    return [comment, max((reply for replies in tree.values() for reply in replies), key=known, default=comment)]


def the_last_of_equals(tree, comment):
    return walk(tree, comment, lambda replies: max(reversed(replies), key=known))


def stops_at_negative(tree, comment):
    chain = [comment]
    while (best := max(tree.get("t1_" + chain[-1].id, []), key=known, default=None)) and known(best) > 0:
        chain.append(best)
    return chain


def forgets_the_first(tree, comment):
    return walk(tree, comment, lambda replies: max(replies, key=known))[1:]


def one_step_only(tree, comment):
    return walk(tree, comment, lambda replies: max(replies, key=known))[:2]


def names_only(tree, comment):
    return [reply.id for reply in walk(tree, comment, lambda replies: max(replies, key=known))]


def compares_none(tree, comment):
    return walk(tree, comment, lambda replies: max(replies, key=lambda reply: reply.score))


def none_is_zero(tree, comment):
    return walk(tree, comment, lambda replies: max(replies, key=lambda reply: reply.score or 0))


def zero_is_missing(tree, comment):
    return walk(tree, comment, lambda replies: max(replies, key=lambda reply: reply.score or float("-inf")))


# -- Build: choose_split --------------------------------------------------------------------------------------------------------
def builtin_hash(thread):
    place = hash(thread) % 100
    return "train" if place < 90 else "val" if place < 95 else "test"


def at_random(thread):
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


def without_the_key(thread):
    return "train" if position(thread) < 0.90 else "val" if position(thread) < 0.95 else "test"


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
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


def recursive_with_memory(parents, dropped):
    known = {None: True}

    def fine(name):
        if name not in known:
            known[name] = False  # until its parent is known: a cycle stays False
            known[name] = name in parents and name not in dropped and fine(parents[name])
        return known[name]

    return {name for name in parents if fine(name)}


def one_pass(parents, dropped):
    alive = {None}
    for name, parent in parents.items():
        if parent in alive and name not in dropped:
            alive.add(name)
    return alive - {None}


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def a_real_quote():
    return "> what length\nhome -> work"


def with_markup():
    return ">:( what **length**\nhome -> work"


def without_the_letters():
    return ">:( how long\nhome -> work"


def without_an_arrow():
    return ">:( what length\nhome"


def without_a_face():
    return "what length\nhome -> work"


WRONG = {
    "parent_name": {
        keeps_decimal: "base 36",
        forgets_null: "reply to the post",
        forgets_prefix: "prefix is missing",
        backwards: "backwards",
        forgets_the_post: "the post's own number",
        strips_the_prefix: "come back as it is",
        always_a_comment: "not every parent is a comment",
    },
    "drop_quotes": {
        only_the_mark: "Drop the whole line",
        any_greater_than: "inside a line is not a quote",
        faces_too: "is a face",
        no_indent: "Skip them first",
        spoilers_too: "opens a spoiler",
        needs_a_space: "need not have a space",
        face_without_indent: "may have spaces before it",
        empty_lines_too: "stay as they are",
        strips_lines: "stay as they are",
    },
    "reply_tree": {
        in_file_order: "the order of the file",
        newest_first: "The newest comes first",
        ties_by_the_file: "of the same second",
        by_its_own_id: "under their own ids",
        without_prefix: "You cut the prefix off",
        one_reply_each: "you kept one",
        ids_instead_of_comments: "no list of comments",
        without_the_post: "The post is missing",
        sorts_what_it_was_given: "You changed the list",
    },
    "best_reply_chain": {
        the_oldest_reply: "You followed the oldest reply",
        best_of_all: "whole tree",
        the_last_of_equals: "have the same score",
        stops_at_negative: "Its score is negative",
        forgets_the_first: "must begin with",
        one_step_only: "You took one step only",
        names_only: "You returned names",
        compares_none: "cannot be compared",
        none_is_zero: "None counts as lower",
        zero_is_missing: "takes 0 for missing",
    },
    "choose_split": {
        builtin_hash: "hash() of a string changes",
        at_random: "got two answers",
        by_date: "split by date",
        eighty: "it should be about 90%",
        uneven: "both should be about 5%",
        other_names: "you returned 'validation'",
        without_the_key: "not the course's",
    },
    "counterexample": {
        a_real_quote: "drops your quoted line",
        with_markup: "changes your text, too",
        without_the_letters: "removes 'gt' does no damage",
        without_an_arrow: "after a '>' does no damage",
        without_a_face: "drops lines with '>' does no damage",
    },
    "survivors": {
        only_itself: "lost its context",
        one_step: "one step up only",
        whole_thread: "dropped too much",
        forgives_missing: "not in the file",
        forgives_cycles: "answer each other",
        never_ends: "never ends",
        one_pass: "come in any order",
        recursive: "Follow the path with a loop",
        recursive_with_memory: "Follow the path with a loop",
    },
}


globals().update(
    closing_tests(SimpleNamespace(**(vars(nb01) | vars(nb01_exercises))), "01_from_dump_to_conversations", WRONG)
)


def test_an_arrow_may_stand_behind_the_face(capsys):
    nb01_exercises.check_counterexample(lambda: ">:( what length -> what width")
    assert capsys.readouterr().out.startswith("✔")
