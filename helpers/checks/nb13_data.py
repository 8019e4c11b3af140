"""Checks of notebook 13's data stage: comments to partitions, and a count over all of them in two passes."""

from collections import Counter
from collections.abc import Callable
from zlib import crc32

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, items, kind, refuse_known
from helpers.corpus.dumps.reddit import Comment

CHANGED = "You changed what you were given: it is needed again. Build new lists and dicts."


def _comments() -> list[Comment]:
    """Forty comments of nine threads by five authors, in the order of their writing."""
    empty = dict.fromkeys(Comment._fields)
    return [
        Comment(
            **{**empty, "id": f"c{n}", "link_id": f"t3_{n * 7 % 9:02}x", "author": f"writer_{n * 3 % 5}", "body": "Hi"}
        )
        for n in range(40)
    ]


@exercise
def check_scatter(scatter: Callable) -> str:
    """Build: the comments of a thread in one partition, by ranges of a hash that is the same everywhere."""
    rows, parts = _comments(), 4

    def by(where: Callable) -> list[list]:
        partitions = [[] for _ in range(parts)]
        for position, row in enumerate(rows):
            partitions[where(position, row)].append(row)
        return partitions

    def hashed(row):
        return crc32(row.link_id.encode())

    right = by(lambda position, row: hashed(row) * parts >> 32)
    answer = items(call(scatter, rows, parts, changed=CHANGED), "a list with a list of comments for each partition")
    if len(answer) != parts:
        raise Wrong(f"I asked for {parts} partitions and got {len(answer)}: empty ones count, too.")
    answer = [items(part, "a list of comments in each partition") for part in answer]
    if odd := [row for part in answer for row in part if not isinstance(row, tuple)]:
        raise Wrong(f"A partition holds the comments themselves, and yours has {kind(odd[0])}.")
    refuse_known(
        answer,
        {
            "That is the *remainder* of the hash. Take equal ranges: crc32(…) * parts >> 32. They follow each other.": by(
                lambda position, row: hashed(row) % parts
            ),
            "You cut by position: the comments of a thread are in several partitions. The thread's id decides.": by(
                lambda position, row: position * parts // len(rows)
            ),
            "You dealt the comments out in turn: those of a thread are in several partitions. The thread's id decides.": by(
                lambda position, row: position % parts
            ),
            "You hashed the author. The comments of one *thread* must meet: link_id.": by(
                lambda position, row: crc32(row.author.encode()) * parts >> 32
            ),
            "You hashed the comment's own id. The comments of one *thread* must meet: link_id.": by(
                lambda position, row: crc32(row.id.encode()) * parts >> 32
            ),
            "You used Python's own hash of a text: it differs from process to process. Take crc32(link_id.encode()).": by(
                lambda position, row: hash(row.link_id) % parts
            ),
        },
        lambda one, other: one == other,
    )
    homes = {}
    for number, part in enumerate(answer):
        for row in part:
            homes.setdefault(row.link_id, set()).add(number)
    if sum(map(len, answer)) != len(rows) or set().union(*answer) != set(rows):
        raise Wrong(
            f"I gave {len(rows)} comments, and {sum(map(len, answer))} came out: each belongs to one partition."
        )
    if any(len(found) > 1 for found in homes.values()):
        raise Wrong("The comments of a thread are in several partitions: the partition must follow from link_id alone.")
    if [sorted(part) for part in answer] != [sorted(part) for part in right]:
        raise Wrong("Threads stay together, but not in the partition crc32(link_id.encode()) * parts >> 32.")
    if answer != right:
        raise Wrong("Within a partition the comments must stay in the order in which they came.")
    if scatter(rows, 7) != [[row for row in rows if hashed(row) * 7 >> 32 == part] for part in range(7)]:
        raise Wrong("For 7 partitions it is wrong: use parts, whatever it is.")
    return "A thread comes to the same partition, in whatever process its comments are read."


@exercise
def check_seen_before(seen_before: Callable) -> str:
    """Build: for each partition, how many copies of the texts that come too often lie in the partitions before it."""
    counts = [Counter(a=1, b=2, c=1, e=3), Counter(a=2, c=1), Counter(b=1, d=1), Counter(a=1, e=1)]
    most = 2
    total = sum(counts, Counter())

    def before(chosen, inclusive=False, after=False):
        return [
            {text: sum(c[text] for c in (counts[n + 1 :] if after else counts[: n + inclusive])) for text in chosen}
            for n in range(len(counts))
        ]

    often = [text for text in total if total[text] > most]
    right = before(often)
    answer = items(call(seen_before, counts, most, changed=CHANGED), "a list with a dict for each partition")
    if len(answer) != len(counts):
        raise Wrong(f"I gave the counts of {len(counts)} partitions, and got {len(answer)} dicts: one for each.")
    if odd := [each for each in answer if not isinstance(each, dict)]:
        raise Wrong(f"I expected a dict for each partition and got {kind(odd[0])}.")
    alike = lambda one, other: [dict(each) for each in one] == other  # noqa: E731
    refuse_known(
        answer,
        {
            "You counted the partition's own copies, too: only those in the partitions *before* it.": before(
                often, True
            ),
            "You counted the copies in the partitions *after* it.": before(often, after=True),
            "A text that comes exactly `most` times is not too often: more than `most`.": before(
                [text for text in total if total[text] >= most]
            ),
            "Texts that come rarely do not need an entry in the table: only those with more than `most` copies in all.": before(
                list(total)
            ),
            "What counts is a text's copies in *all* partitions: here a comes 1 + 2 + 1 times.": before(
                [text for text in total if max(c[text] for c in counts) > most]
            ),
            "Each partition has the total of all. It needs the copies in the partitions before it.": (
                [{text: total[text] for text in often}] * len(counts)
            ),
            "The copies of the partition before it alone: add up *all* that come before.": [
                {text: counts[n - 1][text] if n else 0 for text in often} for n in range(len(counts))
            ],
        },
        alike,
    )
    if any(dict(each).keys() != set(often) for each in answer):
        raise Wrong(f"Every partition's dict should have the texts {often}, with 0 where none came before.")
    if not alike(answer, right):
        raise Wrong("The copies before are not right: add up partition by partition, and note the sum before you add.")
    if not alike(seen_before(counts, 3), before([text for text in total if total[text] > 3])):
        raise Wrong("With most = 3 it is wrong: use most, whatever it is.")
    return "With the copies before it, each partition can count on as if it had read everything."
