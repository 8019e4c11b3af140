"""Checks of notebook 13's cuts: a layer in shards, an MLP by features, a stack of layers by stages."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, items, refuse_known, same, shown, tensor, whole
from helpers.checks.nb13_team import run
from helpers.training.pipeline import gpipe_schedule as package


@exercise
def check_sharded_step(sharded_step: Callable) -> str:
    """Build: all-gather, compute, reduce-scatter, and a step on the worker's own part."""
    import torch

    rng, rate = torch.Generator().manual_seed(1), 0.3
    weight = torch.randn(2, 4, generator=rng)
    inputs = [torch.randn(3, 4, generator=rng) for _ in range(2)]
    targets = [torch.randn(3, 2, generator=rng) for _ in range(2)]
    shards = [part.clone() for part in weight.flatten().chunk(2)]
    arguments = [list(shards), [(2, 4)] * 2, inputs, targets, [rate] * 2]
    answers = [tensor(tried(each), (4,), "the worker's new part") for each in run(sharded_step, 2, *arguments)]
    if not torch.cat(shards).equal(weight.flatten()):
        raise Wrong("You changed the shard you were given: return a new one, shard − learning_rate · gradient.")

    def gradient(x, y):
        w = weight.clone().requires_grad_()
        ((x @ w.T - y) ** 2).mean().backward()
        return w.grad.flatten()

    both = [gradient(x, y) for x, y in zip(inputs, targets)]
    mean, found = sum(both) / 2, torch.cat(answers)
    moved = (weight.flatten() - found) / rate
    refuse_known(
        moved,
        {
            "That is the *sum* of the workers' gradients: reduce_scatter adds. Divide by worker.size.": 2 * mean,
            "Each worker moved its part along the gradient of its own batch: reduce_scatter brings in the others'.": torch.cat(
                [both[0][:4], both[1][4:]]
            ),
            "The step goes uphill: subtract the gradient.": -mean,
            "The learning rate is missing.": mean / rate,
            "Each worker has the gradient of the *other* part: reduce_scatter gives part r to worker r.": torch.cat(
                [mean[4:], mean[:4]]
            ),
            "Nothing moved: return the new part, shard − learning_rate · gradient.": torch.zeros(8),
        },
    )
    if same(found, torch.cat([mean, mean])[:8]) or same(found, mean):
        raise Wrong("That is the gradient itself. Return the new weights of the part.")
    if not same(moved, mean):
        raise Wrong(
            f"The parts together are not one step of SGD on both batches: {difference(moved, mean)} in the gradient."
        )
    return "Whole for the length of one layer; before and after it, everyone holds a part."


@exercise
def check_parallel_mlp(parallel_mlp: Callable) -> str:
    """Build: an MLP whose hidden features are spread over workers, with one sum."""
    import torch

    rng = torch.Generator().manual_seed(2)
    x, up, up_bias = (torch.randn(*shape, generator=rng) for shape in ((3, 4), (6, 4), (6,)))
    down, down_bias = torch.randn(4, 6, generator=rng), torch.randn(4, generator=rng)
    sent = [0, 0]

    def program(worker, *own):
        answer = parallel_mlp(worker, *own)
        sent[worker.rank] = worker.sent
        return answer

    parts = [[part.clone() for part in whole.chunk(2, axis)] for whole, axis in ((up, 0), (up_bias, 0), (down, 1))]
    answers = run(program, 2, [x, x], *parts, [down_bias] * 2)
    answers = [tensor(tried(answer), (3, 4), "the output [B, D]") for answer in answers]
    hidden = torch.relu(x @ up.T + up_bias)
    right = hidden @ down.T + down_bias
    partial = [torch.relu(x @ u.T + b) @ d.T for u, b, d in zip(*parts)]
    plain = [(x @ u.T + b) @ d.T for u, b, d in zip(*parts)]
    refuse_known(
        answers[0],
        {
            "The bias is in it twice: each worker added it before the sum. Add it once, after the sum.": right
            + down_bias,
            "The last bias is missing: add it once, after the sum.": right - down_bias,
            "That is this worker's part alone: the outputs of all must be added up.": partial[0] + down_bias,
            "The ReLU is missing: it stands between the two matrices.": sum(plain) + down_bias,
            "The ReLU came after the sum. Every hidden feature is whole on one worker: ReLU there, before down.": torch.relu(
                sum(plain)
            )
            + down_bias,
            "A ReLU too many: the output is not clamped.": torch.relu(right),
            "You divided by the number of workers. Parts of a sum are added, not averaged.": (right - down_bias) / 2
            + down_bias,
        },
    )
    if not same(answers[0], right):
        raise Wrong(f"It is not the output of the whole MLP: {difference(answers[0], right)}.")
    if not answers[0].equal(answers[1]):
        raise Wrong("The workers have different outputs: all need the sum.")
    if max(sent) > 12:
        raise Wrong(f"Right, but a worker sent {max(sent)} numbers. One sum of the outputs [3, 4] needs 12: sum once.")
    return "Each worker has all of some features: one sum at the end is all they say to each other."


