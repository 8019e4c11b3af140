"""From the lines of a dump to rows: what every comment goes through by itself, before anyone asks whom it answers.

A row is a plain tuple of a Comment's fields with the clean text as its body. Each comes from one line alone, so any
number of processes can share this part of the work, which is the larger one.
"""

import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread

from helpers.corpus.cleaning import Filter, clean, redact
from helpers.corpus.dumps.archives import DamagedFile
from helpers.corpus.dumps.group_by_thread import BODY, pack
from helpers.corpus.dumps.records import ParsedBatch, ReadStats, parse_batch, read_records
from helpers.corpus.dumps.reddit import Comment, comment_from

LARGE = 8_000_000  # bytes on disk


def rows_of(comments: Iterable[Comment], filter: Filter, counts: Counter) -> Iterator[tuple]:
    """Yield the comments' fields with the cleaned, redacted text as the body; it is empty where the filter drops a comment.

    Dropped comments stay in the tree with nothing to say, so that what hung below them is not taken for orphans.
    """
    for comment in comments:
        text = redact(clean(comment.body))
        reason = filter.reason(comment, text)
        counts[reason or "kept"] += 1
        yield (*comment[:BODY], "" if reason else text, *comment[BODY + 1 :])


def rows_of_batch(batch: bytes | list, filter: Filter) -> ParsedBatch:
    """Turn lines into packed rows: the work of one process. The only result is (counts of the filter, packed rows)."""
    filter = replace(filter)  # with counts of its own
    parsed = parse_batch(batch, comment_from)
    packed = pack(rows_of(parsed.results, filter, filter.counts))
    return parsed._replace(results=[(filter.counts, packed)])


def packed_by_workers(
    files: list[Path], filter: Filter, counts: Counter, stats: ReadStats, processes: int
) -> Iterator[list[tuple]]:
    """Let ``processes`` more processes make rows of the files. They come packed, so this one has only to write them to disk.

    Raises BrokenProcessPool (a RuntimeError) when one of them ends unexpectedly.
    """
    # Processes that begin afresh are safe beside threads (torch's, Jupyter's), which forked ones are not.
    executor = ProcessPoolExecutor(processes, get_context("spawn"), _prepare_worker)
    function = partial(rows_of_batch, filter=replace(filter))  # what has been seen so far need not travel
    work = partial(map_in_order, executor, function, ahead=2 * processes)
    try:
        for batch_counts, packed in read_records(files, comment_from, stats, work):
            counts.update(batch_counts)
            yield packed
    except BrokenProcessPool as error:
        raise BrokenProcessPool("a worker process ended unexpectedly (out of memory?): try processes=0") from error
    finally:
        executor.shutdown(cancel_futures=True)


def map_in_order(executor: Executor, function: Callable, items: Iterable, ahead: int) -> Iterator:
    """Yield ``function(item)`` for each item, in order, holding few: while ``ahead`` are on their way, this process works, too.

    A DamagedFile that ``items`` raises is passed on after the results of all items before it.
    """
    pending: deque[Future] = deque()
    damage = None
    try:
        for item in items:
            if sum(not future.done() for future in pending) < ahead:
                with script_left_alone():
                    pending.append(executor.submit(function, item))
            else:
                pending.append(Future())
                pending[-1].set_result(function(item))
            while pending and (pending[0].done() or len(pending) > 2 * ahead):
                yield pending.popleft().result()
    except DamagedFile as error:
        damage = error
    while pending:
        yield pending.popleft().result()
    if damage:
        raise damage


def workers_for(files: list[Path], filter: Filter, processes: int | None) -> int:
    """Return how many workers to start: unless ``processes`` says so, none for little, which is done before they start."""
    if type(filter) is not Filter:  # one that need not work when copied to another process
        return 0
    if processes is None:
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(processors - 1, 3) if sum(path.stat().st_size for path in files) > LARGE else 0
    return processes


def _prepare_worker() -> None:
    """Leave Ctrl-C to the process that started this one, and end when that one has ended, however it did."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=lambda: (parent_process().join(), os._exit(1)), daemon=True).start()


@contextmanager
def script_left_alone() -> Iterator[None]:
    """Keep processes that start now from running the user's script, as they would to find its functions: ours are not there.

    So a script need not guard its lines with ``if __name__ == "__main__"``, and may come from standard input.
    """
    main = sys.modules["__main__"]
    kept = {name: vars(main)[name] for name in ("__file__", "__spec__") if name in vars(main)}
    try:
        vars(main).update(dict.fromkeys(kept))
        yield
    finally:
        vars(main).update(kept)
