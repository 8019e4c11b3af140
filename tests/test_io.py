"""Files that matter are whole or not there; tables give back what was written; hashes survive line ends."""

import errno
import os
from pathlib import Path

import pytest

from helpers import io


def test_files_are_replaced_whole_and_nothing_else_is_left_behind(tmp_path, monkeypatch):
    path = tmp_path / "new" / "a.txt"
    assert io.write_text(path, "näu\r\n") == path and path.read_bytes() == "näu\r\n".encode()
    assert path.stat().st_mode & 0o777 == 0o644
    with pytest.raises(TypeError):
        io.write_bytes(path, "text")
    io_error = OSError(errno.EIO, "the disk is broken")
    monkeypatch.setattr(os, "replace", lambda old, new: (_ for _ in ()).throw(io_error))
    with pytest.raises(OSError, match="the disk is broken"):  # unknown faults keep their own words
        io.write_text(path, "new")
    assert path.read_bytes() == "näu\r\n".encode() and os.listdir(path.parent) == ["a.txt"]


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, OSError, "disk is full: free some space"),
        (errno.EACCES, PermissionError, "choose another folder"),
        (errno.EROFS, OSError, "read-only: choose a folder on another"),
        (errno.ENOENT, FileNotFoundError, "no such folder: choose another"),
        (errno.ENOTDIR, NotADirectoryError, "part of this path is a file, where a folder was to be: choose another"),
    ],
)
def test_a_full_disk_or_a_closed_folder_says_what_to_do(tmp_path, monkeypatch, number, kind, words):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def refuse(*arguments, **settings):
        raise OSError(number, os.strerror(number))

    for name in ("mkstemp", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(io.tempfile if name == "mkstemp" else os, name, refuse)
            with pytest.raises(kind, match=words) as error:
                io.write_bytes(path, b"new")
            assert str(path) in str(error.value) and "Errno" not in str(error.value)
            assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this computer has no device that is always full")
def test_other_code_can_explain_a_full_disk_too():
    with pytest.raises(OSError, match="cannot write /dev/full: the disk is full"), io.clear_disk_errors("/dev/full"):
        with open("/dev/full", "wb") as file:
            file.write(b"new")


def test_tables_give_back_what_was_written(tmp_path):
    path = tmp_path / "a.csv"
    rows = [
        {"run": 'a comma, a "quote"', "seed": 3, "loss": 2.123456, "rate": 1e-4},
        {"run": "two\nlines", "loss": 2.0, "seed": None, "more": "left out"},
    ]
    io.write_rows(path, ("run", "seed", "loss", "rate"), rows)
    assert path.read_bytes().decode() == (
        'run,seed,loss,rate\n"a comma, a ""quote""",3,2.1235,0.0001\n"two\nlines",,2,\n'
    )
    assert io.read_rows(path) == [
        {"run": 'a comma, a "quote"', "seed": 3, "loss": 2.1235, "rate": 0.0001},
        {"run": "two\nlines", "seed": None, "loss": 2, "rate": None},
    ]
    assert io.read_rows(tmp_path / "none.csv") == []


def test_hashes_of_texts_survive_other_line_ends_and_those_of_numbers_do_not():
    assert io.sha256([b"a", b"bc"]) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2
    unix, windows = b'{\n"a": "\\r\\n"\n}\n', b'{\r\n"a": "\\r\\n"\r\n}\r\n'
    for name in ("card.json", "table.csv"):
        assert io.file_sha256(name, windows) == io.file_sha256(name, unix) == io.sha256([unix])
    assert io.file_sha256("model.safetensors", windows) == io.sha256([windows])
