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

BITS = 6  # bits of the hash that decide the partition
PARTS = 2**BITS
ROW_BYTES = 600  # what a comment takes in memory beside its text: a tuple, eight short strings and numbers
LINK, BODY = 2, 4  # where a comment's fields hold the thread and the text


class Partitions:
    """Rows (plain tuples of a Comment's fields) that come back grouped by thread, in the order of the thread's hash.

    ``memory_limit`` is the most bytes of comments to hold; ``skip`` the leading bits of the hash that are used up,
    ``inside`` the folder to put the folder of partitions in (by default the system's for temporary files).
    """

    def __init__(self, memory_limit: int, skip: int = 0, inside: Path | None = None):
        self.memory_limit = memory_limit
        self.skip = skip
        self.inside = inside
        self.rows: list[tuple] = []
        self.spilled = 0
        self.sizes = [0] * PARTS  # bytes of memory that each partition will take when it is read back
        self.folder: tempfile.TemporaryDirectory | None = None

    def add(self, rows: Iterable[tuple]) -> None:
        """Take in rows, writing them to disk whenever there are too many."""
        size, room = 0, self.memory_limit
        for row in rows:
            self.rows.append(row)
            size += ROW_BYTES + len(row[BODY])
            if size > room:
                self._spill()
                # From now on everything goes to disk, so small helpings will do.
                size, room = 0, self.memory_limit // 64
        if self.folder is not None:
            self._spill()

    def threads(self) -> Iterator[tuple[str, list[tuple]]]:
        """Yield (link_id, rows) for every thread, once. The order is the same whether or not anything went to disk."""
        if self.folder is None:
            rows, self.rows = self.rows, []
            yield from _grouped(rows)
            return
        for part in self.parts():
            yield from threads_of(*part)

    def parts(self, processes: int = 1) -> Iterator[tuple[str, int, int, int]]:
        """Yield what ``threads_of`` needs for each partition on disk, if ``processes`` share the memory."""
        for number, size in enumerate(self.sizes):
            if size:
                yield str(self._file(number)), size, self.memory_limit // processes, self.skip + BITS

    def close(self) -> None:
        """Remove what was written to disk."""
        if self.folder is not None:
            self.folder.cleanup()

    def _file(self, number: int) -> Path:
        return Path(self.folder.name) / f"{number:02}"

    def _spill(self) -> None:
        if self.folder is None:
            self.folder = tempfile.TemporaryDirectory(prefix="threads-", dir=self.inside)
        parts: list[list[tuple]] = [[] for _ in range(PARTS)]
        shift = 32 - BITS - self.skip
        for row in self.rows:
            parts[crc32(row[LINK].encode()) >> shift & PARTS - 1].append(row)
        self.spilled += len(self.rows)
        self.rows.clear()
        for number, part in enumerate(parts):
            if part:
                self.sizes[number] += sum(ROW_BYTES + len(row[BODY]) for row in part)
                _append(self._file(number), part)


def threads_of(path: str, size: int, memory_limit: int, skip: int) -> Iterator[tuple[str, list[tuple]]]:
    """Yield (link_id, rows) for every thread of one partition, and remove its file."""
    rows = _read_back(Path(path))
    if size <= memory_limit or skip + BITS > 32:
        yield from _grouped(rows)
    else:  # too large still: part it by the bits of the hash that follow
        finer = Partitions(memory_limit, skip, inside=Path(path).parent)
        try:
            finer.add(rows)
            yield from finer.threads()
        finally:
            finer.close()
    Path(path).unlink()


def _grouped(rows: Iterable[tuple]) -> Iterator[tuple[str, list[tuple]]]:
    groups: dict[str, list[tuple]] = {}
    for row in rows:
        groups.setdefault(row[LINK], []).append(row)
    for link_id in sorted(groups, key=lambda link_id: (crc32(link_id.encode()), link_id)):
        yield link_id, groups.pop(link_id)


# marshal is the quick format in which Python keeps its own compiled code: good for a file that only this process reads.
# Version 2 does not look for repeated objects, which is quicker here.
def _append(path: Path, rows: list[tuple]) -> None:
    data = marshal.dumps(rows, 2)
    with path.open("ab") as file:
        file.write(len(data).to_bytes(8, "big"))
        file.write(data)


def _read_back(path: Path) -> Iterator[tuple]:
    with path.open("rb") as file:
        while length := file.read(8):
            yield from marshal.loads(file.read(int.from_bytes(length, "big")))
