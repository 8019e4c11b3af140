"""A dump's months on a cluster: the stages of ``corpus.dumps.scatter_gather`` as tasks of Dask (notebook 13).

Dask only calls our functions and keeps count of what is done: a task whose worker is gone goes to another one. Between the
stages there are files, so the workers of a real cluster must see both folders under the same names (a network disk), and have
the course installed. Needs the extra [cluster]. The command is in ``cluster``.
"""

import logging
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

from helpers.corpus.conversations import Corpus
from helpers.corpus.dumps.from_months import build
from helpers.corpus.dumps.parallel import script_left_alone
from helpers.corpus.messages import whole_numbers
from helpers.extras import missing

PATIENCE = 10  # seconds to wait for a scheduler's answer
EVERY = 0.02  # seconds between two looks at the workers


class DaskEngine:
    """Runs functions on a Dask cluster: ``run`` is the engine that ``build`` asks for. Use it in a ``with`` statement.

    Without ``scheduler``, ``workers`` processes of one thread each are started on this computer, and ended at the end; with a
    scheduler's address ("tcp://host:8786"), its workers are used and left as they are. ``kill`` names functions during which
    one worker each is killed (SIGKILL) while it works, at a random moment of the first ``delay`` seconds: Dask starts another,
    and nothing may be lost.

    peak    the most bytes that one worker of this computer has held, killed ones too; 0 with a scheduler's address
    killed  how many workers were killed

    Raises ValueError when packages are missing, for ``workers`` below 1, and for ``kill`` with a scheduler's address; OSError
    when no scheduler answers.
    """

    def __init__(self, workers: int = 2, scheduler: str | None = None, kill: Sequence[str] = (), delay: float = 0.0):
        if absent := missing("dask", "distributed", "pyarrow"):
            raise ValueError(absent)
        (workers,) = whole_numbers(workers=workers)
        if scheduler and kill:
            raise ValueError("only workers that were started here may be killed: leave out the scheduler's address")
        self.workers, self.scheduler, self.kill = workers, scheduler, list(kill)
        self.delay = delay
        self.chance = random.Random(0)
        self.cluster = self.client = None
        self.peak = self.killed = 0
        self._over, self._open = Event(), ExitStack()

    def __enter__(self):
        import dask
        from distributed import Client, LocalCluster

        if self.scheduler:
            try:
                self.client = self._open.enter_context(Client(self.scheduler, timeout=PATIENCE))
            except OSError as error:
                raise OSError(
                    f"no scheduler answers at {self.scheduler}: start one with `dask scheduler`, and its workers with "
                    "`dask worker ADDRESS`, or leave the address out"
                ) from error
            return self
        with self._open:
            self._open.enter_context(script_left_alone())  # as long as a killed worker may be followed by another
            scratch = self._open.enter_context(tempfile.TemporaryDirectory(prefix="dask-", ignore_cleanup_errors=True))
            # Workers write to our terminal before anybody can tell them to be silent, unless they were born so.
            quiet = {"distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical"}
            self._open.enter_context(dask.config.set({"temporary-directory": scratch, **quiet}))
            self.cluster = LocalCluster(
                n_workers=self.workers,
                threads_per_worker=1,  # our functions are plain Python: a second thread would only wait for the first
                dashboard_address=None,
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # any free port: None alone means 8787
                silence_logs=logging.CRITICAL,  # that a worker was killed is no news to us
            )
            self._open.callback(self.cluster.close)
            self.client = self._open.enter_context(Client(self.cluster))
            self.client.register_plugin(_leave_interrupts_to_us())
            watch = Thread(target=self._look, daemon=True)
            watch.start()
            self._open.callback(lambda: (self._over.set(), watch.join()))
            self._open = self._open.pop_all()  # all is well: what was opened is closed at the end, and not here
        return self

    def __exit__(self, *_):
        self._open.close()

    def run(self, function: Callable, arguments: list[tuple], **options) -> list:
        """Call the function with each tuple of arguments, somewhere on the cluster; return the results in order.

        Raises what the function raises; ChildProcessError when workers end again and again on one task.
        """
        from distributed import KilledWorker

        futures = [self.client.submit(function, *each, **options, pure=False) for each in arguments]
        while function.__name__ in self.kill:
            self.kill.remove(function.__name__)
            self._kill_one(futures)
        try:
            return [
                future.result() for future in futures
            ]  # client.gather would be as good, but is noisy when it is interrupted
        except KilledWorker as error:
            raise ChildProcessError(
                f"workers ended unexpectedly, several times on the same task ({function.__name__}): if the memory is too small, "
                "give more partitions or fewer workers"
            ) from error
        finally:
            self.client.cancel([future for future in futures if not future.done()])

    def _kill_one(self, futures: list) -> None:
        """Kill a worker while it works; none if all is done before."""
        time.sleep(self.chance.uniform(0, self.delay))
        while not all(future.done() for future in futures):
            for worker in list(self.cluster.scheduler.workers.values()):
                if worker.processing and (pid := self.cluster.workers[worker.name].pid):
                    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows knows no other way
                    self.killed += 1
                    return
            time.sleep(EVERY)

    def _look(self) -> None:
        """Note the most memory that any worker has had."""
        while not self._over.wait(EVERY):
            for nanny in list(self.cluster.workers.values()):
                self.peak = max(self.peak, most_memory(nanny.pid))


def _leave_interrupts_to_us():
    """Return a plugin for workers that ignore Ctrl-C, which a terminal sends to all: who started them ends them, in order."""
    from distributed import WorkerPlugin

    class IgnoreInterrupts(WorkerPlugin):
        def setup(self, worker):
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return IgnoreInterrupts()


def most_memory(pid: int | None) -> int:
    """Return the most bytes a process has held so far (elsewhere than on Linux: now); 0 for one that has gone."""
    import psutil

    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return 1024 * int(line.split()[1])
        return psutil.Process(pid).memory_info().rss
    except (OSError, ValueError, psutil.Error):
        return 0


def on_dask(
    source: str | os.PathLike, folder: str | os.PathLike, *, workers: int = 2, scheduler: str | None = None, **options
) -> Corpus:
    """Return ``build(source, folder, **options)``, done by Dask: see there and ``DaskEngine``."""
    with DaskEngine(workers, scheduler) as engine:
        return build(source, folder, run=engine.run, **options)
