"""Rows on disk: the same rows come back, and work is there as a whole or not at all."""

import shutil
import subprocess
import sys

import pytest

from helpers.corpus.conversations import Conversation, Turn
from helpers.corpus.dumps import row_files
from helpers.corpus.dumps.row_files import (
    COMMENT,
    RowFile,
    chosen,
    finished,
    read_conversations,
    read_rows,
    sweep,
    whole,
    write_conversations,
)
from helpers.extras import missing

needs_pyarrow = pytest.mark.skipif(bool(missing("pyarrow")), reason="pyarrow is not installed")
BOTH = ["jsonl", pytest.param("parquet", marks=needs_pyarrow)]
ROWS = [
    ("a", "t3_x", "t3_x", "Zoë", "One\nline \u2028 🙂 \x00 \"quoted\"", 2**63 - 1, 1_300_000_000, "test", "moderator", True),
    ("b", "t1_a", "t3_x", "[deleted]", "", None, None, "", None, False),
]  # fmt: skip


@pytest.mark.parametrize("format", BOTH)
def test_rows_come_back_as_they_were(tmp_path, format, monkeypatch):
    monkeypatch.setattr(row_files, "BATCH", 2)
    with RowFile(tmp_path / "rows", COMMENT, format) as file:
        file.write(ROWS)
        file.write(ROWS[::-1])
    assert list(read_rows(tmp_path / "rows", format)) == ROWS + ROWS[::-1]
    with RowFile(tmp_path / "none", COMMENT, format):
        pass
    assert list(read_rows(tmp_path / "none", format)) == []


@pytest.mark.parametrize("format", BOTH)
def test_conversations_come_back_as_they_were(tmp_path, format, monkeypatch):
    monkeypatch.setattr(row_files, "BATCH", 2)
    turns = (Turn("A", "How are\nyou?"), Turn("B", "☃"))
    metas = [
        {"subreddit": "s", "scores": [1, None], "created": None},
        {"subreddit": "", "scores": [None, -3], "created": 7},
    ]
    written = [Conversation(f"t3_x/{n}", "t3_x", turns, metas[n % 2]) for n in range(5)]
    assert write_conversations(tmp_path / "rows", iter(written), format) == 5
    found = list(read_conversations(tmp_path / "rows", format))
    assert found == written and [c.meta for c in found] == [c.meta for c in written]


def test_without_pyarrow_there_are_json_lines(monkeypatch):
    monkeypatch.setattr(row_files, "missing", lambda name: "pyarrow is not installed. To get it: …")
    assert chosen(None) == chosen("jsonl") == "jsonl"
    with pytest.raises(ValueError, match='pyarrow is not installed. To get it: …; or give format="jsonl"'):
        chosen("parquet")
    with pytest.raises(ValueError, match="format is 'csv': give one of jsonl, parquet"):
        chosen("csv")


@needs_pyarrow
def test_with_pyarrow_there_is_parquet():
    assert chosen(None) == chosen("parquet") == "parquet"


def write(path, text: str, settings: dict) -> None:
    with whole(path, settings) as (hidden, report):
        (hidden / "text").write_text(text)
        report["length"] = len(text)


def test_work_is_known_again_by_its_settings(tmp_path):
    path, settings = tmp_path / "rows" / "month", {"parts": 3}
    assert finished(path, settings) is None
    write(path, "first", settings)
    assert finished(path, settings) == {"settings": settings, "length": 5}
    assert finished(path, {"parts": 4}) is None
    write(path, "another", {"parts": 4})
    assert finished(path, {"parts": 4})["length"] == 7 and (path / "text").read_text() == "another"
    assert [p.name for p in path.parent.iterdir()] == ["month"]
    (path / "report.json").write_text("{brok")
    assert finished(path, {"parts": 4}) is None


def test_what_fails_leaves_nothing_and_spoils_nothing(tmp_path):
    write(tmp_path / "month", "first", {})
    with pytest.raises(KeyboardInterrupt), whole(tmp_path / "month", {}) as (hidden, _):
        (hidden / "text").write_text("half")
        raise KeyboardInterrupt
    assert (tmp_path / "month" / "text").read_text() == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["month"]


def test_of_two_who_do_the_same_one_stays(tmp_path, monkeypatch):
    rmtree = shutil.rmtree

    def slow(path, **options):
        rmtree(path, **options)
        if path.name == "month" and not path.exists():
            monkeypatch.setattr(row_files.shutil, "rmtree", rmtree)
            write(tmp_path / "month", "the other's", {})

    monkeypatch.setattr(row_files.shutil, "rmtree", slow)
    write(tmp_path / "month", "mine", {})
    assert (tmp_path / "month" / "text").read_text() == "the other's"
    assert [p.name for p in tmp_path.iterdir()] == ["month"]


KILLED = """
import os, signal
from pathlib import Path
from helpers.corpus.dumps.row_files import whole
with whole(Path({path!r}), {{}}) as (hidden, report):
    (hidden / "text").write_text("half")
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
"""


def test_what_a_killed_process_leaves_is_never_seen_and_swept_away(tmp_path):
    code = KILLED.format(path=str(tmp_path / "month"))
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".month.") and finished(tmp_path / "month", {}) is None
    write(tmp_path / "month", "whole", {})
    sweep(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["month"]


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OSError, match="cannot write .*month: part of this path is a file"),
        whole(tmp_path / "file" / "month", {}),
    ):
        pass
