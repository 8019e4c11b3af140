"""From the lines of a dump to rows: what every comment goes through by itself, before anyone asks whom it answers.

A row is a plain tuple of a Comment's fields with the clean text as its body. Each is made from one line alone, so any
number of processes can share this part of the work, which is the larger one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import starmap
from pathlib import Path

from helpers.corpus.cleaning import Filter, clean, redact
from helpers.corpus.dumps.group_by_thread import pack
from helpers.corpus.dumps.records import Made, ReadStats, make_batch, read_records
from helpers.corpus.dumps.reddit import Comment, comment_from
from helpers.corpus.dumps.workers import Workers, processors

LARGE = 8_000_000  # bytes on disk


def cleaned_comment(record: dict, repaired: Counter) -> tuple[Comment, str]:
    """Return a record's Comment, and its body cleaned and redacted."""
    comment = comment_from(record, repaired)
    return comment, redact(clean(comment.body))


def rows_of_batch(job: tuple[bytes, dict]) -> tuple:
    """Turn lines into packed rows, given a filter's settings: what workers do. All is plain, or it could not travel."""
    batch, settings = job
    sieve = Filter(**settings)
    made = make_batch(batch, cleaned_comment)
    packed = pack(rows_of(made.results, sieve, sieve.counts))
    return tuple(made._replace(results=[(dict(sieve.counts), packed)]))


def rows_of(cleaned: Iterable[tuple[Comment, str]], sieve: Filter, counts: Counter) -> Iterator[tuple]:
    """Yield the comments' fields with the clean text as the body; an empty body marks what the filter dropped.

    Dropped comments stay in the tree with nothing to say, so that what hung below them is not taken for orphans.
    """
    reason_of = sieve.reason
    for comment, text in cleaned:
        reason = reason_of(comment, text)
        counts[reason or "kept"] += 1
        id, parent_id, link_id, author, _, score, created, subreddit, distinguished, stickied = comment
        body = "" if reason else text
        yield (id, parent_id, link_id, author, body, score, created, subreddit, distinguished, stickied)


def packed_by_workers(
    files: list[Path], sieve: Filter, counts: Counter, stats: ReadStats, processes: int
) -> Iterator[list[tuple]]:
    """Let workers make the rows of the files. They come packed for the disk: this process has only to write them."""
    settings = {field.name: getattr(sieve, field.name) for field in fields(sieve) if field.init}
    with Workers(rows_of_batch, processes) as workers:

        def work(batches: Iterable[bytes]) -> Iterator[Made]:
            return starmap(Made, workers.map((batch, settings) for batch in batches))

        for batch_counts, packed in read_records(files, cleaned_comment, stats, work):
            counts.update(batch_counts)
            yield packed


def workers_for(files: list[Path], sieve: Filter, processes: int | None) -> int:
    """Return how many workers to hire: unless ``processes`` says so, none for little, which is done before they start."""
    if type(sieve) is not Filter:  # workers know no other class
        return 0
    if processes is not None:
        return processes
    large = sum(path.stat().st_size for path in files) > LARGE
    return min(processors() - 1, 3) if large else 0
