"""The builder stores reproducible outputs and measures them; nbval, with our settings, catches one changed number."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_client.connect import LocalPortCache
from nbclient.exceptions import CellExecutionError
from nbval import kernel as nbval_kernel

from tests.notebooks import books, build, minutes, specimen
from tests.notebooks.kernels import start_again

SANITIZE = Path(__file__).with_name("nbval_sanitize.cfg")
DRAWN = """
class Drawn:
    def __repr__(self):
        return "a line"

    def _repr_svg_(self):
        return f'<svg role="img" aria-label="a line, drawn">\\n<path d="M0 {number}"/></svg>'

Drawn()
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A notebook run by the builder: text, a drawing, a widget with words, an error that is meant."""
    folder = tmp_path_factory.mktemp("notebooks")
    path = specimen.runnable(
        folder,
        "one.ipynb",
        "import random, ipywidgets\nnumber = random.random()",
        "print(6 * 7)\nprint(6 * 9)",
        DRAWN,
        "ipywidgets.IntSlider(3)",
        "print('Running on a device that changes')",
        "raise ValueError('as announced')",
    )
    book = books.read(path)
    book.cells[-1].metadata["tags"] = ["raises-exception"]
    run = build.execute(book, folder, timeout=60)
    books.write(book, path)
    return path, run


def nbval(path: Path) -> str:
    """Run nbval strictly, as `make test` does, in a process of its own; return the closing line of counts."""
    options = [
        "--nbval",
        "--nbval-current-env",
        f"--nbval-sanitize-with={SANITIZE}",
        "--nbval-cell-timeout=60",
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *options]
    run = subprocess.run([*command, path.name], cwd=path.parent, capture_output=True, text=True)
    return run.stdout.strip().splitlines()[-1]


def test_what_the_builder_stores(built):
    path, run = built
    book = books.read(path)
    assert [cell.execution_count for cell in book.cells] == [1, 2, 3, 4, 5, 6]
    assert book.cells[1].outputs[0].text == "42\n54\n"  # one stream, not one for each print
    assert dict(book.metadata) == build.METADATA
    slider = book.cells[3].outputs[0].data
    assert list(slider) == ["text/plain"] and slider["text/plain"].startswith("IntSlider")
    assert all(set(cell.metadata) <= {"tags"} for cell in book.cells)
    assert not build.faults(book, path)
    assert "ipykernel_" not in path.read_text() and str(path.parent) not in path.read_text()
    assert 0.2 < run.seconds < 60 and 0.02 < run.gigabytes < 1


def test_nbval_passes_on_what_the_builder_stored(built):
    # The drawing's coordinate is random: only the sanitised SVG may differ. The widget's id is random too.
    assert nbval(built[0]).startswith("6 passed")


@pytest.mark.parametrize("old, new", [("54", "55"), ("a line", "no line")])
def test_nbval_fails_on_one_changed_output(built, tmp_path, old, new):
    changed = tmp_path / "changed.ipynb"
    book = books.read(built[0])
    for cell in book.cells:
        for output in cell.outputs:
            if "text" in output:
                output.text = output.text.replace(old, new)
            elif "text/plain" in output.get("data", {}):
                output.data["text/plain"] = output.data["text/plain"].replace(old, new)
    books.write(book, changed)
    assert nbval(changed).startswith("1 failed, 5 passed")


def test_a_notebook_that_fails_is_left_alone(tmp_path, monkeypatch, capsys):
    path = specimen.runnable(tmp_path, "99_fails.ipynb", "print(1)", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        build.execute(books.read(path), tmp_path)
    monkeypatch.setattr(books, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(books, "ROOT", tmp_path)
    assert build.main([]) == 1
    assert path.read_bytes() == before
    assert "99_fails.ipynb was not changed" in capsys.readouterr().out


def test_the_build_writes_the_readme_and_keeps_promises(tmp_path, monkeypatch, capsys):
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- map -->\n<!-- /map -->\nafter\n", encoding="utf-8")
    (tmp_path / "data").mkdir()
    names = ("97_none.ipynb", "98_one.ipynb", "99_two.ipynb")
    course = [{"notebook": name[:2], "file": name, "title": name[3:6]} for name in names]
    course = [entry | {"years": "2005", "minutes": 7, "you build": "a map"} for entry in course]
    (tmp_path / "data" / "course.json").write_text(json.dumps(course), encoding="utf-8")
    for name in names[1:]:
        specimen.runnable(tmp_path, name, "print(1)")
    monkeypatch.setattr(books, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(books, "ROOT", tmp_path)
    assert build.main(["--check"]) == 1  # nothing was run yet
    assert build.main(["--only", "98"]) == 0
    assert set(build.measured(readme.read_text("utf-8"))) == set(names[1:])
    assert build.measured(readme.read_text("utf-8"))["99_two.ipynb"] == ("?", "?")
    first = build.measured(readme.read_text("utf-8"))["98_one.ipynb"]
    assert build.main(["--only", "99_two.ipynb"]) == 0
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n<!-- map -->\n{build.HEAD}") and text.endswith("<!-- /map -->\nafter\n")
    assert "| 97 | non | 2005 | a map | 7 | to come | |" in text.splitlines()
    seconds, memory = build.measured(text)["99_two.ipynb"]
    assert 1 <= int(seconds) < 20 and memory.endswith(" GB") and build.measured(text)["98_one.ipynb"] == first
    assert build.main(["--check"]) == 0
    monkeypatch.setattr(minutes, "OTHERS", 0)
    assert build.main(["--only", "98"]) == 1
    assert "costs more than the course promises" in capsys.readouterr().out
    with pytest.raises(ValueError, match="98_one, 99_two"):
        build.main(["--only", "97"])


def test_normalize_takes_out_this_computer():
    installed = "/opt/x/lib/python3.11/site-packages/torch/a.py"
    trace = f"File {books.ROOT}{os.sep}helpers/runtime.py\nFile {installed}\n/t/ipykernel_12/34.py"
    error = {"output_type": "error", "ename": "E", "evalue": "", "traceback": trace.split("\n")}
    book = specimen.notebook(specimen.code("f()", outputs=[specimen.new_output(**error)]))
    build.normalize(book)
    assert book.cells[0].outputs[0].traceback == ["File helpers/runtime.py", "File torch/a.py", "<cell>"]


def test_a_kernel_whose_port_was_taken_is_started_again(tmp_path, monkeypatch):
    """Jupyter chooses the ports, another process takes one of them before the kernel does."""
    listener = socket.create_server(("127.0.0.1", 0))
    taken, chosen = listener.getsockname()[1], []
    choose = LocalPortCache.find_available_port

    def unlucky(self, ip):
        chosen.append(taken if not chosen else choose(self, ip))
        return chosen[-1]

    monkeypatch.setattr(LocalPortCache, "find_available_port", unlucky)
    path = specimen.runnable(tmp_path, "one.ipynb", "print(6 * 7)")
    book = books.read(path)
    with listener:
        build.execute(book, tmp_path)
    assert chosen[0] == taken and len(chosen) >= 10  # five ports for the first kernel, five for the second
    assert book.cells[-1].outputs[0].text == "42\n"


def test_a_build_reads_nothing_of_your_own(tmp_path, monkeypatch):
    monkeypatch.setenv("HELPERS_DEVICE", "tpu")
    monkeypatch.setenv("HELPERS_VOTES", str(tmp_path / "mine.jsonl"))
    code = "import os\nfrom helpers.bots.votes import VOTES_FILE\nprint(os.environ.get('HELPERS_DEVICE'), VOTES_FILE.name)"
    code += "\nprint(VOTES_FILE.exists())"
    book = books.read(specimen.runnable(tmp_path, "own.ipynb", code))
    build.execute(book, tmp_path)
    assert book.cells[-1].outputs[0].text == "None votes.jsonl\nFalse\n"


def test_only_a_kernel_that_died_is_started_again():
    calls = []

    def start(message):
        calls.append(message)
        raise RuntimeError(message)

    for message, times in (("Kernel died before replying to kernel_info", 3), ("no room", 1)):
        calls.clear()
        with pytest.raises(RuntimeError, match=message):
            start_again(start)(message)
        assert len(calls) == times
    assert nbval_kernel.start_new_kernel.__wrapped__  # nbval's kernels, too
