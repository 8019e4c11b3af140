"""JSON objects out of the lines of any file, with an account of everything that could not be read.

The readers of Reddit dumps and of ConvoKit corpora both stand on this: they only say how one decoded object becomes a
comment. A bad line never stops a file, a bad file never stops a folder, and nothing is left out without being counted.
"""

import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .archives import LONGEST_LINE, DamagedFile, UnreadableFile, decoded, line_batches

LARGEST_ARRAY = 500_000_000  # a JSON array has to be read whole: beyond this many bytes it would not fit


class BadRecord(ValueError):
    """A line that is no comment; the message is the reason it is counted under."""


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
    # Filled by helpers.corpus.threads:
    threads: int = 0
    duplicates: int = 0  # the same comment met again
    orphans: int = 0  # comments whose parent is not in the data
    cycles: int = 0  # comments that no path joins to their submission, because their parents form a ring
    conversations: int = 0
    spilled: int = 0  # comments that went by way of the disk

    def bad(self, name: str, number: int, reason: str) -> None:
        """Count one bad line and remember where the first one stands."""
        self.lines += 1
        self.bad_lines += 1
        self.reasons[reason] += 1
        if self.first_bad_line is None:
            self.first_bad_line = (name, number)

    def __str__(self) -> str:
        parts = [f"{self.comments:,} comments from {self.lines:,} lines of {len(self.files):,} files"]
        if self.bad_lines:
            name, number = self.first_bad_line
            parts.append(f"{self.bad_lines:,} bad lines skipped, the first in {name}, line {number:,} ({_listed(self.reasons)})")
        if self.repaired:
            parts.append(f"put right: {_listed(self.repaired)}")
        if self.threads:
            parts.append(
                f"{self.threads:,} threads, in which {self.orphans:,} comments miss their parent, "
                f"{self.cycles:,} stand in a ring and {self.duplicates:,} came twice"
            )
        return "; ".join(parts + self.problems) + "."


def read_records(files: list[Path], make: Callable, stats: ReadStats | None = None) -> Iterator:
    """Yield ``make(record, repaired)`` for each JSON object in the files; the bookkeeping behind ``read_comments``."""
    silent = stats is None
    stats = ReadStats() if stats is None else stats
    before = stats.comments
    for path in files:
        stats.files.append(path.name)
        try:
            yield from _read_file(path, make, stats)
        except (UnreadableFile, DamagedFile) as problem:
            if len(files) == 1 and stats.comments == before:
                raise UnreadableFile(str(problem)) from problem
            stats.problems.append(str(problem))
            if silent:
                warnings.warn(str(problem), stacklevel=2)
    if stats.comments == before:
        raise UnreadableFile("; ".join(stats.problems) or f"no comments in {', '.join(stats.files)}")


def _read_file(path: Path, make: Callable, stats: ReadStats) -> Iterator:
    """Yield the comments of one file. Raises UnreadableFile at the end of a file that had not a single one."""
    before, number = stats.comments, 1
    batches = line_batches(decoded(path))
    for batch in batches:
        if number == 1:
            batch = batch.removeprefix(b"\xef\xbb\xbf")  # the mark with which some Windows programs begin a file
            if _begins_an_array(batch):
                yield from _make_all(_whole_array(batch, batches, path.name), 1, make, path.name, stats)
                break
        lines = batch.count(b"\n") + 1
        yield from _make_all(_decode_together(batch, lines), number, make, path.name, stats)
        number += lines
    if stats.comments == before:
        raise UnreadableFile(
            f"{path.name} holds no comment: {_listed(stats.reasons) or 'all its lines are blank'}. "
            "A dump of comments has one JSON object a line, with id, link_id, parent_id and body"
        )


def _make_all(items: list, number: int, make: Callable, name: str, stats: ReadStats) -> list:
    """Make comments of decoded records, or of raw lines, the first of which is line ``number``."""
    comments = []
    for number, item in enumerate(items, number):
        try:
            if type(item) is bytes:
                if not item.strip():
                    continue
                item = _decode_line(item)
            comments.append(make(item, stats.repaired))
        except BadRecord as problem:
            stats.bad(name, number, str(problem))
    stats.lines += len(comments)
    stats.comments += len(comments)
    return comments


def _decode_together(batch: bytes, lines: int) -> list:
    """Decode the lines of a batch as one JSON array, which is quicker; if any is bad, return the raw lines instead."""
    try:
        # The line break stays in after the comma: inside a string JSON forbids it, so no two broken lines can join up.
        records = json.loads("[" + batch.decode().replace("\n", ",\n") + "]")
    except (ValueError, RecursionError):
        records = []
    return records if len(records) == lines else batch.split(b"\n")


def _decode_line(line: bytes):
    if len(line) > LONGEST_LINE:
        raise BadRecord("longer than a megabyte")
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError:
        raise BadRecord("not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise BadRecord("not JSON") from None


def _begins_an_array(batch: bytes) -> bool:
    """Is this the beginning of one JSON array over the whole file, and not a line that happens to hold a list?"""
    first, _, rest = batch.lstrip().partition(b"\n")
    if not first.startswith(b"["):
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return True
    return not rest.strip()


def _whole_array(batch: bytes, batches: Iterator[bytes], name: str) -> list:
    pieces, size = [batch], len(batch)
    for batch in batches:
        pieces.append(batch)
        size += len(batch)
        if size > LARGEST_ARRAY:
            raise UnreadableFile(f"{name} is one huge JSON array; write it as one object a line first: jq -c '.[]' {name}")
    try:
        return json.loads(b"\n".join(pieces))
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"{name} begins like a JSON array but is not a whole one ({error}): fetch it again") from None


def _listed(counts: Counter) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.most_common())
