"""The Chitchat data set: complete, split and redacted, and what is left out is counted."""

from helpers.corpus.chitchat import new_card, select_conversations
from helpers.corpus.conversations import Turn, split_of


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
    assert card.dropped == {"without an answer": 2, "with one word repeated over and over": 1}


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
    assert "MIT" in str(chitchat.card) and "without an answer" in str(chitchat.card)
