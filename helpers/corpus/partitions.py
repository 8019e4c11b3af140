"""Comments collected by thread in flat memory: beyond a limit they wait on disk, parted by a hash of their thread.

This is how data larger than memory is grouped anywhere: one pass throws every comment into the partition that its key's
hash names, then each partition, now small enough, is grouped by itself. No thread is ever cut, because all its comments
have the same hash, whatever file they came from.
"""

import marshal
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from zlib import crc32

BITS = 6  # of the hash decide the partition: 64 files, which every system lets us hold open
ROW_BYTES = 600  # what a comment takes in memory beside its text: a tuple, eight short strings and numbers
LINK, BODY = 2, 4  # where a comment's fields hold the thread and the text


class Partitions:
    """Rows (plain tuples of a Comment's fields) that come back grouped by thread, in the order of the thread's hash.

    ``memory_limit`` is the most bytes of comments to hold; ``skip`` the leading bits of the hash that are used up.
    """

    def __init__(self, memory_limit: int, skip: int = 0):
        self.memory_limit = memory_limit
        self.shift = 32 - BITS - skip
        self.skip = skip
        self.rows: list[tuple] = []
        self.sizes = [0] * 2**BITS
        self.spilled = 0
        self.folder: tempfile.TemporaryDirectory | None = None
        self.files: list = []

    def add(self, rows: Iterable[tuple]) -> None:
        """Take in rows, writing them to disk whenever there are too many."""
        size, room = 0, self.memory_limit
        for row in rows:
            self.rows.append(row)
            size += ROW_BYTES + len(row[BODY])
            if size > room:
                self._spill()
                # The rest goes to disk anyway, so small helpings will do.
                size, room = 0, self.memory_limit // 8
        if self.folder is not None:
            self._spill()

    def threads(self) -> Iterator[tuple[str, list[tuple]]]:
        """Yield (link_id, rows) for every thread. The order is the same whether or not anything went to disk."""
        yield from _grouped(self.rows)
        self.rows = []
        for number, file in enumerate(self.files):
            file.close()
            yield from self._partition(number)
            Path(file.name).unlink()

    def close(self) -> None:
        """Remove what was written to disk."""
        for file in self.files:
            file.close()
        if self.folder is not None:
            self.folder.cleanup()

    def _spill(self) -> None:
        if self.folder is None:
            self.folder = tempfile.TemporaryDirectory(prefix="threads-")
            self.files = [open(Path(self.folder.name) / f"{number:02}", "wb") for number in range(2**BITS)]
        parts = [[] for _ in self.files]
        for row in self.rows:
            part = thread_hash(row[LINK]) >> self.shift & 2**BITS - 1
            parts[part].append(row)
            self.sizes[part] += ROW_BYTES + len(row[BODY])
        self.spilled += len(self.rows)
        self.rows.clear()
        for part, file in zip(parts, self.files, strict=True):
            if part:
                marshal.dump(part, file)  # Python's own quick format: only this process ever reads it

    def _partition(self, number: int) -> Iterator[tuple[str, list[tuple]]]:
        rows = _read_back(Path(self.folder.name) / f"{number:02}")
        if self.sizes[number] <= self.memory_limit or self.shift < BITS:
            yield from _grouped(rows)
            return
        finer = Partitions(self.memory_limit, self.skip + BITS)  # too large still: part it by the bits that follow
        try:
            finer.add(rows)
            yield from finer.threads()
        finally:
            finer.close()


def thread_hash(link_id: str) -> int:
    """Return a number of 32 bits that is the same for a thread on every computer."""
    return crc32(link_id.encode())


def _grouped(rows: Iterable[tuple]) -> Iterator[tuple[str, list[tuple]]]:
    groups: dict[str, list[tuple]] = {}
    for row in rows:
        groups.setdefault(row[LINK], []).append(row)
    for link_id in sorted(groups, key=lambda link_id: (thread_hash(link_id), link_id)):
        yield link_id, groups.pop(link_id)


def _read_back(path: Path) -> Iterator[tuple]:
    with path.open("rb") as file:
        while True:
            try:
                rows = marshal.load(file)
            except EOFError:
                return
            yield from rows
