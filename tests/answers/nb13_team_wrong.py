"""Wrong answers to notebook 13's ring, steps, cuts, and restart: each is one mistake, with words of the message it must hear."""

import torch

from helpers.training import silent_mistakes, team_steps
from helpers.training.ring import ring_all_reduce

IGNORED = -100

# --- the ring ------------------------------------------------------------------------------------------------------------


def ring(worker, vector, *, add=True, rounds=2, shift=0, copy=True):
    n, r = worker.size, worker.rank
    chunks = list((vector.clone() if copy else vector).tensor_split(n))
    for s in range(n - 1):
        chunks[(r - s - 1 + shift) % n] += worker.exchange(chunks[(r - s) % n])
    for s in range(n - 1) if rounds == 2 else ():
        came = worker.exchange(chunks[(r - s + 1) % n])
        chunks[(r - s) % n] = came if add else chunks[(r - s) % n] + came
    return torch.cat(chunks)


def own(worker, vector):
    return vector.clone()


def mean(worker, vector):
    return ring_all_reduce(worker, vector) / worker.size


def one_step(worker, vector):
    return vector + worker.exchange(vector)


def whole_vectors(worker, vector):
    total, travels = vector.clone(), vector
    for _ in range(worker.size - 1):
        travels = worker.exchange(travels)
        total = total + travels
    return total


def first_round(worker, vector):
    return ring(worker, vector, rounds=1)


def adds_twice(worker, vector):
    return ring(worker, vector, add=False)


def in_place(worker, vector):
    return ring(worker, vector, copy=False)


def wrong_chunk(worker, vector):
    return ring(worker, vector, shift=1)


def only_when_even(worker, vector):
    size = len(vector) // worker.size
    if len(vector) % worker.size:
        vector = vector[: size * worker.size]
        return torch.cat([ring_all_reduce(worker, vector), torch.zeros(2)])
    return ring_all_reduce(worker, vector)


def not_all_exchange(worker, vector):
    return vector if worker.rank == 0 else ring_all_reduce(worker, vector)


RING = {
    own: "own vector, as it came",
    mean: "That is the mean",
    one_step: "not one",
    whole_vectors: "The sum is right, but a worker sent",
    first_round: "n − 1 more steps",
    adds_twice: "*replaces*",
    in_place: "vector.clone()",
    wrong_chunk: "Which chunk do you send",
    only_when_even: "Ten numbers on four workers",
    not_all_exchange: "A worker waits forever",
}

# --- the gradient of a team ----------------------------------------------------------------------------------------------


def team(worker, model, loss, batch, *, weigh=True, divide=True, exchange=True, clear=True, swap=False, twice=False):
    weight = (batch.targets != IGNORED).sum().float()[None]
    total = ring_all_reduce(worker, weight)
    if clear:
        model.zero_grad()
    factor = (total - weight if swap else weight) if weigh else torch.ones(1)
    value = loss(model, batch) * factor[0]
    if divide:
        value = value / (total[0] if weigh else worker.size)
    value.backward()
    for parameter in model.parameters():
        flat = parameter.grad.flatten()
        flat = ring_all_reduce(worker, flat) if exchange else flat
        parameter.grad = flat.view_as(parameter) / (worker.size if twice else 1)
    return int(total)


def unweighted(worker, model, loss, batch):
    return team(worker, model, loss, batch, weigh=False)


def plain_sum(worker, model, loss, batch):
    return team(worker, model, loss, batch, weigh=False, divide=False)


def weighted_sum(worker, model, loss, batch):
    return team(worker, model, loss, batch, divide=False)


def no_sum(worker, model, loss, batch):
    return team(worker, model, loss, batch, weigh=False, divide=False, exchange=False)


def old_gradients(worker, model, loss, batch):
    return team(worker, model, loss, batch, clear=False)


def wrong_way_around(worker, model, loss, batch):
    return team(worker, model, loss, batch, swap=True)


def divided_twice(worker, model, loss, batch):
    return team(worker, model, loss, batch, twice=True)


def own_count(worker, model, loss, batch):
    team(worker, model, loss, batch)
    return int((batch.targets != IGNORED).sum())


GRADIENT = {
    unweighted: "mean of the two means",
    plain_sum: "plain sum",
    weighted_sum: "sum of the weighted gradients",
    no_sum: "gradient of its own batch",
    old_gradients: "model.zero_grad() first",
    wrong_way_around: "the wrong way around",
    divided_twice: "Divided once too often",
    own_count: "Return how many targets",
}

# --- the mended step -----------------------------------------------------------------------------------------------------


def step(worker, model, optimizer, loss, batches, number, clip, *, clips=True, moves=True, returns="before"):
    team_steps.team_gradient(worker, model, loss, batches[number * worker.size + worker.rank])
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip if clips else 1e9)
    if moves:
        optimizer.step()
    return {"before": norm.item(), "after": clip, None: None}[returns]


def neighbor_batches(worker, model, optimizer, loss, batches, number, clip=1.0):
    team_steps.team_gradient(worker, model, loss, batches[number + worker.rank])
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return norm.item()


def not_clipped(*arguments):
    return step(*arguments, clips=False)


def no_step(*arguments):
    return step(*arguments, moves=False)


def norm_after(*arguments):
    return step(*arguments, returns="after")


def no_norm(*arguments):
    return step(*arguments, returns=None)


def as_it_was(worker, model, optimizer, loss, batches, number, clip=1.0):
    model.zero_grad()
    loss(model, batches[number * worker.size + worker.rank]).backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    for parameter in model.parameters():
        total = ring_all_reduce(worker, parameter.grad.flatten())
        parameter.grad = (total / worker.size).view_as(parameter)
    optimizer.step()
    return norm.item()


STEP = {
    silent_mistakes.same_batch: "Both workers read the same batch",
    silent_mistakes.mean_of_means: "Still the mean of means",
    silent_mistakes.clip_before: "still clips its own gradient",
    silent_mistakes.no_exchange: "different weights: each went along",
    neighbor_batches: "should read the batches 6 and 7",
    as_it_was: "two of the mistakes are still there",
    not_clipped: "Nothing was clipped",
    no_step: "The weights did not move",
    norm_after: "Return the norm before it was clipped",
    no_norm: "gives back None",
}
