"""The same text again and again, counted over all partitions of a dump, whatever their order (notebook 13).

Nearly every filter asks one comment by itself. This one asks how often its author has posted the text before, anywhere: no
partition knows that alone. So there are two passes. First each partition writes down its texts, as sorted numbers of 64
bits; the sorted files are merged, as one merges piles of cards, and whatever comes too often is kept in a small table.
Then each partition begins to count where the partitions before it have stopped, and drops what is too much.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

KEY = np.dtype("<u8")  # little-endian on every computer
READ_AHEAD = 1 << 13  # keys of one file held at a time while files are merged


def text_key(author: str, text: str) -> int:
    """Return 64 bits that stand for one author's text: the same in every process, which Python's own ``hash`` is not."""
    return int.from_bytes(
        blake2b(f"{author}\n{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
    )


def sorted_keys(keys: Iterable[int]) -> np.ndarray:
    """Return keys as a sorted array, uint64 [N]; a text that comes twice is there twice."""
    return np.sort(np.fromiter(keys, KEY))


def read_keys(path: str | os.PathLike) -> Iterator[int]:
    """Yield the keys of a file of ``sorted_keys(…).tobytes()``, holding few of them."""
    with Path(path).open("rb") as file:
        while data := file.read(READ_AHEAD * KEY.itemsize):
            yield from np.frombuffer(data, KEY).tolist()


def too_often(partitions: Sequence[Iterable[int]], most: int) -> dict[int, dict[int, int]]:
    """Return {key: {partition: copies}} of the keys that come more than ``most`` times in all partitions together.

    Each partition gives its keys sorted. They are merged, so none is held but those that are returned.
    """
    found = {}
    for key, run in groupby(merge(*map(_numbered, enumerate(partitions))), key=itemgetter(0)):
        copies = Counter(number for _, number in run)
        if copies.total() > most:
            found[key] = dict(copies)
    return found


def copies_before(often: dict[int, dict[int, int]], partition: int) -> dict[int, int]:
    """Return {key: copies in the partitions before this one} for all keys that come too often: where it goes on counting."""
    return {key: sum(n for number, n in copies.items() if number < partition) for key, copies in often.items()}


def write_often(path: Path, often: dict[int, dict[int, int]]) -> None:
    """Write what ``too_often`` returned as JSON."""
    path.write_text(json.dumps(often), encoding="utf-8")


def read_often(path: Path) -> dict[int, dict[int, int]]:
    """Return what was written, its keys numbers again (JSON makes them texts)."""
    often = json.loads(path.read_text(encoding="utf-8"))
    return {int(key): {int(number): n for number, n in copies.items()} for key, copies in often.items()}


def _numbered(numbered_keys: tuple[int, Iterable[int]]) -> Iterator[tuple[int, int]]:
    number, keys = numbered_keys
    return ((key, number) for key in keys)
