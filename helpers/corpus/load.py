"""The one way to load conversations, wherever they come from (built in notebook 01)."""

import os
import re
from itertools import islice
from pathlib import Path

from helpers import data_path
from helpers.corpus.conversations import SPLITS, Card, Conversation, Corpus, split_of

COPY_WORDS = 8  # a turn this long that also stands in a later split is a copy, not chance ("how are you?" is chance)


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
        from helpers.corpus.chitchat import new_card, read_chitchat

        card = new_card()
        found = read_chitchat(card)
    else:
        from helpers.corpus.dumps.comments import new_card, read_commented

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


def normalized(text: str) -> str:
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
    keys = (normalized(turn.text) for turn in conversation.turns if len(turn.text) >= 2 * COPY_WORDS - 1)
    return [key for key in keys if key.count(" ") >= COPY_WORDS - 1]
