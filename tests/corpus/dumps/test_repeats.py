"""How often a text comes, over all partitions: the same in every process, in every order, holding little."""

import os
import subprocess
import sys
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from helpers.corpus.dumps import repeats
from helpers.corpus.dumps.repeats import copies_before, read_keys, sorted_keys, text_key, too_often


def test_a_key_is_the_same_in_every_process():
    code = "from helpers.corpus.dumps.repeats import text_key; print(text_key('Zoë', 'Come and see.\\n☃'))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert printed == {f"{text_key('Zoë', 'Come and see.' + chr(10) + '☃')}\n"}


def test_author_and_text_are_told_apart():
    assert len({text_key("ab", "c"), text_key("a", "bc"), text_key("", "abc"), text_key("abc", "")}) == 4
    assert text_key("\ud800", "half a character") != text_key("", "half a character")


@given(st.lists(st.lists(st.integers(0, 9), max_size=12), max_size=5), st.integers(0, 4))
def test_counting_in_parts_is_counting_at_once(parts, most):
    often = too_often([sorted(part) for part in parts], most)
    whole = Counter(key for part in parts for key in part)
    assert {key: sum(copies.values()) for key, copies in often.items()} == {k: n for k, n in whole.items() if n > most}
    for number in range(len(parts) + 1):
        before = Counter(key for part in parts[:number] for key in part)
        assert copies_before(often, number) == {key: before[key] for key in often}


def test_keys_come_back_from_a_file_a_few_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(repeats, "READ_AHEAD", 2)
    keys = [5, 2**64 - 1, 0, 5, 17]
    (tmp_path / "keys").write_bytes(sorted_keys(keys).tobytes())
    assert list(read_keys(tmp_path / "keys")) == sorted(keys)
    assert sorted_keys(iter(())).dtype == np.uint64
