"""A function's own source in real processes: what it needs goes along, and a killed one begins again."""

import math
import os
import signal
import types

import pytest
import torch

from helpers.training import ring
from helpers.training.launch import ProcessesFailed
from helpers.training.own_program import KilledOnce, in_processes, program_text

FACTOR = (2, 0.5)


def source(text, **names):
    """Return the last function of ``text``, as a notebook's cell would define it: in __main__, its source known."""
    import linecache

    linecache.cache["<cell>"] = (len(text), None, text.splitlines(True), "<cell>")
    space = {"__name__": "__main__", **names}
    exec(compile(text, "<cell>", "exec"), space)
    return [value for value in space.values() if isinstance(value, types.FunctionType)][-1]


CELL = '''
def inner(x):
    return m.sqrt(x) * FACTOR[0]


def program(worker, x):
    """A cell's function with a function inside."""
    halves = [inner(value) for value in x.tolist()]
    return ring_all_reduce(worker, torch.tensor(halves)), os.getpid()
'''


def cell():
    return source(CELL, m=math, os=os, torch=torch, FACTOR=FACTOR, ring_all_reduce=ring.ring_all_reduce)


def test_the_text_has_all_that_the_function_needs_and_nothing_else():
    text = program_text(cell())
    assert "import math as m" in text and "FACTOR = (2, 0.5)" in text and "def inner(x):" in text
    assert "from helpers.training.ring import ring_all_reduce as ring_all_reduce" in text
    assert text.index("def inner") < text.index("def program")
    names: dict = {}
    exec(text, names)
    assert names["inner"](4.0) == 4.0


def test_an_attribute_is_not_taken_for_a_variable_of_that_name_and_a_default_value_is():
    text = "def program(worker, batch, scale=FACTOR):\n    return batch.targets\n"
    lines = program_text(source(text, targets=torch.ones(1), batch=torch.ones(2), FACTOR=FACTOR))
    assert "FACTOR = (2, 0.5)" in lines and "targets =" not in lines


def test_the_function_runs_in_processes_of_its_own():
    (first, one), (second, other) = in_processes(cell(), 2, [torch.tensor([1.0, 4.0]), torch.tensor([9.0, 16.0])])
    assert first.tolist() == second.tolist() == [8.0, 12.0]
    assert len({one, other, os.getpid()}) == 3


def test_a_failing_process_is_named_with_its_error():
    bad = source("def bad(worker, x):\n    return 1 / worker.rank\n")
    with pytest.raises(ProcessesFailed, match="(?s)rank 0.*ZeroDivisionError"):
        in_processes(bad, 2, [1, 1])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows ends a process in another way")
def test_a_killed_process_begins_again(tmp_path):
    read = source("def read(worker, batches):\n    return [batches[number] for number in range(3)]\n")
    batches = KilledOnce(["a", "b", "c"], 1, tmp_path)
    assert in_processes(read, 2, [batches] * 2, restarts=1) == [["a", "b", "c"]] * 2
    assert (tmp_path / "killed").exists()


def test_what_cannot_go_along_is_named():
    with pytest.raises(ValueError, match="THING is a object that another process cannot be given"):
        program_text(source("def uses(worker):\n    return THING\n", THING=object()))
    with pytest.raises(ValueError, match="nobody knows the source of lost"):
        space = {"__name__": "__main__"}
        exec("def lost(worker):\n    return 1\n", space)
        program_text(space["lost"])


def test_arguments_are_one_for_each():
    with pytest.raises(ValueError, match="argument 1 has 1 entries for 2 workers"):
        in_processes(cell(), 2, [torch.ones(1)])
