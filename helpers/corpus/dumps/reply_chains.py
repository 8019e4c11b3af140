"""Conversations cut out of a thread: the best way down from each top-level comment, or every question with every answer.

``reply_tree`` and ``best_reply_chain`` are the two ideas, as notebook 01 builds them; the rest does the same for a Thread.

A comment whose body is empty was dropped by a filter. It stays in the tree, but no conversation passes through it.
"""

from collections.abc import Iterable, Iterator, Mapping

from helpers.corpus.conversations import Conversation, merge_turns
from helpers.corpus.dumps.reddit import DELETED, Comment


def reply_tree(comments: Iterable[Comment]) -> dict[str, list[Comment]]:
    """Return the replies to each post and comment, under its full name ("t3_…", "t1_…"), the oldest first."""
    tree: dict[str, list[Comment]] = {}
    for comment in sorted(comments, key=lambda comment: (comment.created or 0, comment.id)):
        tree.setdefault(comment.parent_id, []).append(comment)
    return tree


def best_reply_chain(tree: Mapping[str, list[Comment]], comment: Comment) -> list[Comment]:
    """Return ``comment`` and, from it down, the reply with the highest score to each; of equal ones the older.

    The tree is that of ``reply_tree``. Of a comment in a ring of parents there is no end to find: begin at the top level.
    """
    chain = [comment]
    while replies := tree.get("t1_" + chain[-1].id):
        chain.append(max(replies, key=known_score))  # max() returns the first of equals, and the replies are oldest first
    return chain


def cut(thread, pairs: bool = False) -> Iterator[Conversation]:
    """Yield the conversations of a Thread that have two turns or more: best-reply chains, or all pairs."""
    for chain in all_pairs(thread) if pairs else best_chains(thread):
        conversation = _conversation(thread.id, chain)
        if len(conversation.turns) > 1:  # who answers only himself has no conversation
            yield conversation


def best_chains(thread) -> Iterator[list[Comment]]:
    """Yield, for each top-level comment with answers, the way down along the answers with the highest scores."""
    for comment in thread.roots():
        chain = [comment] if comment.body else []
        while chain and (answers := _answers(thread, chain[-1])):
            # max() returns the first of equals, and answers stand oldest first.
            chain.append(max(answers, key=known_score) if len(answers) > 1 else answers[0])
        if len(chain) > 1:
            yield chain


def all_pairs(thread) -> Iterator[list[Comment]]:
    """Yield [parent, child] for every comment that was kept and so were all of its ancestors."""
    reached = [comment for comment in thread.roots() if comment.body]
    for parent in reached:  # the list grows as we go down
        for child in _answers(thread, parent):
            yield [parent, child]
            reached.append(child)


def known_score(comment: Comment) -> float:
    """Return the score; one that is not known (null in late 2017) counts below all others."""
    return float("-inf") if comment.score is None else comment.score


def _answers(thread, comment: Comment) -> list[Comment]:
    answers = thread.children.get("t1_" + comment.id)
    return [answer for answer in answers if answer.body] if answers else []


def _conversation(link_id: str, chain: list[Comment]) -> Conversation:
    messages = [(_speaker(comment), comment.body) for comment in chain]
    scores = [chain[0].score]
    for (before, _), (name, _), comment in zip(messages, messages[1:], chain[1:], strict=False):
        if name != before:  # a turn of several comments has the score of its first
            scores.append(comment.score)
    meta = {"subreddit": chain[0].subreddit, "scores": scores, "created": chain[0].created}
    return Conversation(f"{link_id}/{chain[-1].id}", link_id, merge_turns(messages), meta)


def _speaker(comment: Comment) -> str:
    """Return who spoke. Nobody knows whether two deleted accounts were one person, so each counts as its own."""
    return comment.author if comment.author != DELETED else f"{DELETED} {comment.id}"
