"""Conversations: what every model of the course reads, in three splits, with a card (built in notebook 01)."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from helpers.corpus.messages import first_few

SPLITS = {"train": 0.90, "val": 0.05, "test": 0.05}
_KEY = b"one conversation through ten years"  # changing it would move conversations between the splits: never do


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's uninterrupted say: consecutive messages of a sender are one turn, joined by a line break."""

    speaker: str  # "A", "B", … in order of first appearance; real names never leave the readers
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns in order. ``thread`` decides the split: all conversations cut from one Reddit thread share it."""

    id: str
    thread: str
    turns: tuple[Turn, ...]
    meta: dict = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return "\n".join(f"{turn.speaker}: {turn.text}".replace("\n", "\n   ") for turn in self.turns)


@dataclass
class Card:
    """What a corpus is and who may use it: read it before you train on it."""

    origin: str
    license: str
    counts: dict[str, int] = field(default_factory=dict)
    dropped: Counter = field(default_factory=Counter)  # reason -> conversations (chat) or comments (dumps) left out
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """All of it, shortened where it would not fit on a screen."""
        counts = first_few(f"{number:,} {name}" for name, number in self.counts.items())
        dropped = first_few(f"{number:,} {reason}" for reason, number in self.dropped.most_common()) or "nothing"
        lines = [
            f"Origin:   {self.origin}",
            f"License:  {self.license}",
            f"Counts:   {counts}",
            f"Left out: {dropped}",
        ]
        if self.warnings:
            lines.append(first_few((f"Beware:   {warning}" for warning in self.warnings), "\n", 2000))
        return "\n".join(lines)


@dataclass
class Corpus:
    """Conversations in three splits, with the card that says where they come from."""

    train: list[Conversation]
    val: list[Conversation]
    test: list[Conversation]
    card: Card

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {len(getattr(self, name)):,}" for name in SPLITS)
        return f"Corpus({sizes} conversations)"

    def frame(self, split: str = "train"):
        """Return one split as a pandas DataFrame, a row per turn: conversation, turn, speaker, text, words, characters."""
        import pandas

        if split not in SPLITS:
            raise ValueError(f"unknown split {split!r}; use one of: {', '.join(SPLITS)}")
        rows = [
            (conversation.id, number, turn.speaker, turn.text, len(turn.text.split()), len(turn.text))
            for conversation in getattr(self, split)
            for number, turn in enumerate(conversation.turns)
        ]
        return pandas.DataFrame(rows, columns=["conversation", "turn", "speaker", "text", "words", "characters"])


def split_of(thread: str) -> str:
    """Return "train", "val" or "test" for a thread id: a keyed hash, so it is the same on every computer, for ever."""
    digest = hashlib.blake2b(thread.encode("utf-8", "surrogatepass"), key=_KEY, digest_size=8).digest()
    position = int.from_bytes(digest, "big") / 2**64
    for name, share in SPLITS.items():
        if position < share:
            return name
        position -= share
    return "test"


def digest(corpus: Corpus) -> str:
    """Return the SHA-256 of all conversations, 64 hexadecimal digits: equal for equal corpora, in whatever way they were made.

    Splits, order, ids, threads, turns and what stands in ``meta`` count; the card does not.
    """
    sha = hashlib.sha256()
    for name in SPLITS:
        sha.update(f"{name}\n".encode())
        for conversation in getattr(corpus, name):
            turns = [(turn.speaker, turn.text) for turn in conversation.turns]
            sha.update(json.dumps([conversation.id, conversation.thread, turns, conversation.meta], sort_keys=True).encode())
    return sha.hexdigest()


def merge_turns(messages: Iterable[tuple[str, str]]) -> tuple[Turn, ...]:
    """Merge (sender, text) messages into turns: runs of one sender become one turn, senders become "A", "B", …"""
    names: dict[str, str] = {}
    turns: list[Turn] = []
    for sender, text in messages:
        if not text:
            continue
        name = names.setdefault(sender, _speaker_name(len(names)))
        if turns and turns[-1].speaker == name:
            turns[-1] = Turn(name, f"{turns[-1].text}\n{text}")
        else:
            turns.append(Turn(name, text))
    return tuple(turns)


def _speaker_name(number: int) -> str:
    """0 -> A, 25 -> Z, 26 -> AA, as spreadsheets name their columns."""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("A") + letter) + name
    return name
