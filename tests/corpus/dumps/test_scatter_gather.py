"""Scatter and gather: plain functions with files between them, in whatever order, however often, whatever breaks."""

import json
import os
import random
import subprocess
import sys
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.corpus.cleaning import Filter
from helpers.corpus.dumps import scatter_gather
from helpers.corpus.dumps.reddit import ReadStats, read_comments
from helpers.corpus.dumps.scatter_gather import count, gather, gathered, months_in, partition_of, scatter, sum_counts
from helpers.corpus.dumps.synthetic import write_months
from helpers.corpus.dumps.threads import conversations

PARTS = 4


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """Three tiny months, whose conversations cross them."""
    return write_months(tmp_path_factory.mktemp("months"), months=3, comments=250)


@pytest.fixture(scope="module")
def expected(months):
    return list(conversations(months[0].parent, processes=0))


def work(months, folder, parts=PARTS, seed=0, **options):
    """Do all stages, each in a random order; return the conversations."""
    shuffled = random.Random(seed)
    for month in shuffled.sample(months, len(months)):
        scatter(month, folder, parts, format="jsonl", **options)
    for part in shuffled.sample(range(parts), parts):
        count(folder, part, **options)
    sum_counts(folder, **options)
    for part in shuffled.sample(range(parts), parts):
        gather(folder, part, **options)
    return list(gathered(folder))


def files(folder):
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


# -- the same, whatever the order -------------------------------------------------------------------------------------


@given(st.text("abc0123456789", min_size=1), st.integers(1, 512))
def test_partitions_are_ranges_of_the_hash(name, parts):
    part = partition_of(f"t3_{name}", parts)
    assert part * 2**32 <= crc32(f"t3_{name}".encode()) * parts < (part + 1) * 2**32 and 0 <= part < parts


