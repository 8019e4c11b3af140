"""Files that matter: written under a temporary name, then renamed; tables of numbers; hashes."""

import csv
import errno
import hashlib
import io
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

TEXT_FILES = {".json", ".jsonl", ".csv", ".txt", ".md"}  # git may check these out with other line ends
_DENIED = "you may not write there: choose another folder, or change its permissions"
_NO_FOLDER = "part of this path is a file, where a folder was to be: choose another folder"
_CURES = {
    "ENOSPC": "the disk is full: free some space, then try again",
    "EDQUOT": "your share of the disk is used up: delete something of yours, then try again",
    "EACCES": _DENIED,
    "EPERM": _DENIED,
    "ENOENT": "there is no such folder: choose another, or make it",
    "ENOTDIR": _NO_FOLDER,
    "EEXIST": _NO_FOLDER,
    "EROFS": "this disk is read-only: choose a folder on another one",
}


# --- whole files or none -----------------------------------------------------------------------------------------------


def write_bytes(path: str | os.PathLike, data: bytes) -> Path:
    """Write ``data`` to ``path`` by way of a temporary name beside it, so that a crash never leaves half a file.

    Folders that are missing are created, ``~`` is the home folder. Returns the path. Raises OSError, saying what to do, when
    the disk is full or the folder does not let us write; the file that was there before stays as it was.
    """
    path = Path(os.path.expanduser(path))
    with clear_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with open(handle, "wb") as file:
                file.write(data)
            os.chmod(temporary, 0o644)  # mkstemp makes private files; ours are meant to be read by all
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    return path


def write_text(path: str | os.PathLike, text: str) -> Path:
    """Write ``text`` as UTF-8, its line ends as they are. See ``write_bytes``."""
    return write_bytes(path, text.encode("utf-8"))


@contextmanager
def clear_disk_errors(place: str | os.PathLike) -> Iterator[None]:
    """Raise the system's errors about a disk or a folder again, of the same kind, as a sentence that says what to do."""
    try:
        yield
    except OSError as error:
        cure = _CURES.get(errno.errorcode.get(error.errno))
        if cure is None:
            raise
        raise type(error)(f"cannot write {place}: {cure}") from error


# --- tables ------------------------------------------------------------------------------------------------------------


def read_rows(path: Path) -> list[dict]:
    """Return the rows of a table, numbers as numbers, None where nothing was measured; no file is no row."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: _value(text) for key, text in row.items()} for row in csv.DictReader(file)]


def write_rows(path: Path, columns, rows: Iterable[dict]) -> None:
    """Write a table anew, a dict per row, numbers with four digits after the point; what a row lacks is left empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_text(row.get(column)) for column in columns] for row in rows)
    write_text(path, text.getvalue())


def _value(text: str):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text or None


def _text(value) -> str:
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


# --- hashes ------------------------------------------------------------------------------------------------------------


def sha256(parts: Iterable[bytes]) -> str:
    """Return the SHA-256 of all ``parts``, one after the other, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def file_sha256(name: str | os.PathLike, data: bytes) -> str:
    """Return the SHA-256 of a file's content ``data``; that of a text (see TEXT_FILES) with LF line ends, whatever it has.

    So a checkout with CRLF line ends, the default of Git for Windows, has the same hashes.
    """
    return sha256([data.replace(b"\r\n", b"\n") if Path(name).suffix in TEXT_FILES else data])


# --- the terminal ------------------------------------------------------------------------------------------------------


def lenient_streams() -> None:
    """Let what the terminal cannot read or print become "?" (or "�"), where Python would end the program with an error."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not so where a notebook or a test put something else in its place
            stream.reconfigure(errors="replace")
