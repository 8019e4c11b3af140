"""Comments collected by thread in flat memory: beyond a limit they wait on disk, parted by a hash of their thread.

This is how data larger than memory is grouped anywhere: one pass throws every comment into the partition that its key's
hash names, then each partition, now small enough, is grouped by itself. No thread is ever cut, because all its comments
have the same hash, whatever file they came from.
"""

import pickle
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

import numpy as np

from helpers.corpus.dumps.repeats import read_keys, sorted_keys, text_key, too_often
from helpers.io import clear_disk_errors

BITS = 6  # bits of the hash that decide the partition
PARTS = 2**BITS
ROW_BYTES = 600  # what a comment takes in memory beside its text: a tuple, eight short strings and numbers
LINK, AUTHOR, BODY = 2, 3, 4  # where a comment's fields hold the thread, the writer and the text
PLACE = "comments to the temporary folder (TMPDIR or, on Windows, TEMP may name another; memory_limit may keep more out of it)"


class Partitions:
    """Rows (plain tuples of a Comment's fields) that come back grouped by thread, in the order of the thread's hash.

    ``memory_limit`` is the most bytes of comments to hold; ``skip`` the leading bits of the hash that are used up. Raises
    OSError, saying what to do, when the temporary folder is full or cannot be written.
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
                size, room = 0, self.memory_limit // 8  # the rest goes to disk anyway, so small portions will do
        if self.folder is not None:
            self._spill()

    def add_packed(self, packed: list[tuple[int, int, int, bytes]]) -> None:
        """Write to disk what ``pack`` has packed, here or in another process."""
        with clear_disk_errors(PLACE):
            if self.folder is None:
                self.folder = tempfile.TemporaryDirectory(prefix="threads-")
                for number in range(PARTS):
                    self.files.append((Path(self.folder.name) / f"{number:02}").open("w+b"))
            for number, rows, size, data in packed:
                self.files[number].write(data)
                self.sizes[number] += size
                self.spilled += rows

    def texts_too_often(self, characters: int, most: int) -> set[int]:
        """Return the keys (see ``repeats``) of texts of so many characters that come more than ``most`` times.

        A comment that came twice counts twice here, so a few of them may come less often in the threads.
        """
        if self.folder is None:
            return set(too_often([_long_texts(self.rows, characters).tolist()], most))
        self._flush()
        piles = [Path(self.folder.name) / f"{number:02}.texts" for number in range(PARTS)]
        with clear_disk_errors(PLACE):
            for pile, file in zip(piles, self.files, strict=True):  # the texts of one partition are in memory at a time
                pile.write_bytes(_long_texts(_unpack(file), characters).tobytes())
        return set(too_often([read_keys(pile) for pile in piles], most))

    def threads(self) -> Iterator[tuple[str, list[tuple]]]:
        """Yield (link_id, rows) for every thread, once. The order is the same whether or not anything went to disk."""
        if self.folder is None:
            rows, self.rows = self.rows, []
            yield from _in_order(rows)
        self._flush()
        for file, size in zip(self.files, self.sizes, strict=False):
            yield from self._partition(file, size)
            file.truncate(0)  # the disk need not hold what we have seen

    def close(self) -> None:
        """Remove what was written to disk."""
        for file in self.files:
            with suppress(OSError):  # on a full disk: what could not be written is not wanted any more
                file.close()
        if self.folder is not None:
            self.folder.cleanup()

    def _flush(self) -> None:
        with clear_disk_errors(PLACE):
            for file in self.files:
                file.flush()

    def _spill(self) -> None:
        self.add_packed(pack(self.rows, self.skip))
        self.rows.clear()

    def _partition(self, file: BinaryIO, size: int) -> Iterator[tuple[str, list[tuple]]]:
        skip = self.skip + BITS
        if size <= self.memory_limit or skip + BITS > 32:
            yield from _in_order(_unpack(file))
            return
        finer = Partitions(self.memory_limit, skip)  # too large still: part it by the bits of the hash that follow
        try:
            finer.add(_unpack(file))
            yield from finer.threads()
        finally:
            finer.close()


def pack(rows: Iterable[tuple], skip: int = 0) -> list[tuple[int, int, int, bytes]]:
    """Part rows by the hash of their thread; return (partition, number of rows, bytes in memory, packed rows) each."""
    parts: defaultdict[int, list[tuple]] = defaultdict(list)
    shift = 32 - BITS - skip
    for row in rows:
        parts[crc32(row[LINK].encode()) >> shift & PARTS - 1].append(row)
    sizes = {number: sum(ROW_BYTES + len(row[BODY]) for row in part) for number, part in parts.items()}
    return [(number, len(part), sizes[number], pickle.dumps(part, 5)) for number, part in parts.items()]


def by_thread(rows: Iterable[tuple]) -> dict[str, list[tuple]]:
    """Return Comments, or plain tuples of their fields, as lists under their thread's id."""
    groups: defaultdict[str, list[tuple]] = defaultdict(list)
    for row in rows:
        groups[row[LINK]].append(row)
    return groups


def _in_order(rows: Iterable[tuple]) -> Iterator[tuple[str, list[tuple]]]:
    groups = by_thread(rows)
    for link_id in sorted(groups, key=lambda link_id: (crc32(link_id.encode()), link_id)):
        yield link_id, groups.pop(link_id)


def _long_texts(rows: Iterable[tuple], characters: int) -> np.ndarray:
    return sorted_keys(text_key(row[AUTHOR], row[BODY]) for row in rows if len(row[BODY]) >= characters)


def _unpack(file: BinaryIO) -> Iterator[tuple]:
    file.seek(0)
    with suppress(EOFError):
        while True:
            yield from pickle.load(file)
