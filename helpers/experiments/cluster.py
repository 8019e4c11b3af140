"""The measurement behind notebook 13: is a corpus from a cluster that of one machine, whatever happens on the way?

    python -m helpers experiments dask_corpus                       measure: writes data/cluster.csv (four minutes on two cores)
    python -m helpers experiments dask_corpus FOLDER                two workers on this computer, then the corpus and its digest
    python -m helpers experiments dask_corpus FOLDER --kill 2       … of which two are killed on the way
    python -m helpers experiments dask_corpus FOLDER --scheduler tcp://host:8786 --out SHARED

Invented months (``corpus.dumps.synthetic``) are made into a corpus by ``load``, by two Dask workers, by two of which one is
killed in each of two stages, and, with one month's file cut off, by both again. Each row has the digest of the corpus; the
months are removed at the end.
"""

import os
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from helpers import data_path
from helpers.corpus.conversations import SPLITS, Corpus, digest
from helpers.corpus.dumps.archives import decoded
from helpers.corpus.dumps.from_months import build
from helpers.corpus.dumps.synthetic import write_months
from helpers.corpus.load import load
from helpers.experiments.dask_corpus import DaskEngine
from helpers.io import write_rows

COLUMNS = (
    "run", "workers", "killed", "months", "megabytes", "packed_megabytes", "comments", "conversations", "peak_megabytes",
    "broken_off", "digest"
)  # fmt: skip
STAGES = ("scatter", "gather")  # in which workers are killed, one after the other
WORKERS, KEPT = 2, 0.6  # the share of its bytes that the broken month keeps


class Sizes(NamedTuple):
    """How much is invented, and in which of the first seconds of a stage a worker is killed."""

    months: int = 6
    comments: int = 210_000  # of a month
    parts: int = 32
    delay: float = 3.0


FULL = Sizes()
TINY = Sizes(months=2, comments=300, parts=3, delay=0.0)


def measure(folder: Path, sizes: Sizes = FULL) -> list[dict]:
    """Return the rows of the table; all files are in ``folder``."""
    months = write_months(folder / "months", sizes.months, sizes.comments)
    packed, size = sum(path.stat().st_size for path in months), sum(map(unpacked, months))
    rows = []

    def row(run: str, corpus: Corpus, engine: DaskEngine | None = None) -> None:
        broken = sum("breaks off" in warning for warning in corpus.card.warnings)
        counts = {
            "comments": corpus.card.counts["comments read"],
            "conversations": sum(len(getattr(corpus, s)) for s in SPLITS),
        }
        if engine:
            counts |= {"workers": engine.workers, "killed": engine.killed, "peak_megabytes": round(engine.peak / 1e6)}
        sizes = {"months": len(months), "megabytes": round(size / 1e6), "packed_megabytes": round(packed / 1e6)}
        rows.append({"run": run, **sizes, **counts, "broken_off": broken, "digest": digest(corpus)})
        print(*(f"{name} {value}" for name, value in rows[-1].items()), sep=", ", flush=True)

    def cluster(run: str, work: str, kill=()) -> None:
        with DaskEngine(WORKERS, kill=kill, delay=sizes.delay) as engine:
            corpus = build(folder / "months", folder / work, parts=sizes.parts, run=engine.run)
        row(run, corpus, engine)

    row("one machine", load(folder / "months"))
    cluster("cluster", "work")
    cluster("cluster, workers killed", "killed", STAGES)
    os.truncate(months[-2], int(KEPT * months[-2].stat().st_size))
    row("one machine, a month broken off", load(folder / "months"))
    cluster("cluster, a month broken off", "work")  # the other months are finished: only this one is scattered again
    return rows


def unpacked(path: Path) -> int:
    """Return the bytes of a dump's file when it is decoded."""
    return sum(map(len, decoded(path)))


def main(
    source: Path | None = None, workers: int = 2, scheduler: str | None = None, out: Path | None = None, kill: int = 0
) -> None:
    """Print the corpus of a folder of months and its digest; without a folder, write data/cluster.csv anew."""
    if source is None:
        return write_table()
    stages = [STAGES[number % len(STAGES)] for number in range(kill)]
    with tempfile.TemporaryDirectory(prefix="months-") if out is None else nullcontext(out) as folder:
        with DaskEngine(workers, scheduler, stages) as engine:
            corpus = build(source, folder, run=engine.run)
    print(corpus)
    print(corpus.card)
    print(f"Digest:   {digest(corpus)}")
    if scheduler is None:
        print(f"Workers:  {workers}, of which {engine.killed} were killed; at most {engine.peak / 1e6:.0f} MB each")


def write_table(sizes: Sizes = FULL) -> None:
    """Measure, and write data/cluster.csv anew."""
    with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
        rows = measure(Path(folder), sizes)
    write_rows(data_path() / "cluster.csv", COLUMNS, rows)
