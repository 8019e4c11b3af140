"""Everyone has other layers: a pipeline of stages, fed with micro-batches (GPipe, Huang et al. 2019; built in notebook 13).

A stage computes forward for all micro-batches of a batch, one after the other, then backward in reverse order. While the
first ones go through, the last stages wait; while the last ones come back, the first do: the bubble.
"""

from collections.abc import Callable, Sequence

import torch
from torch import nn


def gpipe_schedule(stages: int, micro_batches: int) -> list[list[str]]:
    """Return what each stage does at each tick: "F0" (forward of micro-batch 0), "B0" (backward), "" (nothing).

    A row for each of p ``stages``, 2 (m + p - 1) ticks for m ``micro_batches``; here a pass backward takes as long as one
    forward (it costs about twice as much; the share of idle time is the same). Raises ValueError below 1.
    """
    if stages < 1 or micro_batches < 1:
        raise ValueError(f"{stages} stages and {micro_batches} micro-batches: give at least one of each")
    half = micro_batches + stages - 1
    table = [[""] * (2 * half) for _ in range(stages)]
    for stage in range(stages):
        for micro in range(micro_batches):
            table[stage][micro + stage] = f"F{micro}"
            table[stage][2 * half - 1 - micro - stage] = f"B{micro}"
    return table


def bubble(stages: int, micro_batches: int) -> float:
    """Return the share of its time that a stage is idle: (p - 1) / (m + p - 1). Raises ValueError below 1."""
    if stages < 1 or micro_batches < 1:
        raise ValueError(f"{stages} stages and {micro_batches} micro-batches: give at least one of each")
    return (stages - 1) / (micro_batches + stages - 1)


def pipeline_gradients(
    stages: Sequence[nn.Module], micro_batches: Sequence[tuple[torch.Tensor, torch.Tensor]], loss: Callable
) -> float:
    """Fill the gradients of all ``stages`` in the order of ``gpipe_schedule``, in one process; return the mean loss.

    ``micro_batches`` are m pairs of inputs and targets, of the same number of rows; ``loss(output, target)`` is a mean over
    rows. The gradients are those of the mean over all m: the same as without cutting anything.
    """
    inputs, outputs, losses = {}, {}, {}
    table = gpipe_schedule(len(stages), len(micro_batches))
    for tick in range(len(table[0])):
        for number, stage in enumerate(stages):
            if not (work := table[number][tick]):
                continue
            micro = int(work[1:])
            if work[0] == "F":
                before = micro_batches[micro][0] if number == 0 else outputs[number - 1, micro].detach()
                inputs[number, micro] = before.requires_grad_(number > 0)  # where the gradient is handed back
                outputs[number, micro] = stage(before)
            elif number == len(stages) - 1:
                losses[micro] = loss(outputs[number, micro], micro_batches[micro][1]) / len(micro_batches)
                losses[micro].backward()
            else:
                outputs[number, micro].backward(inputs[number + 1, micro].grad)
    return sum(value.item() for value in losses.values())


def run_stage(
    stage: nn.Module,
    rank: int,
    size: int,
    micro_batches: Sequence[tuple[torch.Tensor, torch.Tensor]],
    loss: Callable,
    shape: Sequence[int] = (),
) -> float | None:
    """Fill the gradients of the one ``stage`` that this process has, in a team of ``size``; the last returns the mean loss.

    Activations go to the next process, their gradients to the one before. The first uses the inputs of ``micro_batches``,
    the last one the targets; ``shape`` is that of the activations that this stage is sent (not used by the first).
    """
    from torch import distributed

    first, last = rank == 0, rank == size - 1
    inputs, outputs = [], []
    for x, _ in micro_batches:
        if not first:
            x = torch.empty(*shape, dtype=next(stage.parameters()).dtype)
            distributed.recv(x, rank - 1)
            x.requires_grad_()
        inputs.append(x)
        outputs.append(stage(x))
        if not last:
            distributed.send(outputs[-1].detach().contiguous(), rank + 1)
    total = 0.0
    for number in reversed(range(len(micro_batches))):
        if last:
            value = loss(outputs[number], micro_batches[number][1]) / len(micro_batches)
            value.backward()
            total += value.item()
        else:
            handed_back = torch.empty_like(outputs[number])
            distributed.recv(handed_back, rank + 1)
            outputs[number].backward(handed_back)
        if not first:
            distributed.send(inputs[number].grad.contiguous(), rank - 1)
    return total if last else None
