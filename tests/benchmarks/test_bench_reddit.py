"""The benchmark's own dump must be what it says: real-looking threads, no id twice, every parent in its place."""

import json
from collections import Counter

from helpers.corpus.dumps.reddit import ReadStats, read_comments
from helpers.corpus.dumps.threads import build_threads

from . import bench_reddit as bench


def test_the_synthetic_dump_is_the_specimen_over_and_over(tmp_path):
    plain, packed = bench.write_dump(400_000, tmp_path)
    stats = ReadStats()
    comments = list(read_comments(packed, stats))
    assert comments == list(read_comments(plain))
    assert stats.bad_lines == 0 and not stats.problems
    specimen = bench.specimen_threads()
    rounds = 50  # a block
    threads = build_threads(comments, stats)
    assert len(threads) == rounds * len(specimen)
    assert stats.comments == rounds * sum(map(len, specimen))
    once = ReadStats()
    (tmp_path / "once.jsonl").write_text("\n".join(json.dumps(r) for thread in specimen for r in thread))
    build_threads(read_comments(tmp_path / "once.jsonl"), once)
    assert [stats.orphans, stats.cycles, stats.duplicates] == [
        rounds * number for number in (once.orphans, once.cycles, once.duplicates)
    ]
    bodies = Counter(comment.body for comment in comments if len(comment.body) > 40)
    assert len(bodies) > 0.8 * sum(bodies.values())  # hardly a text occurs twice


def test_the_benchmark_runs(capsys):
    result = bench.run(100_000, repeats=1)
    assert result["times"] > 0 and result["conversations"] > 0
    assert "bare loop" in capsys.readouterr().out
