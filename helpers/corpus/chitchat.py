"""The BYU Chit-Chat conversations, from the installed package ``chitchat-dataset``: real, small, free, no network."""

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from helpers.corpus.cleaning import clean, redact
from helpers.corpus.conversations import Card, Conversation, merge_turns

FLOOD = 8  # the same word this many times in a row is somebody leaning on the keyboard
_FLOOD = re.compile(rf"(?:^|\s)(\S+)(?:\s+\1){{{FLOOD - 1},}}(?:\s|$)", re.IGNORECASE)


def new_card() -> Card:
    """Return the card of these conversations, before any is read."""
    return Card(
        origin="BYU Chit-Chat Challenge 2018 (Myers, Etchart & Fulda 2020), package chitchat-dataset",
        license="MIT",
        warnings=[
            "Most writers are students of one university in one year; one of them takes part in one conversation in six.",
            "It was a game with points: some lines were typed for points, not to be read.",
            "The split is by conversation, so a writer's other conversations may be in another split.",
        ],
    )


def read_chitchat(card: Card) -> Iterator[Conversation]:
    """Yield the conversations in which two people spoke; count the others on ``card``.

    ``meta`` holds ``prompt`` (str or None), ``start`` (ISO time) and ``ratings`` ({"witty": 1 … 10, …}, often the
    default 5). Raises ValueError when the package is not installed.
    """
    spec = find_spec("chitchat_dataset")
    if spec is None:
        raise ValueError("the package with the chitchat conversations is missing: pip install chitchat-dataset")
    # The package offers the same file as an object, but opens it in the computer's own encoding; the file is UTF-8.
    records = json.loads((Path(spec.origin).parent / "dataset.json").read_text(encoding="utf-8"))
    yield from select_conversations(records, card)


def select_conversations(records: dict, card: Card) -> Iterator[Conversation]:
    """Yield a Conversation for each record worth reading ({id: {"messages": [[{"sender", "text"}, …], …], …}, …})."""
    for identity, record in records.items():
        messages = [message for group in record["messages"] for message in group]
        turns = merge_turns((message["sender"], redact(clean(message["text"]))) for message in messages)
        if len({turn.speaker for turn in turns}) < 2:
            card.dropped["without an answer"] += 1
        elif any(_FLOOD.search(turn.text) for turn in turns):
            card.dropped["with one word repeated over and over"] += 1
        else:
            ratings = record.get("ratings") or {}
            meta = {
                "prompt": record.get("prompt"),
                "start": record.get("start"),
                "ratings": {name: int(value) for name, value in ratings.items() if value is not None},
            }
            yield Conversation(identity, identity, turns, meta)
