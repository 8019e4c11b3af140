"""What is shared by the messages of readers and batches: short lists, and sizes that make sense."""

import numpy as np
import pytest

from helpers.corpus.messages import first_few, whole_numbers


def test_a_short_list_is_all_there_and_of_a_long_one_the_first_few():
    assert first_few(["one", "two"]) == "one, two" and first_few([]) == ""
    assert (
        first_few((f"file {number:03}" for number in range(500)), "; ", 30)
        == "file 000; file 001; file 002; and 497 more"
    )
    assert first_few(["a" * 700, "b"]) == "a" * 599 + "…, and 1 more"
    assert all(len(first_few([part] * 500)) < 650 for part in ("", "a", "a" * 59, "a" * 60, "a" * 99, "a" * 1000))


def test_whole_numbers_come_back_as_ints():
    assert whole_numbers(one=np.uint8(3), other=4) == (3, 4)
    assert [type(size) for size in whole_numbers(one=np.uint8(3))] == [int]
    with pytest.raises(ValueError, match="turns is 0: give a whole number, 1 or more"):
        whole_numbers(turns=0)
