"""A dump's months on many machines: scatter each month to partitions, then gather each partition of all months.

Plain functions with files between them. Whatever runs them (a loop, a pool of processes, Dask, a queue of jobs) only has to
call each with its arguments, stage by stage (scatter, count, sum_counts, gather): what is finished is not done again,
half-written work is never seen, and whoever does a piece of work a second time writes the same. See ``from_months``.

Built in notebook 13. The idea is that of MapReduce (Dean & Ghemawat 2004), where the files between are called a shuffle.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path
from zlib import crc32

from helpers.corpus.cleaning import Filter
from helpers.corpus.conversations import Conversation
from helpers.corpus.dumps.archives import UnreadableFile
from helpers.corpus.dumps.group_by_thread import BODY, LINK, ROW_BYTES, Partitions
from helpers.corpus.dumps.parallel import rows_of
from helpers.corpus.dumps.records import ReadStats, read_records
from helpers.corpus.dumps.reddit import Comment, comment_from
from helpers.corpus.dumps.repeats import copies_before, read_keys, read_often, sorted_keys, too_often, write_often
from helpers.corpus.dumps.row_files import (
    COMMENT,
    RowFile,
    chosen,
    finished,
    read_conversations,
    read_report,
    read_rows,
    whole,
    write_conversations,
)
from helpers.corpus.dumps.threads import Thread, cut_all, long_texts
from helpers.corpus.messages import first_few, whole_numbers
from helpers.io import sha256

MOST_PARTS = 512  # a file of each is open at once
BUFFER = 16_000_000  # bytes of rows held while a month is scattered
MEMORY = 100_000_000  # bytes of comments of one partition held at a time; the others wait on disk


def partition_of(link_id: str, parts: int) -> int:
    """Return the partition, from 0, of a thread: ``parts`` equal ranges of a hash that is the same in every process.

    Python's own ``hash`` would not do: it is salted anew in each process. Ranges, and not remainders, because then all threads
    of partition 0 come before those of partition 1, and so on, in the order in which ``conversations`` has them.
    """
    return crc32(link_id.encode()) * parts >> 32


# --- the stages ----------------------------------------------------------------------------------------------------------


def scatter(
    month: str | os.PathLike,
    folder: str | os.PathLike,
    parts: int = 32,
    *,
    filter: Filter | None = None,
    format: str | None = None,
) -> dict:
    """Clean one month's comments and part them by their threads: ``folder/rows/<month>/<partition>.jsonl`` (or .parquet).

    Returns the report: "stats" of the reader, "counts" of the filter, "rows" of each partition. A month that breaks off gives
    what could be read, and a sentence in ``report["stats"]["problems"]``. A month that is finished with the same settings is
    not read again; one that was downloaded anew is. Raises ValueError for fewer than 1 or more than 512 partitions, a filter
    of another class, a ``format`` that is none or isn't installed; FileNotFoundError when there is no such month.
    """
    (parts,) = whole_numbers(parts=parts)
    if parts > MOST_PARTS:
        raise ValueError(f"parts is {parts}: give {MOST_PARTS} or fewer, a file of each is open at once")
    filter, format = plain(filter), chosen(format)
    month = Path(month)
    place, state = Path(folder) / "rows" / month.name, month.stat()
    options = {"parts": parts, "format": format, "filter": _options(filter)}
    settings = {"bytes": state.st_size, "modified": state.st_mtime_ns, **options}
    if report := finished(place, settings):
        return report
    stats = ReadStats()
    rows = _read_month(month, replace(filter, same_text=None), filter.counts, stats)
    with whole(place, settings) as (hidden, report):
        report["rows"] = _write_parts(rows, hidden, parts, format)
        report["stats"], report["counts"] = vars(stats), filter.counts
    return report


def count(folder: str | os.PathLike, part: int, *, filter: Filter | None = None) -> Path:
    """First pass of the filter "same text again": write the sorted keys of a partition's long texts; return their file."""
    folder, filter = Path(folder), plain(filter)
    months = months_in(folder)
    place, settings = folder / "texts" / f"{part:04}", _state(months, filter)
    if not finished(place, settings):
        threads = (Thread(link_id, map(Comment._make, rows)) for link_id, rows in _grouped(folder, months, part))
        keys = sorted_keys(key for thread in threads for _, key in long_texts(thread, filter))
        with whole(place, settings) as (hidden, _):
            (hidden / "keys").write_bytes(keys.tobytes())
    return place / "keys"


def sum_counts(folder: str | os.PathLike, *, filter: Filter | None = None) -> Path:
    """Between the passes: merge the keys of all partitions; write which come too often, and how often in each partition.

    Returns the file: JSON, {key: {partition: copies}}. Raises ValueError when a partition has not been counted.
    """
    folder, filter = Path(folder), plain(filter)
    months = months_in(folder)
    place, settings = folder / "repeats", _state(months, filter)
    if not finished(place, settings):
        counted = [folder / "texts" / f"{part:04}" for part in range(_parts(months))]
        if absent := [path.name for path in counted if not finished(path, settings)]:
            raise ValueError(f"partition {first_few(absent)} has not been counted: call count(folder, part) first")
        often = too_often([read_keys(path / "keys") for path in counted], filter.same_text)
        with whole(place, settings) as (hidden, _):
            write_often(hidden / "often.json", often)
    return place / "often.json"


