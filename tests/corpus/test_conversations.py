"""Conversations: merging turns, the keyed hash that decides the split, a row per turn."""

from collections import Counter

import pytest

from helpers.corpus.conversations import Card, Conversation, Corpus, Turn, digest, merge_turns, split_of

# Known answers, written down when the course began: others would move test conversations into training.
TEST_IDS = [14, 71, 100, 111, 123, 124, 145, 171, 174, 175, 178, 185, 199]
VAL_IDS = [19, 26, 33, 80, 81, 88, 90, 103, 108, 131, 153]


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


def test_frame_has_a_row_per_turn(chitchat):
    frame = chitchat.frame("val")
    assert len(frame) == sum(len(c.turns) for c in chitchat.val)
    first = chitchat.val[0].turns[0]
    assert frame.iloc[0][["speaker", "text"]].tolist() == [first.speaker, first.text]
    assert frame.iloc[0]["characters"] == len(first.text)
    with pytest.raises(ValueError, match="train, val, test"):
        chitchat.frame("dev")


# -- cards -------------------------------------------------------------------------------------------------------------
def test_a_card_has_all_of_it():
    card = Card("here", "CC0", {"turns": 1234}, Counter({"rude": 2, "dull": 3}), ["Mind the step.", "And your head."])
    assert str(card).splitlines() == [
        "Origin:   here",
        "License:  CC0",
        "Counts:   1,234 turns",
        "Left out: 3 dull, 2 rude",
        "Beware:   Mind the step.",
        "Beware:   And your head.",
    ]
    assert str(Card("here", "CC0")).splitlines()[2:] == ["Counts:   ", "Left out: nothing"]


def test_a_card_fits_on_a_screen_however_much_there_is_to_say():
    many = {f"r/subreddit {number}": 1 for number in range(500)}
    card = Card("here", "CC0", many, Counter(many), [f"Warning number {number}" for number in range(500)])
    assert len(str(card)) < 4000 and str(card).count("more") == 3


# -- digests -----------------------------------------------------------------------------------------------------------
def test_equal_corpora_have_equal_digests_and_others_have_others():
    def corpus(id="c", thread="t", text="hi", meta=None, speaker="B", splits=("train",), copies=1):
        talk = Conversation(id, thread, (Turn("A", "☃"), Turn(speaker, text)), {"score": 1} if meta is None else meta)
        return Corpus(*([talk] * copies if name in splits else [] for name in ("train", "val", "test")), Card("", ""))

    others = [{"id": "d"}, {"thread": "u"}, {"text": "ho"}, {"speaker": "A"}, {"meta": {}}, {"splits": ("val",)}, {"copies": 2}]
    assert digest(corpus()) == digest(corpus()) and len(digest(corpus())) == 64
    assert len({digest(corpus(**changes)) for changes in ({}, *others)}) == len(others) + 1
    reordered = corpus(meta={"a": 1, "b": 2}), corpus(meta={"b": 2, "a": 1})
    assert digest(reordered[0]) == digest(reordered[1])
