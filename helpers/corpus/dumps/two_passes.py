"""The data stage in two functions, in memory: comments to partitions, and a count over all of them (built in notebook 13).

``scatter_gather`` is the same with files between the stages; the partitions and the counts are equal.
"""

from collections.abc import Mapping, Sequence
from zlib import crc32

from helpers.corpus.dumps.group_by_thread import LINK


def scatter(rows: Sequence[tuple], parts: int) -> list[list[tuple]]:
    """Return ``rows`` (Comments, or tuples of their fields) as ``parts`` lists, the comments of a thread in the same.

    The partition follows from a hash of the thread's id that is the same in every process: crc32(link_id) · parts / 2³²,
    rounded down. So the threads of partition 0 come before those of partition 1 in the order of that hash.
    """
    partitions = [[] for _ in range(parts)]
    for row in rows:
        partitions[crc32(row[LINK].encode()) * parts >> 32].append(row)
    return partitions


def seen_before(counts: Sequence[Mapping], most: int) -> list[dict]:
    """Return for each partition {text: copies in the partitions before it}, of the texts that come more than ``most`` times.

    ``counts`` has {text: copies} of each partition, in order. With it a partition knows where to go on counting.
    """
    total: dict = {}
    for count in counts:
        for text, copies in count.items():
            total[text] = total.get(text, 0) + copies
    running = {text: 0 for text, copies in total.items() if copies > most}
    before = []
    for count in counts:
        before.append(dict(running))
        for text in running:
            running[text] += count.get(text, 0)
    return before
