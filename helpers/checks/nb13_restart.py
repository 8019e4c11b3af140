"""The check of notebook 13's training that may be killed: every wrong way to save and to begin again has its sentence."""

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import same, whole
from helpers.checks.nb13_team import Tiny, run, tiny_model
from helpers.training.losses import next_token_loss
from helpers.training.team_steps import train as package

STEPS = 6


class _Killed(Exception):
    """What stands for the end of a process."""


class _Batches:
    """Batches by number; asking for number ``last`` ends the worker."""

    def __init__(self, last: int | None = None):
        self.last = last

    def __getitem__(self, number: int) -> Tiny:
        if number == self.last:
            raise _Killed
        return Tiny(int(number), 9)


def _train(
    train: Callable, path: Path, steps: int = STEPS, kill: int | None = None, seed: int = 0
) -> tuple[list, list]:
    """Run ``train`` on two workers; return what they give back, and their final weights."""
    import torch

    models = [tiny_model(seed) for _ in range(2)]
    optimizers = [torch.optim.AdamW(model.parameters(), lr=0.1) for model in models]
    arguments = (models, optimizers, [next_token_loss] * 2, [_Batches(kill)] * 2, [steps] * 2, [path] * 2)
    begun = run(train, 2, *arguments)
    return begun, [torch.cat([p.detach().flatten() for p in model.parameters()]) for model in models]


@exercise
def check_train(train: Callable) -> str:
    """Build: a training that begins where the checkpoint ends, and saves so that one is always whole."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _, right = _train(package, home / "right.pt")
        path = home / "whole.pt"
        _undisturbed(train, path, right)
        _killed(train, home / "killed.pt", right)
        _half_written(train, home / "half.pt")
    return "Killed at any moment, it ends with the same weights, to the last bit."


def _undisturbed(train: Callable, path: Path, right: list) -> None:
    import torch

    writers, save = set(), torch.save

    def noted(state, *rest, **options):
        writers.add(threading.current_thread().name)
        return save(state, *rest, **options)

    with patch.object(torch, "save", noted):
        begun, weights = _train(train, path)
    begun = [whole(tried(each), "the step at which the run began") for each in begun]
    if not same(weights[0], right[0], 1e-6):
        raise Wrong(
            f"Without any accident, {STEPS} steps do not end where they should. Is every step made, once, by team_step?"
        )
    if not path.exists():
        raise Wrong("There is no checkpoint at `path` afterwards.")
    if len(writers) > 1:
        raise Wrong(
            "Both workers write the file, and may write at the same time: worker 0 alone, `if worker.rank == 0`."
        )
    if begun != [0, 0]:
        raise Wrong(f"Without a checkpoint a run begins at step 0. Return that, not {begun[0]}.")


def _killed(train: Callable, path: Path, right: list) -> None:
    """Worker 1 ends at step 3; then all begin again, with other weights at first, as new processes would."""
    try:
        _train(train, path, kill=7)
    except _Killed:
        pass
    if not path.exists():
        raise Wrong("Killed at step 3, and no checkpoint was there: save on the way, after every step, not at the end.")
    begun, weights = _train(train, path, seed=5)
    begun = [whole(tried(each), "the step at which the run began") for each in begun]
    if begun[0] == 0:
        raise Wrong("After the kill the run began at step 0 again. If `path` exists, load it and go on from there.")
    if not weights[0].equal(weights[1]):
        raise Wrong("After the restart the workers have different weights: all must load the model and the optimizer.")
    if begun != [3, 3]:
        raise Wrong(
            f"Three steps were made before the kill, so the next is step 3. Yours went on at {begun[0]}: save step + 1."
        )
    if not weights[0].equal(right[0]):
        if not weights[0].isfinite().all() or (weights[0] - right[0]).abs().max() > 0.5:
            raise Wrong(
                "After the restart the weights are far from those of a run without a kill: was the model loaded?"
            )
        raise Wrong(
            "After the restart it ends *near* the run without a kill, not at it: Adam's averages are missing. "
            "Save and load optimizer.state_dict(), too."
        )


def _half_written(train: Callable, path: Path) -> None:
    """Saving breaks off in the middle, as when the power fails: the checkpoint before must still be whole."""
    import torch

    save, calls = torch.save, []

    def breaking(state, target, *rest, **options):
        calls.append(target)
        if len(calls) < 3:
            return save(state, target, *rest, **options)
        if hasattr(target, "write"):
            target.write(b"half")
        else:
            Path(target).write_bytes(b"half")
        raise _Killed

    with patch.object(torch, "save", breaking):
        try:
            _train(train, path)
        except _Killed:
            pass
    try:
        torch.load(path)
    except Exception:
        raise Wrong(
            "The third save broke off in the middle, and now there is no whole checkpoint left. Write to another name, "
            'f"{path}.part", then os.replace(…) it.'
        ) from None
