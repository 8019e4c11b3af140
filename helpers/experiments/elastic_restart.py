"""Kill a process of a team at random, restart, and compare: are the final weights those of an undisturbed run? (notebook 13)

python -m helpers experiments elastic_restart        ten tries, two minutes of one core; data/elastic_restart.csv
"""

import json
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from helpers.corpus.load import data_path
from helpers.experiments.run_missing import run_missing
from helpers.io import read_rows, write_rows
from helpers.training.launch import run_processes

FILE = "elastic_restart.csv"
COLUMNS = ("try", "victim", "step", "milliseconds", "restarts", "steps", "equal", "seconds")
STEPS, SAVE_EVERY, TRIES = 30, 5, 10
SETTINGS = ("train", "--steps", STEPS, "--save-every", SAVE_EVERY, "--dropout", 0.1, "--optimizer", "muon", "--uneven")
EXAMPLE = "helpers.training.team_example"


@dataclass(frozen=True)
class Try:
    """One try: which process dies, after which step, and how many milliseconds later."""

    number: int
    victim: int
    step: int
    milliseconds: int

    @property
    def key(self) -> dict:
        return {"try": self.number}


def tries(count: int = TRIES, seed: int = 0) -> list[Try]:
    """Return ``count`` tries, the same for each ``seed``: rank 0 (which writes the file) or 1, any step, up to 20 ms later."""
    rng = random.Random(seed)
    return [
        Try(number + 1, rng.randrange(2), rng.randrange(1, STEPS - 3), rng.randrange(21)) for number in range(count)
    ]


def undisturbed() -> str:
    """Return the digest of the final weights of two processes that nothing happens to."""
    return json.loads(run_processes(EXAMPLE, 2, arguments=SETTINGS))["digest"]


def disturbed(one: Try, expected: str) -> dict:
    """Kill a process as ``one`` says, let torchrun start all again from the file, and return the row of the table."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        harm = ("--kill", one.step, "--victim", one.victim, "--delay", one.milliseconds / 1000)
        resume = ("--resume", Path(folder) / "resume.pt")
        lines = run_processes(EXAMPLE, 2, arguments=(*SETTINGS, *resume, *harm), restarts=3).splitlines()
    result = json.loads(lines[-1])
    return {
        **one.key, "victim": one.victim, "step": one.step, "milliseconds": one.milliseconds, "restarts": result["restarts"],
        "steps": result["steps"], "equal": int(result["digest"] == expected), "seconds": time.perf_counter() - began,
    }  # fmt: skip


def main() -> None:
    """Make the tries that the table lacks."""
    path = data_path() / FILE
    rows = read_rows(path)
    if len(rows) < TRIES:
        expected = undisturbed()
        run_missing(tries(), rows, lambda one: [disturbed(one, expected)], lambda rows: write_rows(path, COLUMNS, rows))
