"""Threads built from comments, and conversations cut out of threads (built in notebook 01).

A dump is a stream of comments in the order of their writing, all threads mixed. Who answers whom stands in
``parent_id`` alone: a comment's neighbor in the file is hardly ever its parent.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from helpers.corpus.cleaning import Filter
from helpers.corpus.cleaning.filters import is_removal_notice
from helpers.corpus.conversations import Conversation
from helpers.corpus.dumps.convokit import read_convokit, utterances_file
from helpers.corpus.dumps.group_by_thread import Partitions, by_thread
from helpers.corpus.dumps.parallel import packed_by_workers, rows_of, workers_for
from helpers.corpus.dumps.records import ReadStats, read_records
from helpers.corpus.dumps.reddit import Comment, comment_files, comment_from
from helpers.corpus.dumps.repeats import text_key
from helpers.corpus.dumps.reply_chains import cut, known_score
from helpers.corpus.messages import whole_numbers


class Thread:
    """One submission's comments as a tree. ``Thread(link_id, comments)`` takes them in any order.

    id        the submission's full name, "t3_…"
    comments  each comment under its id; a comment met twice is kept once and adds to ``duplicates``
    children  the answers under their parent's full name ("t1_…", or the thread's id for the top level), oldest first
    orphans   comments whose parent is not here: their answers hang below them, but nothing leads up to the submission
    cycles    comments no walk from the top or from an orphan ever reaches, because their parents form a ring
    """

    __slots__ = ("children", "comments", "cycles", "duplicates", "id", "orphans")

    def __init__(self, id: str, comments: Iterable[Comment]):
        self.id = id
        comments = list(comments)
        by_id = {comment.id: comment for comment in comments}
        self.duplicates = len(comments) - len(by_id)
        if self.duplicates:
            for comment in comments:
                twin = by_id[comment.id]
                if twin is not comment and twin != comment:
                    by_id[comment.id] = min(twin, comment, key=_trust)
        oldest_first = sorted(by_id.values(), key=lambda comment: (comment.created or 0, comment.id))
        self.comments = {comment.id: comment for comment in oldest_first}  # first the rare ones without a time
        self.children: dict[str, list[Comment]] = {}
        for comment in self.comments.values():
            self.children.setdefault(comment.parent_id, []).append(comment)
        self.orphans, self.cycles = self._find_lost()

    def roots(self) -> list[Comment]:
        """Return the comments that answer the submission itself, oldest first."""
        return self.children.get(self.id, [])

    def path(self, comment: Comment) -> list[Comment]:
        """Return the comments from the top level (or from an orphan) down to ``comment``, both included.

        Raises ValueError for a comment in a ring of parents: it has no way up.
        """
        path = [comment]
        while (parent := self._parent(path[-1])) is not None:
            path.append(parent)
            if len(path) > len(self.comments):
                raise ValueError(f"comment {comment.id} has no path to the top: its parents form a ring")
        return path[::-1]

    def walk(self) -> Iterator[tuple[int, Comment]]:
        """Yield (depth, comment) as a reader scrolls past them: each comment before its answers, top level at depth 0."""
        stack = [(0, comment) for comment in reversed(self.roots())]
        while stack:
            depth, comment = stack.pop()
            yield depth, comment
            stack.extend((depth + 1, child) for child in reversed(self.children.get("t1_" + comment.id, ())))

    def _parent(self, comment: Comment) -> Comment | None:
        name = comment.parent_id
        return self.comments.get(name[3:]) if name[:3] == "t1_" else None

    def _find_lost(self) -> tuple[list[Comment], list[Comment]]:
        """Return the comments whose parent is missing, and those that only a ring of parents holds up."""
        # A parent is older than its answers, so one pass in order of age settles nearly every thread ...
        joined, unsure = {self.id}, False
        for comment in self.comments.values():
            if comment.parent_id in joined:
                joined.add("t1_" + comment.id)
            else:
                unsure = True
        if not unsure:
            return [], []
        # ... and where it does not, we walk down from the top and from the orphans, and see who was never met.
        missing = {parent for parent in self.children if parent[:3] != "t1_" or parent[3:] not in self.comments}
        orphans = [c for c in self.comments.values() if c.parent_id in missing and c.parent_id != self.id]
        met = self.roots() + orphans
        for comment in met:  # the list grows while we go through it, until nobody has answers left
            met += self.children.get("t1_" + comment.id, ())
        names = {comment.id for comment in met}
        return orphans, [comment for comment in self.comments.values() if comment.id not in names]


def build_threads(comments: Iterable[Comment], stats: ReadStats | None = None) -> list[Thread]:
    """Group comments into threads, oldest submission first; the order of the comments makes no difference.

    All comments are held in memory: for a whole month use ``conversations``, which is not.
    """
    groups = by_thread(comments)
    oldest_first = sorted(groups, key=lambda link_id: (len(link_id), link_id))
    threads = [Thread(link_id, groups[link_id]) for link_id in oldest_first]
    for thread in threads if stats is not None else ():
        stats.add_thread(thread)
    return threads


def conversations(
    source: str | os.PathLike | Iterable[Comment],
    *,
    pairs: bool = False,
    filter: Filter | None = None,
    memory_limit: int = 200_000_000,
    stats: ReadStats | None = None,
    processes: int | None = None,
) -> Iterator[Conversation]:
    """Yield cleaned, redacted conversations from comments, or from the path of a dump, a folder of months or a ConvoKit corpus.

    By default each top-level comment gives one conversation of two turns or more, which follows the best answer
    down; ``pairs=True`` gives every comment with each of its answers. A comment that ``filter`` (by default
    ``Filter()``) drops takes everything below it along, for it would lack its context. Beyond ``memory_limit`` bytes
    of comments, threads are collected on disk. With the path of a large dump, ``processes`` more processes share the
    work: by default one for each further processor, up to three. None of this, nor the order of the comments, changes what
    comes out; threads come in the order of a hash of their ids. Raises ValueError for a ``memory_limit`` below 1 or
    ``processes`` below 0, and what the readers raise (see ``read_comments``, ``read_convokit``); OSError, saying what to
    do, when the temporary folder is full.
    """
    (memory_limit,) = whole_numbers(memory_limit=memory_limit)
    if processes is not None:
        (processes,) = whole_numbers(0, processes=processes)
    filter = Filter() if filter is None else filter
    stats = ReadStats() if stats is None else stats
    files: list = []
    if isinstance(source, (str, os.PathLike)):
        if utterances_file(source):
            source = read_convokit(source, stats)
        else:
            files = comment_files(source)
            source = read_records(files, comment_from, stats)
    # Whether a text came too often depends on all the others: we ask that last, when threads come in a fixed order
    # and each comment once. A filter of another class is asked everything at once, in the order of the files.
    late = type(filter) is Filter and filter.same_text is not None
    first_filter = replace(filter, same_text=None) if late else filter
    partitions = Partitions(memory_limit)
    try:
        if files and (processes := workers_for(files, first_filter, processes)):
            for packed in packed_by_workers(files, first_filter, filter.counts, stats, processes):
                partitions.add_packed(packed)
        else:
            partitions.add(rows_of(source, first_filter, filter.counts))
        stats.spilled += partitions.spilled
        often = partitions.texts_too_often(filter.same_text_characters, filter.same_text) if late else ()
        yield from cut_all(partitions.threads(), dict.fromkeys(often, 0), filter, pairs, stats)
    finally:
        partitions.close()


def cut_all(
    grouped: Iterable[tuple[str, list[tuple]]], seen: dict[int, int], filter: Filter, pairs: bool, stats: ReadStats
) -> Iterator[Conversation]:
    """Yield the conversations of (link_id, rows) groups, without texts that come too often, counting under ``stats``.

    ``seen`` has the key (see ``repeats.text_key``) of every such text, and how many copies came before; it goes on counting.
    """
    for link_id, rows in grouped:
        thread = Thread(link_id, map(Comment._make, rows))
        stats.add_thread(thread)
        for conversation in cut(without_repeats(thread, seen, filter) if seen else thread, pairs):
            stats.conversations += 1
            yield conversation


def long_texts(thread: Thread, filter: Filter) -> Iterator[tuple[Comment, int]]:
    """Yield the comments whose texts are long enough to be copies of each other, oldest first, with the texts' keys."""
    for comment in thread.comments.values():
        if len(comment.body) >= filter.same_text_characters:
            yield comment, text_key(comment.author, comment.body)


def without_repeats(thread: Thread, seen: dict[int, int], filter: Filter) -> Thread:
    """Drop the comments whose author has posted the same text too often, in this thread or in those before it.

    ``seen`` is that of ``cut_all``. Of one text, the first ``filter.same_text`` stay: by the hash of their threads, then by age.
    """
    repeats = set()
    for comment, key in long_texts(thread, filter):
        if key in seen:
            seen[key] += 1
            if seen[key] > filter.same_text:
                repeats.add(comment.id)
    if not repeats:
        return thread
    filter.counts["kept"] -= len(repeats)
    filter.counts["same text again"] += len(repeats)
    comments = thread.comments.values()
    return Thread(thread.id, (c._replace(body="") if c.id in repeats else c for c in comments))


def _trust(comment: Comment) -> tuple:
    """Sort key for copies of one comment: a deletion counts before anything else, then the higher score, then any order."""
    gone = not comment.body or is_removal_notice(comment.body)
    return not gone, -known_score(comment), repr(comment)
