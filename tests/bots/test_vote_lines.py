"""Lines are appended whole: beside other writers, after a torn line, and when the disk is full."""

import errno
import multiprocessing
import os
import threading

import pytest

from helpers.bots import vote_lines
from helpers.bots.vote_lines import append_line, locked, read_lines


@pytest.fixture
def path(tmp_path):
    return tmp_path / "votes" / "lines.jsonl"


def write(path, who, lines):
    for number in range(lines):
        with locked(path):
            append_line(path, f"{who} {number} {'x' * 300}".encode())


def test_two_programs_and_two_threads_write_at_once(path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write, args=(path, who, 40)) for who in "ab"]
    writers += [threading.Thread(target=write, args=(path, who, 40)) for who in "cd"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    expected = [f"{who} {number} {'x' * 300}".encode() for who in "abcd" for number in range(40)]
    assert sorted(read_lines(path)) == sorted(expected)


def test_a_torn_line_does_not_spoil_the_next(path):
    path.parent.mkdir()
    path.write_bytes(b"whole\ntor")
    append_line(path, b"next")
    assert path.read_bytes() == b"whole\ntor\nnext\n"
    assert read_lines(path) == [b"whole", b"tor", b"next"]


def test_a_full_disk_leaves_the_file_as_it_was(path, monkeypatch):
    with locked(path):
        append_line(path, b"first")
    real, calls = os.write, []

    def full(file, data):
        calls.append(data)
        if len(calls) == 1:
            return real(file, data[:3])
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(vote_lines.os, "write", full)
    with pytest.raises(OSError, match="the disk is full: free some space"):
        append_line(path, b"second")
    assert path.read_bytes() == b"first\n" and len(calls) == 2


def test_a_short_write_goes_on(path, monkeypatch):
    path.parent.mkdir()
    real = os.write
    monkeypatch.setattr(vote_lines.os, "write", lambda file, data: real(file, data[:2]))
    append_line(path, b"in pieces")
    assert path.read_bytes() == b"in pieces\n"


def test_a_disk_without_locks_is_written_to_as_well(path, monkeypatch):
    if vote_lines.fcntl is None:
        pytest.skip("this computer has other locks")

    def none(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(vote_lines.fcntl, "flock", none)
    write(path, "a", 2)
    assert len(read_lines(path)) == 2


def test_lines_are_read_as_windows_wrote_them_too(path):
    assert read_lines(path) == []
    path.parent.mkdir()
    path.write_bytes(b"one\r\n\r\n  \ntwo")
    assert read_lines(path) == [b"one", b"two"]
    with pytest.raises(ValueError, match="no line end"):
        append_line(path, b"a\nb")
