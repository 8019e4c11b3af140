"""What learners build in the exercises of notebook 01 does what the package does: prose and package cannot drift apart."""

import json
import random
from collections import Counter

import pytest

from helpers import data_path
from helpers.corpus import conversations
from helpers.corpus.cleaning import Filter, rules
from helpers.corpus.dumps import reddit, reply_chains, threads
from tests.answers.solutions import run, solutions

SOLUTIONS = solutions("01_from_dump_to_conversations")


def solution(name):
    return run(SOLUTIONS[name], name, "01_from_dump_to_conversations")


@pytest.fixture(scope="module")
def comments():
    return list(reddit.read_comments(data_path("sample_comments.jsonl")))


def test_parent_name_is_the_readers_repair():
    parent_name = solution("parent_name")
    lines = data_path("sample_comments.jsonl").read_text(encoding="utf-8").splitlines()[:-1]
    records = [record for record in map(json.loads, lines) if isinstance(record.get("body"), str)]
    assert {type(record["parent_id"]) for record in records} >= {str, int, type(None)}
    for record in records:
        assert parent_name(record) == reddit.comment_from(record, Counter()).parent_id


@pytest.mark.parametrize(
    "text", ["> a\nb", "a\n>b\n\nc", ">:( no", "a -> b", "   > a\nb", ">>a\n> b", "no quote"]
)
def test_drop_quotes_is_the_cleaning_rule(text):
    (rule,) = [rule for rule in rules.RULES if rule.name == "quotes"]
    assert solution("drop_quotes")(text).strip() == rule.apply(text).strip()


def test_the_reply_tree_is_the_packages(comments):
    shuffled = random.Random(1).sample(comments, len(comments))
    assert solution("reply_tree")(shuffled) == reply_chains.reply_tree(comments)


def test_the_tree_holds_what_a_thread_holds(comments):
    tree = reply_chains.reply_tree(dict.fromkeys(comments))
    for thread in threads.build_threads(comments):
        assert all(tree[name] == replies for name, replies in thread.children.items() if len(set(replies)) == len(replies))


def test_best_reply_chain_is_the_packages_chain(comments):
    for thread in threads.build_threads(comments):
        ours = [solution("best_reply_chain")(thread.children, top) for top in thread.roots()]
        assert ours == [reply_chains.best_reply_chain(thread.children, top) for top in thread.roots()]
        assert [chain for chain in ours if len(chain) > 1] == list(reply_chains.best_chains(thread))


def test_survivors_are_the_comments_the_package_pairs(comments):
    rng = random.Random(5)
    comments = [comment for comment in comments if comment.link_id == "t3_zzbikes"]
    ids = {comment.id for comment in comments}
    dropped = set(rng.sample(sorted(ids), 3))
    kept = [c if c.id not in dropped else c._replace(body="[deleted]") for c in comments]
    parents = {c.id: c.parent_id[3:] if c.parent_id.startswith("t1_") else None for c in comments}
    alive = solution("survivors")(parents, dropped)
    pairs = threads.conversations(kept, pairs=True, filter=Filter(min_characters=1, min_score=None))
    in_pairs = {c.id.split("/")[1] for c in pairs}
    assert in_pairs and in_pairs <= alive
    assert not (in_pairs & dropped)


def test_choose_split_is_the_courses():
    names, choose_split = [f"t3_{number}" for number in range(2_000)], solution("choose_split")
    assert [choose_split(name) for name in names] == [conversations.split_of(name) for name in names]


def test_the_counterexample_stays_as_it_is():
    text = solution("counterexample")()
    assert rules.clean(text) == text