@exercise
def check_gpipe_schedule(gpipe_schedule: Callable) -> str:
    """Build: forward as a staircase, then backward as the same staircase in reverse."""
    answer = _rows(tried(gpipe_schedule(3, 4)), 3)
    right = package(3, 4)
    ticks = len(right[0])
    serial = [["F0", "", "", "", "", "B0"], ["", "F0", "", "", "B0", ""], ["", "", "F0", "B0", "", ""]]
    one_by_one = [[(each[0] + str(micro)) if each else "" for micro in range(4) for each in row] for row in serial]
    together = [[f"F{m}" for m in range(4)] + [f"B{m}" for m in reversed(range(4))] for _ in range(3)]
    same_way = [row[: ticks // 2] + [each.replace("F", "B") for each in row[: ticks // 2]] for row in right]
    again = [row[: ticks // 2] + row[ticks // 2 :][::-1] for row in right]
    flipped = [right[2 - stage][: ticks // 2] + right[stage][ticks // 2 :] for stage in range(3)]
    cuts = [row[: ticks // 2] for row in right]
    refuse_known(
        answer,
        {
            "One micro-batch after the other: while one stage works, the others wait. Let the next follow at once.": one_by_one,
            "All stages begin at tick 0, but stage 1 needs what stage 0 gives out: it begins one tick later.": together,
            "The first stage goes backward first in yours. Gradients come from the end: the last stage goes first.": same_way,
            "The backward passes are not in the reverse order of the forward ones: the last micro-batch returns first.": again,
            "The last stage begins in yours. A batch goes in at stage 0.": flipped,
            "Those are the forward passes alone. As many ticks follow for the backward passes.": cuts,
        },
        lambda one, other: one == other,
    )
    if any(len(row) != ticks for row in answer):
        raise Wrong(f"3 stages and 4 micro-batches take 2 · (4 + 3 − 1) = {ticks} ticks, and yours {len(answer[0])}.")
    for stage, (mine, row) in enumerate(zip(answer, right)):
        for tick, (one, other) in enumerate(zip(mine, row)):
            if one != other:
                raise Wrong(f'At tick {tick} stage {stage} should do "{other}", and does "{one}" in yours.')
    if _rows(gpipe_schedule(2, 5), 2) != package(2, 5) or _rows(gpipe_schedule(1, 2), 1) != package(1, 2):
        raise Wrong("For other numbers of stages or micro-batches it is wrong.")
    return "A staircase there and a staircase back; the corners are the bubble."


def _rows(answer, stages: int) -> list[list[str]]:
    rows = [items(row, "a list of texts for each stage") for row in items(answer, "a list with a list for each stage")]
    if len(rows) != stages or not all(isinstance(each, str) for row in rows for each in row):
        raise Wrong(f'I expected {stages} lists of texts such as "F0", "B0", and "", and got {shown(answer)}.')
    return rows


@exercise
def check_most_held(most_held: Callable) -> str:
    """Exercise: the most micro-batches between their forward and their backward, for each stage."""
    rows = [["F0", "F1", "F2", "B0", "F3", "B1", "B2", "B3"], ["", "F0", "B0", "F1", "B1", "F2", "B2", "F3", "B3"]]
    rows[0].append("")
    answer = items(call(most_held, rows, changed="You changed the schedule you were given."), "a number for each stage")
    answer = [whole(each, "a number of micro-batches") for each in answer]
    refuse_known(
        answer,
        {
            "That counts all forward passes. A micro-batch is held only until its backward pass is done.": [4, 4],
            "That is what is held at the *end*: nothing. Keep the largest number on the way.": [0, 0],
            "The micro-batch whose backward pass runs must be there while it runs: take the largest number *before* it goes.": [
                2,
                0,
            ],
            "One number for the whole pipeline: each stage has a memory of its own.": [3, 3],
            "You counted one too many: it is held from its own forward pass on.": [4, 2],
            "The stages are in the wrong order.": [1, 3],
        },
        lambda one, other: one == other,
    )
    if answer != [3, 1]:
        raise Wrong(f"In my schedule stage 0 holds 3 micro-batches at most and stage 1 holds 1: [3, 1], not {answer}.")
    gpipe = package(3, 5)
    if list(most_held(gpipe)) != [5, 5, 5]:
        raise Wrong("In GPipe's schedule of 5 micro-batches every stage holds all 5: forward first, then backward.")
    return "GPipe holds every micro-batch; one forward, one backward holds as many as there are stages left."
