"""Conversations: what every model of the course reads, and the one way to load them (built in notebook 01)."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from .. import data_path

SPLITS = {"train": 0.90, "val": 0.05, "test": 0.05}
_KEY = (
    b"one conversation through ten years"  # changing it would move conversations between the splits: never do
)
COPY_WORDS = (
    8  # a turn this long that also stands in a later split is a copy, not chance ("how are you?" is chance)
)


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
    licence: str
    counts: dict[str, int] = field(default_factory=dict)
    dropped: Counter = field(
        default_factory=Counter
    )  # reason -> conversations (chat) or comments (dumps) left out
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{number:,} {name}" for name, number in self.counts.items())
        dropped = (
            ", ".join(f"{number:,} {reason}" for reason, number in self.dropped.most_common()) or "nothing"
        )
        lines = [
            f"Origin:   {self.origin}",
            f"Licence:  {self.licence}",
            f"Counts:   {counts}",
            f"Left out: {dropped}",
        ]
        return "\n".join(lines + [f"Beware:   {warning}" for warning in self.warnings])


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
        return pandas.DataFrame(
            rows, columns=["conversation", "turn", "speaker", "text", "words", "characters"]
        )


def load(
    source: str | os.PathLike = "chitchat", *, pairs: bool = False, filter=None, limit: int | None = None
) -> Corpus:
    """Load conversations, cleaned, redacted and split 90/5/5 by a keyed hash of the thread's id.

    Sources: ``"chitchat"`` (BYU Chit-Chat, from the installed package), ``"sample"`` (our specimen threads), the path of
    a Reddit comment dump or of a folder of months, or the path of a ConvoKit corpus folder. ``pairs=True`` gives every
    parent and child instead of best-reply chains (Reddit and ConvoKit), ``filter`` is a
    ``helpers.corpus.cleaning.Filter`` of yours, ``limit`` stops after so many conversations. A train or val
    conversation with a long turn that also stands in a later split is left out and counted. Raises ValueError, naming
    the known sources, when ``source`` is none.
    """
    if source == "chitchat":
        from .chitchat import new_card, read_chitchat

        card = new_card()
        found = read_chitchat(card)
    else:
        from .commented import new_card, read_commented

        path = _path_of(source)
        card = new_card(path, sample=source == "sample")
        found = read_commented(path, card, pairs, filter)
    kept = list(islice(found, limit))
    found.close()  # a reader stopped by the limit still writes its counts on the card
    return _split(kept, card)


def _path_of(source: str | os.PathLike) -> Path:
    path = data_path("sample_comments.jsonl") if source == "sample" else Path(source)
    if not path.exists():
        known = '"chitchat", "sample", the path of a Reddit comment dump or of a folder of months, or a ConvoKit folder'
        raise ValueError(f"there is no source {str(source)!r}; known are {known}")
    return path


def split_of(thread: str) -> str:
    """Return "train", "val" or "test" for a thread id: a keyed hash, so it is the same on every computer, for ever."""
    digest = hashlib.blake2b(thread.encode("utf-8", "surrogatepass"), key=_KEY, digest_size=8).digest()
    position = int.from_bytes(digest, "big") / 2**64
    for name, share in SPLITS.items():
        if position < share:
            return name
        position -= share
    return "test"


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


def normalised(text: str) -> str:
    """Return the words of a text alone, lower case: two texts equal here are copies of each other for the split."""
    return " ".join(re.findall(r"\w+", text.lower()))


def _split(found: list[Conversation], card: Card) -> Corpus:
    splits: dict[str, list[Conversation]] = {name: [] for name in SPLITS}
    for conversation in found:
        splits[split_of(conversation.thread)].append(conversation)
    later: set[str] = set()
    for name in (
        "test",
        "val",
        "train",
    ):  # what stands in a later split must not be learned in an earlier one
        kept = [c for c in splits[name] if not any(key in later for key in _long_turns(c))]
        card.dropped["a long turn copied in a later split"] += len(splits[name]) - len(kept)
        splits[name] = kept
        later.update(key for conversation in kept for key in _long_turns(conversation))
    card.dropped = +card.dropped  # forget reasons that did not occur
    kept = [conversation for name in SPLITS for conversation in splits[name]]
    card.counts["conversations"] = len(kept)
    card.counts["turns"] = sum(len(conversation.turns) for conversation in kept)
    card.counts["characters"] = sum(len(turn.text) for conversation in kept for turn in conversation.turns)
    return Corpus(**splits, card=card)


def _long_turns(conversation: Conversation) -> list[str]:
    # Eight words take 15 characters at least: most turns need no closer look.
    keys = (normalised(turn.text) for turn in conversation.turns if len(turn.text) >= 2 * COPY_WORDS - 1)
    return [key for key in keys if key.count(" ") >= COPY_WORDS - 1]
