"""Every source of conversations: copies kept out of training, counts per reason, one thread in one split."""

import json
from pathlib import Path

import numpy as np
import pytest

from helpers import data_path
from helpers.corpus.conversations import Card, split_of
from helpers.corpus.load import load, normalized, split
from tests import factories


def thread_ids(split, wanted):
    """The first thread ids that the hash sends to a split."""
    found = (f"thread {number}" for number in range(10_000))
    return [name for name in found if split_of(name) == split][:wanted]


def test_a_long_turn_of_a_latersplit_is_kept_out_of_training():
    long, short = "we should all go and see the comet tonight", "how are you?"
    shout = "We should ALL go -- and see the comet tonight!!"

    def conversation(split, number, text):
        return factories.conversation(text, "fine", name=thread_ids(split, 4)[number])

    found = [conversation("test", 0, long), conversation("train", 0, shout), conversation("val", 0, long)]
    found += [
        conversation("test", 1, short),
        conversation("train", 1, short),
        conversation("train", 2, long + " or not"),
    ]
    corpus = split(found, Card("here", "none"))
    assert [len(corpus.train), len(corpus.val), len(corpus.test)] == [2, 0, 2]
    assert {turn.text for c in corpus.train for turn in c.turns} == {short, long + " or not", "fine"}
    assert corpus.card.dropped == {"with a long turn that recurs in a later split": 2}
    assert corpus.card.counts["turns"] == 8


def test_normalized_ignores_case_and_marks_only():
    assert normalized("Hello,  World! ") == normalized("hello world") != normalized("helloworld")


def test_limit_stops_early_and_keeps_the_counts():
    corpus = load("sample", limit=3)
    assert corpus.card.counts["conversations"] == 3
    assert any("comments" in warning for warning in corpus.card.warnings)


def test_the_sample_loads_with_counts_per_reason():
    corpus = load("sample")
    assert corpus.card.license == "CC0"
    assert {"comments: bot", "comments: deleted", "comments: repetition"} <= set(corpus.card.dropped)
    assert "2 bad lines" in " ".join(corpus.card.warnings)


def test_pairs_have_two_turns_and_chains_may_have_more():
    pairs, chains = load("sample", pairs=True), load("sample")
    assert {len(c.turns) for c in pairs.train} == {2}
    assert max(len(c.turns) for c in chains.train) > 3
    assert pairs.card.counts["conversations"] > chains.card.counts["conversations"]


def test_one_thread_in_two_files_lands_in_onesplit(tmp_path):
    def line(number, parent, text):
        return json.dumps(
            {"id": f"c{number}", "parent_id": parent, "link_id": "t3_abc", "author": f"writer {number}", "score": 5,
             "body": text, "created_utc": 1_500_000_000 + number, "subreddit": "x"}
        )  # fmt: skip

    (tmp_path / "RC_2017-07.jsonl").write_text(line(1, "t3_abc", "Where did the comet go last night?") + "\n")
    (tmp_path / "RC_2017-08.jsonl").write_text(line(2, "t1_c1", "Behind the clouds, like every time.") + "\n")
    corpus = load(tmp_path)
    (conversation,) = getattr(corpus, split_of("t3_abc"))
    assert [turn.text[:6] for turn in conversation.turns] == ["Where ", "Behind"]
    assert sum(len(getattr(corpus, split)) for split in ("train", "val", "test")) == 1


@pytest.mark.parametrize("source", ["redit", "no/such/file.zst"])
def test_an_unknown_source_is_answered_with_the_known_ones(source):
    with pytest.raises(ValueError, match='"chitchat", "sample", the path'):
        load(source)


def test_a_source_without_end_is_answered_shortly():
    with pytest.raises(ValueError, match="no source 'xxx") as error:
        load("x" * 100_000)
    assert len(str(error.value)) < 500


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # the same on Windows
    (tmp_path / "dumps").mkdir()
    (tmp_path / "dumps" / "RC_2017-07.jsonl").write_bytes(data_path("sample_comments.jsonl").read_bytes())
    for source in ("~/dumps", "~/dumps/RC_2017-07.jsonl", Path("~/dumps")):
        assert load(source).train == load("sample").train
    with pytest.raises(ValueError, match="no source '~nobody-of-this-name/dumps'"):
        load("~nobody-of-this-name/dumps")


def test_the_limit_is_a_whole_number_numpys_too():
    assert load("sample", limit=np.int64(3)).train == load("sample", limit=3).train
    for limit in (0, -1, 2.5):
        with pytest.raises(ValueError, match=f"limit is {limit}: give a whole number, 1 or more"):
            load("sample", limit=limit)
