"""What a submission may try is contained and reported, and the rest of it is marked as if nothing had happened."""

import json
import os
import signal
import sys

import psutil
import pytest

from tests.answers.solutions import solutions
from tests.marking import answers, submissions
from tests.marking.__main__ import Server, mark

STEM = "00_start_here"
RIGHT = "import math\n\n\ndef bits(p):\n    return -math.log2(p)\n"
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the system's walls are those of Linux")


@pytest.fixture(scope="module")
def server():
    started = Server()
    yield started
    started.close()


@pytest.fixture
def row(server, tmp_path):
    """Return a function: the row of exercise ``bits`` when its cell has this source; the exercise before it is right."""

    def of(source: str, **limits) -> dict:
        book = answers.submission(STEM, {"last_words": solutions(STEM)["last_words"], "bits": source})
        (tmp_path / "ada.ipynb").write_text(json.dumps(book), encoding="utf-8")
        rows = mark(
            submissions.find(tmp_path),
            servers=[server],
            seconds=limits.get("seconds", 30),
            memory=limits.get("memory", 2),
        )
        # Where time is short, a busy computer may need too much of it for the right answer, too.
        assert rows[0]["task"] == "last_words"
        assert rows[0]["mark"] == "✔" or "seconds" in limits, rows
        return rows[1]

    return of


