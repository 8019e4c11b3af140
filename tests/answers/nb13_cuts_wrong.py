"""Wrong answers to notebook 13's cuts of a model and its restart: each is one mistake, with words of the message it must hear."""

import os

import torch

from helpers.training import team_steps
from helpers.training.pipeline import gpipe_schedule as right_schedule
from helpers.training.ring import all_gather, reduce_scatter, ring_all_reduce

# --- a layer in shards ---------------------------------------------------------------------------------------------------


def sharded(worker, shard, shape, inputs, targets, rate, *, mean=True, sums=True, sign=-1, other=0):
    weight = all_gather(worker, shard).view(shape).requires_grad_()
    ((inputs @ weight.T - targets) ** 2).mean().backward()
    flat = weight.grad.flatten()
    if other:
        flat = flat.roll(len(shard))
    gradient = reduce_scatter(worker, flat) if sums else flat.chunk(worker.size)[worker.rank]
    return shard + sign * rate * gradient / (worker.size if mean else 1)


def summed(*arguments):
    return sharded(*arguments, mean=False)


def own_batch(*arguments):
    return sharded(*arguments, sums=False, mean=False)


def uphill(*arguments):
    return sharded(*arguments, sign=1)


def no_rate(worker, shard, shape, inputs, targets, rate):
    return sharded(worker, shard, shape, inputs, targets, 1.0)


def other_part(*arguments):
    return sharded(*arguments, other=1)


def still(worker, shard, *rest):
    sharded(worker, shard, *rest)
    return shard.clone()


def whole_layer(worker, shard, *rest):
    return all_gather(worker, sharded(worker, shard, *rest))


def in_place(worker, shard, *rest):
    shard.copy_(sharded(worker, shard, *rest))
    return shard


SHARDED = {
    summed: "reduce_scatter adds",
    own_batch: "gradient of its own batch",
    uphill: "uphill",
    no_rate: "The learning rate is missing",
    other_part: "*other* part",
    still: "Nothing moved",
    whole_layer: "of shape [4], and got shape [8]",
    in_place: "return a new one",
}

# --- an MLP on several workers -------------------------------------------------------------------------------------------


def mlp(
    worker, x, up, up_bias, down, down_bias, *, relu=True, early=False, sums=True, after=True, mean=False, last=False
):
    hidden = x @ up.T + up_bias
    partial = (hidden.relu() if relu else hidden) @ down.T
    if early:
        partial = partial + down_bias
    total = ring_all_reduce(worker, partial.flatten()).view_as(partial) if sums else partial
    total = total.relu() if last and not relu else total
    total = total / worker.size if mean else total
    total = total + down_bias if after else total
    return total.relu() if last and relu else total


def bias_before(*arguments):
    return mlp(*arguments, early=True, after=False)


def no_bias(*arguments):
    return mlp(*arguments, after=False)


def no_sum(*arguments):
    return mlp(*arguments, sums=False)


def no_relu(*arguments):
    return mlp(*arguments, relu=False)


def late_relu(*arguments):
    return mlp(*arguments, relu=False, last=True)


def relu_at_the_end(*arguments):
    return mlp(*arguments, last=True)


def averaged(*arguments):
    return mlp(*arguments, mean=True)


def two_sums(worker, x, up, up_bias, down, down_bias):
    hidden = all_gather(worker, (x @ up.T + up_bias).relu().T.flatten()).view(-1, len(x)).T
    down = all_gather(worker, down.T.flatten()).view(-1, down.shape[0])
    return hidden @ down + down_bias


PARALLEL = {
    bias_before: "The bias is in it twice",
    no_bias: "The last bias is missing",
    no_sum: "this worker's part alone",
    no_relu: "The ReLU is missing",
    late_relu: "The ReLU came after the sum",
    relu_at_the_end: "A ReLU too many",
    averaged: "added, not averaged",
    two_sums: "Right, but a worker sent",
}

# --- a schedule ----------------------------------------------------------------------------------------------------------


def serial(stages, micro_batches):
    rows = [[] for _ in range(stages)]
    for micro in range(micro_batches):
        for s, row in enumerate(right_schedule(stages, 1)):
            rows[s] += [tick[:1] + str(micro) if tick else "" for tick in row]
    return rows


def all_at_once(stages, micro_batches):
    order = list(range(micro_batches))
    return [[f"F{i}" for i in order] + [f"B{i}" for i in reversed(order)] for _ in range(stages)]


