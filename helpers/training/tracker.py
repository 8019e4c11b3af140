"""A tracker of training runs with the calls of Weights & Biases, without an account, a network or another package (notebook 10).

    from helpers.training import tracker as wandb

    run = wandb.init(project="chat", name="first", config={"learning_rate": 0.02})
    fit(model, batches, steps=500, callbacks=[log_to(run)])
    run.summary["bits per byte"] = 1.47
    run.finish()
    compare_runs("chat")                            # of ``helpers.training.tracked_runs``

If you have Weights & Biases (``pip install wandb``), write ``import wandb`` instead: ``init``, ``log``, ``config``, ``summary``
and ``finish`` are called in the same way, and with ``wandb.init(mode="offline")`` no account is needed. ``import trackio as
wandb`` has ``init``, ``log``, ``config`` and ``finish``, and keeps the runs on your computer. ``log_to`` takes the runs of both.

A run is one file, FOLDER/PROJECT/NAME.jsonl, with one JSON object a line in the order in which things happened, each with its
"kind" and "seconds" since the beginning:

    {"kind": "init", "format": 1, "project": …, "name": …, "started": "2026-11-28T20:00:00+00:00", "config": {…}, "seconds": 0.0}
    {"kind": "config", "values": {…}, "seconds": …}             settings that were added or changed later
    {"kind": "log", "step": 3, "values": {"loss": 2.31}, "seconds": …}
    {"kind": "summary", "values": {…}, "seconds": …}            one number per run, set by hand
    {"kind": "finish", "exit_code": 0, "seconds": …}            0: it ended well

A line is written at once, so a run that was interrupted keeps what it logged; a last line that was cut off is left out. Numbers
that JSON does not know (NaN, infinity) are written as strings and read back as numbers.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import datetime, timezone
from itertools import count
from pathlib import Path

from helpers.io import clear_disk_errors
from helpers.training.history import COLUMNS, History

FOLDER, PROJECT, FORMAT = "runs", "one-conversation", 1
run: Run | None = None  # the current one: that of the latest ``init`` that has not finished


class Values(MutableMapping):
    """A dict whose changes are written to the run's file; ``config.rate`` is ``config["rate"]``."""

    def __init__(self, changed: Callable[[dict], None], values: Mapping = ()):
        self.__dict__.update(_changed=changed, _values=dict(values))

    def __getitem__(self, key):
        return self._values[key]

    def __setitem__(self, key, value) -> None:
        self.update({key: value})

    def __delitem__(self, key) -> None:
        raise TypeError(f"{key!r} is written already: a run's record is added to, nothing is taken away")

    def __iter__(self) -> Iterator:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str):
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(
                f"nothing called {name!r} is written; known are {', '.join(map(str, self)) or 'none'}"
            ) from None

    def __setattr__(self, name: str, value) -> None:
        self[name] = value

    def update(self, *values, **more) -> None:
        """Change several at once, a single line in the file."""
        new = dict(*values, **more)
        self._changed(new)
        self._values.update(new)

    def __repr__(self) -> str:
        return repr(self._values)


