"""A small program for a team of processes: it trains a GPT on invented tokens, and shows what is equal to what (notebook 13).

torchrun --standalone --nproc-per-node 2 -m helpers.training.team_example train --steps 20
torchrun --standalone --nproc-per-node 2 -m helpers.training.team_example all

The first process prints one line of JSON for each thing asked for. A cell of a notebook runs it by
``helpers.training.launch.run_processes``.
"""

import argparse
import json
import os
import signal
import threading
from pathlib import Path

import torch

from helpers.training import fit, team_equalities
from helpers.training.distributed import Team, join
from helpers.training.example_task import LEARNING_RATE, digest, example_batches, example_model
from helpers.training.fsdp import held, whole_tensors


def train(team: Team, options: argparse.Namespace) -> dict:
    """Train the example as ``options`` say; return what came of it."""
    model = example_model(options.seed, options.dropout).to(team.device)
    history = fit(
        model, example_batches(options.uneven), steps=options.steps, seconds=options.seconds, learning_rate=LEARNING_RATE,
        optimizer=options.optimizer, accumulate=options.accumulate, resume=options.resume, validate_every=options.save_every,
        callbacks=[KillOnce(options.kill, options.victim, options.delay)] if options.kill else (), progress=False, team=team,
        dtype=torch.bfloat16 if options.bfloat16 else None,
    )  # fmt: skip
    parts = held(model)
    result = {
        "processes": team.size,
        "device": str(team.device),
        "restarts": int(os.environ["TORCHELASTIC_RESTART_COUNT"]),
        "steps": history.steps,
        "loss": round(history.recent_loss(5), 6),
        "digest": digest(model),
        "held": parts,
        "of": sum(value.numel() for value in model.parameters()),
    }
    weights = whole_tensors(model.state_dict())
    if options.out and team.first:
        torch.save({name: value.cpu() for name, value in weights.items()}, options.out)
    return result


class KillOnce:
    """A callback that kills its own process without warning (SIGKILL): once, not after a restart.

    It comes ``delay`` seconds after the ``step``, so anywhere in a later one, or while a file is written.
    """

    on_every_process = True

    def __init__(self, step: int, victim: int, delay: float = 0.0):
        self.step, self.victim, self.delay = step, victim, delay

    def __call__(self, history, model) -> None:
        first_attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT") == "0"
        if history.steps == self.step and first_attempt and int(os.environ["RANK"]) == self.victim:
            print(f"killed after step {self.step}", flush=True)
            killer = threading.Timer(self.delay, os.kill, (os.getpid(), signal.SIGKILL))
            killer.daemon = True
            killer.start()
            if not self.delay:
                killer.join()


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line says, in each of the processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest="task", required=True)
    training = tasks.add_parser("train")
    for name, kind, usual in (
        ("steps", int, 20), ("seconds", float, None), ("accumulate", int, 1), ("seed", int, 0), ("dropout", float, 0.0),
        ("resume", str, None), ("save-every", int, 500), ("kill", int, 0), ("victim", int, 1), ("delay", float, 0.0),
        ("out", str, None), ("timeout", float, 60.0),
    ):  # fmt: skip
        training.add_argument(f"--{name}", type=kind, default=usual)
    training.add_argument("--optimizer", default="adamw")
    for name in ("uneven", "shard", "bfloat16"):
        training.add_argument(f"--{name}", action="store_true")
    comparing = tasks.add_parser("all", help="compare a team's numbers with those of one process")
    saving = tasks.add_parser("checkpoint", help="save a sharded model in FOLDER, and load it with one process")
    comparing.add_argument("folder", type=Path, nargs="?", help="of a checkpoint as well")
    saving.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    with join(shard=getattr(options, "shard", False), timeout=getattr(options, "timeout", 60.0)) as team:
        result = train(team, options) if options.task == "train" else {}
        if options.task == "all":
            result |= team_equalities.all_of_them(team)
        if folder := getattr(options, "folder", None):
            result |= team_equalities.checkpoint(team, folder)
    if team.first:
        if folder:
            result["alone"] = team_equalities.loaded_alone(folder)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    from torch.distributed.elastic.multiprocessing.errors import record

    record(main)()