def first_returns_first(stages, micro_batches):
    half = micro_batches + stages - 1
    return [
        row[:half] + [tick.replace("F", "B") for tick in row[:half]] for row in right_schedule(stages, micro_batches)
    ]


def not_reversed(stages, micro_batches):
    half = micro_batches + stages - 1
    return [row[:half] + row[half:][::-1] for row in right_schedule(stages, micro_batches)]


def upside_down(stages, micro_batches):
    half, rows = micro_batches + stages - 1, right_schedule(stages, micro_batches)
    return [rows[stages - 1 - s][:half] + rows[s][half:] for s in range(stages)]


def forward_alone(stages, micro_batches):
    return [row[: micro_batches + stages - 1] for row in right_schedule(stages, micro_batches)]


def one_tick_more(stages, micro_batches):
    return [[*row, ""] for row in right_schedule(stages, micro_batches)]


def fixed(stages, micro_batches):
    return right_schedule(3, 4)


SCHEDULE = {
    serial: "One micro-batch after the other",
    all_at_once: "All stages begin at tick 0",
    first_returns_first: "The first stage goes backward first",
    upside_down: "The last stage begins",
    forward_alone: "the forward passes alone",
    one_tick_more: "and yours 13",
    fixed: "I expected 2 lists",
}

# --- what a pipeline holds -----------------------------------------------------------------------------------------------


def held(rows, *, release=True, after=False, at_end=False, start=0):
    most = []
    for row in rows:
        now, largest = start, 0
        for tick in row:
            now += tick.startswith("F")
            largest = largest if after else max(largest, now)
            now -= release and tick.startswith("B")
            largest = max(largest, now) if after else largest
        most.append(now if at_end else largest)
    return most


def never_released(rows):
    return held(rows, release=False)


def at_the_end(rows):
    return held(rows, at_end=True)


def one_for_all(rows):
    return [max(held(rows))] * len(rows)


def one_too_many(rows):
    return held(rows, start=1)


def stages_reversed(rows):
    return held(rows)[::-1]


def only_the_first(rows):
    return [3, 1]


HELD = {
    never_released: "counts all forward passes",
    at_the_end: "held at the *end*",
    one_for_all: "a memory of its own",
    one_too_many: "one too many",
    stages_reversed: "in the wrong order",
    only_the_first: "every stage holds all 5",
}

# --- a training that may be killed ---------------------------------------------------------------------------------------


def training(
    worker, model, optimizer, loss, batches, steps, path, *, loads=True, adam=True, add=1, everyone=False, atomic=True,
    at_end=False, begins=True, weights=True,
):  # fmt: skip
    begin = 0
    if loads and os.path.exists(path):
        saved = torch.load(path)
        if weights:
            model.load_state_dict(saved["model"])
        if adam:
            optimizer.load_state_dict(saved["optimizer"])
        begin = saved["step"]
    for step in range(begin, steps):
        team_steps.team_step(worker, model, optimizer, loss, batches, step)
        if (worker.rank == 0 or everyone) and (not at_end or step == steps - 1):
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + add}
            other = f"{path}.{worker.rank}" if atomic else path
            torch.save(state, other)
            if atomic:
                os.replace(other, path)
    return begin if begins else steps


def never_loads(*arguments):
    return training(*arguments, loads=False)


def forgets_adam(*arguments):
    return training(*arguments, adam=False)


def a_step_twice(*arguments):
    return training(*arguments, add=0)


def everyone_writes(*arguments):
    return training(*arguments, everyone=True)


def over_the_old_one(*arguments):
    return training(*arguments, atomic=False)


def saves_at_the_end(*arguments):
    return training(*arguments, at_end=True)


def returns_the_end(*arguments):
    return training(*arguments, begins=False)


def one_step_less(worker, model, optimizer, loss, batches, steps, path):
    return training(worker, model, optimizer, loss, batches, steps - 1, path)


TRAIN = {
    never_loads: "the run began at step 0 again",
    forgets_adam: "Adam's averages are missing",
    a_step_twice: "save step + 1",
    everyone_writes: "Both workers write the file",
    over_the_old_one: "no whole checkpoint left",
    saves_at_the_end: "no checkpoint was there",
    returns_the_end: "Without a checkpoint a run begins at step 0",
    one_step_less: "do not end where they should",
}
