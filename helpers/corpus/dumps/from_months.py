"""From a folder of months to a Corpus in stages that any engine can run: on one computer, or on many (notebook 13).

>>> corpus = build("months", "work")        # equal to helpers.corpus.load.load("months"), by way of files in "work"
"""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from helpers.corpus.cleaning import Filter
from helpers.corpus.conversations import Corpus
from helpers.corpus.dumps.archives import UnreadableFile
from helpers.corpus.dumps.convokit import utterances_file
from helpers.corpus.dumps.records import ReadStats
from helpers.corpus.dumps.reddit import comment_files
from helpers.corpus.dumps.row_files import chosen, sweep
from helpers.corpus.dumps.scatter_gather import count, gather, gathered, plain, scatter, sum_counts
from helpers.corpus.load import comments_card, split
from helpers.corpus.messages import first_few

Run = Callable[..., list]  # run(function, [arguments, …], **options) -> their results, in order
STAGES = ("rows", "texts", "repeats", "conversations")  # the folders of the work, in the order in which they are made


def run_here(function: Callable, arguments: list[tuple], **options) -> list:
    """Call the function with each tuple of arguments, in this process: the engine that needs nothing."""
    return [function(*each, **options) for each in arguments]


def build(
    source: str | os.PathLike,
    folder: str | os.PathLike,
    *,
    parts: int = 32,
    filter: Filter | None = None,
    pairs: bool = False,
    format: str | None = None,
    run: Run = run_here,
) -> Corpus:
    """Make a Corpus of a folder of months (or of one month) by way of files in ``folder``: what ``load`` makes, with its card.

    ``run`` is the engine: it gets a function, a list of tuples of arguments and options, and returns the results in order.
    Call it again after a crash, and it goes on where it stopped. Raises what ``scatter`` does; ValueError for a ConvoKit corpus
    and when ``folder`` holds other months; UnreadableFile when there is not one comment to be had.
    """
    source, folder = (Path(os.path.expanduser(path)).resolve() for path in (source, folder))
    if utterances_file(source):
        raise ValueError(f"{source.name} is a ConvoKit corpus, which has no months: use helpers.corpus.load.load")
    files, filter, format = comment_files(source), plain(filter), chosen(format)
    _sweep(folder)
    names = {path.name for path in files}
    if others := sorted(path.name for path in (folder / "rows").glob("[!.]*") if path.name not in names):
        raise ValueError(
            f"{folder} holds work on other months ({first_few(others)}): give another folder, or remove it"
        )
    months = run(scatter, [(str(path), str(folder)) for path in files], parts=parts, filter=filter, format=format)
    stats = _total(months)
    if not stats.comments:
        raise UnreadableFile(first_few(stats.problems, "; ", 900))
    every = [(str(folder), part) for part in range(parts)]
    if filter.same_text is not None:
        run(count, every, filter=filter)
        run(sum_counts, [(str(folder),)], filter=filter)
    threads = run(gather, every, filter=filter, pairs=pairs)
    counts = Counter()
    for report in months + threads:
        counts.update(report["counts"])
    _sweep(folder)
    return split(list(gathered(folder)), comments_card(source, _total(months + threads), counts))


def _sweep(folder: Path) -> None:
    for place in (folder, *(folder / stage for stage in STAGES)):
        sweep(place)


def _total(reports: list[dict]) -> ReadStats:
    """Add up the stats of reports, in their order, as one reader of all months would have counted."""
    total = ReadStats()
    for report in reports:
        for name, value in report["stats"].items():
            held = getattr(total, name)
            if isinstance(held, Counter):
                held.update(value)
            elif name == "first_bad_line":
                total.first_bad_line = held or (value and tuple(value))
            else:
                setattr(total, name, held + value)
    return total
