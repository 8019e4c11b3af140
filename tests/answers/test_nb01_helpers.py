"""What learners build in the exercises of notebook 01 does what the package does: prose and package cannot drift apart."""

import json
import random
from collections import Counter

import pytest

from helpers import data_path
from helpers.corpus import conversations
from helpers.corpus.cleaning import Filter, rules
from helpers.corpus.dumps import reddit, threads
from tests.answers.solutions import run, solutions

SOLUTIONS = solutions("01_from_dump_to_conversations")


def solution(name):
    return run(SOLUTIONS[name], name)


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


def test_best_reply_chain_is_the_packages_chain(comments):
    # A filter that drops nothing but what has no words, so that the package follows the same tree.
    nothing = dict.fromkeys(["max_characters", "max_words", "min_score", "repeats", "same_text"])
    everything = Filter(
        min_characters=1,
        min_words=1,
        english=False,
        bots=False,
        code=False,
        deleted_accounts=False,
        **nothing,
    )
    replies = {}
    for comment in dict.fromkeys(comments):
        score = float("-inf") if comment.score is None else comment.score
        if comment.body not in ("[deleted]", "[removed]", ""):
            replies.setdefault(comment.parent_id.removeprefix("t1_"), []).append(
                (comment.id, score, comment.created)
            )
    follow = solution("best_reply_chain")
    chains = [follow(replies, reply[0]) for post in {c.link_id for c in comments} for reply in replies[post]]
    expected = {
        f"{c.link_id}/{chain[-1]}"
        for c in comments
        for chain in chains
        if chain[0] == c.id and len(chain) > 1
    }
    found = {c.id for c in threads.conversations(comments, filter=everything) if c.turns}
    assert (
        found and found <= expected
    )  # the package joins the turns of one speaker, and a monologue is no conversation


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


def test_choose_split_differs_from_ours_by_its_key_only(monkeypatch):
    monkeypatch.setattr(conversations, "_KEY", b"my key")
    choose_split = solution("choose_split")
    names = [f"t3_{number}" for number in range(2_000)]
    assert [choose_split(name) for name in names] == [conversations.split_of(name) for name in names]
