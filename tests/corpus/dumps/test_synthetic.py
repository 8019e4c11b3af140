"""Invented months: the same for the same seed, and with everything that dumps do to a reader."""

import pytest

from helpers.corpus.dumps.archives import decoded
from helpers.corpus.dumps.reddit import ReadStats, read_comments
from helpers.corpus.dumps.synthetic import write_months
from helpers.corpus.dumps.threads import build_threads
from helpers.corpus.load import load


def test_the_same_seed_gives_the_same_files(tmp_path):
    one, same, other = (write_months(tmp_path / str(n), 2, 50, seed=seed) for n, seed in enumerate((0, 0, 1)))
    assert [path.name for path in one] == ["RC_2012-01.zst", "RC_2012-02.zst"]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in same]
    assert [path.read_bytes() for path in one] != [path.read_bytes() for path in other]
    plain = write_months(tmp_path / "plain", 2, 50, compress=False)
    assert [path.read_bytes() for path in plain] == [b"".join(decoded(path)) for path in one]


def test_months_have_what_dumps_have(tmp_path):
    paths = write_months(tmp_path, months=13, comments=400)
    assert paths[-1].name == "RC_2013-01.zst"
    stats = ReadStats()
    threads = build_threads(read_comments(tmp_path, stats), stats)
    assert (
        stats.bad_lines
        and stats.duplicates
        and stats.orphans
        and stats.repaired["number as text"]
        and not stats.problems
    )
    first, second = ({comment.id for comment in read_comments(path, ReadStats())} for path in paths[:2])
    assert 0 < len(first & second) < 10  # the same comment in two months
    spans = [[c.created for c in thread.comments.values()] for thread in threads]
    assert sum(max(times) - min(times) > 2_629_800 for times in spans) > 20  # longer than a month
    dropped = load(tmp_path).card.dropped
    assert all(dropped[f"comments: {reason}"] for reason in ("deleted", "bot", "low score", "same text again"))


@pytest.mark.parametrize("wrong", [{"months": 0}, {"comments": 1.5}])
def test_numbers_that_make_no_sense(tmp_path, wrong):
    with pytest.raises(ValueError, match="give a whole number"):
        write_months(tmp_path, **wrong)
