"""Comments to partitions and a count over all of them, in memory: the same as with files between."""

from collections import Counter

import pytest

from helpers.corpus.dumps.reddit import Comment
from helpers.corpus.dumps.repeats import copies_before, too_often
from helpers.corpus.dumps.scatter_gather import partition_of
from helpers.corpus.dumps.two_passes import scatter, seen_before

COUNTS = [Counter(a=1, b=2, c=1), Counter(a=2), Counter(b=1, d=4), Counter(a=1)]


@pytest.mark.parametrize("parts", [1, 3, 8])
def test_partitions_are_those_of_the_stage_with_files(parts):
    rows = [Comment(**{**dict.fromkeys(Comment._fields), "id": f"c{n}", "link_id": f"t3_{n % 7}"}) for n in range(30)]
    partitions = scatter(rows, parts)
    assert len(partitions) == parts and sum(map(len, partitions)) == 30
    for number, part in enumerate(partitions):
        assert all(partition_of(row.link_id, parts) == number for row in part)
        assert part == [row for row in rows if row in part]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_counts_are_those_of_the_stage_with_files(most):
    names = {text: number for number, text in enumerate("abcd")}
    sorted_keys = [sorted(names[text] for text in count.elements()) for count in COUNTS]
    often = too_often(sorted_keys, most)
    expected = [copies_before(often, part) for part in range(len(COUNTS))]
    found = seen_before(COUNTS, most)
    assert [{names[text]: copies for text, copies in each.items()} for each in found] == expected
