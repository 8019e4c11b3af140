"""The one loop of the long runs: whatever a table lacks is run, and the table is written after each run."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol


class Run(Protocol):
    """One training with its settings; ``key`` is the part of a table's row that says which run the row is of."""

    @property
    def key(self) -> dict[str, Any]: ...


def run_missing(
    runs: Iterable[Run], rows: list[dict], execute: Callable[[Any], list[dict]], write: Callable[[list[dict]], None]
) -> None:
    """Execute every run that has no row in the table ``rows`` yet, and add the rows it returns.

    ``write(rows)`` is called after each, so a command that was interrupted goes on where it was.
    """
    for run in runs:
        if any(run.key.items() <= row.items() for row in rows):
            continue
        rows += execute(run)
        write(rows)
        print(*(f"{name} {value}" for name, value in rows[-1].items()), sep=", ", flush=True)


def check_finished(history) -> None:
    """Raise ValueError for a History of ``fit`` that was stopped: half a training must not become a row."""
    if history.stopped:
        raise ValueError(f"{history.stopped} This run has no row; the same command begins it again.")
