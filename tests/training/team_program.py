"""What two real processes of a team do, one scene after the other: run once by ``test_distributed``, which reads what it writes.

Each process writes {scene: what came of it} to FOLDER/RANK.json. A scene that hangs is ended by the timeout of its team.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import torch

from helpers.corpus.batches.base import IGNORED, Batch
from helpers.training import CarriedState, fit, loop, next_token_loss
from helpers.training.distributed import Team, join
from helpers.training.example_task import digest, example_batches, example_model
from helpers.training.fsdp import held, whole_tensors
from helpers.training.losses import NotFinite

SCENES = {}


def scene(function):
    SCENES[function.__name__] = function
    return function


def train(team, model=None, batches=None, **settings):
    """Return the model after a short training, and what the training says of itself."""
    model = example_model() if model is None else model
    usual = {"steps": 6, "learning_rate": 0.01, "progress": False, "team": team}
    history = fit(model, batches or example_batches(), **{**usual, **settings})
    return {
        "steps": history.steps,
        "stopped": history.stopped,
        "digest": digest(model),
        "losses": [row[3] for row in history.rows],
        "tokens": [row[1] for row in history.rows],
        "best": history.best_step,
    }


def failing(function):
    """Return the kind and the message of what ``function()`` raises."""
    try:
        function()
    except BaseException as error:
        return [type(error).__name__, str(error)]
    return ["", ""]


class Wrapped:
    """The example's batches, with something that happens before batch ``number`` of one rank is read."""

    def __init__(self, number, rank, call):
        self.number, self.rank, self.call, self.batches = number, rank, call, example_batches()

    def __getitem__(self, number):
        if number == self.number and int(os.environ["RANK"]) == self.rank:
            self.call()
        return self.batches[number]


class Seen:
    def __init__(self):
        self.numbers = []

    def __getitem__(self, number):
        self.numbers.append(number)
        return example_batches()[number]


def raising(error):
    def call(*arguments):
        raise error

    return call


@scene
def shares(team, folder):
    batches = Seen()
    return {**train(team, batches=batches, steps=3, accumulate=2), "numbers": batches.numbers}


@scene
def other_weights_at_the_start(team, folder):
    return train(team, example_model(seed=team.rank))


@scene
def other_shapes(team, folder):
    return failing(lambda: train(team, example_model(n_embd=32 + 8 * team.rank)))


@scene
def elsewhere(team, folder):
    return failing(lambda: train(team, example_model().to("meta")))


@scene
def carried_state(team, folder):
    return failing(lambda: train(team, loss=CarriedState()))


@scene
def a_loss_that_is_refused(team, folder):
    calls = []

    def loss(model, batch):
        calls.append(1)
        if team.rank == 1 and len(calls) == 4:
            raise NotFinite("a reward was no number")
        return next_token_loss(model, batch)

    return train(team, loss=loss)


@scene
def a_loss_that_is_no_number(team, folder):
    def loss(model, batch):
        calls.append(1)
        return next_token_loss(model, batch) * (float("nan") if team.rank == 1 and len(calls) == 4 else 1)

    calls = []
    return train(team, loss=loss)


@scene
def ctrl_c(team, folder):
    return train(team, batches=Wrapped(5, 1, lambda: os.kill(os.getpid(), signal.SIGINT)))


@scene
def a_callback_that_interrupts(team, folder):
    def callback(history, model):
        calls.append(history.steps)
        if history.steps == 2:
            raise KeyboardInterrupt

    calls = []
    return {**train(team, callbacks=[callback]), "calls": calls}


@scene
def an_error(team, folder):
    return failing(lambda: train(team, batches=Wrapped(5, 1, raising(ZeroDivisionError("no such batch")))))


@scene
def an_error_of_the_first_ones_validation(team, folder):
    return failing(lambda: train(team, validate=raising(ZeroDivisionError("no text")), validate_every=2))


@scene
def a_file_that_cannot_be_written(team, folder):
    (folder / "file").touch()
    return failing(lambda: train(team, resume=folder / "file" / "resume.pt"))[0]


@scene
def two_clocks(team, folder):
    began = time.perf_counter()
    real = time.perf_counter
    time.perf_counter = lambda: began + (real() - began) * (1 + 3 * team.rank)
    try:
        return train(team, steps=None, seconds=0.3)
    finally:
        time.perf_counter = real


@scene
def validation(team, folder):
    def validate(model):
        calls.append(digest(model))
        return [3.0, 1.0, 2.0][len(calls) - 1]

    calls = []
    return {**train(team, validate=validate, validate_every=2), "calls": calls}


@scene
def a_callback_that_changes_the_weights_of_one(team, folder):
    def callback(history, model):
        with torch.no_grad():
            model.embed.weight[0, 0] += 1e-3

    return failing(lambda: train(team, callbacks=[callback]))


@scene
def a_callback_that_changes_the_weights_of_all(team, folder):
    def callback(history, model):
        with torch.no_grad():
            model.embed.weight[0, 0] += 1e-3

    callback.on_every_process = True
    return train(team, callbacks=[callback])


@scene
def dropout(team, folder):
    masks = []

    def loss(model, batch):
        masks.append(torch.rand(()).item())
        return next_token_loss(model, batch)

    first = train(team, example_model(dropout=0.3), loss=loss)
    again = train(team, example_model(dropout=0.3), loss=loss)
    return {**first, "numbers": masks[:3], "again": again["digest"], "after": torch.rand(()).item()}


