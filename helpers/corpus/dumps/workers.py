"""Other processes of this computer that do part of the work, because one Python uses one processor only.

Each worker is a second Python that applies one function to whatever it is sent and sends back the result. The way to it
is a pair of pipes; everything on them is plain (numbers, text, tuples, lists, dicts), packed by marshal.
"""

import importlib
import marshal
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[2]  # the folder from which `import helpers` works


class Workers:
    """A few workers that apply ``function``, as this process does; it must stand at the top level of its module.

    Use it in a ``with`` statement: at its end the workers are sent home.
    """

    def __init__(self, function: Callable, count: int):
        self.function = function
        command = [sys.executable, "-m", __name__, function.__module__, function.__name__]
        paths = os.pathsep.join(filter(None, [str(PACKAGES), os.environ.get("PYTHONPATH")]))
        self.processes = [
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths}
            )
            for _ in range(count)
        ]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
            with suppress(BrokenPipeError):  # what was on its way to a worker that has gone is lost, and rightly so
                process.stdin.close()
            process.stdout.close()

    def map(self, items: Iterable) -> Iterator:
        """Yield ``function(item)`` for each item, in order.

        In every round each worker has one item and this process has one, so nobody waits and memory stays flat. An error
        that ``items`` raises is passed on after the results of all items before it.
        """
        items, error, results = iter(items), None, []
        while True:
            busy = []
            own = None
            try:
                for process in self.processes:
                    _send(process.stdin, next(items))
                    busy.append(process)
                # What the last round gave is used only now, when the workers have something to do again.
                yield from results
                results = []
                own = self.function(next(items))
            except StopIteration:
                pass
            except ValueError as raised:
                error = raised
            yield from results
            results = [_receive(process.stdout) for process in busy]
            if own is not None:
                results.append(own)
            if len(busy) < len(self.processes) or own is None:
                break
        yield from results
        if error is not None:
            raise error


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _send(pipe, value) -> None:
    data = marshal.dumps(value, 2)
    pipe.write(len(data).to_bytes(8, "big") + data)
    pipe.flush()


def _receive(pipe):
    """Return the next value. Raises EOFError when the other side has gone."""
    length = pipe.read(8)
    if len(length) < 8:
        raise EOFError("a worker process ended unexpectedly (out of memory?): try processes=0")
    return marshal.loads(pipe.read(int.from_bytes(length, "big")))


def _work(module: str, name: str) -> None:
    function = getattr(importlib.import_module(module), name)
    # When the other side goes, or the user interrupts it, there is nobody left to work for.
    with suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        while True:
            _send(sys.stdout.buffer, function(_receive(sys.stdin.buffer)))


if __name__ == "__main__":
    _work(*sys.argv[1:])
