"""The one way to load conversations, wherever they come from (built in notebook 01)."""

import os
import re
from collections import Counter
from itertools import islice
from pathlib import Path

from helpers import data_path
from helpers.corpus.chitchat import new_card, read_chitchat
from helpers.corpus.cleaning import Filter
from helpers.corpus.conversations import SPLITS, Card, Conversation, Corpus, split_of
from helpers.corpus.dumps.convokit import utterances_file
from helpers.corpus.dumps.records import ReadStats
from helpers.corpus.dumps.threads import conversations
from helpers.corpus.messages import first_few, whole_numbers

COPY_WORDS = 8  # a turn this long that also stands in a later split is a copy, not chance ("how are you?" is chance)


def load(
    source: str | os.PathLike = "chitchat",
    *,
    pairs: bool = False,
    filter: Filter | None = None,
    limit: int | None = None,
) -> Corpus:
    """Load conversations, cleaned, redacted and split 90/5/5 by a keyed hash of the thread's id.

    Sources: ``"chitchat"`` (BYU Chit-Chat, from the installed package), ``"sample"`` (our specimen threads), the path of
    a Reddit comment dump or of a folder of months, or the path of a ConvoKit corpus folder. ``pairs=True`` gives every
    parent and child instead of best-reply chains (Reddit and ConvoKit), ``filter`` is a
    ``helpers.corpus.cleaning.Filter`` of yours, ``limit`` stops after so many conversations. A train or val
    conversation with a long turn that also stands in a later split is left out, and the card says how many. Raises
    ValueError, naming the known sources, when ``source`` is none, and for a ``limit`` below 1.
    """
    if limit is not None:
        (limit,) = whole_numbers(limit=limit)
    if source == "chitchat":
        card = new_card()
        return split(list(islice(read_chitchat(card), limit)), card)
    path = data_path("sample_comments.jsonl") if source == "sample" else Path(os.path.expanduser(source))
    if not os.path.exists(path):
        known = '"chitchat", "sample", the path of a Reddit comment dump or of a folder of months, or a ConvoKit folder'
        raise ValueError(f"there is no source {first_few([str(source)], room=200)!r}; known are {known}")
    filter, stats = Filter() if filter is None else filter, ReadStats()
    before = Counter(filter.counts)  # a filter of the caller's may have seen other files
    stream = conversations(path, pairs=pairs, filter=filter, stats=stats)
    kept = list(islice(stream, limit))
    stream.close()
    return split(kept, comments_card(path, stats, filter.counts - before, sample=source == "sample"))


def normalized(text: str) -> str:
    """Return the words of a text alone, lower case: two texts equal here are copies of each other for the split."""
    return " ".join(re.findall(r"\w+", text.lower()))


def comments_card(path: Path, stats: ReadStats, counts: Counter, sample: bool = False) -> Card:
    """Return the card of conversations from comments: what was read, and what the filter counted."""
    card = _origin(path, sample)
    card.counts["comments read"] = stats.comments
    card.dropped.update({f"comments: {reason}": number for reason, number in counts.items() if reason != "kept"})
    card.warnings.append(str(stats))
    return card


def _origin(path: Path, sample: bool) -> Card:
    if sample:
        return Card(origin="specimen threads written for this course", license="CC0", warnings=["Invented, and tiny."])
    if utterances_file(path):
        return Card(
            origin=f"ConvoKit corpus {path.name}",
            license="see the corpus's own page: each has its own terms",
            warnings=["Who wrote it, and what they agreed to, stands in the corpus's documentation: read it."],
        )
    return Card(
        origin=f"Reddit comments, {path.name}",
        license="none given: the writers keep their rights, and Reddit's terms apply",
        warnings=[
            "Some writers deleted their comments after the dump was taken. Do not publish these texts.",
            "Names and places stay in the text, and people are rougher here than in the specimen.",
        ],
    )


def split(everything: list[Conversation], card: Card) -> Corpus:
    """Return the conversations as a Corpus: parted by their threads, without copies of what stands in a later split."""
    splits: dict[str, list[Conversation]] = {name: [] for name in SPLITS}
    for conversation in everything:
        splits[split_of(conversation.thread)].append(conversation)
    later: set[str] = set()
    for name in reversed(SPLITS):  # what stands in a later split must not be learned in an earlier one
        kept = [c for c in splits[name] if not any(key in later for key in _long_turns(c))]
        card.dropped["with a long turn that recurs in a later split"] += len(splits[name]) - len(kept)
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
