"""Comments out of Reddit dumps of every era, streamed from files of any size (built in notebook 01).

The dumps (one JSON object a line, one file a month, since 2005-12) changed their fields many times, and other exports
have dialects of their own. Everything the readers meet is turned into one small ``Comment``; what cannot be adds to a count.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from helpers.corpus.dumps.records import BadRecord, ReadStats, read_records
from helpers.corpus.messages import first_few

DELETED = "[deleted]"
SUFFIXES = (".zst", ".jsonl", ".ndjson", ".json", ".gz", ".bz2", ".xz")
LARGEST_NUMBER = 2**63  # no score or time comes near, and files of columns take none that is larger
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Comment(NamedTuple):
    """One comment, with its ids as they stand in the dumps and its body as it was typed (neither cleaned nor unescaped)."""

    id: str  # base 36, without prefix
    parent_id: str  # "t1_…" answers a comment, "t3_…" answers the submission itself
    link_id: str  # "t3_…": the submission, and so the thread, that the comment belongs to
    author: str  # "[deleted]" when the account is gone
    body: str
    score: int | None
    created: int | None  # seconds since 1970, UTC
    subreddit: str
    distinguished: str | None  # "moderator", "admin", "special"
    stickied: bool


def read_comments(path: str | os.PathLike, stats: ReadStats | None = None) -> Iterator[Comment]:
    """Yield the comments of a dump file, or of a folder of months in the order of their names.

    Reads .zst (windows of 2 GiB too), .jsonl, .gz, .bz2, .xz and dumps without a suffix, and .json files that hold one
    array. A line that is no comment adds to ``stats`` and is skipped. An archive that breaks off yields all the lines
    it had, and ``stats.problems`` (a warning, if you give no ``stats``) says so. Raises FileNotFoundError when the path
    or its months are missing, UnreadableFile (a ValueError) when there is not one comment to be had.
    """
    return read_records(comment_files(path), comment_from, stats)


def comment_files(path: str | os.PathLike) -> list[Path]:
    """Return the files to read for ``path``: itself, or the months in the folder it names. Raises FileNotFoundError."""
    path = Path(os.path.expanduser(path))
    if os.path.isfile(path):
        return [path]
    if not os.path.isdir(path):
        name = first_few([str(path)], room=200)
        raise FileNotFoundError(f"there is no file or folder {name!r}: check the spelling, or download the month first")
    files = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith((".", "RS_")))
    months = [p for p in files if p.name.startswith("RC_")] or [p for p in files if p.suffix in SUFFIXES]
    if not months:
        raise FileNotFoundError(
            f"the folder {path.name!r} holds no months of comments: they are called RC_2005-12.zst and the like, "
            f"or at least end in one of {' '.join(SUFFIXES)}"
        )
    return months


def comment_from(record: dict, repaired: Counter) -> Comment:
    """Turn one decoded record of any era or dialect into a Comment, counting what had to be put right.

    Raises BadRecord when the id, the link_id or the body is missing or of the wrong kind: nothing can replace those.
    """
    try:
        identity, link_id, body = record["id"], record["link_id"], record["body"]
    except (KeyError, TypeError):
        raise BadRecord(_what_is_missing(record)) from None
    if type(body) is not str or type(identity) is not str or type(link_id) is not str:
        raise BadRecord("id, link_id or body is no text")
    if identity[:3] == "t1_":
        identity = identity[3:]
        repaired["id with a prefix"] += 1
    if not identity.isalnum() or link_id[:3] != "t3_" or not link_id.isascii():
        raise BadRecord("id or link_id is not written as Reddit writes them")
    get = record.get
    parent_id, author, score, created = get("parent_id"), get("author"), get("score"), get("created_utc")
    # Most comments need none of these repairs, so each stands behind one quick test.
    if type(parent_id) is not str or parent_id[:3] not in ("t1_", "t3_"):
        parent_id = repair_parent(parent_id, link_id, repaired)
    if type(author) is not str:
        author = DELETED if author is None else str(author)
        repaired["author missing or no text"] += 1
    if score is not None and (type(score) is not int or abs(score) >= LARGEST_NUMBER):
        score = whole_number(score, repaired)
    if created is not None and (type(created) is not int or abs(created) >= LARGEST_NUMBER):
        created = whole_number(created, repaired)
    if not body.isascii():
        body = replace_lone_surrogates(body, repaired)
    if not author.isascii():
        author = replace_lone_surrogates(author, repaired)
    subreddit, distinguished, stickied = get("subreddit"), get("distinguished"), get("stickied")
    if type(subreddit) is not str:
        subreddit = ""
    elif not subreddit.isascii():
        subreddit = replace_lone_surrogates(subreddit, repaired)
    if type(distinguished) is not str:
        distinguished = None
    return Comment(
        identity, parent_id, link_id, author, body, score, created, subreddit, distinguished, stickied in (True, "true")
    )


def repair_parent(parent_id, link_id: str, repaired: Counter) -> str:
    """Return a parent's full name for what the 2022-23 API gave: nothing, or the id as a number of base ten.

    Nothing means top level, so the parent is the submission. A number is a comment's, unless it is the submission's own.
    """
    if parent_id is None or parent_id == "":
        repaired["parent_id missing"] += 1
        return link_id
    number = whole_number(parent_id, Counter())
    if number is None or number <= 0:
        raise BadRecord("parent_id is neither a name nor a number")
    repaired["parent_id as a number"] += 1
    name = base36(number)
    return link_id if name == link_id[3:] else f"t1_{name}"


def base36(number: int) -> str:
    """Write a positive whole number with the digits 0-9 and a-z, as Reddit's ids are: 41497293111 is "j2af0af"."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def whole_number(value, repaired: Counter) -> int | None:
    """Return a number that came as text ("12", from BigQuery) or with a fraction (PRAW's times); None if it is neither."""
    try:
        if type(value) not in (str, float, int):  # True is an int to Python, but no number to us
            raise ValueError
        number = int(float(value)) if type(value) is float or "." in str(value) else int(value)
        if abs(number) >= LARGEST_NUMBER:
            raise OverflowError
    except (ValueError, OverflowError):
        repaired["unreadable number left out"] += 1
        return None
    if type(value) is not int:
        repaired["number as text" if type(value) is str else "number with a fraction"] += 1
    return number


def _what_is_missing(record) -> str:
    if not isinstance(record, dict):
        return "not a JSON object"
    if "body" not in record and ("title" in record or "selftext" in record):
        return "a submission, not a comment"
    return "no " + " and no ".join(name for name in ("id", "link_id", "body") if name not in record)


def replace_lone_surrogates(text: str, repaired: Counter) -> str:
    """Return the text with "\ufffd" for halves of surrogate pairs: JSON can smuggle them in, but no file takes them."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        repaired["half a character replaced"] += 1
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
