"""Start several processes that train as a team, with torchrun, for a limited time (built in notebook 13).

A notebook cannot start them from a cell's functions: each process is a new Python that reads its program from a file. So a
team runs a module of its own, and what it prints comes back as text.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

GRACE = 10  # seconds that torchrun has to end its workers, once it was asked to
INTERRUPTED = 60  # seconds that a team has to write its file after Ctrl-C
DAY = 86_400.0
# By default the workers share one store with torchrun, and after a restart find the addresses of dead ones in it: with gloo
# they wait for them until the time is up (pytorch issue 135712). With this each attempt makes a store of its own.
OWN_STORE = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
LOOPBACK = {"linux": "lo", "darwin": "lo0"}  # the network interface of 127.0.0.1, by sys.platform
ROOT_CAUSE = re.compile(r"Root Cause \(first observed failure\):.*?rank +: (\d+).*?exitcode +: (-?\d+)", re.DOTALL)


class ProcessesFailed(RuntimeError):
    """A process of the team failed: the message says which, and ends with its traceback. ``rank`` is its number."""

    def __init__(self, words: str, rank: int | None = None):
        super().__init__(words)
        self.rank = rank


def torchrun_command(
    target: str | os.PathLike, processes: int, *, arguments: Iterable = (), restarts: int = 0, options: Iterable = ()
) -> list[str]:
    """Return the command that runs ``target`` (a module's name, or the path of a file) in ``processes`` processes here.

    ``arguments`` are the program's, ``options`` further ones of torchrun. With ``restarts`` all processes are started again
    when one dies, at most so often. Raises ValueError for less than one process, negative restarts, or no such file.
    """
    for name, number, least in (("processes", processes, 1), ("restarts", restarts, 0)):
        if not isinstance(number, int) or number < least:
            raise ValueError(f"{name} is {number!r}: give a whole number, {least} or more")
    is_file = isinstance(target, os.PathLike) or str(target).endswith(".py")
    if is_file and not Path(target).is_file():
        raise ValueError(f"there is no file {target} to run: give the path of a Python file, or a module's name")
    how = ["--standalone", "--local-addr=127.0.0.1", f"--nproc-per-node={processes}", f"--max-restarts={restarts}"]
    program = [str(target)] if is_file else ["-m", str(target)]
    return [sys.executable, "-m", "torch.distributed.run", *how, *options, *program, *map(str, arguments)]


def team_environment(restarts: int = 0, changes: dict | None = None) -> dict[str, str]:
    """Return the environment of a team on one computer: this one's, one thread a process, no other network interface."""
    own = {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", **(OWN_STORE if restarts else {})}
    if name := LOOPBACK.get(sys.platform):
        own["GLOO_SOCKET_IFNAME"] = name
    return {**os.environ, **own, **{name: str(value) for name, value in (changes or {}).items()}}


def run_processes(
    target: str | os.PathLike,
    processes: int = 2,
    *,
    arguments: Iterable = (),
    timeout: float = 120.0,
    restarts: int = 0,
    environment: dict | None = None,
) -> str:
    """Run ``target`` in ``processes`` processes under torchrun and return what they print, rank after rank.

    target        the name of a module, or the path of a ``.py`` file; ``arguments`` are its command line
    timeout       seconds, after which every process is killed
    restarts      how often all processes are started again when one has died; what they print comes attempt after attempt
    environment   environment variables to set; ``OMP_NUM_THREADS`` is 1, so that processes do not fight for the processors

    Nothing stays: no process, no port, no temporary file. Raises ProcessesFailed with the rank and the traceback of the
    process that failed first, TimeoutError when the time is up, and ValueError as ``torchrun_command``.
    """
    with tempfile.TemporaryDirectory(prefix="team-") as folder:
        logs = Path(folder) / "logs"
        options = [f"--log-dir={logs}", "--redirects=3"]
        command = torchrun_command(target, processes, arguments=arguments, restarts=restarts, options=options)
        variables = team_environment(restarts, {"TMPDIR": folder, **(environment or {})})
        code, words = _run(command, variables, timeout)
        if code is None:
            shown = _log(logs, "stdout.log") + _log(logs, "stderr.log")
            raise TimeoutError(
                f"{processes} processes of {target} were killed after {timeout:g} seconds.\n{shown[-2000:]}"
            )
        if code:
            raise _failure(target, words, logs)
        return _log(logs, "stdout.log")


def stream_processes(
    target, processes: int, *, arguments: Iterable = (), timeout: float = DAY, restarts: int = 0
) -> None:
    """The same for a command line, but what the processes print goes to the terminal at once. Raises as ``run_processes``."""
    with tempfile.TemporaryDirectory(prefix="team-") as folder:  # torchrun leaves an empty one of its own otherwise
        command = torchrun_command(
            target, processes, arguments=arguments, restarts=restarts, options=[f"--log-dir={folder}"]
        )
        code, _ = _run(command, team_environment(restarts), timeout, capture=False)
    if code is None:
        raise TimeoutError(f"{processes} processes of {target} were killed after {timeout:,.0f} seconds.")
    if code:
        raise ProcessesFailed(f"{target} failed in one of {processes} processes (see above).")


def _run(command: list[str], environment: dict, timeout: float, capture: bool = True) -> tuple[int | None, str]:
    """Run a command in a process group of its own; return its exit status, None when the time was up, and its stderr."""
    own_group = (
        {} if sys.platform == "win32" else {"start_new_session": capture}
    )  # else Ctrl-C reaches the team as well
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE} if capture else {}
    with subprocess.Popen(command, env=environment, **pipes, **own_group) as process:
        try:
            _, words = process.communicate(timeout=timeout)
            return process.returncode, (words or b"").decode(errors="replace")
        except subprocess.TimeoutExpired:
            return None, ""
        except KeyboardInterrupt:
            if not capture:  # the team was interrupted as well: it ends its step and keeps what it has learned
                process.wait(INTERRUPTED)
            raise
        finally:
            if process.poll() is None:
                _end(process)


def _end(process: subprocess.Popen) -> None:
    """End torchrun and its workers: asked first, since it knows them; then killed, each of them."""
    workers = descendants(process.pid)
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        pass
    for number in (process.pid, *workers):
        try:
            os.kill(number, getattr(signal, "SIGKILL", signal.SIGTERM))
        except (OSError, ValueError):
            pass  # it has ended


def descendants(process: int) -> list[int]:
    """Return the numbers of all processes that ``process`` has started, and those that these have; [] without ``ps``."""
    if not shutil.which("ps"):
        return []
    # Each worker leads a process group of its own, so a signal to torchrun's group does not reach it.
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, timeout=GRACE).stdout
    parents = {int(one): int(parent) for one, parent in (line.split() for line in table.splitlines())}
    found = [process]
    for number in found:
        found += [one for one, parent in parents.items() if parent == number]
    return found[1:]


def _log(logs: Path, name: str, rank: int | str = "*") -> str:
    """Return the files of this name, attempt after attempt, rank after rank, as one text."""
    paths = logs.glob(f"*/attempt_*/{rank}/{name}")
    in_order = sorted(paths, key=lambda path: (int(path.parts[-3].removeprefix("attempt_")), int(path.parts[-2])))
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in in_order)


def _failure(target, words: str, logs: Path) -> ProcessesFailed:
    """Return what went wrong: torchrun's own report says who failed first, the log of that process why."""
    if not (found := ROOT_CAUSE.search(words)):
        return ProcessesFailed(f"{target} could not be run:\n{words[-3000:].strip()}")
    rank, code = int(found[1]), int(found[2])
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
    trace = re.sub(r"^\[rank\d+\]: ?", "", _log(logs, "stderr.log", rank), flags=re.MULTILINE)
    begin = trace.rfind("Traceback (most recent call last)")
    return ProcessesFailed(
        f"rank {rank} of {target} {how}:\n{trace[max(begin, 0) :][-3000:].strip()}".rstrip(":\n"), rank
    )
