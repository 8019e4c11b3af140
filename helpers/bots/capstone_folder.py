"""Where a capstone keeps its conversations, its bots and its results: build/capstone/NAME, nothing of the course's own."""

import json
import os
import re
from collections import Counter
from itertools import islice
from pathlib import Path

from helpers.corpus.cleaning import Filter
from helpers.corpus.conversations import SPLITS, Card, Conversation, Corpus, Turn
from helpers.corpus.dumps.convokit import read_convokit, utterances_file
from helpers.corpus.dumps.records import ReadStats
from helpers.corpus.dumps.reddit import SUFFIXES, read_comments
from helpers.corpus.dumps.threads import conversations
from helpers.corpus.load import comments_card, split
from helpers.io import write_text

COMMENTS, CONVERSATIONS = (
    3_000_000,
    60_000,
)  # of a larger month the first comments are read; so many conversations fit in memory
FEWEST = 20  # conversations to learn from
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,60}")


class Capstone:
    """The folder of one capstone, ``build/capstone/NAME`` below the folder that the command runs in.

    ``source`` is what notebook 01's ``load`` takes: a month of comments, a folder of months, or a ConvoKit corpus. ``name`` is
    by default the name of the file without its ending. Raises ValueError for a name that makes no folder.
    """

    def __init__(self, source: str | os.PathLike, name: str | None = None):
        self.source = Path(os.path.expanduser(source))
        self.name = _stem(self.source.name) if name is None else name
        if not NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} makes no name of a folder: give one of letters and digits, --name mine")
        self.folder = Path.cwd() / "build" / "capstone" / self.name
        self.pretrained, self.bot = self.folder / "pretrained", self.folder / "bot"

    def file(self, name: str) -> Path:
        """Return the path of a file of this capstone."""
        return self.folder / name

    def command(self, stage: str) -> str:
        """Return the command that runs a stage, as a person types it."""
        named = "" if self.name == _stem(self.source.name) else f" --name {self.name}"
        return f"python -m helpers capstone {stage} {self.source}{named}"

    def need(self, path: Path, stage: str) -> Path:
        """Return ``path``. Raises ValueError, with the command to type, where the stage that makes it has not run."""
        if not path.exists():
            raise ValueError(f"{path.relative_to(Path.cwd())} is not there yet. First: {self.command(stage)}")
        return path

    def corpus(self) -> Corpus:
        """Return the conversations that ``read`` has stored. Raises ValueError where it has not run."""
        return read_corpus(self.need(self.file("conversations.jsonl"), "read"))


def read_source(source: Path, comments: int = COMMENTS, most: int = CONVERSATIONS) -> Corpus:
    """Return the conversations of ``source``: those of ``helpers.corpus.load.load``, of the first ``comments`` comments.

    Of more than ``most`` conversations a random part is taken, whole threads: they come in the order of a hash. Raises
    FileNotFoundError where there is no file, UnreadableFile and ValueError, in a sentence, where there is too little in it.
    """
    stats, filter = ReadStats(), Filter()
    stream = read_convokit(source, stats) if utterances_file(source) else read_comments(source, stats)
    taken = _Counted(islice(stream, comments))
    found = list(islice(conversations(taken, filter=filter, stats=stats), most))
    stats.comments = taken.number  # the reader is up to a batch ahead of what was taken
    corpus = split(found, comments_card(source, stats, Counter(filter.counts)))
    if taken.number == comments:
        corpus.card.warnings.append(f"The first {comments:,} comments were read, and no more.")
    if len(found) == most:
        corpus.card.warnings.append(
            f"Of more conversations, {most:,} were taken, in the order of a hash of their threads."
        )
    if len(corpus.train) < FEWEST:
        raise ValueError(
            f"{source.name} gives {len(corpus.train)} conversations to learn from, of {stats.comments:,} comments: "
            f"{FEWEST} are the least. Take a later month, or a folder of several months"
        )
    return corpus


class _Counted:
    """An iterable that counts what was taken of it."""

    def __init__(self, items):
        self.items, self.number = items, 0

    def __iter__(self):
        for item in self.items:
            self.number += 1
            yield item


def _stem(name: str) -> str:
    while (path := Path(name)).suffix in SUFFIXES:
        name = path.stem
    return name


# --- conversations as a file ----------------------------------------------------------------------------------------------


def write_corpus(path: Path, corpus: Corpus) -> None:
    """Write conversations as JSON lines: the card first, then {"split", "id", "thread", "turns"} of each."""
    card = {"origin": corpus.card.origin, "license": corpus.card.license, "counts": corpus.card.counts,
            "dropped": corpus.card.dropped, "warnings": corpus.card.warnings}  # fmt: skip
    lines = [json.dumps(card)]
    for name in SPLITS:
        for each in getattr(corpus, name):
            turns = [[turn.speaker, turn.text] for turn in each.turns]
            lines.append(json.dumps({"split": name, "id": each.id, "thread": each.thread, "turns": turns}))
    write_text(path, "\n".join(lines) + "\n")


def read_corpus(path: Path) -> Corpus:
    """Return the conversations of a file that ``write_corpus`` wrote. Raises ValueError, in a sentence, for another."""
    splits: dict[str, list] = {name: [] for name in SPLITS}
    try:
        with path.open(encoding="utf-8") as file:
            card = json.loads(next(file))
            for record in map(json.loads, file):
                turns = tuple(Turn(speaker, text) for speaker, text in record["turns"])
                splits[record["split"]].append(Conversation(record["id"], record["thread"], turns))
        card = Card(**{**card, "dropped": Counter(card["dropped"])})
    except (ValueError, KeyError, TypeError, StopIteration):
        raise ValueError(f"{path} is damaged: read the month again (python -m helpers capstone read FILE)") from None
    return Corpus(**splits, card=card)
