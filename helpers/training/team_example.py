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

import torch

from helpers.corpus.batches.base import IGNORED, Batch
from helpers.io import sha256
from helpers.models.gpt import GPT, GPTConfig
from helpers.training import fit
from helpers.training.distributed import Team, join
from helpers.training.fsdp import held, whole_tensors

VOCABULARY, CONTEXT, ROWS = 64, 16, 4
LEARNING_RATE = 0.01


class ExampleBatches:
    """Batches of 4 rows of 16 tokens, in which each next token follows from the one before, most of the time.

    With ``uneven`` all 64 targets of every even batch count and 4 of every odd one: as replies differ in length.
    """

    def __init__(self, uneven: bool = False):
        self.uneven = uneven

    def __getitem__(self, number: int) -> Batch:
        rng = torch.Generator().manual_seed(number)
        ids = torch.randint(VOCABULARY, (ROWS, 1), generator=rng)
        for _ in range(CONTEXT):
            after = (ids[:, -1:] * 5 + 3) % VOCABULARY
            noise = torch.randint(VOCABULARY, (ROWS, 1), generator=rng)
            ids = torch.cat((ids, torch.where(torch.rand(ROWS, 1, generator=rng) < 0.8, after, noise)), dim=1)
        targets = ids[:, 1:].clone()
        if self.uneven and number % 2:
            targets[:, 1:] = IGNORED
        return Batch(ids[:, :-1], targets, True)


def example_batches(uneven: bool = False) -> ExampleBatches:
    """Return the batches of the example, the same in every process."""
    return ExampleBatches(uneven)


def example_model(seed: int = 0, dropout: float = 0.0, n_embd: int = 32) -> GPT:
    """Return a GPT of 2 layers, today's recipe, in training mode; its blocks do not begin at zero, so all have a gradient."""
    torch.manual_seed(seed)
    sizes = {"context": CONTEXT, "n_embd": n_embd, "n_layer": 2, "n_head": 4, "dropout": dropout}
    return GPT(GPTConfig.modern(VOCABULARY, **sizes, zero_output=False)).train()


def digest(model) -> str:
    """Return the SHA-256 of a model's parameters, bit by bit, as 64 hexadecimal digits; of a sharded one all processes ask."""
    weights = whole_tensors(dict(model.named_parameters()))
    return sha256(value.detach().cpu().contiguous().numpy().tobytes() for value in weights.values())


def train(team: Team, options: argparse.Namespace) -> dict:
    """Train the example as ``options`` say; return what came of it."""
    model = example_model(options.seed, options.dropout).to(team.device)
    history = fit(
        model, example_batches(options.uneven), steps=options.steps, seconds=options.seconds, learning_rate=LEARNING_RATE,
        optimizer=options.optimizer, accumulate=options.accumulate, resume=options.resume, validate_every=options.save_every,
        callbacks=[KillOnce(options.kill, options.victim)] if options.kill else (), progress=False, team=team,
    )  # fmt: skip
    parts = held(model)
    result = {
        "processes": team.size,
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
    """A callback that kills its own process without warning (SIGKILL) after a step: once, not after a restart."""

    on_every_process = True

    def __init__(self, step: int, victim: int):
        self.step, self.victim = step, victim

    def __call__(self, history, model) -> None:
        first_attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT") == "0"
        if history.steps == self.step and first_attempt and int(os.environ["RANK"]) == self.victim:
            os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line says, in each of the processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest="task", required=True)
    training = tasks.add_parser("train")
    for name, kind, usual in (
        ("steps", int, 20), ("seconds", float, None), ("accumulate", int, 1), ("seed", int, 0), ("dropout", float, 0.0),
        ("resume", str, None), ("save-every", int, 500), ("kill", int, 0), ("victim", int, 1), ("out", str, None),
        ("timeout", float, 60.0),
    ):  # fmt: skip
        training.add_argument(f"--{name}", type=kind, default=usual)
    training.add_argument("--optimizer", default="adamw")
    for name in ("uneven", "shard"):
        training.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args(arguments)
    with join(shard=options.shard, timeout=options.timeout) as team:
        result = train(team, options)
        if team.first:
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    from torch.distributed.elastic.multiprocessing.errors import record

    record(main)()
