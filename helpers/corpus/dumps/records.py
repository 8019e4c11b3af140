"""JSON objects out of the lines of any file, with an account of everything that could not be read.

The readers of Reddit dumps and of ConvoKit corpora both stand on this: they only say how one decoded object becomes a
comment. A bad line never stops a file, a bad file never stops a folder, and nothing is left out without a count.
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
from helpers.corpus.messages import first_few

try:  # a decoder several times as quick, where it is installed; nothing depends on it
    from orjson import loads as quick_loads
except ImportError:
    quick_loads = None

LARGEST_ARRAY = 200_000_000  # a JSON array has to be read whole, and takes several times its bytes
_raw_decode = json.JSONDecoder().raw_decode
Parse = Callable[[dict, Counter], object]  # (record, repaired) -> what is wanted of it
Work = Callable[[Iterable], Iterator["ParsedBatch"]]


class BadRecord(ValueError):
    """A line that is no comment; the message is the reason that it adds to."""


class ParsedBatch(NamedTuple):
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

    def add_batch(self, batch: ParsedBatch, name: str, number: int) -> None:
        """Count what became of a batch, the first line of which is line ``number`` of the file ``name``."""
        self.lines += batch.comments + len(batch.bad)
        self.comments += batch.comments
        self.bad_lines += len(batch.bad)
        self.reasons.update(reason for _, reason in batch.bad)
        self.repaired.update(batch.repaired)
        if batch.bad and self.first_bad_line is None:
            self.first_bad_line = (name, number + batch.bad[0][0])

    def add_thread(self, thread) -> None:
        """Count a Thread, and what is odd in it."""
        self.threads += 1
        self.duplicates += thread.duplicates
        self.orphans += len(thread.orphans)
        self.cycles += len(thread.cycles)

    def __str__(self) -> str:
        """All of it in a sentence that fits on a screen, however many files and reasons there are."""
        sizes = _amount(self.comments, "comment"), _amount(self.lines, "line"), _amount(len(self.files), "file")
        parts = ["{} from {} of {}".format(*sizes)]
        if self.bad_lines:
            name, number = self.first_bad_line
            first = f"the first in {name}, line {number:,}"
            parts.append(f"{_amount(self.bad_lines, 'bad line')} skipped, {first} ({_listed(self.reasons)})")
        if self.repaired:
            parts.append(f"repaired: {_listed(self.repaired)}")
        if self.threads:
            parts.append(
                f"{_amount(self.threads, 'thread')}, in which {_amount(self.orphans, 'comment')} had no parent in the data, "
                f"{self.cycles:,} hung in a ring of parents and {self.duplicates:,} came more than once"
            )
        if self.problems:
            parts.append(first_few(self.problems, "; ", 900))
        return "; ".join(parts) + "."


def read_records(files: list[Path], parse: Parse, stats: ReadStats | None = None, work: Work | None = None) -> Iterator:
    """Yield what ``parse(record, repaired)`` returns for each JSON object in the files: the bookkeeping of all readers.

    ``parse`` raises BadRecord for a line to skip. ``work`` turns batches (see ``parse_batch``) into ``ParsedBatch``, in order; by
    default it is ``parse_batch`` in this process. Without ``stats``, a warning names the files that broke off or could not be
    read. Raises UnreadableFile when there is nothing to be had from any of the files.
    """
    silent = stats is None
    stats = ReadStats() if stats is None else stats
    before, problems = stats.comments, []
    for path in files:
        stats.files.append(path.name)
        try:
            yield from _read_file(path, parse, stats, work)
        except (UnreadableFile, DamagedFile) as problem:
            problems.append(str(problem))
            stats.problems.append(str(problem))
    if stats.comments == before:
        raise UnreadableFile(first_few(problems, "; ", 900))
    if silent and problems:
        warnings.warn(first_few(problems, "; ", 900), stacklevel=2)


def parse_batch(batch: bytes | list, parse: Parse) -> ParsedBatch:
    """Make comments of whole lines, or of the items of an array."""
    lines = isinstance(batch, bytes)
    items = batch.split(b"\n") if lines else batch
    results, bad, repaired = [], [], Counter()
    for position, item in enumerate(items):
        try:
            results.append(parse(_decode_line(item) if lines else item, repaired))
        except BadRecord as problem:
            if not lines or item.strip():  # a blank line is no comment, but not a bad one
                bad.append((position, str(problem)))
    return ParsedBatch(len(items), len(results), results, bad, dict(repaired))


def _read_file(path: Path, parse: Parse, stats: ReadStats, work: Work | None) -> Iterator:
    """Yield the comments of one file. Raises UnreadableFile at the end of a file that had not a single one."""
    comments, reasons, number = stats.comments, Counter(stats.reasons), 1
    pieces, items = _unwrap_array(decoded(path))
    if items is None:  # batches that have to travel are larger
        batches = line_batches(pieces, 4 * BATCH if work else BATCH)
    else:
        batches = (items[start : start + 1000] for start in range(0, len(items), 1000))
    for batch in work(batches) if work else (parse_batch(batch, parse) for batch in batches):
        stats.add_batch(batch, path.name, number)
        number += batch.lines
        yield from batch.results
    if stats.comments == comments:
        raise UnreadableFile(
            f"{path.name} holds no comment ({_listed(stats.reasons - reasons) or 'all its lines are blank'}): a dump has one "
            f"JSON object a line, with id, link_id, parent_id and body, or is one JSON array of at most {LARGEST_ARRAY:,} bytes"
        )


def _unwrap_array(pieces: Iterator[bytes]) -> tuple[Iterable[bytes], list | None]:
    """Return the file's pieces, or the items if the whole file turns out to be one JSON array."""
    first = next(pieces, b"").removeprefix(b"\xef\xbb\xbf")  # the byte order mark of some Windows programs
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


def _amount(number: int, name: str) -> str:
    return f"{number:,} {name}" + ("" if number == 1 else "s")


def _listed(counts: Counter) -> str:
    return first_few((f"{number:,} {name}" for name, number in counts.most_common()))
