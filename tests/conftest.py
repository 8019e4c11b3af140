"""What every test starts from, and one line of report for each notebook: the seconds it took."""

import os
import random
import sys
from collections import Counter

import pytest
from hypothesis import settings

from tests.notebooks.kernels import no_votes

pytest_plugins = ["tests.browser.chromium", "tests.notebooks.strict_nbval"]

# Before anything imports matplotlib or starts a kernel: no window, and nothing of this person's own settings.
os.environ["MPLBACKEND"] = "agg"
for _name in [name for name in os.environ if name.startswith("HELPERS_") and name != "HELPERS_SCREENSHOTS"]:
    del os.environ[_name]
os.environ["HELPERS_VOTES"] = no_votes()
if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the processors: threads that wait for each other across them can be ten times slower than one.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples on every computer and in every run, and no stop-watch: two workers share the processor.
settings.register_profile("course", derandomize=True, deadline=None, database=None)
settings.load_profile("course")

_seconds: Counter = Counter()


@pytest.fixture(autouse=True)
def _same_start():
    """Seed every source of chance, so that a test gives the same numbers alone and in company; one thread."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
        sys.modules["torch"].set_num_threads(1)  # networks this small: two threads would wait more than compute


@pytest.fixture
def device(monkeypatch):
    """Where networks are tested: a CUDA GPU where there is one, else the CPU; float32 in full, never as TF32."""
    import torch

    if not torch.cuda.is_available():
        return torch.device("cpu")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    return torch.device("cuda")


def pytest_runtest_logreport(report):
    if ".ipynb::" in report.nodeid:
        _seconds[report.nodeid.split("::")[0]] += report.duration


def pytest_terminal_summary(terminalreporter):
    for name, seconds in sorted(_seconds.items()):
        terminalreporter.write_line(f"{name}: {seconds:.1f} s")
