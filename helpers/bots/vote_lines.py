"""Lines appended to a file that several programs write at once: whole or not at all (used by ``votes``, notebook 15)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.io import clear_disk_errors

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold ``path`` alone: other programs, and other threads, that ask for it wait until we are done, or have died.

    The lock is on a hidden file beside it, as the file itself may be replaced. Folders that are missing are made. Where a disk
    knows no locks, such as some network drives, nothing is held: each line is still one write. Raises OSError, saying what to do.
    """
    lock = path.with_name(f".{path.name}.lock")
    with clear_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(lock, "ab")
    with file:
        held = _hold(file)
        try:
            yield
        finally:
            if held and fcntl is None:
                _windows(file, release=True)


def append_line(path: Path, line: bytes) -> None:
    """Append a line (without its line end) to ``path`` and wait until the disk has it; hold ``locked(path)`` meanwhile.

    A last line that was left without its end is ended first, so that it cannot spoil this one. Raises OSError, saying what to do,
    where the line cannot be written in full; the file is then as it was.
    """
    if b"\n" in line:
        raise ValueError("a line has no line end in it: write two lines")
    with clear_disk_errors(path):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
        try:
            size = os.fstat(file).st_size
            os.lseek(file, max(size - 1, 0), os.SEEK_SET)
            data = (b"\n" if size and os.read(file, 1) != b"\n" else b"") + line + b"\n"
            try:
                written = os.write(file, data)
                while written < len(data):  # a disk that is nearly full takes a part, then complains
                    written += os.write(file, data[written:])
                os.fsync(file)
            except BaseException:
                os.ftruncate(file, size)
                raise
        finally:
            os.close(file)


def read_lines(path: Path) -> list[bytes]:
    """Return the lines of ``path`` without their ends, empty ones left out; no file is no line."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    lines = (line.strip(b"\r") for line in data.split(b"\n"))
    return [line for line in lines if line.strip()]


def _hold(file) -> bool:
    try:
        if fcntl is None:
            _windows(file)
        else:
            fcntl.flock(file, fcntl.LOCK_EX)  # given back when the file is closed
    except OSError:
        return False
    return True


def _windows(file, release: bool = False, seconds: float = 60.0) -> None:
    import msvcrt

    file.seek(0)
    if release:
        return msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
    end = time.monotonic() + seconds
    while True:
        try:
            return msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:  # another program holds it
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
