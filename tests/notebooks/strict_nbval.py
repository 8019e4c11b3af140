"""pytest plugin: a run is green only if every collected notebook cell was executed, to its end, in its notebook.

By itself nbval lets a notebook through that it did not compare. It interrupts a cell that takes too long; code that
keeps its work on Ctrl-C (`helpers.training.fit`) then ends normally and the cell passes; every later cell is marked
xfail, so that it counts as XPASS or XFAIL and never as failed. Cells that are skipped, or stored without an execution
count, are not compared either. Here each of these fails, and names the notebook and the cell.
"""

import time
from queue import Empty

import pytest
from nbval import kernel as nbval_kernel
from nbval.plugin import IPyNbCell, NbCellError

from tests.notebooks.kernels import start_again

STOPPED = pytest.StashKey[str]()  # on a notebook: the cell after which no other can run, and why
POLL = 0.5  # seconds between two looks at a kernel that has not answered yet
nbval_kernel.start_new_kernel = start_again(nbval_kernel.start_new_kernel)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before pytest looks at the xfail marks that nbval sets
def pytest_runtest_call(item):
    """Run a notebook's cell, and let it pass only if it ran to its end in a notebook that is whole so far."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    notebook, error = item.parent, None
    if notebook.stash.get(STOPPED, None):
        item.raise_cell_error(f"{notebook.path.name}: {item.name} was not run, because {notebook.stash[STOPPED]}")
    _notice_death(notebook.kernel)
    try:
        yield
    except (Exception, pytest.skip.Exception) as raised:
        error = raised
    fault = _fault(item, error)
    if notebook.timed_out or not notebook.kernel.is_alive():
        notebook.stash[STOPPED] = f"{item.name} {fault}"
    if fault:
        details = getattr(error, "inner_traceback", None) or (str(error) if error else None)
        message = f"{notebook.path.name}: {item.name} {fault}"
        raise NbCellError(item.cell_num, message, item.cell.source, details) from error
    if error:
        raise error


def _fault(item: IPyNbCell, error: BaseException | None) -> str | None:
    """Say what keeps a cell from counting as executed; None for one that ran, whether it passed or failed."""
    if item.parent.timed_out:
        return f"timed out after {item.config.option.nbval_cell_timeout:g} seconds"
    if not item.parent.kernel.is_alive():
        return "lost its kernel, which died"
    if isinstance(error, pytest.skip.Exception):
        return "is skipped: remove nbval-skip, or the cell"
    if error is None and item.test_outputs is None:
        return "was not executed"
    if error is None and item.cell.execution_count is None:
        return "is stored without having been run, so nothing was compared: run make notebooks"
    return None


def _notice_death(kernel) -> None:
    """Make the wait for a cell's reply end when the kernel dies, not only when the cell's time is over."""
    if "get_message" in vars(kernel):
        return
    get_message = kernel.get_message

    def watched(stream, timeout=None):
        if stream != "shell":
            return get_message(stream, timeout=timeout)
        end = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return get_message(stream, timeout=max(0, min(POLL, end - time.monotonic())))
            except Empty:
                if not kernel.is_alive():
                    raise RuntimeError("the kernel died while it executed the cell") from None
                if time.monotonic() >= end:
                    raise

    kernel.get_message = watched


class Audit:
    """Compares the cells that were collected with those that were reported, in the process that ends the run."""

    def __init__(self):
        self.collected: dict[str, None] = {}  # the ids of cells, in order
        self.executed: set[str] = set()

    def pytest_collection_finish(self, session):
        self.collected |= {item.nodeid: None for item in session.items if isinstance(item, IPyNbCell)}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids):
        """Take what a worker collected: with xdist, the process that ends the run collects nothing itself."""
        self.collected |= {nodeid: None for nodeid in ids if ".ipynb::" in nodeid}

    def pytest_runtest_logreport(self, report):
        # A setup that failed has been reported as an error; expected failures (xfail) were not compared.
        if (report.when == "call" or report.failed) and not report.skipped and not hasattr(report, "wasxfail"):
            self.executed.add(report.nodeid)

    def missing(self) -> list[str]:
        """Return the cells that were collected but neither passed nor failed."""
        return [nodeid for nodeid in self.collected if nodeid not in self.executed]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        if self.missing() and not session.config.option.collectonly and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter, config):
        if self.missing() and not config.option.collectonly:
            terminalreporter.section("notebook cells that were not executed", red=True, bold=True)
            for nodeid in self.missing():
                terminalreporter.write_line(f"FAILED {nodeid} - not executed", red=True)


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # a worker of xdist sees only its share
        config.pluginmanager.register(Audit(), "notebook-audit")
