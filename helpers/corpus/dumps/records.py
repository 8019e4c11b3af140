"""JSON objects out of the lines of any file, with an account of everything that could not be read.

The readers of Reddit dumps and of ConvoKit corpora both stand on this: they only say how one decoded object becomes a
comment. A bad line never stops a file, a bad file never stops a folder, and nothing is left out without being counted.
"""

import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from helpers.corpus.dumps.archives import BATCH, LONGEST_LINE, DamagedFile, UnreadableFile, decoded, line_batches

try:  # a decoder several times as quick, if somebody has installed it; nothing depends on it
    from orjson import loads as quick_loads
except ImportError:
    quick_loads = None

LARGEST_ARRAY = 200_000_000  # a JSON array has to be read whole, and takes several times its bytes
_raw_decode = json.JSONDecoder().raw_decode
Make = Callable[[dict, Counter], tuple]
Work = Callable[[Iterable[bytes]], Iterator["Made"]]


class BadRecord(ValueError):
    """A line that is no comment; the message is the reason it is counted under."""


class Made(NamedTuple):
    """What became of a batch of lines."""

    lines: int  # blank ones included
    comments: int
    results: list  # usually the comments themselves
    bad: list[tuple[int, str]]  # how many lines below the first it stands, and what is wrong with it
    repaired: dict[str, int]


@dataclass
class ReadStats:
    """What happened on the way from files to conversations. Filled up to one batch ahead of the comments you have taken."""

    lines: int = 0  # lines (or items of an array) that were not blank
    comments: int = 0
    bad_lines: int = 0
    first_bad_line: tuple[str, int] | None = None  # file name, line number from 1
    reasons: Counter = field(default_factory=Counter)  # why lines were bad
    repaired: Counter = field(default_factory=Counter)  # what was put right, comment by comment
    files: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # a sentence for each file that broke off or could not be read
    # Filled by helpers.corpus.dumps.threads:
    threads: int = 0
    duplicates: int = 0  # the same comment met again
    orphans: int = 0  # comments whose parent is not in the data
    cycles: int = 0  # comments that no path joins to their submission, because their parents form a ring
    conversations: int = 0
    spilled: int = 0  # comments that went by way of the disk

    def take(self, made: "Made", name: str, number: int) -> None:
        """Count what became of a batch, the first line of which is line ``number`` of the file ``name``."""
        self.lines += made.comments + len(made.bad)
        self.comments += made.comments
        self.bad_lines += len(made.bad)
        self.reasons.update(reason for _, reason in made.bad)
        self.repaired.update(made.repaired)
        if made.bad and self.first_bad_line is None:
            self.first_bad_line = (name, number + made.bad[0][0])

    def __str__(self) -> str:
        parts = [
            f"{_many(self.comments, 'comment')} from {_many(self.lines, 'line')} of {_many(len(self.files), 'file')}"
        ]
        if self.bad_lines:
            name, number = self.first_bad_line
            first = f"the first in {name}, line {number:,}"
            parts.append(f"{_many(self.bad_lines, 'bad line')} skipped, {first} ({_listed(self.reasons)})")
        if self.repaired:
            parts.append(f"put right: {_listed(self.repaired)}")
        if self.threads:
            parts.append(
                f"{_many(self.threads, 'thread')}, in which {_many(self.orphans, 'comment')} had no parent in the data, "
                f"{self.cycles:,} hung in a ring of parents and {self.duplicates:,} came more than once"
            )
        return "; ".join(parts + self.problems) + "."


def read_records(files: list[Path], make: Make, stats: ReadStats | None = None, work: Work | None = None) -> Iterator:
    """Yield what ``make(record, repaired)`` returns for each JSON object in the files: the bookkeeping of all readers.

    ``make`` raises BadRecord for a line to skip. ``work`` turns batches of lines into ``Made``, in order; by default it
    is ``make_batch`` in this process. Raises UnreadableFile when there is nothing to be had from any of the files.
    """
    silent = stats is None
    stats = ReadStats() if stats is None else stats
    before = stats.comments
    for path in files:
        stats.files.append(path.name)
        try:
            yield from _read_file(path, make, stats, work)
        except (UnreadableFile, DamagedFile) as problem:
            stats.problems.append(str(problem))
            if silent and stats.comments > before:
                warnings.warn(str(problem), stacklevel=2)
    if stats.comments == before:
        raise UnreadableFile("; ".join(stats.problems))


def make_batch(batch: bytes, make: Make) -> Made:
    """Make comments of a batch of lines."""
    return _make_all(batch.split(b"\n"), _decode_line, make)


def _read_file(path: Path, make: Make, stats: ReadStats, work: Work | None) -> Iterator:
    """Yield the comments of one file. Raises UnreadableFile at the end of a file that had not a single one."""
    before, number = stats.comments, 1
    pieces, items = _unwrap_array(decoded(path))
    if work:  # what is sent away is worth its postage in larger helpings
        results = work(line_batches(pieces, 4 * BATCH) if items is None else _as_lines(items))
    elif items is None:
        results = (make_batch(batch, make) for batch in line_batches(pieces))
    else:
        results = [_make_all(items, lambda item: item, make)]
    for made in results:
        stats.take(made, path.name, number)
        number += made.lines
        yield from made.results
    if stats.comments == before:
        raise UnreadableFile(
            f"{path.name} holds no comment ({_listed(stats.reasons) or 'all its lines are blank'}): a dump has one JSON "
            f"object a line, with id, link_id, parent_id and body, or is one JSON array of at most {LARGEST_ARRAY:,} bytes"
        )


def _unwrap_array(pieces: Iterator[bytes]) -> tuple[Iterable[bytes], list | None]:
    """Return the file's pieces, or the items if the whole file turns out to be one JSON array."""
    first = next(pieces, b"").removeprefix(b"\xef\xbb\xbf")  # the mark with which some Windows programs begin a file
    if not first.lstrip().startswith(b"["):
        return chain([first], pieces), None
    held = bytearray(first)
    for piece in pieces:
        held += piece
        if len(held) > LARGEST_ARRAY:
            return chain([held], pieces), None
    try:
        return [], json.loads(held)
    except (ValueError, RecursionError):
        return [held], None  # a line that happens to be a list


def _as_lines(items: list) -> Iterator[bytes]:
    for start in range(0, len(items), 1000):
        yield "\n".join(map(json.dumps, items[start : start + 1000])).encode()


def _make_all(items: list, decode: Callable, make: Make) -> Made:
    results, bad, repaired = [], [], Counter()
    for place, item in enumerate(items):
        try:
            results.append(make(decode(item), repaired))
        except BadRecord as problem:
            if type(item) is not bytes or item.strip():  # a blank line is no comment, but not a bad one
                bad.append((place, str(problem)))
    return Made(len(items), len(results), results, bad, dict(repaired))


def _decode_line(line: bytes):
    if len(line) > LONGEST_LINE:
        raise BadRecord("longer than a megabyte")
    if quick_loads is not None:
        try:
            return quick_loads(line)
        except ValueError:
            pass  # it is the stricter of the two: what it refuses, Python's own decides
    try:
        text = line.decode().strip()
        record, end = _raw_decode(text)  # json.loads without its preparations, which would cost a tenth of the time
    except UnicodeDecodeError:
        raise BadRecord("not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise BadRecord("not JSON") from None
    if end != len(text):
        raise BadRecord("not JSON")
    return record


def _many(number: int, name: str) -> str:
    return f"{number:,} {name}" + ("" if number == 1 else "s")


def _listed(counts: Counter) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.most_common())
