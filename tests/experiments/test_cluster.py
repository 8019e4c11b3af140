"""The measurement of notebook 13: it runs, and what the table says is what was promised."""

import pytest

from helpers import data_path
from helpers.__main__ import main
from helpers.corpus.conversations import digest
from helpers.corpus.dumps.synthetic import write_months
from helpers.corpus.load import load
from helpers.experiments import cluster
from helpers.extras import missing
from helpers.io import read_rows


def promised(rows) -> bool:
    """One digest for whole months, however they were made; another where a month breaks off, which is reported."""
    by_run = {row["run"]: row for row in rows}
    whole, broken = by_run["one machine"], by_run["one machine, a month broken off"]
    equal = {by_run[run]["digest"] for run in ("cluster", "cluster, workers killed")} == {whole["digest"]}
    equal &= by_run["cluster, a month broken off"]["digest"] == broken["digest"] != whole["digest"]
    reported = [row["broken_off"] for row in rows] == [0, 0, 0, 1, 1] and 0 < broken["comments"] < whole["comments"]
    return equal and reported and by_run["cluster, workers killed"]["killed"] == 2


@pytest.mark.skipif(bool(missing("dask", "distributed", "pyarrow")), reason="the extra cluster is not installed")
def test_a_tiny_measurement(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "data_path", lambda: tmp_path)
    cluster.write_table(cluster.TINY)
    rows = read_rows(tmp_path / "cluster.csv")
    assert tuple(rows[0]) == cluster.COLUMNS and promised(rows)


def test_the_table():
    rows = read_rows(data_path("cluster.csv"))
    assert promised(rows)
    assert all(row["months"] >= 6 and row["megabytes"] >= 500 for row in rows)
    assert all(row["peak_megabytes"] <= 400 for row in rows if row["workers"])


@pytest.mark.skipif(bool(missing("dask", "distributed", "pyarrow")), reason="the extra cluster is not installed")
def test_the_command_prints_the_digest(tmp_path, capsys):
    write_months(tmp_path / "months", months=2, comments=100)
    assert (
        main(["experiments", "dask_corpus", str(tmp_path / "months"), "--workers", "1", "--out", str(tmp_path / "out")])
        == 0
    )
    said = capsys.readouterr().out
    assert f"Digest:   {digest(load(tmp_path / 'months'))}\n" in said and "Workers:  1, of which 0 were killed" in said
    assert (tmp_path / "out" / "rows" / "RC_2012-01.zst" / "report.json").exists()


def test_what_goes_wrong_is_a_sentence(tmp_path, capsys):
    assert main(["experiments", "dask_corpus", str(tmp_path / "nowhere"), "--workers", "0"]) == 1
    said = capsys.readouterr().err
    assert said == "workers is 0: give a whole number, 1 or more\n" or "not installed" in said
