"""A notebook that hangs, dies or leaves a cell out makes the run fail, whatever its code does with an interrupt."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.notebooks import books, specimen

# The kernel imports these as it starts, so that the seconds of a cell are spent in `fit`, not on imports.
STARTUP = "import time, torch, tqdm.auto\nfrom helpers.training import fit\ntorch.optim.AdamW([torch.ones(1)])"
FIT = """class Slow:
    def __getitem__(self, step):
        time.sleep(60)

history = fit(torch.nn.Linear(1, 1), Slow(), steps=2, progress=False)"""
SWALLOW = "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    pass"  # as `fit` does
DIE = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
LIMIT = 3  # seconds for one cell


def printed(text: str, *tags: str):
    """Return a code cell that prints `text`, with that output."""
    return specimen.code(f"print({text!r})", *tags, printed=f"{text}\n")


def store(folder, name: str, *cells, cleared=()) -> None:
    """Store a notebook as if the builder had run it; the cells whose numbers are `cleared` have no result."""
    book = specimen.notebook(*cells)
    for number in cleared:
        book.cells[number].execution_count, book.cells[number].outputs = None, []
    (folder / name).write_text(books.text(book), encoding="utf-8")


def options_of(target: str) -> list[str]:
    """Return what a target of the Makefile hands to pytest, without the folder of notebooks."""
    makefile = (books.ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(rf"^{target}:.*\n(?:\t.*\n)*?\t.* -m pytest (.*)$", makefile, re.MULTILINE)[1]
    for name in ("NBVAL", "REPORT"):
        recipe = recipe.replace(f"$({name})", re.search(rf"^{name} := (.*)$", makefile, re.MULTILINE)[1])
    # "tests" brings its conftest along; so does a file in it that has no tests.
    files = {"notebooks": [], "$(ARGS)": [], "tests": ["tests/notebooks/strict_nbval.py"]}
    return [other for option in shlex.split(recipe) for other in files.get(option, [option])]


def run(target: str, folder, *more: str, **variables: str):
    """Run the notebooks in `folder` as a target of the Makefile does, but with LIMIT."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(books.ROOT), "OMP_NUM_THREADS": "1", **variables}
    options = [*options_of(target), f"--nbval-cell-timeout={LIMIT}", "-p", "no:cacheprovider", "-c", "pyproject.toml"]
    command = [sys.executable, "-m", "pytest", str(folder), *options, "-rA", *more]
    return subprocess.run(command, cwd=books.ROOT, env=environment, capture_output=True, text=True, timeout=300)


def outcomes(stdout: str, name: str) -> dict[int, str]:
    """Return {cell: PASSED, FAILED, …} of one notebook, from pytest's summary."""
    return {int(cell): word for word, cell in re.findall(rf"^([A-Z]+) \S*\b{name}::Cell (\d+)", stdout, re.MULTILINE)}


def test_a_notebook_that_hangs_in_fit_fails(tmp_path):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "imports.py").write_text(STARTUP, encoding="utf-8")
    cells = [printed("one"), specimen.code(FIT, "nbval-ignore-output"), printed("two"), printed("three")]
    store(tmp_path, "hangs.ipynb", *cells)
    done = run("test", tmp_path, IPYTHONDIR=str(tmp_path / "ipython"))
    assert done.returncode == 1, done.stdout
    assert "xpassed" not in done.stdout and "xfailed" not in done.stdout
    assert f"hangs.ipynb: Cell 1 timed out after {LIMIT} seconds" in done.stdout
    assert f"hangs.ipynb: Cell 2 was not run, because Cell 1 timed out after {LIMIT} seconds" in done.stdout
    assert outcomes(done.stdout, "hangs.ipynb") == {0: "PASSED", 1: "FAILED", 2: "FAILED", 3: "FAILED"}