class Forked(torch.nn.Module):
    """Three numbers, of which batches of rank 0 use the first, those of rank 1 the second, and no batch the third."""

    def __init__(self):
        super().__init__()
        self.parts = torch.nn.ParameterList(torch.nn.Parameter(torch.ones(2)) for _ in range(3))


@scene
def parameters_that_are_not_used(team, folder):
    model = Forked()
    usual = {"loss": lambda model, batch: (model.parts[team.rank] * 3).sum(), "steps": 1, "clip": None}
    train(team, model, weight_decay=0.1, **usual)
    return [None if part.grad is None else part.grad.tolist() for part in model.parts]


@scene
def clipping(team, folder):
    """The gradients (6, 0) of rank 0 and (0, 6) of rank 1, each over as many tokens: their mean (3, 3), clipped to 1."""
    model = torch.nn.Linear(2, 1, bias=False)
    loss = lambda model, batch: 6 * model.weight[0, team.rank]  # noqa: E731
    steps, real = [], torch.optim.SGD.step
    torch.optim.SGD.step = lambda self: (steps.append(model.weight.grad.tolist()), real(self))
    try:
        norm = fit(model, example_batches(), steps=1, optimizer="sgd", loss=loss, progress=False, team=team).rows[0][6]
    finally:
        torch.optim.SGD.step = real
    return {"norm": norm, "gradient": steps[0][0]}


class NoTargets:
    """Batches of which those of rank 1 have no target."""

    def __getitem__(self, number):
        batch = example_batches()[number]
        return Batch(batch.inputs, torch.full_like(batch.targets, IGNORED), True) if number % 2 else batch


@scene
def a_bar(team, folder):
    shown, real = [], loop._Bar
    loop._Bar = lambda *settings: (shown.append(settings[-1]), real(*settings[:-1], False))[1]
    try:
        train(team, progress=True, steps=1)
    finally:
        loop._Bar = real
    return shown


@scene
def a_share_without_targets(team, folder):
    return train(team, batches=NoTargets())


@scene
def a_sharded_share_without_targets(team, folder):
    return train(Team(team.device, shard=True), batches=NoTargets())


def weights(team, shard, **settings):
    """Train a GPT and leave its whole weights for the test: as one process does, or as two that hold a part each."""
    model = example_model()
    result = train(Team(team.device, shard), model, example_batches(uneven=True), **settings)
    return {**result, "held": held(model)}, whole_tensors(model.state_dict())


@scene
def resumed(team, folder):
    """Four steps of six, then the same call again; whole, and in parts, and a file of parts read by one that holds all."""
    results = {}
    for name, shard in (("whole", False), ("parts", True)):
        validate = lambda model: next_token_loss(model, example_batches()[99]).item()  # noqa: E731
        how = {"validate": validate, "validate_every": 2, "optimizer": "muon"}
        results[name], _ = weights(team, shard, **how)
        path = folder / f"{name}.pt"
        stop = lambda history, model: raising(KeyboardInterrupt())() if history.steps == 4 else None  # noqa: E731
        stop.on_every_process = True
        cut, _ = weights(team, shard, resume=path, callbacks=[stop], **how)
        if team.first:
            (folder / f"{name}.copy.pt").write_bytes(path.read_bytes())
        results[f"{name} again"], after = weights(team, shard, resume=path, **how)
        results[f"{name} cut"] = cut["steps"]
        if team.first:
            torch.save(after, folder / f"{name}.weights.pt")
    return results


@scene
def twenty_steps(team, folder):
    names = ("adamw", "muon")
    return [weights(team, False, steps=20, optimizer=optimizer)[0]["digest"] for optimizer in names]


@scene
def sharded(team, folder):
    results = {}
    for optimizer in ("adamw", "muon", "sgd"):
        results[optimizer], after = weights(team, True, steps=20, optimizer=optimizer)
        if team.first:
            torch.save(after, folder / f"sharded.{optimizer}.pt")
    return results


@scene
def sharded_failures(team, folder):
    """Under shards the backward pass is a joint one: a loss that fails, and Ctrl-C."""
    team, calls = Team(team.device, shard=True), []

    def loss(model, batch):
        calls.append(1)
        value = next_token_loss(model, batch)
        if team.rank == 1 and len(calls) == 3:
            raise NotFinite("a reward was no number")
        return value

    first = train(team, loss=loss)
    second = train(team, batches=Wrapped(5, 1, lambda: os.kill(os.getpid(), signal.SIGINT)))
    return [first, second]


@scene
def one_that_does_not_come(team, folder):
    """Last, for it breaks the connection: rank 0 waits for an agreement that rank 1, though it is there, never joins."""
    team, began = Team(team.device, timeout=1), time.monotonic()
    found, done = ["", ""], folder / "given up"
    if team.first:
        found = failing(team.agree)
        done.touch()
    while not done.exists() and time.monotonic() - began < 15:
        time.sleep(0.1)
    return [found[0], time.monotonic() - began]


def main(folder: Path) -> None:
    results = {}
    with join(timeout=20, device="cpu") as team:
        for name, play in SCENES.items():
            torch.manual_seed(5)
            results[name] = play(team, folder)
            (folder / f"{team.rank}.json").write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
