"""The data stage on Dask: the same corpus, with workers that are killed, and nothing left running."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.corpus.conversations import digest
from helpers.corpus.dumps.synthetic import write_months
from helpers.corpus.load import load
from helpers.experiments import dask_corpus
from helpers.experiments.dask_corpus import DaskEngine, build, most_memory, on_dask
from helpers.extras import missing

ROOT = Path(dask_corpus.__file__).parents[2]
needs_dask = pytest.mark.skipif(
    bool(missing("dask", "distributed", "pyarrow")), reason="the extra cluster is not installed"
)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("months")
    write_months(folder, months=3, comments=250)
    return folder


def children() -> list[str]:
    import psutil

    helper = "resource_tracker"  # Python's own, one a process, until it ends
    running = psutil.Process().children(recursive=True)
    return [line for child in running if helper not in (line := " ".join(child.cmdline()))]


def pids(engine) -> list[int]:
    """The processes of the workers, once each has one."""
    while not all(found := [nanny.pid for nanny in engine.cluster.workers.values()]):
        time.sleep(0.02)
    return found


@needs_dask
def test_two_workers_are_killed_and_nothing_is_lost(source, tmp_path):
    before = children()
    with DaskEngine(2, kill=("scatter", "gather")) as engine:
        first = pids(engine)
        corpus = build(source, tmp_path, parts=6, run=engine.run)
        assert engine.killed == 2 and pids(engine) != first
    assert corpus == load(source) and digest(corpus) == digest(load(source))
    assert not list(tmp_path.rglob(".*"))  # nothing half-written
    assert 30e6 < engine.peak < 400e6
    assert children() == before and multiprocessing.active_children() == []


@needs_dask
def test_the_workers_of_a_scheduler_are_used_and_left_alone(source, tmp_path, monkeypatch):
    import dask
    from distributed import LocalCluster

    options = {"processes": False, "dashboard_address": None, "scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"}}
    monkeypatch.setitem(dask.config.config, "temporary-directory", str(tmp_path / "scratch"))
    with LocalCluster(n_workers=2, threads_per_worker=1, protocol="tcp", **options) as cluster:
        corpus = on_dask(source, tmp_path, scheduler=cluster.scheduler_address, parts=2)
        assert len(cluster.scheduler.workers) == 2
    assert corpus == load(source)


@needs_dask
def test_what_a_function_raises_is_raised_here(tmp_path):
    import dask

    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), DaskEngine(1) as engine:
        with pytest.raises(ZeroDivisionError):
            engine.run(divmod, [(1, 1), (1, 0)])
        with pytest.raises(
            ChildProcessError, match=r"on the same task \(_exit\): if the memory is too small, give more"
        ):
            engine.run(os._exit, [(1,)])
        assert engine.run(divmod, [(7, 2), (9, 2)]) == [(3, 1), (4, 1)]


@needs_dask
def test_workers_leave_interrupts_to_who_started_them():
    with DaskEngine(1) as engine:
        (before,) = pids(engine)
        os.kill(before, signal.SIGINT)
        time.sleep(0.3)
        assert engine.run(divmod, [(7, 2)]) == [(3, 1)] and pids(engine) == [before]


def _heed_interrupts():
    """A process that was started in the background may leave interrupts out, and would hand that on to those it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@needs_dask
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="Windows sends Ctrl-C in another way")
def test_an_interrupt_is_a_word_and_ends_the_workers(tmp_path):
    import psutil

    write_months(tmp_path / "months", months=2, comments=20_000)
    command = [sys.executable, "-m", "helpers", "experiments", "dask_corpus", tmp_path / "months", "--out", tmp_path]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    started = {"start_new_session": True, "preexec_fn": _heed_interrupts}
    with subprocess.Popen(command, cwd=ROOT, **started, **pipes) as process:
        while process.poll() is None and not list(tmp_path.glob("rows/.*")):
            time.sleep(0.02)  # until a worker is in the middle of a month
        workers = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does for Ctrl-C: to all of them
        assert process.communicate(timeout=60) == ("", "\nInterrupted.\n")
    psutil.wait_procs(workers, timeout=10)
    assert len(workers) >= 2 and not any(worker.is_running() for worker in workers)


@needs_dask
@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"workers": 0}, ValueError, "workers is 0: give a whole number, 1 or more"),
        ({"scheduler": "tcp://127.0.0.1:1", "kill": ("gather",)}, ValueError, "leave out the scheduler's address"),
        ({"scheduler": "tcp://127.0.0.1:1"}, OSError, "no scheduler answers at tcp://127.0.0.1:1: start one with"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(monkeypatch, options, error, words):
    monkeypatch.setattr(dask_corpus, "PATIENCE", 0.5)
    with pytest.raises(error, match=words), DaskEngine(**options):
        pass


def test_without_the_extra_the_sentence_says_how_to_get_it(source, tmp_path, monkeypatch):
    monkeypatch.setattr(
        dask_corpus, "missing", lambda *names: f"{' and '.join(names)} are not installed. To get them: …"
    )
    with pytest.raises(ValueError, match="dask and distributed and pyarrow are not installed. To get them: …"):
        on_dask(source, tmp_path)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux remembers")
def test_the_most_memory_is_remembered_and_not_the_present():
    before = most_memory(os.getpid())
    held = bytearray(before + 20_000_000)
    held[::4096] = b"x" * len(held[::4096])
    del held
    assert most_memory(os.getpid()) >= before + 10_000_000
    assert most_memory(None) == most_memory(2**22 + 1) == 0