def gather(folder: str | os.PathLike, part: int, *, filter: Filter | None = None, pairs: bool = False) -> dict:
    """Cut the conversations out of the threads of one partition of all months: ``folder/conversations/<partition>``.

    Returns the report: "stats" of the threads, "counts" of the filter's second pass. Raises ValueError when a text may not
    come too often (``filter.same_text``) and ``sum_counts`` has not been called since the last month was scattered.
    """
    folder, filter = Path(folder), plain(filter)
    months = months_in(folder)
    state = _state(months, filter)
    place, settings = folder / "conversations" / f"{part:04}", {**state, "pairs": pairs}
    if report := finished(place, settings):
        return report
    seen = _seen_before(folder, part, state) if filter.same_text is not None else {}
    stats = ReadStats()
    found = cut_all(_grouped(folder, months, part), seen, filter, pairs, stats)
    with whole(place, settings) as (hidden, report):
        write_conversations(hidden / "rows", found, _format(months))
        report["stats"], report["counts"] = vars(stats), filter.counts
    return report


def gathered(folder: str | os.PathLike) -> Iterator[Conversation]:
    """Yield the conversations of all partitions, holding few: in the order in which ``conversations`` yields them."""
    folder = Path(folder)
    months = months_in(folder)
    for part in range(_parts(months)):
        yield from read_conversations(folder / "conversations" / f"{part:04}" / "rows", _format(months))


# --- inside --------------------------------------------------------------------------------------------------------------


def plain(filter: Filter | None) -> Filter:
    """Return a copy of the filter (by default ``Filter()``) that has counted nothing. Raises ValueError for another class."""
    filter = Filter() if filter is None else filter
    if type(filter) is not Filter:
        raise ValueError(f"a {type(filter).__name__} may count as it likes, alone: give a plain Filter, or use load")
    return replace(filter)


def months_in(folder: Path) -> dict[str, dict]:
    """Return {name: report} of the months that were scattered to ``folder``, by name.

    Raises ValueError when there are none, or when they were scattered to other numbers of partitions, or in other formats.
    """
    paths = sorted(path for path in (folder / "rows").glob("[!.]*") if path.is_dir())
    months = {path.name: report for path in paths if (report := read_report(path))}
    if not months:
        raise ValueError(f"{folder} holds no months yet: call scatter(month, folder) for each first")
    if len({(report["settings"]["parts"], report["settings"]["format"]) for report in months.values()}) > 1:
        raise ValueError(
            f"the months in {folder} were scattered in different ways: scatter all with the same settings again"
        )
    return months


def _parts(months: dict[str, dict], part: int = 0) -> int:
    parts = next(iter(months.values()))["settings"]["parts"]
    if 0 <= part < parts:
        return parts
    raise ValueError(f"part is {part}: the months were scattered to partitions 0 to {parts - 1}")


def _format(months: dict[str, dict]) -> str:
    return next(iter(months.values()))["settings"]["format"]


def _state(months: dict[str, dict], filter: Filter) -> dict:
    """Return what later stages depend on, so that they are done again when a month or the filter has changed."""
    seen = [(name, report["settings"]) for name, report in months.items()]
    return {"months": sha256([json.dumps(seen).encode()]), "filter": _options(filter)}


def _options(filter: Filter) -> dict:
    return {field.name: getattr(filter, field.name) for field in fields(filter) if field.init}


def _read_month(month: Path, filter: Filter, counts: Counter, stats: ReadStats) -> Iterator[tuple]:
    try:
        yield from rows_of(read_records([month], comment_from, stats), filter, counts)
    except UnreadableFile:
        pass  # its sentence is in stats.problems; other months may have more to give


def _write_parts(rows: Iterator[tuple], folder: Path, parts: int, format: str) -> list[int]:
    """Write each row to the file of its partition; return how many rows each partition has."""
    numbers = [0] * parts
    with ExitStack() as stack:
        files = [stack.enter_context(RowFile(folder / f"{part:04}", COMMENT, format)) for part in range(parts)]
        waiting, size = [[] for _ in files], 0

        def write() -> None:
            for file, batch in zip(files, waiting, strict=True):
                if batch:
                    file.write(batch)
                    batch.clear()

        for row in rows:
            part = partition_of(row[LINK], parts)
            waiting[part].append(row)
            numbers[part] += 1
            size += ROW_BYTES + len(row[BODY])
            if size > BUFFER:
                write()
                size = 0
        write()
    return numbers


def _grouped(folder: Path, months: dict[str, dict], part: int) -> Iterator[tuple[str, list[tuple]]]:
    """Yield (link_id, rows) for each thread of a partition, in the order of the threads' hashes."""
    _parts(months, part)
    partition = Partitions(MEMORY)
    try:
        for name in months:
            partition.add(read_rows(folder / "rows" / name / f"{part:04}", _format(months)))
        yield from partition.threads()
    finally:
        partition.close()


def _seen_before(folder: Path, part: int, state: dict) -> dict[int, int]:
    if not finished(folder / "repeats", state):
        raise ValueError(
            "nobody has counted yet which texts come too often: call count(folder, part) for each partition, then "
            "sum_counts(folder), or gather with a Filter(same_text=None)"
        )
    return copies_before(read_often(folder / "repeats" / "often.json"), part)
