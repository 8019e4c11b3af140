"""Comments out of a ConvoKit corpus folder (Chang et al. 2020, https://convokit.cornell.edu), as if it were a dump.

A corpus keeps its utterances in ``utterances.jsonl``. They become the same ``Comment`` as Reddit's own dumps give, so that
threads, filters and conversations are the same for both: the conversation stands for the submission.
"""

import os
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from helpers.corpus.cleaning.filters import is_removal_notice
from helpers.corpus.dumps.records import BadRecord, ReadStats, read_records
from helpers.corpus.dumps.reddit import DELETED, Comment, replace_lone_surrogates, whole_number

NAMES = ("utterances.jsonl", "utterances.jsonl.gz", "utterances.jsonl.zst", "utterances.json")


def utterances_file(folder: str | os.PathLike) -> Path | None:
    """Return the file of utterances if ``folder`` is a ConvoKit corpus, packed or not, else None."""
    folder = Path(os.path.expanduser(folder))
    return next((path for name in NAMES if os.path.isfile(path := folder / name)), None)


def read_convokit(folder: str | os.PathLike, stats: ReadStats | None = None) -> Iterator[Comment]:
    """Yield the utterances of a ConvoKit corpus folder as Comments; bad lines add to ``stats`` and are skipped.

    The utterance that opens a conversation is the submission's text and comes as a top-level comment, with its answers
    below it. Where it has no text (a link was submitted, or it was deleted) the answers are themselves the top level, as
    they are in the dumps. An utterance with the id of its conversation opens it even if it is written as an answer to
    itself, which adds to ``stats.repaired``. Others that answer themselves, or nobody in the corpus, are left as they are:
    ``build_threads`` and ``conversations`` count them as cycles and orphans and step over them.

    Raises FileNotFoundError when the folder has no utterances, UnreadableFile (a ValueError) when none can be read.
    """
    path = utterances_file(folder)
    if path is None:
        raise FileNotFoundError(
            f"the folder {Path(folder).name!r} is no ConvoKit corpus: it has no utterances.jsonl. Unzip the corpus, "
            "then give the folder that was inside"
        )
    # An answer may stand before what it answers, so silent openings have to be known first: hence two passes.
    comments = read_records([path], comment_from_utterance, ReadStats())
    silent = {comment.id for comment in comments if comment.parent_id == comment.link_id and _is_silent(comment.body)}
    yield from read_records([path], partial(comment_from_utterance, silent=silent), stats)


def comment_from_utterance(record: dict, repaired: Counter, silent: frozenset | set = frozenset()) -> Comment:
    """Turn an utterance into a Comment; ``silent`` holds the ids of openings without text. May raise BadRecord."""
    if not isinstance(record, dict):
        raise BadRecord("not a JSON object")
    identity, text = record.get("id"), record.get("text")
    conversation = record.get("conversation_id") or record.get("root")  # "root" until 2020
    if not (isinstance(identity, str) and identity and isinstance(conversation, str)):
        raise BadRecord("no id or no conversation_id")
    if text is None:
        text = ""  # a submitted link
    if not isinstance(text, str):
        raise BadRecord("text is no text")
    answered = record.get("reply-to")
    if answered is None:
        answered = record.get("reply_to")  # so in newer documentation
    if answered is not None and not isinstance(answered, str):
        raise BadRecord("reply-to is no id")
    if answered == identity == conversation:
        answered = None
        repaired["opening that answers itself"] += 1
    meta = record.get("meta") if isinstance(record.get("meta"), dict) else {}
    score, created, subreddit = meta.get("score"), record.get("timestamp"), meta.get("subreddit")
    link_id = "t3_" + replace_lone_surrogates(conversation, repaired)
    return Comment(
        id=identity,
        parent_id=link_id if answered is None or answered in silent else f"t1_{answered}",
        link_id=link_id,
        author=_speaker(record),
        body=replace_lone_surrogates(text, repaired),
        score=None if score is None else whole_number(score, repaired),
        created=None if created is None else whole_number(created, repaired),
        subreddit=subreddit if isinstance(subreddit, str) else "",
        distinguished=meta.get("distinguished") if isinstance(meta.get("distinguished"), str) else None,
        stickied=meta.get("stickied") is True,
    )


def _is_silent(text: str) -> bool:
    return not text.strip() or is_removal_notice(text)


def _speaker(record: dict) -> str:
    speaker = record.get("speaker", record.get("user"))  # "user" until 2020
    if isinstance(speaker, dict):
        speaker = speaker.get("id")
    return speaker if isinstance(speaker, str) and speaker else DELETED
