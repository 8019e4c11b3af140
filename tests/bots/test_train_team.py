"""``bots train gpt --processes 2`` with two real processes: one bot, one row, and only the first speaks."""

import json
import os
from pathlib import Path

from helpers.training.launch import run_processes

PROGRAM = Path(__file__).with_name("team_program.py")


def test_two_processes_train_one_bot(tmp_path):
    paths = os.pathsep.join([str(PROGRAM.parents[2]), os.environ.get("PYTHONPATH", "")])
    environment = {"PYTHONPATH": paths, "HELPERS_DEVICE": "cpu"}
    printed = run_processes(PROGRAM, 2, arguments=[tmp_path, "gpt"], environment=environment, timeout=90)
    assert printed.count("Training gpt") == 1 and printed.count("bits per byte") == 1
    card = json.loads((tmp_path / "data" / "checkpoints" / "gpt" / "card.json").read_text(encoding="utf-8"))
    assert card["metrics"]["device"].endswith(", 2 processes") and card["metrics"]["bits per byte"] > 0
    assert not list((tmp_path / "build").rglob("*.pt"))
