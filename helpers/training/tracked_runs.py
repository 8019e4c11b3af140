"""Reads the runs that the tracker wrote, and compares them in a table (notebook 10). The file is described in ``tracker``."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

from helpers.training.tracker import FOLDER, FORMAT, PROJECT

NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def read_run(path: str | os.PathLike):
    """Return ``(config, frame, summary)`` of a run's file: two dicts, and a DataFrame with step, seconds and all logged names.

    A row per step: what was logged at one step in several calls stands together. Raises ValueError for a file that is none of
    this tracker's, or is damaged before its last line.
    """
    import pandas

    config, summary, rows = {}, {}, {}
    for line in _lines(path):
        if line["kind"] == "log":
            row = rows.setdefault(line["step"], {"step": line["step"], "seconds": line["seconds"]})
            row.update(line["values"])
        elif line["kind"] == "summary":
            summary.update(line["values"])
        else:
            config.update(line.get("config", line.get("values", {})))
    return config, pandas.DataFrame(list(rows.values())), summary


def compare_runs(project: str = PROJECT, dir: str | os.PathLike | None = None):
    """Return a DataFrame with a row per run of a project, in the order of their beginning.

    Columns: "name", "state" ("finished", "failed", or "running": it did not finish), "steps", "seconds", then each setting as
    "config.NAME", the last value of each logged name, and each number of the summary as "summary.NAME". Raises ValueError
    when the project has no run.
    """
    import pandas

    folder, rows = Path(os.path.expanduser(FOLDER if dir is None else dir)) / project, []
    for path in sorted(folder.glob("*.jsonl")):
        lines, (config, frame, summary) = _lines(path), read_run(path)
        first, last = lines[0], lines[-1]
        state = "running" if last["kind"] != "finish" else "failed" if last["exit_code"] else "finished"
        row = {"name": first["name"], "state": state, "steps": len(frame), "seconds": last["seconds"]}
        row |= {f"config.{key}": value for key, value in config.items()}
        logged = {key: frame[key].dropna() for key in frame if key not in ("step", "seconds")}
        row |= {key: values.iloc[-1] for key, values in logged.items() if len(values)}
        row |= {f"summary.{key}": value for key, value in summary.items()}
        rows.append((first["started"], path.stat().st_mtime, row))
    if not rows:
        raise ValueError(f"there is no run in {folder}: log one first, with init(project={project!r})")
    return pandas.DataFrame([row for *_, row in sorted(rows, key=lambda each: each[:2])])


def _lines(path: str | os.PathLike) -> list[dict]:
    """Return the objects of a run's file; raises ValueError as ``read_run`` says."""
    text = Path(path).read_text(encoding="utf-8")
    whole, lines = text.splitlines(), []
    for number, line in enumerate(whole, 1):
        try:
            lines.append(_numbers(json.loads(line)))
        except ValueError:
            if number < len(whole) or text.endswith("\n"):
                raise ValueError(f"{path} is damaged in line {number}: that line is no JSON object") from None
    if (
        not lines
        or not isinstance(lines[0], dict)
        or lines[0].get("kind") != "init"
        or lines[0].get("format") != FORMAT
    ):
        raise ValueError(
            f"{path} was not written by this tracker: it must begin with a line of the kind init, format {FORMAT}"
        )
    return lines


def _numbers(value):
    """Return a value as it was before it became JSON: the names of numbers that JSON does not know are numbers again."""
    if isinstance(value, dict):
        return {key: _numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_numbers(part) for part in value]
    return NUMBERS.get(value, value) if isinstance(value, str) else value
