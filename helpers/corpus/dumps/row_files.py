"""Rows on disk, whole or not at all: as JSON lines, which need nothing, or as Parquet, which engines for large data read.

A piece of finished work is a folder with a ``report.json``. It is written under a hidden temporary name and renamed when
it is complete, so whoever looks for finished work never finds half of it, however the process that wrote it has ended.
Built in notebook 13.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from helpers.corpus.conversations import Conversation, Turn
from helpers.corpus.dumps.reddit import Comment
from helpers.extras import missing
from helpers.io import clear_disk_errors

FORMATS = ("jsonl", "parquet")
REPORT = "report.json"
BATCH = 2048  # rows of a Parquet file that are decoded together
COMMENT = Comment._fields
CONVERSATION = ("id", "thread", "speakers", "texts", "subreddit", "scores", "created")


def chosen(format: str | None) -> str:
    """Return the format to write: for None, Parquet where pyarrow is installed, else JSON lines.

    Raises ValueError, saying what to do, for another format, and for Parquet without pyarrow.
    """
    absent = missing("pyarrow")
    if format is None:
        return "jsonl" if absent else "parquet"
    if format not in FORMATS:
        raise ValueError(
            f"format is {format!r}: give one of {', '.join(FORMATS)}, or None for the best that is installed"
        )
    if format == "parquet" and absent:
        raise ValueError(f'{absent}; or give format="jsonl"')
    return format


# --- finished or not -----------------------------------------------------------------------------------------------------


@contextmanager
def whole(path: Path, settings: dict) -> Iterator[tuple[Path, dict]]:
    """Give a hidden folder to write in and a dict to report in; when the block ends well, the folder is renamed to ``path``.

    The report has the ``settings``, by which ``finished`` knows this work again. When the block fails, nothing is left; when
    the process is killed, a hidden folder is (see ``sweep``). A folder that was at ``path`` is replaced. Raises OSError, saying
    what to do, when the disk is full or cannot be written.
    """
    with clear_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        report = {"settings": settings}
        yield temporary, report
        report.update(json.loads(json.dumps(report)))  # as it will be read again: a Counter is a dict there
        with clear_disk_errors(path):
            (temporary / REPORT).write_text(json.dumps(report, indent=1), encoding="utf-8")
            temporary.chmod(0o755)  # mkdtemp makes private folders; ours are meant to be read by all
            shutil.rmtree(path, ignore_errors=True)
            try:
                os.replace(temporary, path)
            except OSError:
                if not path.is_dir():
                    raise
                # Another process has done the same work meanwhile. An engine that loses sight of a worker may ask twice.
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def finished(path: Path, settings: dict) -> dict | None:
    """Return the report of the work in the folder ``path``, or None if it isn't done, or was done with other settings."""
    report = read_report(path)
    return report if report and report["settings"] == settings else None


def read_report(path: Path) -> dict | None:
    """Return the report of finished work in the folder ``path``, or None if there is none."""
    try:
        return json.loads((path / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def sweep(folder: Path) -> None:
    """Remove the hidden folders that processes left in ``folder`` when they were killed. Nobody may be writing there now."""
    for path in folder.glob(".*.*"):
        shutil.rmtree(path, ignore_errors=True)


# --- rows ----------------------------------------------------------------------------------------------------------------


class RowFile:
    """A file of rows that grows by batches: plain tuples with the fields of COMMENT, or of CONVERSATION.

    ``stem`` is the path without a suffix. Close it, or use it in a ``with`` statement.
    """

    def __init__(self, stem: Path, columns: tuple[str, ...], format: str):
        self.columns = columns
        if format == "parquet":
            from pyarrow.parquet import ParquetWriter

            self.file = ParquetWriter(f"{stem}.parquet", _schema(columns), compression="zstd")
        else:
            self.file = open(f"{stem}.jsonl", "w", encoding="utf-8", newline="\n")

    def write(self, rows: list[tuple]) -> None:
        """Append rows. Raises OSError, saying what to do, when the disk is full."""
        with clear_disk_errors("rows"):
            if hasattr(self.file, "write_table"):
                import pyarrow

                columns = [list(column) for column in zip(*rows, strict=True)]
                self.file.write_table(pyarrow.table(columns, schema=_schema(self.columns)))
            else:
                self.file.writelines(json.dumps(dict(zip(self.columns, row, strict=True))) + "\n" for row in rows)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


def read_rows(stem: Path, format: str) -> Iterator[tuple]:
    """Yield the rows of a RowFile, holding few of them."""
    if format == "parquet":
        from pyarrow.parquet import ParquetFile

        with ParquetFile(f"{stem}.parquet") as file:
            for batch in file.iter_batches(BATCH):
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    else:
        with open(f"{stem}.jsonl", encoding="utf-8") as file:
            yield from (tuple(json.loads(line).values()) for line in file)


def write_conversations(stem: Path, conversations: Iterable[Conversation], format: str) -> int:
    """Write conversations as rows of CONVERSATION; return how many there were."""
    rows, number = map(_row_of, conversations), 0
    with RowFile(stem, CONVERSATION, format) as file:
        while batch := list(islice(rows, BATCH)):
            file.write(batch)
            number += len(batch)
    return number


def read_conversations(stem: Path, format: str) -> Iterator[Conversation]:
    """Yield the conversations of a file, equal to those that were written."""
    for id, thread, speakers, texts, subreddit, scores, created in read_rows(stem, format):
        turns = tuple(map(Turn, speakers, texts))
        yield Conversation(id, thread, turns, {"subreddit": subreddit, "scores": scores, "created": created})


def _row_of(conversation: Conversation) -> tuple:
    speakers, texts = zip(*((turn.speaker, turn.text) for turn in conversation.turns), strict=True)
    meta = conversation.meta
    return conversation.id, conversation.thread, speakers, texts, meta["subreddit"], meta["scores"], meta["created"]


def _schema(columns: tuple[str, ...]):
    import pyarrow as pa

    kinds = {"score": pa.int64(), "created": pa.int64(), "stickied": pa.bool_(), "scores": pa.list_(pa.int64())}
    kinds |= dict.fromkeys(("speakers", "texts"), pa.list_(pa.string()))
    return pa.schema([(name, kinds.get(name, pa.string())) for name in columns])