def test_a_thread_has_the_same_partition_in_every_process():
    names = [f"t3_{number:x}" for number in range(50)]
    code = f"from helpers.corpus.dumps.scatter_gather import partition_of; print([partition_of(n, 7) for n in {names}])"
    for seed in ("0", "1"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == [partition_of(name, 7) for name in names]


@pytest.mark.parametrize(("parts", "seed"), [(1, 0), (4, 1), (4, 2), (7, 3)])
def test_neither_the_order_nor_the_number_of_partitions_matters(months, expected, tmp_path, parts, seed):
    found = work(months, tmp_path, parts, seed)
    assert found == expected and [c.meta for c in found] == [c.meta for c in expected]


def test_pairs_and_a_filter_of_ones_own(months, tmp_path):
    filter = Filter(min_score=None, same_text=None, max_words=30)
    for month in months:
        scatter(month, tmp_path, PARTS, filter=filter, format="jsonl")
    for part in range(PARTS):  # nobody has to count where texts may come as often as they like
        gather(tmp_path, part, filter=filter, pairs=True)
    assert list(gathered(tmp_path)) == list(conversations(months[0].parent, filter=filter, pairs=True))
    assert filter.counts["kept"]  # by the line above: the stages count in copies


def test_a_text_posted_again_and_again_is_dropped_across_months_and_partitions(tmp_path):
    """One ladle a thread, two threads a month: the first two stay, by the hash of the thread, wherever they were found."""
    spam, ask = (
        "Come and see my collection of ladles, it is in my profile.",
        "What is number {} of the things you like best?",
    )

    def lines(n):
        fields = {"link_id": f"t3_{n}", "subreddit": "test", "score": 1, "created_utc": n}
        yield {**fields, "id": f"a{n}", "parent_id": f"t3_{n}", "author": f"asker_{n}", "body": ask.format(n)}
        yield {**fields, "id": f"b{n}", "parent_id": f"t1_a{n}", "author": "collector", "body": spam}

    for month in range(3):
        text = "".join(json.dumps(line) + "\n" for n in (2 * month, 2 * month + 1) for line in lines(n))
        (tmp_path / f"RC_2012-0{month + 1}.jsonl").write_text(text)
    months = sorted(tmp_path.glob("RC_*"))
    first_two = sorted((f"t3_{n}" for n in range(6)), key=lambda name: crc32(name.encode()))[:2]
    for seed, parts in enumerate((1, 3, 16)):
        found = work(months, tmp_path / f"work{parts}", parts, seed)
        assert [c.thread for c in found] == first_two
    reports = [gather(tmp_path / "work16", part) for part in range(16)]  # done already: only read again
    assert sum(report["counts"].get("same text again", 0) for report in reports) == 4


# -- broken files, and starting again ---------------------------------------------------------------------------------


def test_what_is_finished_is_not_done_again(months, expected, tmp_path, monkeypatch):
    assert work(months, tmp_path) == expected
    before = files(tmp_path)

    def never(*_, **__):
        raise AssertionError("this was finished")

    for name in ("read_records", "RowFile", "sorted_keys", "too_often", "cut_all"):
        monkeypatch.setattr(scatter_gather, name, never)
    assert work(months, tmp_path) == expected and files(tmp_path) == before


def test_a_month_that_was_downloaded_anew_is_read_again(months, expected, tmp_path):
    folder, new = tmp_path / "work", [tmp_path / month.name for month in months]
    for old, month in zip(months, new, strict=True):
        month.write_bytes(old.read_bytes())
    new[1].write_bytes(months[1].read_bytes()[:9_000])
    assert work(new, folder) == list(conversations(tmp_path)) != expected
    untouched = files(folder / "rows" / new[0].name)
    new[1].write_bytes(months[1].read_bytes())
    with pytest.raises(ValueError, match="nobody has counted yet"):
        scatter(new[1], folder, PARTS, format="jsonl")
        gather(folder, 0)
    assert work(new, folder) == expected
    assert files(folder / "rows" / new[0].name) == untouched


def test_a_month_that_breaks_off_gives_what_it_had_and_a_sentence(tmp_path):
    (broken,) = write_months(tmp_path, 1, 1000)  # several blocks, of which the first can be read
    os.truncate(broken, broken.stat().st_size * 6 // 10)
    report = scatter(broken, tmp_path / "work", PARTS, format="jsonl")
    assert report["stats"]["problems"] == [
        f"{broken.name} breaks off before its end: the download did not finish; fetch it again for the rest"
    ]
    assert 0 < sum(report["rows"]) == report["stats"]["comments"] < 1000
    stats = ReadStats()
    assert len(list(read_comments(broken, stats))) == stats.comments == report["stats"]["comments"]


def test_a_month_without_a_comment_is_a_sentence_and_no_end(months, tmp_path):
    empty = tmp_path / "RC_2012-09.zst"
    empty.write_bytes(b"")
    report = scatter(empty, tmp_path / "work", PARTS, format="jsonl")
    assert sum(report["rows"]) == 0 and "is empty (0 bytes)" in report["stats"]["problems"][0]


KILLED = """
import os, signal
from helpers.corpus.dumps import scatter_gather
write = scatter_gather.RowFile.write
def write_and_die(file, rows):
    write(file, rows)
    file.file.flush()
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
scatter_gather.RowFile.write = write_and_die
scatter_gather.scatter({month!r}, {folder!r}, 4, format="jsonl")
"""


def test_after_a_kill_in_the_middle_nothing_is_lost_or_doubled(months, expected, tmp_path):
    code = KILLED.format(month=str(months[1]), folder=str(tmp_path))
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode
    (half,) = (tmp_path / "rows").iterdir()
    assert half.name.startswith(f".{months[1].name}.") and any(path.stat().st_size for path in half.iterdir())
    with pytest.raises(ValueError, match="holds no months yet: call scatter"):
        gather(tmp_path, 0)
    assert work(months, tmp_path) == expected


def test_what_is_whole_but_not_yet_renamed_does_not_count(months, expected, tmp_path):
    scatter(months[1], tmp_path, PARTS, format="jsonl")
    (tmp_path / "rows" / months[1].name).rename(tmp_path / "rows" / f".{months[1].name}.abc")
    assert work(months, tmp_path) == expected
    assert list(months_in(tmp_path)) == [month.name for month in months]


def test_memory_stays_small(months, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(scatter_gather, "BUFFER", 5_000)
    monkeypatch.setattr(scatter_gather, "MEMORY", 5_000)
    assert work(months, tmp_path) == expected
    reports = [scatter(month, tmp_path, PARTS, format="jsonl") for month in months]
    assert [sum(report["rows"]) for report in reports] == [report["stats"]["comments"] for report in reports]


# -- what makes no sense ----------------------------------------------------------------------------------------------


class OwnFilter(Filter):
    pass


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"parts": 0}, "parts is 0: give a whole number, 1 or more"),
        ({"parts": 513}, "parts is 513: give 512 or fewer"),
        ({"filter": OwnFilter()}, "a OwnFilter may count as it likes, alone: give a plain Filter, or use load"),
        ({"format": "csv"}, "format is 'csv'"),
    ],
)
def test_scatter_says_what_it_needs(months, tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        scatter(months[0], tmp_path, **options)
    with pytest.raises(FileNotFoundError):
        scatter(tmp_path / "RC_2012-01.zst", tmp_path)


def test_the_stages_come_one_after_the_other(months, tmp_path):
    with pytest.raises(ValueError, match="holds no months yet: call scatter"):
        count(tmp_path, 0)
    scatter(months[0], tmp_path, 2, format="jsonl")
    with pytest.raises(ValueError, match="nobody has counted yet which texts come too often"):
        gather(tmp_path, 0)
    count(tmp_path, 0)
    with pytest.raises(ValueError, match="partition 0001 has not been counted: call count"):
        sum_counts(tmp_path)
    for wrong in (-1, 2):
        with pytest.raises(ValueError, match=f"part is {wrong}: the months were scattered to partitions 0 to 1"):
            count(tmp_path, wrong)
        with pytest.raises(ValueError, match=f"part is {wrong}"):
            gather(tmp_path, wrong, filter=Filter(same_text=None))
    scatter(months[1], tmp_path, 3, format="jsonl")
    with pytest.raises(ValueError, match="scattered in different ways"):
        gather(tmp_path, 0)
