"""The program that a notebook runs: what it prints is what one process gets, also after a process was killed."""

import json
import os
import signal

import pytest

from helpers.training import fit, team_example
from helpers.training.example_task import LEARNING_RATE, digest, example_batches, example_model
from helpers.training.history import History
from helpers.training.launch import run_processes


def test_after_a_kill_and_a_restart_the_weights_are_those_of_an_undisturbed_run(tmp_path):
    """Rank 0, which writes the file, dies shortly after a step; the same without dropout as one process that accumulates."""
    harm = ["--resume", tmp_path / "resume.pt", "--kill", 12, "--victim", 0, "--delay", 0.004]
    settings = ["train", "--steps", 24, "--save-every", 5, "--optimizer", "muon", "--uneven"]
    printed = run_processes("helpers.training.team_example", 2, arguments=[*settings, *harm], restarts=3, timeout=100)
    result = json.loads(printed.splitlines()[-1])
    model = example_model()
    how = {"accumulate": 2, "learning_rate": LEARNING_RATE, "optimizer": "muon", "progress": False}
    history = fit(model, example_batches(uneven=True), steps=24, **how)
    assert "killed after step 12" in printed and result["restarts"] >= 1
    assert result["digest"] == digest(model) and result["loss"] == round(history.recent_loss(5), 6)
    assert result["processes"] == 2 and result["steps"] == 24 and result["held"] == result["of"]


@pytest.mark.parametrize(
    ("restarts", "rank", "step", "dies"), [(0, 1, 5, True), (1, 1, 5, False), (0, 0, 5, False), (0, 1, 4, False)]
)
def test_one_process_dies_once(monkeypatch, restarts, rank, step, dies):
    killed = []
    monkeypatch.setattr(os, "kill", lambda *how: killed.append(how))
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", str(restarts))
    monkeypatch.setenv("RANK", str(rank))
    history = History()
    for _ in range(step):
        history.add(1, 0.0, 1.0, 0.1, 1.0)
    team_example.KillOnce(5, victim=1)(history, None)
    assert killed == ([(os.getpid(), signal.SIGKILL)] if dies else [])
