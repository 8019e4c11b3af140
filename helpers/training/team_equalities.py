"""What a team of processes computes is what one process computes: shown on real processes (run by ``team_example``; notebook 13).

Each function is called by every process of the team and returns a dict of numbers, the same on each or the first one's.
"""

import warnings
from pathlib import Path

import torch
from torch import distributed, nn
from torch.nn import functional

from helpers.corpus.batches.base import Batch
from helpers.models.network import Network
from helpers.training import fit, next_token_loss
from helpers.training.data_parallel import averaged_step, gradient, relative_error
from helpers.training.example_task import LEARNING_RATE, digest, example_batches, example_model
from helpers.training.fsdp import held, shard_model
from helpers.training.pipeline import run_stage
from helpers.training.tensor_parallel import split_mlp, summed_once, whole_mlp

STEPS = 20


def one_batch(batches, numbers) -> Batch:
    """Return the rows of several batches as one."""
    parts = [batches[number] for number in numbers]
    return Batch(*(torch.cat([getattr(part, name) for part in parts]) for name in ("inputs", "targets")), True)


def gradients(team) -> dict:
    """Compare the gradient that ``fit`` follows with that of all batches as one, for even and for uneven masks.

    And what comes of two mistakes: the mean of the workers' means, and the sum of them.
    """
    results = {}
    for name, uneven in (("even", False), ("uneven", True)):
        batches = example_batches(uneven)
        right, _, _ = gradient(example_model(), one_batch(batches, range(team.size)))
        model = example_model()
        fit(model, batches, steps=1, learning_rate=0.0, clip=None, progress=False, team=team)
        followed = torch.cat([value.grad.flatten() for value in model.parameters()])
        mine, _, _ = gradient(model, batches[team.rank])
        distributed.all_reduce(mine)
        results[f"{name}: difference"] = (followed - right).abs().max().item()
        results[f"{name}: mean of means, relative error"] = relative_error(mine / team.size, right)
        results[f"{name}: sum of means, relative error"] = relative_error(mine, right)
    return results


def ddp(team) -> dict:
    """Train with torch's DistributedDataParallel and with ``fit``: largest difference of the weights after 20 steps."""
    ours, theirs = example_model(), example_model()
    settings = {"steps": STEPS, "learning_rate": LEARNING_RATE, "schedule": "constant", "warmup": 0.0}
    fit(ours, example_batches(), progress=False, team=team, **settings)
    wrapped = nn.parallel.DistributedDataParallel(theirs)
    optimizer = torch.optim.AdamW(theirs.parameters(), LEARNING_RATE, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    for step in range(STEPS):
        optimizer.zero_grad()
        next_token_loss(
            wrapped, example_batches()[step * team.size + team.rank]
        ).backward()  # means over as many tokens
        nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        optimizer.step()
    pairs = zip(ours.parameters(), theirs.parameters())
    return {
        "ddp: difference": max((one - other).abs().max().item() for one, other in pairs),
        "ddp: same bits": digest(ours) == digest(theirs),
    }


def averaged(team) -> dict:
    """Compare ``averaged_step``, the few lines of it, with the gradient of all batches as one."""
    batches = example_batches(uneven=True)
    right, _, _ = gradient(example_model(), one_batch(batches, range(team.size)))
    model = example_model()
    _, weight, _ = gradient(model, batches[team.rank])
    total = averaged_step(model, weight)
    found = torch.cat([value.grad.flatten() for value in model.parameters()])
    return {"averaged: difference": (found - right).abs().max().item(), "averaged: tokens": total}


def pipeline(team) -> dict:
    """Compare a pipeline of stages, one a process, with the whole network on the whole batch: difference of the gradients."""
    torch.manual_seed(0)
    stages = [nn.Sequential(nn.Linear(8, 8), nn.Tanh()).double() for _ in range(team.size)]
    x, y = torch.randn(12, 8).double(), torch.randn(12, 8).double()
    whole = nn.Sequential(*stages)
    functional.mse_loss(whole(x), y).backward()
    right = [value.grad.clone() for value in stages[team.rank].parameters()]
    whole.zero_grad()
    micro_batches = list(zip(x.chunk(4), y.chunk(4)))
    run_stage(stages[team.rank], team.rank, team.size, micro_batches, functional.mse_loss, (3, 8))
    found = [value.grad for value in stages[team.rank].parameters()]
    return {"pipeline: difference": _largest(team, max((a - b).abs().max().item() for a, b in zip(found, right)))}


class MLP(Network):
    """Two matrices with a ReLU between them, as torch's ``parallelize_module`` cuts them."""

    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(8, 12).double(), nn.Linear(12, 8).double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(functional.relu(self.up(x)))


def tensor_parallel(team) -> dict:
    """Compare an MLP cut by columns and rows, by hand and by torch, with the whole one; and two ways to cut it wrongly."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

    torch.manual_seed(0)
    model, x = MLP(), torch.randn(5, 8).double()
    up, up_bias, down, down_bias = (value.detach().clone() for value in model.parameters())
    right = whole_mlp(x, up, up_bias, down, down_bias)
    part = split_mlp(up, up_bias, down, team.size)[team.rank]
    mine = functional.relu(x @ part.up.T + part.up_bias) @ part.down.T
    by_torch = parallelize_module(
        model, init_device_mesh("cpu", (team.size,)), {"up": ColwiseParallel(), "down": RowwiseParallel()}
    )
    return {
        "tensor parallel: difference": (summed_once(mine) + down_bias - right).abs().max().item(),
        "torch's: difference": (by_torch(x) - right).abs().max().item(),
        "bias on every process": (summed_once(mine + down_bias) - right).abs().max().item(),
        "the bias": (team.size - 1) * down_bias.abs().max().item(),
    }


def checkpoint(team, folder: Path) -> dict:
    """Save a sharded model with ``torch.distributed.checkpoint``, each process its part; return what all of it was."""
    from torch.distributed import checkpoint as files

    model = example_model(seed=3)
    shard_model(model, team.device, team.size)
    files.save({"model": model.state_dict()}, checkpoint_id=folder)
    return {"held": held(model), "of": sum(value.numel() for value in model.parameters()), "digest": digest(model)}


def loaded_alone(folder: Path) -> str:
    """Return the digest of the model in a folder of ``checkpoint``, read by one process that is in no team."""
    from torch.distributed import checkpoint as files

    model = example_model(seed=4)
    state = {"model": model.state_dict()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that there is no team
        files.load(state, checkpoint_id=folder, no_dist=True)
    model.load_state_dict(state["model"])
    return digest(model)


def all_of_them(team) -> dict:
    """Return the numbers of every comparison."""
    return {**gradients(team), **averaged(team), **ddp(team), **pipeline(team), **tensor_parallel(team)}


def _largest(team, number: float) -> float:
    box = torch.tensor(number, dtype=torch.float64)
    distributed.all_reduce(box, distributed.ReduceOp.MAX)
    return box.item()
