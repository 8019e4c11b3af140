"""Files that matter are whole or not there."""

import os

import pytest

from helpers import io


def test_write_text_replaces_whole_files_and_leaves_no_rubbish(tmp_path):
    path = tmp_path / "a.txt"
    io.write_text(path, "old\n")
    with pytest.raises(TypeError):
        io.write_text(path, 5)
    assert path.read_text() == "old\n" and os.listdir(tmp_path) == ["a.txt"]
    io.write_text(path, "näu\r\n")
    assert path.read_bytes() == "näu\r\n".encode()
