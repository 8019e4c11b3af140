"""Conversations from trees of comments: the specimen, Reddit dumps and ConvoKit corpora, with a card for each."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from helpers.corpus.cleaning import Filter
from helpers.corpus.conversations import Card, Conversation
from helpers.corpus.dumps.convokit import read_convokit
from helpers.corpus.dumps.reddit import ReadStats, read_comments
from helpers.corpus.dumps.threads import conversations


def is_convokit(path: Path) -> bool:
    """Say whether a folder is a ConvoKit corpus rather than a folder of months."""
    return path.is_dir() and (path / "utterances.jsonl").exists()


def new_card(path: Path, sample: bool = False) -> Card:
    """Return the card of the comments at ``path``, before any is counted."""
    if sample:
        return Card(origin="specimen threads written for this course", license="CC0", warnings=["Invented, and tiny."])
    if is_convokit(path):
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


def read_commented(path: Path, card: Card, pairs: bool = False, filter: Filter | None = None) -> Iterator[Conversation]:
    """Yield the conversations cut from the comments at ``path``; counts and what went wrong end up on ``card``."""
    filter = Filter() if filter is None else filter
    before = Counter(filter.counts)  # a filter of the caller's may have seen other files
    stats = ReadStats()
    read = read_convokit if is_convokit(path) else read_comments
    try:
        yield from conversations(read(path, stats), pairs=pairs, filter=filter, stats=stats)
    finally:
        card.counts["comments read"] = stats.comments
        card.dropped.update(
            {f"comments: {reason}": n for reason, n in (filter.counts - before).items() if reason != "kept"}
        )
        card.warnings.append(str(stats))