@pytest.fixture(scope="module", params=["test-portable", "test-colab"])
def mixed(request, tmp_path_factory):
    """What a run printed over one notebook without a fault, and some with one each."""
    folder = tmp_path_factory.mktemp("mixed")
    store(folder, "good.ipynb", printed("one"), specimen.code("x = 1"))
    store(folder, "hangs.ipynb", printed("one"), specimen.code(SWALLOW, "nbval-ignore-output"), printed("two"))
    store(folder, "raises.ipynb", specimen.code("import time\ntime.sleep(60)", "raises-exception"), printed("one"))
    store(folder, "dies.ipynb", specimen.code(DIE), printed("one"))
    store(folder, "skips.ipynb", printed("one"), printed("two", "nbval-skip"), printed("three"))
    store(folder, "comments.ipynb", specimen.code("# NBVAL_SKIP\nprint(1)"), printed("two"))
    store(folder, "cleared.ipynb", printed("one"), printed("two"), printed("three"), cleared=[1])
    store(folder, "idle.ipynb", printed("one"))
    hook = """def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.name == "idle.ipynb":
            item.runtest = lambda: None"""
    (folder / "conftest.py").write_text(hook, encoding="utf-8")
    done = run(request.param, folder, "-n0")
    assert done.returncode == 1, done.stdout
    return done.stdout


@pytest.mark.parametrize(
    "name, passed, failed",
    [
        ("good.ipynb", {0, 1}, {}),
        ("hangs.ipynb", {0}, {1: "timed out after", 2: "was not run, because Cell 1 timed out"}),
        ("raises.ipynb", set(), {0: "timed out after", 1: "was not run, because Cell 0 timed out"}),
        ("dies.ipynb", set(), {0: "lost its kernel", 1: "was not run, because Cell 0 lost its kernel"}),
        ("skips.ipynb", {0, 2}, {1: "is skipped"}),
        ("comments.ipynb", {1}, {0: "is skipped"}),
        ("idle.ipynb", set(), {0: "was not executed"}),
        ("cleared.ipynb", {0, 2}, {1: "is stored without having been run"}),
    ],
)
def test_each_fault_fails_and_is_named(mixed, name, passed, failed):
    assert outcomes(mixed, name) == dict.fromkeys(passed, "PASSED") | dict.fromkeys(failed, "FAILED")
    for cell, words in failed.items():
        assert f"{name}: Cell {cell} {words}" in mixed


def test_notebooks_without_a_fault_are_green(tmp_path):
    store(tmp_path, "good.ipynb", printed("one"), specimen.code("x = 1"))
    done = run("test-portable", tmp_path, "-n0")
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].strip("= ").startswith("2 passed in")
    assert "not executed" not in done.stdout


@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_a_cell_without_a_report_fails_the_run(tmp_path, workers):
    store(tmp_path, "leaves_out.ipynb", printed("one"), printed("two"), printed("three"))
    hook = "def pytest_runtest_protocol(item):\n    return item.name == 'Cell 1' or None"
    (tmp_path / "conftest.py").write_text(hook, encoding="utf-8")
    done = run("test-portable", tmp_path, workers)
    assert done.returncode == 1, done.stdout
    assert outcomes(done.stdout, "leaves_out.ipynb") == {0: "PASSED", 1: "FAILED", 2: "PASSED"}
    assert "leaves_out.ipynb::Cell 1 - not executed" in done.stdout


def test_a_pass_that_was_not_expected_and_a_test_without_cases_fail(tmp_path):
    # Without our plugin nbval's marks are what is left; they obey the project's settings, as any other mark.
    test = "import pytest\n\n@pytest.mark.{mark}\ndef test_it({argument}):\n    pass\n"
    (tmp_path / "test_expected.py").write_text(test.format(mark="xfail", argument=""), encoding="utf-8")
    (tmp_path / "test_empty.py").write_text(test.format(mark="parametrize('x', [])", argument="x"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", str(tmp_path), "-c", "pyproject.toml", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, "--continue-on-collection-errors"], cwd=books.ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "[XPASS(strict)]" in done.stdout and "Empty parameter set in 'test_it'" in done.stdout
    assert done.stdout.splitlines()[-1].strip("= ").startswith("1 failed, 1 error in")