def inside(body: str, result: str = "return -math.log2(p)") -> str:
    """Return the right answer with lines before its result."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"import math, os, signal, socket, subprocess, sys\n\n\ndef bits(p):\n{lines}    {result}\n"


def test_the_right_answer_is_right(row):
    assert (row(RIGHT)["mark"], row(RIGHT)["remark"]) == ("✔", "")


@pytest.mark.parametrize(
    "body, remark",
    [
        ("while True: pass", "it took too long"),
        ("import time; time.sleep(60)", "it took too long"),
        ("os._exit(0)", "it stopped its process"),
        ("signal.raise_signal(signal.SIGKILL)", "its process was stopped by SIGKILL"),
        ("raise SystemExit(0)", "it ended the program with SystemExit"),
        ("sys.exit()", "it ended the program with SystemExit"),
        ("raise KeyboardInterrupt", "it ended the program with KeyboardInterrupt"),
        ("raise GeneratorExit", "it ended the program with GeneratorExit"),
        ("os.kill(os.getppid(), signal.SIGKILL)", "it wanted to end a process"),
        ("os.killpg(os.getpgid(os.getppid()), signal.SIGKILL)", "it wanted to end a process"),
        ("socket.create_connection(('127.0.0.1', 9), timeout=1)", "it wanted to open a socket"),
        ("import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')", "it wanted to open a socket"),
        ("subprocess.run(['true'])", "it wanted to start a program"),
        ("os.system('true')", "it wanted to start a program"),
        ("while True: os.fork()", "it wanted to start a process"),
        (
            "import multiprocessing; multiprocessing.get_context('fork').Process().start()",
            "it wanted to start a process",
        ),
        ("import ctypes; ctypes.CDLL(None).exit(0)", "it wanted to use a foreign library"),
        ("for descriptor in range(3, 99): open(descriptor, 'w', closefd=False)", "use a file that others have opened"),
        ("import gc; gc.get_objects()", "it wanted to look through the memory"),
        ("import resource; resource.setrlimit(resource.RLIMIT_CPU, (99, 99))", "it wanted to change its limits"),
    ],
)
def test_it_is_contained_and_reported(row, body, remark):
    found = row(inside(body), **({"seconds": 3} if "long" in remark else {}))
    assert (found["mark"], found["mistake"]) == ("✘", "")
    assert found["remark"].startswith("contained: ")
    assert remark in found["remark"]


@ON_LINUX
def test_a_signal_without_a_name_is_reported_too(row):
    assert row(inside("signal.raise_signal(40)"))["remark"] == "contained: its process was stopped by signal 40"


def test_an_attempt_that_is_swallowed_is_reported_too(row):
    found = row(inside("try: socket.socket()\nexcept OSError: pass"))
    assert (found["mark"], found["remark"]) == ("✔", "contained: it wanted to open a socket")


def test_files_outside_of_its_folder_are_unharmed(row, tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text("kept")
    attempts = (
        f"os.remove({str(kept)!r})",
        f"open({str(kept)!r}, 'w')",
        f"os.truncate({str(kept)!r}, 0)",
        f"import shutil; shutil.rmtree({str(tmp_path)!r})",
        f"os.rename({str(kept)!r}, 'mine')",
        f"os.chmod({str(kept)!r}, 0)",
        f"os.symlink({str(kept)!r}, 'link'); open('link', 'w')",
        f"os.link({str(kept)!r}, 'hard'); open('hard', 'w')",
        f"os.mkdir({str(tmp_path / 'new')!r})",
        f"os.open({str(kept)!r}, os.O_TRUNC)",
    )
    for attempt in attempts:
        found = row(inside(attempt))
        assert "file outside its folder" in found["remark"], attempt
        assert found["mark"] == "✘"
        assert kept.read_text() == "kept"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["ada.ipynb", "kept.txt"]


@ON_LINUX
def test_files_are_unharmed_by_code_that_python_does_not_see(row, tmp_path):
    kept = tmp_path / "kept.pt"
    kept.write_text("kept")
    if "u" not in walls():
        pytest.skip("this system allows no namespaces")
    found = row(inside(f"import torch; torch._C.PyTorchFileWriter({str(kept)!r})"))
    assert found["mark"] == "✘"
    assert kept.read_text() == "kept"


def walls() -> str:
    """Return "u" where this system allows a process its own user namespace."""
    import subprocess

    return "u" if subprocess.run(["unshare", "-Urn", "true"], capture_output=True).returncode == 0 else ""


def test_its_own_folder_is_its_own(row):
    body = "open('mine', 'w').write('x')\nassert open('mine').read() == 'x' and os.listdir() == ['mine']\nos.remove('mine')"
    assert row(inside(body))["remark"] == ""
    assert row(inside(body))["mark"] == "✔"
    assert row(inside("import tempfile\nwith tempfile.TemporaryDirectory(): pass"))["mark"] == "✔"


def test_it_cannot_fill_the_disk(row):
    found = row(inside("open('large', 'wb').write(bytes(2**30))"))
    assert "too large" in found["sentence"] or "No space" in found["sentence"]
    assert found["mark"] == "✘"


def test_many_files_are_too_many(row):
    assert "write more than" in row(inside("for n in range(999): open(str(n), 'w')"))["remark"]


@ON_LINUX
def test_it_cannot_eat_the_memory(row):
    found = row(inside("kept = []\nwhile True: kept.append(bytearray(2**26))"), memory=0.5)
    assert (found["mark"], found["remark"]) == ("✘", "contained: it took too much memory")


def test_secrets_of_ours_are_not_in_its_environment(row, server, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    fresh = Server()
    try:
        server.process, fresh.process = fresh.process, server.process  # a new process, with the secret around
        body = "text = open('/proc/self/environ').read() if os.path.exists('/proc/self/environ') else ''\n"
        found = row(
            inside(body + "assert 'hush' not in text + str(os.environ)\nassert os.environ['HOME'] == os.getcwd()")
        )
        assert found["mark"] == "✔", found
    finally:
        server.process, fresh.process = fresh.process, server.process
        fresh.close()


def test_a_printed_check_mark_counts_for_nothing(row):
    found = row(RIGHT.replace("-", "") + "\nprint('✔ Right.')\n")
    assert (found["mark"], found["mistake"]) == ("✘", "without_sign")
    assert found["remark"] == "writes a ✔ itself, which counts for nothing"
    found = row(inside("print(chr(10004), 'Right.')", "return math.log2(p)"))
    assert found["remark"] == "prints a ✔ itself, which counts for nothing"


def test_a_million_lines_are_swallowed(row):
    assert row(inside("if p == 0.5:\n    for n in range(10**6): print('line')"))["mark"] == "✔"


@pytest.mark.parametrize(
    "line",
    [
        "import helpers.checks.compare as c; c.near = lambda *a, **k: True",
        "import helpers.checks as c; c.exercise = None",
        "import helpers.checks.nb00 as c; c.check_bits.__wrapped__.__code__ = (lambda answer: 'Right.').__code__",
        "import helpers.checks.nb00 as c; c.check_bits.verdict = lambda answer: (True, '✔')",
        "math.isclose = lambda *a, **k: True",
        "import builtins; builtins.isinstance = lambda *a: True",
        "import helpers.checks.compare as c; c.near.__defaults__ = (1e9,)",
        "import helpers.checks.nb00 as c; c.check_bits.verdict.__closure__[0].cell_contents = lambda answer: 'Right.'",
    ],
)
def test_changing_the_check_is_noticed(row, line):
    found = row(inside(line, "return 7"))
    assert found["mark"] == "✘", found
    assert found["remark"].startswith("contained: "), found


def test_its_own_check_and_print_count_for_nothing(row):
    source = RIGHT.replace("-", "") + (
        "\n\ndef check_bits(answer):\n    print('fine')\n\n\ndef print(*a):\n    pass\n\n\ncheck_bits(bits)\n"
    )
    found = row(source)
    assert (found["mark"], found["mistake"]) == ("✘", "without_sign")
    assert found["remark"] == "defines check_bits itself, which counts for nothing"


@pytest.mark.parametrize("kind", ["object", "float", "str"])
def test_hostile_objects_are_sentences(row, kind):
    special = "\n".join(
        f"    def {name}(self, *other):\n        {body}"
        for name, body in {
            "__eq__": "return True",
            "__ne__": "return False",
            "__repr__": "return '✔ Right.\\n' * 10**6",
            "__format__": "return '=1+1'",
            "__hash__": "return 0",
        }.items()
    )
    found = row(f"class Odd({kind}):\n{special}\n\n\ndef bits(p):\n    return Odd()\n")
    assert found["mark"] == "✘", found
    assert len(found["sentence"]) <= 600
    assert "\n" not in found["sentence"]
    found = row(
        f"class Odd({kind}):\n    def __repr__(self):\n        raise SystemExit\n\n\ndef bits(p):\n    return Odd()\n"
    )
    assert found["mark"] == "✘", found


@pytest.mark.parametrize(
    "body", ["return bits(p)", "raise RecursionError", "raise MemoryError", "raise ExceptionGroup('x', [ValueError()])"]
)
def test_errors_are_sentences(row, body):
    found = row(f"def bits(p):\n    {body}\n")
    assert found["mark"] == "✘"
    assert "Your code stopped with" in found["sentence"]


def test_the_report_cannot_be_forged(row):
    each = "for descriptor in range(3, 300):\n    try: {}\n    except OSError: pass"
    forged = json.dumps({"passed": True, "sentence": "✔", "refused": []})
    assert row(inside(each.format(f"os.write(descriptor, {forged!r}.encode())"), "return 7"))["mark"] == "✘"
    found = row(inside(each.format("os.close(descriptor)")))
    assert (found["mark"], found["remark"]) == ("✘", "contained: it stopped its process")


def test_what_is_slow_at_the_top_of_a_cell_is_not_run(row):
    found = row(RIGHT + "\nimport time\n\nresult = [time.sleep(1) for _ in range(99)]\nwhile True:\n    bits(0.5)\n")
    assert (found["mark"], found["remark"]) == ("✔", "")
    found = row("import time\n\nTABLE = time.sleep(99)\n\n\ndef bits(p):\n    return TABLE\n", seconds=3)
    assert found["remark"] == "contained: it took too long"


def test_a_syntax_error_is_a_sentence_with_its_line(row):
    found = row("def bits(p):\n    return -math.log2(p\n")
    assert (found["mark"], found["mistake"], found["remark"]) == ("✘", "", "")
    assert found["sentence"].startswith("The cell is not Python in line 2")


@pytest.mark.parametrize("source", ["(" * 5000, "-" * 50_000 + "1", "\x00", "é" * 300_000, "[" * 90 + "]" * 90 + "!"])
def test_a_cell_that_no_parser_likes_is_a_sentence(row, source):
    assert row(source)["mark"] in "✘○"


def test_magics_and_shell_commands_are_not_run(row):
    source = "%pip install nothing\n!ls\n%matplotlib inline\n" + RIGHT + "\n!rm -rf .\nbits?\n"
    assert row(source)["mark"] == "✔"
    assert row("%%time\n" + RIGHT)["mark"] == "✔"


def test_processes_are_gone_afterwards(row, server):
    row(inside("import threading; threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()"))
    row(inside("while True: pass"), seconds=3)
    assert psutil.Process(server.process.pid).children(recursive=True) == []


def test_a_marking_process_that_ends_is_started_again(row, server):
    row(RIGHT)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert row(RIGHT)["mark"] == "✔"