class Run:
    """One training run and its file, ``path``; as a context manager it finishes itself, with exit code 1 after an error."""

    def __init__(self, project: str, name: str, config: Mapping, path: Path):
        self.project, self.name, self.path, self.step = project, name, path, 0
        self._began, self._finished = time.perf_counter(), False
        with clear_disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "x", encoding="utf-8", newline="\n")  # as long as the run is
        started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        named = {"format": FORMAT, "project": project, "name": name, "started": started}
        self._write("init", **named, config=dict(config))
        self.config = Values(lambda values: self._write("config", values=values), config)
        self.summary = Values(lambda values: self._write("summary", values=values))

    def log(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Write down numbers by name, those of one step of the training; without ``step`` it is the one after the last.

        Raises ValueError for a step before the last one, and after ``finish``.
        """
        step = self.step if step is None else int(step)
        if step < self.step - 1:
            raise ValueError(f"step {step} comes after step {self.step - 1}: steps may not go back; start a new run")
        self._write("log", step=step, values=dict(values))
        self.step = step + 1

    def finish(self, exit_code: int = 0) -> None:
        """Close the file; a second time nothing happens."""
        global run
        if not self._finished:
            self._write("finish", exit_code=exit_code)
            self._finished = True
            self._file.close()
        if run is self:
            run = None

    def _write(self, kind: str, **what) -> None:
        if self._finished:
            raise ValueError(f"the run {self.name!r} has finished: start another with init()")
        line = {"kind": kind, **_plain(what), "seconds": round(time.perf_counter() - self._began, 3)}
        text = json.dumps(line, ensure_ascii=False, allow_nan=False)
        with clear_disk_errors(self.path):
            self._file.write(text + "\n")
            self._file.flush()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind, *error) -> None:
        self.finish(int(kind is not None))


# --- Weights & Biases' calls -------------------------------------------------------------------------------------------


def init(
    project: str = PROJECT,
    name: str | None = None,
    config: Mapping | None = None,
    dir: str | os.PathLike | None = None,
    mode: str = "offline",
) -> Run:
    """Begin a run and make it the current one; one that is still open is finished first, as wandb does in a notebook.

    ``dir`` is the folder of all projects ("runs" if not given); without a name the run gets the first number that is free.
    ``mode`` is Weights & Biases': here every run is offline, whatever it says.
    Raises ValueError for names that cannot be a file's, and for a name that the project has already; OSError in a sentence
    when the folder cannot be written.
    """
    global run
    for kind, word in (("project", project), ("name", name)):
        if word is not None and not re.fullmatch(r"[\w][\w .+=-]*", word):
            raise ValueError(
                f"the {kind} {word!r} cannot be the name of a file: use letters, digits, spaces and . + = -"
            )
    folder = Path(os.path.expanduser(FOLDER if dir is None else dir)) / project
    if name is None:
        name = next(word for number in count(1) if not (folder / f"{(word := f'run-{number}')}.jsonl").exists())
    path = folder / f"{name}.jsonl"
    if path.exists():
        raise ValueError(
            f"the project {project!r} has a run {name!r} already ({path}): choose another name, or delete that file"
        )
    new = Run(project, name, config or {}, path)
    if run is not None:
        run.finish()
    run = new
    return run


def log(values: Mapping[str, float], step: int | None = None) -> None:
    """Write down numbers in the current run. Raises ValueError when there is none. See ``Run.log``."""
    _current().log(values, step)


def finish(exit_code: int = 0) -> None:
    """Finish the current run, if there is one."""
    if run is not None:
        run.finish(exit_code)


def __getattr__(name: str):
    """``tracker.config`` and ``tracker.summary`` are those of the current run."""
    if name in ("config", "summary"):
        return getattr(_current(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _current() -> Run:
    if run is None:
        raise ValueError("there is no run: begin one with init()")
    return run


def log_to(run, every: int = 1, prefix: str = "") -> Callable:
    """Return a callback for ``fit`` that logs loss, learning rate, gradient norm and tokens every ``every`` steps.

    ``run`` is any object with ``log(values, step=…)``: a run of this tracker, of wandb or of trackio, or one of these modules.
    "validation" stands beside them, at the next step that is logged, whenever it was measured anew. Raises ValueError for an
    ``every`` below 1.
    """
    if every < 1:
        raise ValueError(f"every is {every}: give at least 1 step")
    validated = 0

    def callback(history: History, model) -> None:
        nonlocal validated
        if history.steps % every:
            return
        row = dict(zip(COLUMNS, history.rows[-1]))
        values = {prefix + key: row[key] for key in ("loss", "learning_rate", "gradient_norm", "tokens")}
        if history.validation_step > validated:
            validated = history.validation_step
            before = history.rows[validated - history.rows[0][0]]
            values[prefix + "validation"] = before[COLUMNS.index("validation")]
        run.log(values, step=history.steps)

    return callback


def _plain(value):
    """Return ``value`` as JSON knows it: numbers of NumPy and torch as Python's, those that are none as strings."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if hasattr(value, "tolist"):  # an array, a tensor, or a number of theirs
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value if isinstance(value, (str, int, float, type(None))) else str(value)
