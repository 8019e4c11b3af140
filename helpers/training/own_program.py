"""A worker's program in real processes: the functions that it needs are written to a file, which torchrun runs (notebook 13).

A process that is started from a notebook is a new Python: it knows nothing of the cells. So the source of a learner's function,
and of those that it calls, goes to a file; whatever comes from a package is imported there.
"""

import inspect
import os
import signal
import symtable
import sys
import tempfile
import textwrap
import types
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from helpers.training.launch import run_processes
from helpers.training.workers import one_for_each, this_process

PLAIN = (int, float, str, bool, bytes, type(None))  # a constant of these kinds is written as it is


def program_text(program: Callable) -> str:
    """Return a module's text in which ``program`` is defined, with all the functions and constants that it uses.

    Raises ValueError for something that can neither be imported nor written down, such as a class of a notebook or a lambda.
    """
    lines: dict[str, str] = {}
    _write(program, program.__name__, lines)
    return "\n".join(lines.values())


def _write(value, name: str, lines: dict[str, str]) -> None:
    """Add what defines ``name`` as ``value``, after what that needs itself."""
    if name in lines:
        return
    if isinstance(value, types.ModuleType):
        lines[name] = f"import {value.__name__} as {name}"
    elif isinstance(value, PLAIN) or isinstance(value, tuple) and all(isinstance(part, PLAIN) for part in value):
        lines[name] = f"{name} = {value!r}"
    elif (home := getattr(value, "__module__", "__main__")) != "__main__" and hasattr(
        sys.modules.get(home), getattr(value, "__qualname__", "?")
    ):
        lines[name] = f"from {home} import {value.__qualname__} as {name}"
    elif isinstance(value, types.FunctionType) and value.__name__ == name and value.__closure__ is None:
        lines[name] = ""  # a function may call itself
        source = _source(value)
        for used in _names(source):
            if used in value.__globals__:
                _write(value.__globals__[used], used, lines)
        del lines[name]  # after what it needs
        lines[name] = f"\n\n{source}"
    else:
        raise ValueError(
            f"{name} is a {type(value).__name__} that another process cannot be given: make it an argument"
        )


def _names(source: str) -> list[str]:
    """Return the names that a function takes from around it: in its body, in functions inside of it, and as default values."""
    tables, names = [symtable.symtable(source, "program", "exec")], []
    for table in tables:
        tables += table.get_children()
        at_top = table.get_type() == "module"
        names += [s.get_name() for s in table.get_symbols() if s.is_referenced() and (s.is_global() or at_top)]
    return names


def _source(function: types.FunctionType) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError) as error:
        raise ValueError(f"nobody knows the source of {function.__name__}: define it in a cell or a file") from error


def in_processes(
    program: Callable, workers: int, *arguments: Sequence, timeout: float = 120.0, restarts: int = 0
) -> list:
    """Run ``program(worker, …)`` in real processes under torchrun and return what each gives back, by rank.

    As ``in_threads``, with the same arguments; they go to the processes through files, and so do the results: tensors, numbers,
    models, batches, whatever pickle takes. With ``restarts`` all begin again when one has died. Raises ProcessesFailed with the
    traceback of the one that failed, TimeoutError, and ValueError as ``in_threads`` and ``program_text``.
    """
    per_worker = one_for_each(workers, arguments)
    with tempfile.TemporaryDirectory(prefix="program-") as folder:
        home = Path(folder)
        for rank, own in enumerate(per_worker):
            torch.save(own, home / f"arguments-{rank}.pt")
        name = program.__name__
        last = (
            "\n\nif __name__ == '__main__':\n    from helpers.training.own_program import work\n"
            f"    work({name}, {folder!r})\n"
        )
        path = home / "program.py"
        path.write_text(program_text(program) + last, encoding="utf-8")
        root = str(Path(__file__).resolve().parents[2])
        search = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        run_processes(path, workers, timeout=timeout, restarts=restarts, environment={"PYTHONPATH": search})
        return [torch.load(home / f"result-{rank}.pt", weights_only=False) for rank in range(workers)]


def work(program: Callable, folder: str) -> None:
    """Be one of the processes: take the arguments, run the program, leave the result."""
    torch.set_num_threads(1)
    with this_process() as worker:
        arguments = torch.load(Path(folder) / f"arguments-{worker.rank}.pt", weights_only=False)
        torch.save(program(worker, *arguments), Path(folder) / f"result-{worker.rank}.pt")


class KilledOnce:
    """Batches of which one kills the process that asks for it (SIGKILL): the first time, not after a restart.

    ``batches`` are any by number, ``number`` is the one, and ``folder`` is where a file notes that it has happened.
    """

    def __init__(self, batches, number: int, folder: str | os.PathLike):
        self.batches, self.number, self.note = batches, number, Path(folder) / "killed"

    def __getitem__(self, number: int):
        if number == self.number and not self.note.exists():
            self.note.touch()
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows knows no other way
        return self.batches[number]
