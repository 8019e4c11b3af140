"""Workers that run one program, each with its own rank: in threads of this process, or in processes (built for notebook 13).

>>> in_threads(lambda worker, x: worker.exchange(x), 3, [torch.zeros(1), torch.ones(1), torch.full((1,), 2.0)])
[tensor([2.]), tensor([0.]), tensor([1.])]

A worker's program is a function of its ``Worker`` and of its own arguments. The same function runs in threads, to be looked at
and checked, and in real processes, to be believed: what it is given to talk with its neighbors is the same.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import timedelta

import torch

LOOK_EVERY = 0.02  # seconds between two looks whether a neighbor is still there
PATIENCE = 60.0  # seconds that a process waits for its neighbor


class Stalled(RuntimeError):
    """A worker waits for a neighbor that has ended: with real processes, it would wait until its time is up."""


class _Stopped(Exception):
    """Another worker has failed, so this one ends."""


class Worker:
    """One of ``size`` workers: its number ``rank``, from 0, and how many numbers it has ``sent`` so far."""

    def __init__(self, rank: int, size: int):
        self.rank, self.size, self.sent = rank, size, 0

    def exchange(self, tensor: torch.Tensor) -> torch.Tensor:
        """Send ``tensor`` to the next worker (rank + 1, the last one to 0); return what the one before this one has sent.

        All workers must call it equally often. What is sent is a copy, of any shape. Raises TypeError for no tensor.
        """
        if not torch.is_tensor(tensor):
            raise TypeError(f"exchange sends tensors, and this is a {type(tensor).__name__}")
        tensor = tensor.detach()
        self.sent += tensor.numel() if self.size > 1 else 0
        return self._exchange(tensor) if self.size > 1 else tensor.clone()

    def _exchange(self, tensor: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError


class ThreadWorker(Worker):
    """A worker that is a thread: what it sends lies in the next one's queue."""

    def __init__(self, rank: int, team: "_Threads"):
        super().__init__(rank, team.size)
        self._team = team

    def _exchange(self, tensor: torch.Tensor) -> torch.Tensor:
        team, before = self._team, (self.rank - 1) % self.size
        team.queues[(self.rank + 1) % self.size].put(tensor.clone())
        while True:
            try:
                return team.queues[self.rank].get(timeout=LOOK_EVERY)
            except queue.Empty:
                if team.failed.is_set():
                    raise _Stopped from None
                if team.ended[before].is_set() and team.queues[self.rank].empty():
                    raise Stalled(
                        f"worker {self.rank} waits for worker {before}, which has ended: not all exchange equally often"
                    ) from None


class ProcessWorker(Worker):
    """A worker that is a process of torch.distributed: the process group must be there."""

    def __init__(self):
        from torch import distributed

        super().__init__(distributed.get_rank(), distributed.get_world_size())

    def _exchange(self, tensor: torch.Tensor) -> torch.Tensor:
        from torch import distributed

        tensor = tensor.contiguous()
        shape = torch.zeros(8, dtype=torch.int64)  # first how large it is, since the neighbor's may be another size
        shape[: 1 + tensor.ndim] = torch.tensor([tensor.ndim, *tensor.shape])
        following, before = (self.rank + 1) % self.size, (self.rank - 1) % self.size
        waiting = [distributed.isend(part, following) for part in (shape, tensor)]
        other = torch.zeros_like(shape)
        distributed.recv(other, before)
        received = torch.empty(other[1 : 1 + other[0]].tolist(), dtype=tensor.dtype)
        distributed.recv(received, before)
        for each in waiting:
            each.wait()
        return received


class _Threads:
    """What the threads of one team share."""

    def __init__(self, size: int):
        self.size = size
        self.queues = [queue.Queue() for _ in range(size)]
        self.ended = [threading.Event() for _ in range(size)]
        self.failed = threading.Event()


def in_threads(program: Callable, workers: int, *arguments: Sequence) -> list:
    """Run ``program(worker, …)`` in ``workers`` threads and return what each gives back, by rank.

    arguments   a sequence for each further argument of the program: entry r is worker r's

    Raises what the first worker to fail has raised; Stalled when one waits for another that has ended; ValueError for fewer
    than one worker, or for arguments that are not one for each. Threads take turns: nothing becomes faster.
    """
    per_worker = one_for_each(workers, arguments)
    team = _Threads(workers)
    results, errors = [None] * workers, []

    def work(rank: int) -> None:
        try:
            results[rank] = program(ThreadWorker(rank, team), *per_worker[rank])
        except _Stopped:
            pass
        except BaseException as error:  # it is raised again where the learner sees it
            errors.append(error)
            if not isinstance(error, Stalled):  # one that only waits is not the cause: let the others say theirs
                team.failed.set()
        finally:
            team.ended[rank].set()

    threads = [threading.Thread(target=work, args=(rank,), daemon=True) for rank in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise next((error for error in errors if not isinstance(error, Stalled)), errors[0])
    return results


def one_for_each(workers: int, arguments: Sequence[Sequence]) -> list[tuple]:
    """Return the arguments of each worker. Raises ValueError for fewer than one worker, or unequal numbers."""
    if not isinstance(workers, int) or workers < 1:
        raise ValueError(f"workers is {workers!r}: give a whole number, 1 or more")
    for number, each in enumerate(arguments, 1):
        if len(each) != workers:
            raise ValueError(f"argument {number} has {len(each)} entries for {workers} workers: give one for each")
    return [tuple(each[rank] for each in arguments) for rank in range(workers)]


@contextmanager
def this_process(timeout: float = PATIENCE):
    """Inside, this process of torchrun is a Worker: it meets the others, over gloo, and parts from them at the end."""
    from torch import distributed

    distributed.init_process_group("gloo", timeout=timedelta(seconds=timeout))
    try:
        yield ProcessWorker()
    finally:
        distributed.destroy_process_group()
