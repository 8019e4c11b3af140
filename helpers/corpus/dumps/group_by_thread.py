"""Comments collected by thread in flat memory: beyond a limit they wait on disk, parted by a hash of their thread.

This is how data larger than memory is grouped anywhere: one pass throws every comment into the partition that its key's
hash names, then each partition, now small enough, is grouped by itself. No thread is ever cut, because all its comments
have the same hash, whatever file they came from.
"""

import marshal
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

BITS = 6  # bits of the hash that decide the partition
PARTS = 2**BITS
ROW_BYTES = 600  # what a comment takes in memory beside its text: a tuple, eight short strings and numbers
LINK, BODY = 2, 4  # where a comment's fields hold the thread and the text


class Partitions:
    """Rows (plain tuples of a Comment's fields) that come back grouped by thread, in the order of the thread's hash.

    ``memory_limit`` is the most bytes of comments to hold; ``skip`` the leading bits of the hash that are used up.
    """

    def __init__(self, memory_limit: int, skip: int = 0):
        self.memory_limit = memory_limit
        self.skip = skip
        self.rows: list[tuple] = []
        self.spilled = 0
        self.sizes = [0] * PARTS  # bytes of memory that each partition will take when it is read back
        self.folder: tempfile.TemporaryDirectory | None = None
        self.files: list[BinaryIO] = []

    def add(self, rows: Iterable[tuple]) -> None:
        """Take in rows, writing them to disk whenever there are too many."""
        size, room = 0, self.memory_limit
        for row in rows:
            self.rows.append(row)
            size += ROW_BYTES + len(row[BODY])
            if size > room:
                self._spill()
                size, room = 0, self.memory_limit // 8  # the rest goes to disk anyway: small helpings will do
        if self.folder is not None:
            self._spill()

    def take(self, packed: list[tuple[int, int, int, bytes]]) -> None:
        """Write to disk what ``pack`` has packed, here or in another process."""
        if self.folder is None:
            self.folder = tempfile.TemporaryDirectory(prefix="threads-")
            self.files = [(Path(self.folder.name) / f"{number:02}").open("w+b") for number in range(PARTS)]
        for number, rows, size, data in packed:
            self.files[number].write(len(data).to_bytes(8, "big"))
            self.files[number].write(data)
            self.sizes[number] += size
            self.spilled += rows

    def threads(self) -> Iterator[tuple[str, list[tuple]]]:
        """Yield (link_id, rows) for every thread, once. The order is the same whether or not anything went to disk."""
        if self.folder is None:
            rows, self.rows = self.rows, []
            yield from _grouped(rows)
        for file, size in zip(self.files, self.sizes, strict=False):
            yield from self._partition(file, size)
            file.truncate(0)  # the disk need not hold what we have seen

    def close(self) -> None:
        """Remove what was written to disk."""
        for file in self.files:
            file.close()
        if self.folder is not None:
            self.folder.cleanup()

    def _spill(self) -> None:
        self.take(pack(self.rows, self.skip))
        self.rows.clear()

    def _partition(self, file: BinaryIO, size: int) -> Iterator[tuple[str, list[tuple]]]:
        skip = self.skip + BITS
        if size <= self.memory_limit or skip + BITS > 32:
            yield from _grouped(_read_back(file))
            return
        finer = Partitions(self.memory_limit, skip)  # too large still: part it by the bits of the hash that follow
        try:
            finer.add(_read_back(file))
            yield from finer.threads()
        finally:
            finer.close()


def pack(rows: Iterable[tuple], skip: int = 0) -> list[tuple[int, int, int, bytes]]:
    """Part rows by the hash of their thread; return (partition, number of rows, bytes in memory, packed rows) each."""
    parts: list[list[tuple]] = [[] for _ in range(PARTS)]
    shift = 32 - BITS - skip
    for row in rows:
        parts[crc32(row[LINK].encode()) >> shift & PARTS - 1].append(row)
    packed = []
    for number, part in enumerate(parts):
        if part:
            # marshal is the quick format in which Python keeps its own compiled code: good for what nobody else reads.
            # Its version 2 does not look for repeated objects, which is quicker here.
            data = marshal.dumps(part, 2)
            packed.append((number, len(part), len(part) * ROW_BYTES + len(data), data))
    return packed


def _grouped(rows: Iterable[tuple]) -> Iterator[tuple[str, list[tuple]]]:
    groups: dict[str, list[tuple]] = {}
    for row in rows:
        groups.setdefault(row[LINK], []).append(row)
    for link_id in sorted(groups, key=lambda link_id: (crc32(link_id.encode()), link_id)):
        yield link_id, groups.pop(link_id)


def _read_back(file: BinaryIO) -> Iterator[tuple]:
    file.seek(0)
    while length := file.read(8):
        yield from marshal.loads(file.read(int.from_bytes(length, "big")))
