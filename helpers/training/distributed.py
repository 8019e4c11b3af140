"""A team of processes that trains one model, a share of the batches each (built in notebook 13; used by ``fit``).

    with join() as team:                                   # in a program that torchrun has started
        fit(model.to(team.device), batches, steps=1000, team=team)

Each process computes the gradient of its own batches; the sum of all, weighted by tokens, moves the same weights everywhere.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module

import torch
from torch import distributed

from helpers.training.agreement import TIMEOUT, Agreement
from helpers.training.alone import Alone
from helpers.training.fsdp import shard_model, split_optimizer, split_tensors, whole_tensors


class Team(Agreement, Alone):
    """This process among ``size``: its number ``rank``, its ``device``, and what all of them do together.

    ``shard`` says how the model is kept: False, whole by each (data parallel); True, a part by each (``fully_shard``, FSDP2).
    Numbers that steer the training go over gloo, from processor to processor, so that a GPU is not waited for.
    """

    def __init__(self, device: torch.device, shard: bool = False, timeout: float = TIMEOUT):
        super().__init__(timeout)
        self.device, self.shard, self._seed = device, shard, 0
        self.divisor = self.size if shard else 1  # fully_shard takes the mean over processes where the sum is meant

    def prepare(self, model, loss) -> None:
        """Give all processes the parameters and buffers of the first, and with ``shard`` leave each a part of them.

        Raises ValueError for a loss that carries a state from batch to batch, when the models differ in shape, or are not on
        the team's device.
        """
        if hasattr(loss, "state"):
            raise ValueError(
                "this loss carries a state from one batch to the next, and a team's processes read every other batch: "
                "train on one process, or with a loss that begins anew, such as next_token_loss"
            )
        if (place := next(model.parameters()).device).type != self.device.type:
            raise ValueError(
                f"the model is on {place}, the team computes on {self.device.type}: call model.to(team.device)"
            )
        tensors = [value.detach() for value in (*model.parameters(), *model.buffers())]
        self.begin(room=2 + len(list(model.parameters())))
        shapes = self.gathered(str([(tuple(value.shape), value.dtype) for value in tensors]))
        if len(set(shapes)) > 1:
            raise ValueError("the processes of the team have models of different shapes: build the same one on each")
        for value in tensors:
            distributed.broadcast(value, src=0)
        self._seed = self.from_first(torch.initial_seed)
        if self.shard:
            shard_model(model, self.device, self.size)

    # --- a step ----------------------------------------------------------------------------------------------------------

    def agreed(self, done: float, history) -> float:
        """Return the share that is done by the first one's clock, 1 when any process has stopped; and draw new random numbers.

        Without this a process whose clock is a little behind would begin a step that the others never join.
        """
        bits, stopped, *_ = self.agree(_bits(done) if self.first else 0, bool(history.stopped))
        torch.manual_seed((self._seed + history.steps * self.size + self.rank) % 2**63)  # dropout differs between them
        if stopped:
            history.fetch()
        return 1.0 if stopped else _number(bits)

    def totals(self, *counts: int) -> Sequence[int]:
        return self.agree(*counts)[: len(counts)]

    def forwarded(self) -> None:
        if self.shard:  # the backward pass is a joint one: nobody may begin it alone
            self.agree()

    def summed(self, model, losses: list, most: int) -> list:
        """Add up the gradients of all by one all-reduce, in place, before anything is clipped; return everybody's losses.

        A parameter that got a gradient on no process keeps None. What is sharded was added up in the backward pass.
        """
        parameters = list(model.parameters())
        used = self.agree(*(parameter.grad is not None for parameter in parameters))
        here = [parameter for parameter, count in zip(parameters, used) if count and not self.shard]
        slots = torch.zeros(
            self.size, most, device=self.device, dtype=torch.promote_types(parameters[0].dtype, torch.float32)
        )
        for number, loss in enumerate(losses):
            slots[self.rank, number] = loss
        gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in here]
        flat = torch.cat([*(gradient.flatten() for gradient in gradients), slots.flatten()])
        distributed.all_reduce(flat)
        *gradients, slots = flat.split([*(parameter.numel() for parameter in here), slots.numel()])
        for parameter, gradient in zip(here, gradients):
            parameter.grad = gradient.view_as(parameter).to(parameter.dtype)
        return list(slots)

    @contextmanager
    def watching(self) -> Iterator[None]:
        try:
            with super().watching():
                yield
        finally:
            torch.manual_seed(self._seed)  # what follows draws the same numbers everywhere

    # --- the weights -----------------------------------------------------------------------------------------------------

    def check_same(self, model) -> None:
        if not self.shard:
            sums = self.gathered(str(sum(value.detach().double().sum().item() for value in model.parameters())))
            if len(set(sums)) > 1:
                raise ValueError(
                    "the processes no longer have the same weights: something changes them on one process alone, "
                    "such as a callback (give it on_every_process = True)"
                )

    def whole(self, value):
        return whole_tensors(value) if self.shard else value

    def split(self, tensors: dict, model) -> dict:
        return split_tensors(tensors, model) if self.shard else tensors

    def split_optimizer(self, optimizer) -> None:
        if self.shard:
            split_optimizer(optimizer)


def _bits(number: float) -> int:
    """Return a float as the whole number with the same 64 bits, and ``_number`` back: sent without rounding."""
    return struct.unpack("q", struct.pack("d", number))[0]


def _number(bits: int) -> float:
    return struct.unpack("d", struct.pack("q", bits))[0]


@contextmanager
def join(*, shard: bool = False, timeout: float = TIMEOUT, device: str | None = None) -> Iterator[Team]:
    """Meet the other processes that torchrun has started, give the Team, and part at the end.

    Where this computer has a GPU (CUDA) for each of its processes, each takes one and they talk over NCCL; else they compute
    on the processor, over gloo; ``device`` ("cpu" or "cuda"), or the variable HELPERS_DEVICE, decides otherwise. ``shard``:
    see Team. ``timeout`` is how many seconds a process waits for the others before it fails. Raises ValueError outside
    torchrun, for "cuda" without a GPU for each, and for ``shard`` with a torch before 2.6.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        raise ValueError(
            "this process is not one of a team: start it with torchrun --standalone --nproc-per-node 2 FILE, "
            "or by helpers.training.launch.run_processes"
        )
    if shard and not hasattr(import_module("torch.distributed.fsdp"), "fully_shard"):
        raise ValueError(f"shard=True needs torch 2.6 or newer, and this is {torch.__version__}: leave it out")
    local, beside = int(os.environ["LOCAL_RANK"]), int(os.environ["LOCAL_WORLD_SIZE"])
    enough = torch.cuda.is_available() and torch.cuda.device_count() >= beside
    name = device or os.environ.get("HELPERS_DEVICE", "").strip().lower() or ("cuda" if enough else "cpu")
    if name == "cuda" and not enough:
        raise ValueError(f"{beside} processes need {beside} GPUs with CUDA, one each: start fewer, or give device='cpu'")
    place = torch.device(name, local) if name == "cuda" else torch.device("cpu")
    if name == "cuda":
        torch.cuda.set_device(place)
    backend = "cpu:gloo,cuda:nccl" if name == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=timedelta(seconds=timeout))
    try:
        yield Team(place, shard, timeout)
    finally:
        distributed.destroy_process_group()
