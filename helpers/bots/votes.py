"""Votes that you cast, kept in one file on your own computer; nothing is sent anywhere (used in notebook 15).

The file is a list of JSON objects, one a line (JSON Lines, UTF-8), each a vote:

    {"id": "5c0e…", "time": "2024-05-01T09:30:00+00:00", "voter": "9f3a61c2", "prompt": "t3_1a2b", "left": "gpt", "right": "rnn",
     "winner": "left"}

``id`` is 32 random hexadecimal digits, so that the same vote in two files counts once; ``time`` is UTC; ``voter`` is a random
name unless you choose one; ``prompt`` is text or a whole number; ``winner`` is "left", "right", "tie" or "both bad". More keys
may follow. Delete the file, and your votes are gone.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import helpers
from helpers.bots.vote_lines import append_line, locked, read_lines
from helpers.evaluation.comparisons import Vote, check_votes
from helpers.io import write_bytes


def usual_file() -> Path:
    """Return where your votes are kept: the path in the environment variable HELPERS_VOTES, else build/votes/votes.jsonl.

    In a clone that is beside the notebooks, where git does not see it; in an installed copy, where the notebook runs.
    """
    if chosen := os.environ.get("HELPERS_VOTES"):
        return Path(os.path.expanduser(chosen))
    root = Path(helpers.__file__).resolve().parents[1]
    return (root if (root / "notebooks").is_dir() else Path.cwd()) / "build" / "votes" / "votes.jsonl"


VOTES_FILE = usual_file()
KEYS = ("id", "time", "voter", "prompt", "left", "right", "winner")


class VoteFile:
    """The votes in one file, ``path`` (VOTES_FILE by default); it is made with the first vote.

    Several windows may have it open at once. Lines that are no votes, as after a power cut, never stop you: whenever the file is
    read they move to a second one, NAME.damaged.jsonl, and ``report`` says so ("" where all is well). ``voter`` is your name in
    new votes: the one given, else that of the file's last vote, else a random one. Raises ValueError where ``path`` is a folder.
    """

    def __init__(self, path: str | os.PathLike | None = None, voter: str | None = None):
        self.path = Path(os.path.expanduser(VOTES_FILE if path is None else path))
        if self.path.is_dir():
            raise ValueError(
                f"{self.path} is a folder: give the path of a file in it, such as {self.path / 'votes.jsonl'}"
            )
        if voter is not None and not (isinstance(voter, str) and voter.strip()):
            raise ValueError("a voter's name is some text; leave it out for a random one")
        self.report = ""
        records = self.records()
        self.voter = voter or (records[-1]["voter"] if records else "") or secrets.token_hex(4)

    @property
    def damaged_path(self) -> Path:
        """Where damaged lines are kept."""
        return self.path.with_name(f"{self.path.stem}.damaged.jsonl")

    def add(self, prompt, left: str, right: str, winner: str, **details) -> str:
        """Append a vote and return its id; it is on the disk, as a whole line, when this returns.

        ``details`` are further keys, such as ``seconds=4.2``. Raises ValueError for what is no vote, or cannot be written as
        JSON, and OSError, saying what to do, where the disk is full or not ours; the file then stays as it was.
        """
        values = (secrets.token_hex(16), _now(), self.voter, *check_votes([(prompt, left, right, winner)])[0][:4])
        record = dict(zip(KEYS, values))
        wrong = [*(key for key in details if key in KEYS), *_faults(record)]
        if wrong:
            raise ValueError(
                f"this is no vote to keep: look at {', '.join(wrong)} (see the top of helpers/bots/votes.py)"
            )
        try:
            line = json.dumps({**record, **details}, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"a detail of a vote must be text, a finite number, or lists of these: {error}") from error
        with locked(self.path):
            append_line(self.path, line.encode())
        return record["id"]

    def records(self) -> list[dict]:
        """Return all votes as they stand in the file, a dict each, the oldest first; read anew each time."""
        if not self.path.exists():
            return []
        try:
            with locked(self.path):
                whole, damaged, records = _parsed(self.path)
                if damaged:
                    for line in damaged:  # first kept, then taken away: a crash between the two loses nothing
                        append_line(self.damaged_path, line)
                    write_bytes(self.path, b"".join(line + b"\n" for line in whole))
                    self.report = f"{_amount(len(damaged), 'damaged line')} moved from {self.path.name} to "
                    self.report += f"{self.damaged_path.name}; {_amount(len(whole), 'vote')} whole."
        except OSError as error:  # a folder that may only be read
            _, damaged, records = _parsed(self.path)
            if damaged:
                self.report = f"{_amount(len(damaged), 'damaged line')} left out, and could not be moved: {error}."
        return list({record["id"]: record for record in reversed(records)}.values())[::-1]

    def votes(self) -> list[Vote]:
        """Return all votes as `Vote`s, the oldest first; read anew each time."""
        return [_vote(record) for record in self.records()]


@dataclass(frozen=True)
class Merged:
    """The votes of several ``files`` as dicts (``records``), each id once.

    ``doubles`` were in more than one file; of ``conflicts``, ids with two different votes, the first was kept; ``damaged`` lines
    were left out. ``words`` says all this in a sentence.
    """

    records: list[dict]
    files: list[Path]
    doubles: int
    conflicts: int
    damaged: int

    @property
    def votes(self) -> list[Vote]:
        return [_vote(record) for record in self.records]

    @property
    def words(self) -> str:
        voters = len({record["voter"] for record in self.records})
        parts = [
            f"{_amount(len(self.records), 'vote')} by {_amount(voters, 'voter')} in {_amount(len(self.files), 'file')}",
            f"{_amount(self.doubles, 'double')} counted once" if self.doubles else "",
            f"{_amount(self.conflicts, 'id')} with two different votes, the first is kept" if self.conflicts else "",
            f"{_amount(self.damaged, 'damaged line')} left out" if self.damaged else "",
        ]
        return "; ".join(part for part in parts if part) + "."


def merge_votes(paths: str | os.PathLike | Iterable[str | os.PathLike]) -> Merged:
    """Read a folder of vote files (all its .jsonl files, those of its folders too), or several files, and count each vote once.

    The files stay as they are; the order of the votes is that of their time. Raises FileNotFoundError for a file that is missing
    and ValueError where there is no file.
    """
    files = _files(paths)
    merged: dict[str, dict] = {}
    doubles = conflicts = damaged_lines = 0
    for file in files:
        _, damaged, records = _parsed(file)
        damaged_lines += len(damaged)
        for record in records:
            first = merged.setdefault(record["id"], record)
            doubles += first is not record and first == record
            conflicts += first != record
    records = sorted(merged.values(), key=lambda record: (record["time"], record["id"]))
    return Merged(records, files, doubles, conflicts, damaged_lines)


def _files(paths) -> list[Path]:
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    files: list[Path] = []
    for path in (Path(os.path.expanduser(path)) for path in paths):
        if path.is_dir():
            found = sorted(path.rglob("*.jsonl"))
            files += [file for file in found if file.name[0] != "." and not file.name.endswith(".damaged.jsonl")]
        elif path.is_file():
            files.append(path)
        else:
            raise FileNotFoundError(f"there is no file or folder {path}: give a folder with your class's vote files")
    if not files:
        raise ValueError(
            "there is no vote file (.jsonl) to merge: put your class's files into one folder, and give its path"
        )
    return list(dict.fromkeys(files))


# --- one record --------------------------------------------------------------------------------------------------------


def _parsed(path: Path) -> tuple[list[bytes], list[bytes], list[dict]]:
    """Return the lines of a file that are votes, those that are not, and the votes."""
    whole, damaged, records = [], [], []
    for line in read_lines(path):
        try:
            record = json.loads(line.decode("utf-8-sig"))
        except (UnicodeDecodeError, ValueError, RecursionError):
            record = None
        if isinstance(record, dict) and not _faults(record):
            whole.append(line)
            records.append(record)
        else:
            damaged.append(line)
    return whole, damaged, records


def _faults(record: dict) -> list[str]:
    """Return the keys of a record that are not as the top of this file says."""
    wrong = [key for key in KEYS if not (isinstance(record.get(key), str) and record[key])]
    if "prompt" in wrong and type(record.get("prompt")) is int:
        wrong.remove("prompt")
    if not wrong:
        try:
            check_votes([_vote(record)])
        except ValueError:
            wrong = ["winner" if record["left"] != record["right"] else "left"]
    return wrong


def _vote(record: dict) -> Vote:
    return Vote(*(record[key] for key in ("prompt", "left", "right", "winner", "voter")))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _amount(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")
