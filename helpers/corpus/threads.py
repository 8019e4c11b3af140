"""Threads put together from comments, and conversations cut out of threads (built in notebook 01).

A dump is a stream of comments in the order of their writing, all threads mixed. Who answers whom stands in
``parent_id`` alone: a comment's neighbour in the file is hardly ever its parent.
"""

import os
from collections.abc import Iterable, Iterator

from .cleaning import Filter, clean, redact
from .conversations import Conversation, merge_turns
from .partitions import Partitions
from .reddit import DELETED, Comment, ReadStats, read_comments


class Thread:
    """One submission's comments as a tree. ``Thread(link_id, comments)`` takes them in any order.

    id        the submission's full name, "t3_…"
    comments  each comment under its id; a comment met twice is kept once and counted in ``duplicates``
    children  the answers under their parent's full name ("t1_…", or the thread's id for the top level), oldest first
    orphans   comments whose parent is not here: their answers hang below them, but nothing leads up to the submission
    cycles    comments no walk from the top or from an orphan ever reaches, because their parents form a ring
    """

    __slots__ = ("children", "comments", "cycles", "duplicates", "id", "orphans")

    def __init__(self, id: str, comments: Iterable[Comment]):
        self.id = id
        self.comments: dict[str, Comment] = {}
        self.duplicates = 0
        for comment in comments:
            twin = self.comments.setdefault(comment.id, comment)
            if twin is not comment:
                self.duplicates += 1
                self.comments[comment.id] = min(twin, comment, key=_trust)
        self.children: dict[str, list[Comment]] = {}
        for comment in self.comments.values():
            self.children.setdefault(comment.parent_id, []).append(comment)
        for siblings in self.children.values():
            if len(siblings) > 1:
                siblings.sort(key=_age)
        self.orphans = self._find_orphans()
        self.cycles = self._find_cycles()

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

    def _find_orphans(self) -> list[Comment]:
        orphans = []
        for parent, siblings in self.children.items():
            if parent != self.id and not (parent[:3] == "t1_" and parent[3:] in self.comments):
                orphans += siblings
        return sorted(orphans, key=_age)

    def _find_cycles(self) -> list[Comment]:
        reached = self.roots() + self.orphans
        for comment in reached:  # the list grows while we go through it, until no comment has answers left
            reached += self.children.get("t1_" + comment.id, ())
        if len(reached) == len(self.comments):
            return []
        seen = {comment.id for comment in reached}
        return sorted((comment for comment in self.comments.values() if comment.id not in seen), key=_age)


def build_threads(comments: Iterable[Comment], stats: ReadStats | None = None) -> list[Thread]:
    """Group comments into threads, oldest submission first; the order of the comments makes no difference.

    All comments are held in memory: for a whole month use ``conversations``, which is not.
    """
    groups: dict[str, list[Comment]] = {}
    for comment in comments:
        groups.setdefault(comment.link_id, []).append(comment)
    oldest_first = sorted(groups, key=lambda link_id: (len(link_id), link_id))
    return [_counted(Thread(link_id, groups[link_id]), stats) for link_id in oldest_first]


def conversations(
    source: str | os.PathLike | Iterable[Comment],
    *,
    pairs: bool = False,
    filter: Filter | None = None,
    memory_limit: int = 200_000_000,
    stats: ReadStats | None = None,
) -> Iterator[Conversation]:
    """Yield cleaned, redacted conversations from comments, or from the path of a dump or of a folder of months.

    By default each top-level comment gives one conversation of two turns or more, which follows the best answer down;
    ``pairs=True`` gives every comment with each of its answers. A comment that ``filter`` (by default ``Filter()``)
    drops takes everything below it along, for it would lack its context. Beyond ``memory_limit`` bytes of comments,
    threads are collected on disk. The order is that of a hash of the thread's id: the same for any order of input.
    """
    if isinstance(source, (str, os.PathLike)):
        source = read_comments(source, stats)
    stats = ReadStats() if stats is None else stats
    partitions = Partitions(memory_limit)
    try:
        partitions.add(_prepared(source, Filter() if filter is None else filter))
        stats.spilled += partitions.spilled
        for link_id, rows in partitions.threads():
            thread = _counted(Thread(link_id, map(Comment._make, rows)), stats)
            for chain in _pairs(thread) if pairs else _best_chains(thread):
                conversation = _conversation(thread, chain)
                if len(conversation.turns) > 1:
                    stats.conversations += 1
                    yield conversation
    finally:
        partitions.close()


def _prepared(comments: Iterable[Comment], filter: Filter) -> Iterator[tuple]:
    """Yield the comments' fields with the body cleaned and redacted; an empty body marks what the filter dropped.

    Dropped comments stay in the tree with nothing to say, so that what hung below them is not taken for orphans.
    """
    for comment in comments:
        text = redact(clean(comment.body))
        reason = filter.reason(comment, text)
        filter.counts[reason or "kept"] += 1
        yield comment[:4] + ("" if reason else text,) + comment[5:]


def _best_chains(thread: Thread) -> Iterator[list[Comment]]:
    """Yield, for each top-level comment that was kept, the way down along the answers with the highest scores."""
    for comment in thread.roots():
        chain = []
        while comment is not None:
            chain.append(comment)
            # max() returns the first of equals, and answers stand oldest first.
            comment = max(_answers(thread, comment), key=_score, default=None)
        if chain[0].body:
            yield chain


def _pairs(thread: Thread) -> Iterator[list[Comment]]:
    """Yield [parent, child] for every comment that all of its ancestors were kept for."""
    reached = [comment for comment in thread.roots() if comment.body]
    for parent in reached:
        for child in _answers(thread, parent):
            yield [parent, child]
            reached.append(child)


def _answers(thread: Thread, comment: Comment) -> list[Comment]:
    return [child for child in thread.children.get("t1_" + comment.id, ()) if child.body]


def _conversation(thread: Thread, chain: list[Comment]) -> Conversation:
    scores, speaker = [], None
    messages = [(_speaker(comment), comment.body) for comment in chain]
    for comment, (name, _) in zip(chain, messages, strict=True):
        if name != speaker:
            scores.append(comment.score)
            speaker = name
    meta = {"subreddit": chain[0].subreddit, "scores": scores, "created": chain[0].created}
    return Conversation(f"{thread.id}/{chain[-1].id}", thread.id, merge_turns(messages), meta)


def _speaker(comment: Comment) -> str:
    """Return who spoke. Nobody knows whether two deleted accounts were one person, so each counts as its own."""
    return comment.author if comment.author != DELETED else f"{DELETED} {comment.id}"


def _counted(thread: Thread, stats: ReadStats | None) -> Thread:
    if stats is not None:
        stats.threads += 1
        stats.duplicates += thread.duplicates
        stats.orphans += len(thread.orphans)
        stats.cycles += len(thread.cycles)
    return thread


def _age(comment: Comment) -> tuple:
    """Sort key, oldest first; ids of equal age count up in base 36, so the shorter is the older."""
    return comment.created or 0, len(comment.id), comment.id


def _score(comment: Comment) -> float:
    return float("-inf") if comment.score is None else comment.score


def _trust(comment: Comment) -> tuple:
    """Sort key for copies of one comment: a deletion counts before anything else, then the higher score, then any order."""
    gone = comment.body in ("", DELETED, "[removed]")
    return not gone, -_score(comment), repr(comment)
