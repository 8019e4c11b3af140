"""Conversations and their splits: merging turns, the keyed hash, copies kept out of training, cards, every source."""

import json
from collections import Counter

import pytest

from helpers.corpus.chitchat import new_card, select_conversations
from helpers.corpus.conversations import Card, Conversation, Turn, merge_turns, split_of
from helpers.corpus.load import _split, load, normalized

# Known answers, written down when the course began: others would move test conversations into training.
TEST_IDS = [14, 71, 100, 111, 123, 124, 145, 171, 174, 175, 178, 185, 199]
VAL_IDS = [19, 26, 33, 80, 81, 88, 90, 103, 108, 131, 153]


@pytest.fixture(scope="module")
def chitchat():
    return load("chitchat")


def ids(split, wanted):
    """The first thread ids that the hash sends to a split."""
    found = (f"thread {number}" for number in range(10_000))
    return [name for name in found if split_of(name) == split][:wanted]


# -- turns -------------------------------------------------------------------------------------------------------------
def test_consecutive_messages_of_one_sender_are_one_turn():
    turns = merge_turns([("x", "hi"), ("x", "you there?"), ("y", "yes"), ("x", "good"), ("z", "me too")])
    assert turns == (Turn("A", "hi\nyou there?"), Turn("B", "yes"), Turn("A", "good"), Turn("C", "me too"))


def test_an_empty_message_neither_opens_a_turn_nor_names_a_speaker():
    assert merge_turns([("x", ""), ("y", "hi"), ("x", ""), ("y", "there")]) == (Turn("A", "hi\nthere"),)


def test_speakers_beyond_z_count_like_columns():
    assert [turn.speaker for turn in merge_turns((str(n), "hi") for n in range(29))][24:] == [
        "Y",
        "Z",
        "AA",
        "AB",
        "AC",
    ]


# -- splits ------------------------------------------------------------------------------------------------------------
def test_the_split_of_a_thread_never_changes():
    assert [n for n in range(200) if split_of(f"t3_{n}") == "test"] == TEST_IDS
    assert [n for n in range(200) if split_of(f"t3_{n}") == "val"] == VAL_IDS


def test_shares_are_90_5_5():
    counts = Counter(split_of(f"t3_{number}") for number in range(40_000))
    assert counts["train"] / 40_000 == pytest.approx(0.90, abs=0.006)
    assert counts["val"] / 40_000 == pytest.approx(0.05, abs=0.005)


def test_a_long_turn_of_a_later_split_is_kept_out_of_training():
    long, short = "we should all go and see the comet tonight", "how are you?"
    shout = "We should ALL go -- and see the comet tonight!!"

    def conversation(split, number, text):
        name = ids(split, 4)[number]
        return Conversation(name, name, (Turn("A", text), Turn("B", "fine")))

    found = [conversation("test", 0, long), conversation("train", 0, shout), conversation("val", 0, long)]
    found += [
        conversation("test", 1, short),
        conversation("train", 1, short),
        conversation("train", 2, long + " or not"),
    ]
    corpus = _split(found, Card("here", "none"))
    assert [len(corpus.train), len(corpus.val), len(corpus.test)] == [2, 0, 2]
    assert {turn.text for c in corpus.train for turn in c.turns} == {short, long + " or not", "fine"}
    assert corpus.card.dropped == {"a long turn copied in a later split": 2}
    assert corpus.card.counts["turns"] == 8


def test_normalized_ignores_case_and_marks_only():
    assert normalized("Hello,  World! ") == normalized("hello world") != normalized("helloworld")


# -- chitchat ----------------------------------------------------------------------------------------------------------
def record(*messages, **more):
    return {"messages": [[{"sender": sender, "text": text}] for sender, text in messages], **more}


def test_chitchat_records_that_nobody_answered_or_that_flood_are_counted():
    records = {
        "good": record(("x", "hi  there"), ("y", "a a a a a a a ok"), prompt="p", start="s", ratings={"witty": "7"}),
        "alone": record(("x", "hello?"), ("x", "anybody?")),
        "silent": record(("x", "hello?"), ("y", "  ")),
        "flood": record(("x", "hi"), ("y", "a A a a a a a a")),
    }
    card = new_card()
    (conversation,) = select_conversations(records, card)
    assert conversation.id == conversation.thread == "good"
    assert conversation.turns[0] == Turn("A", "hi there")
    assert conversation.meta == {"prompt": "p", "start": "s", "ratings": {"witty": 7}}
    assert card.dropped == {"nobody answered": 2, "one word repeated on and on": 1}


def test_chitchat_is_complete_split_and_redacted(chitchat):
    counts, dropped = chitchat.card.counts, chitchat.card.dropped
    everything = [c for split in ("train", "val", "test") for c in getattr(chitchat, split)]
    assert counts["conversations"] + sum(dropped.values()) == 7168  # nothing vanishes without being counted
    assert counts["conversations"] == len(everything) > 3900
    assert all(split_of(c.thread) == name for name in ("train", "val", "test") for c in getattr(chitchat, name))
    assert all(len({turn.speaker for turn in c.turns}) >= 2 and all(turn.text for turn in c.turns) for c in everything)
    assert all(a.speaker != b.speaker for c in everything for a, b in zip(c.turns, c.turns[1:]))
    text = "\n".join(turn.text for c in everything for turn in c.turns)
    assert "[phone]" in text and "782-1557" not in text and "https://" not in text
    assert "MIT" in str(chitchat.card) and "nobody answered" in str(chitchat.card)


def test_frame_has_a_row_per_turn(chitchat):
    frame = chitchat.frame("val")
    assert len(frame) == sum(len(c.turns) for c in chitchat.val)
    first = chitchat.val[0].turns[0]
    assert frame.iloc[0][["speaker", "text"]].tolist() == [first.speaker, first.text]
    assert frame.iloc[0]["characters"] == len(first.text)
    with pytest.raises(ValueError, match="train, val, test"):
        chitchat.frame("dev")


def test_limit_stops_early_and_keeps_the_counts():
    corpus = load("sample", limit=3)
    assert corpus.card.counts["conversations"] == 3
    assert any("comments" in warning for warning in corpus.card.warnings)


# -- other sources -----------------------------------------------------------------------------------------------------
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


def test_one_thread_in_two_files_lands_in_one_split(tmp_path):
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
