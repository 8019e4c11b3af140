"""Several processes are started, bounded in time, and gone afterwards, whatever happens to them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.training import launch
from helpers.training.launch import ProcessesFailed, descendants, run_processes, team_environment, torchrun_command

PROGRAM = """
import os, signal, sys, tempfile, time
rank = os.environ["RANK"]
word = os.environ.get("WORD", tempfile.mkdtemp())
words = ["rank", rank, "of", os.environ["WORLD_SIZE"], os.environ["MASTER_ADDR"], *sys.argv[1:], word]
sys.stdout.write(" ".join(words) + "\\n")  # at once: both processes may write to the same terminal
with open(sys.argv[1] + "/" + rank, "w") as file:
    file.write(str(os.getpid()))
if "hang" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(100)
if "fail" in sys.argv and rank == "1":
    raise ValueError("rank one is ill")
if "kill" in sys.argv and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0" and rank == "0":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A file that writes the numbers of its processes to the folder beside it, and what is left in the temporary folder."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "temporary").mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(launch.tempfile, "tempdir", str(tmp_path / "temporary"))
    yield path
    assert list((tmp_path / "temporary").iterdir()) == []
    numbers = [int(text) for file in (tmp_path / "out").iterdir() if (text := file.read_text())]
    assert numbers  # of both, unless one was ended before it could write
    for number in numbers:
        assert not runs(number), f"process {number} is still there"


def runs(number):
    for _ in range(50):  # one that was killed is there until its parent has noticed
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return False
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True).stdout
        if not state.strip() or state.strip().startswith("Z"):
            return False
        time.sleep(0.1)
    return True


def test_what_they_print_comes_rank_after_rank(program):
    folder = program.parent / "out"
    printed = run_processes(program, 2, arguments=[folder, 7], environment={"WORD": "hello"}, timeout=60)
    assert printed == "".join(f"rank {rank} of 2 127.0.0.1 {folder} 7 hello\n" for rank in (0, 1))


def test_temporary_folders_of_the_processes_are_gone(program):
    printed = run_processes(program, 1, arguments=[program.parent / "out"], timeout=60)
    made = Path(printed.split()[-1])
    assert made.parents[1] == program.parent / "temporary" and not made.exists()


def test_one_that_fails_is_named_with_its_traceback(program):
    with pytest.raises(ProcessesFailed) as error:
        run_processes(program, 2, arguments=[program.parent / "out", "fail"], timeout=60)
    assert error.value.rank == 1 and f"rank 1 of {program} ended with exit status 1" in str(error.value)
    assert str(error.value).endswith("ValueError: rank one is ill") and "Traceback" in str(error.value)


def test_for_a_terminal_nothing_is_held_back(program, capfd):
    folder = program.parent / "out"
    with pytest.raises(ProcessesFailed, match=r"failed in one of 2 processes \(see above\)"):
        launch.stream_processes(program, 2, arguments=[folder, "kill"], timeout=60)
    out, err = capfd.readouterr()
    assert "rank 0 of 2" in out and "SIGKILL" in err


def test_a_signal_is_named():
    words = "Root Cause (first observed failure):\n[0]:\n  rank      : 3 (local_rank: 1)\n  exitcode  : -9 (pid: 7)\n"
    error = launch._failure("a.py", words, Path("nowhere"))
    assert str(error) == "rank 3 of a.py was killed by SIGKILL" and error.rank == 3
    assert "could not be run:\nno such module" in str(launch._failure("a.py", "no such module", Path("nowhere")))


def test_one_that_was_killed_is_started_again_with_the_other(program):
    folder = program.parent / "out"
    printed = run_processes(program, 2, arguments=[folder, "kill"], restarts=1, timeout=60)
    assert printed.count("rank 0 of 2") == 2


def test_when_the_time_is_up_all_are_killed(program, monkeypatch):
    """Even those that do not listen when they are asked to end."""
    monkeypatch.setattr(launch, "GRACE", 1)
    began = time.monotonic()
    with pytest.raises(
        TimeoutError, match=r"2 processes of .* were killed after 8 seconds\.\nrank 0 of 2 .*\nrank 1 of 2 "
    ):
        run_processes(program, 2, arguments=[program.parent / "out", "hang"], timeout=8)
    assert time.monotonic() - began < 40


def test_the_command_is_torchruns():
    command = torchrun_command("helpers.training.team_example", 3, arguments=["train", "--steps", 5], restarts=2)
    assert command[:3] == [sys.executable, "-m", "torch.distributed.run"] and "--local-addr=127.0.0.1" in command
    assert {"--standalone", "--nproc-per-node=3", "--max-restarts=2"} < set(command)
    assert command[-5:] == ["-m", "helpers.training.team_example", "train", "--steps", "5"]
    assert torchrun_command(Path(__file__), 1)[-1] == __file__


@pytest.mark.parametrize(
    ("target", "settings", "words"),
    [
        ("helpers", {"processes": 0}, "processes is 0: give a whole number, 1 or more"),
        ("helpers", {"processes": 2.5}, "processes is 2.5: give a whole number"),
        ("helpers", {"processes": 2, "restarts": -1}, "restarts is -1: give a whole number, 0 or more"),
        ("nowhere.py", {"processes": 2}, "there is no file nowhere.py to run"),
    ],
)
def test_what_cannot_be_started_is_refused(target, settings, words):
    with pytest.raises(ValueError, match=words):
        run_processes(target, **settings)


def test_only_a_team_that_may_restart_has_a_store_of_its_own(monkeypatch):
    monkeypatch.delenv("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", raising=False)
    assert "TORCH_DISABLE_SHARE_RDZV_TCP_STORE" not in team_environment()
    assert team_environment(restarts=1)["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] == "1"
    assert team_environment(changes={"OMP_NUM_THREADS": 2})["OMP_NUM_THREADS"] == "2"


def test_the_children_of_children_are_found():
    inner = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(30)'])"
    with subprocess.Popen([sys.executable, "-c", inner]) as process:
        for _ in range(100):
            if len(found := descendants(process.pid)) == 1:
                break
            time.sleep(0.05)
        assert len(found) == 1 and descendants(os.getpid()).count(process.pid) == 1
        launch._end(process)
        assert not runs(found[0])
