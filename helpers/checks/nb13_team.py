"""Checks of notebook 13's ring and of the steps of a team; the learner's program runs in threads."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import number, refuse_known, same, tensor, whole
from helpers.training.workers import Stalled, in_threads

STALLED = "A worker waits forever: not all call `exchange` the same number of times. Every worker must go through the same steps."


def run(program: Callable, workers: int, *arguments) -> list:
    """Return what the program of each worker gives; raise ``Wrong`` when one waits for ever."""
    try:
        return in_threads(program, workers, *arguments)
    except Stalled:
        raise Wrong(STALLED) from None


@exercise
def check_ring_all_reduce(ring_all_reduce: Callable) -> str:
    """Build: the sum on every worker, of chunks that go round the ring."""
    import torch

    rng = torch.Generator().manual_seed(0)
    vectors = [torch.randn(12, generator=rng) for _ in range(4)]
    kept, sent = [vector.clone() for vector in vectors], [0] * 4

    def program(worker, vector):
        answer = ring_all_reduce(worker, vector)
        sent[worker.rank] = worker.sent
        return answer

    answers = [tensor(tried(answer), (12,), "a vector as long as the one given") for answer in run(program, 4, vectors)]
    if not all(vector.equal(before) for vector, before in zip(vectors, kept)):
        raise Wrong("You changed the vector you were given: begin with vector.clone().")
    total = sum(kept)
    refuse_known(
        answers[0],
        {
            "That is the worker's own vector, as it came.": kept[0],
            "That is the mean. The sum is asked for.": total / 4,
            "Those are the numbers of two workers: the ring takes n − 1 steps, not one.": kept[0] + kept[3],
        },
    )
    good = torch.stack([torch.isclose(answer.float(), total, atol=1e-5) for answer in answers]).view(4, 4, 3).all(2)
    if not good.all():
        _name_parts(answers, total, good, kept)
    if max(sent) > 18:
        raise Wrong(
            f"The sum is right, but a worker sent {max(sent)} numbers. With chunks of 3 numbers, in 2 · 3 steps, it is 18."
        )
    if not all(answer.equal(answers[0]) for answer in answers):
        raise Wrong(
            "The workers' sums differ in their last bits: each chunk must be added up once, then passed on as it is."
        )
    uneven = run(ring_all_reduce, 4, [vector[:10] for vector in vectors])
    if not same(uneven[1], total[:10]):
        raise Wrong("Ten numbers on four workers go wrong: tensor_split(4) makes chunks of 3, 3, 2, and 2.")
    if not same(run(ring_all_reduce, 1, vectors[:1])[0], kept[0]):
        raise Wrong("One worker alone should get its own vector back.")
    return "Every worker has the same sum, bit for bit, and none sent more than 2 (n − 1) / n of its numbers."


def _name_parts(answers: list, total, good, vectors: list) -> None:
    if good.any(1).all() and good.sum() == 4:
        if same(answers[1][3:6], (total + vectors[1])[3:6]):
            raise Wrong(
                "Finished chunks were added again. In the second round a received chunk *replaces* the one you have."
            )
        raise Wrong("Each worker has one finished chunk. Now pass the finished chunks around: n − 1 more steps.")
    raise Wrong(
        f"{int(good.sum())} of the 16 chunks on the four workers are right. Which chunk do you send in a step, and to which do "
        "you add what you receive? With my numbers worker r first sends chunk r, and receives chunk r − 1."
    )


class Tiny:
    """A batch with the fields of ``Batch``."""

    def __init__(self, seed: int, counted: int):
        import torch

        rng = torch.Generator().manual_seed(seed)
        self.inputs = torch.randint(6, (2, 5), generator=rng)
        self.targets = torch.randint(6, (2, 5), generator=rng)
        self.targets.view(-1)[counted:] = -100
        self.first = True


def tiny_model(seed: int = 0):
    """Return a network that gives (logits [B, T, 6], None) for tokens [B, T], as a GPT does."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(seed)
            self.embed, self.head = nn.Embedding(6, 4), nn.Linear(4, 6)

        def forward(self, ids):
            return self.head(self.embed(ids)), None

    return Network()


def flat(model):
    """Return all gradients as one vector, zeros where there is none."""
    import torch

    return torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in model.parameters()])


def gradient(batches: list, weights: list):
    """Return Σ weight · gradient of each batch's mean loss, for ``tiny_model``."""
    from helpers.training.losses import next_token_loss

    total = 0
    for batch, weight in zip(batches, weights):
        model = tiny_model()
        next_token_loss(model, batch).backward()
        total = total + weight * flat(model)
    return total


@exercise
def check_team_gradient(team_gradient: Callable) -> str:
    """Build: the gradient of the one large batch, on every worker."""
    from helpers.training.losses import next_token_loss

    batches = [Tiny(1, 1), Tiny(2, 9)]
    models = [tiny_model() for _ in batches]
    for model in models:  # left over from a step before
        model(batches[0].inputs)[0].sum().backward()
    counts = run(team_gradient, 2, models, [next_token_loss] * 2, batches)
    own = [gradient([batch], [1]) for batch in batches]
    first, second = (flat(model).double() for model in models)
    if same(first, sum(own) / 2):
        raise Wrong(
            "That is the mean of the two means: 1 target counts as much as 9. Weight each batch by how many targets it has."
        )
    counts = [tried(count) for count in counts]
    refuse_known(
        first,
        {
            "Each worker has the gradient of its own batch: nothing was added up.": own[0],
            "That is the sum of the weighted gradients: divide by the number of all targets, 10 here.": own[0]
            + 9 * own[1],
            "That is the plain sum of the workers' gradients, too long, and not weighted by targets.": own[0] + own[1],
            "Divided once too often: the weights 1/10 and 9/10 already sum to 1, so no number of workers is needed.": (
                (own[0] + 9 * own[1]) / 20
            ),
            "You weighted the batches the wrong way around: more targets, more weight.": (9 * own[0] + own[1]) / 10,
        },
    )
    right = gradient(batches, [0.1, 0.9])
    if not same(first, second):
        raise Wrong("The workers have different gradients: each must end with the sum that the ring gives it.")
    if not same(first, right):
        stale = gradient([batches[0]], [0])
        model = tiny_model()
        model(batches[0].inputs)[0].sum().backward()
        stale = flat(model)
        if any(same(first, right + factor * stale) for factor in (1, 2, 0.2, 10)):
            raise Wrong("Gradients of an earlier step are still in it: model.zero_grad() first.")
        raise Wrong("The gradient is not that of the one large batch, (1 · g₀ + 9 · g₁) / 10.")
    if [whole(count, "the number of targets") for count in counts] != [10, 10]:
        raise Wrong(f"Return how many targets all batches have together: 10 on both workers, not {counts}.")
    return "Two batches, one gradient: that of all their targets together."


class Numbered:
    """Batches by number, which remembers what was asked for."""

    def __init__(self):
        self.asked = set()

    def __getitem__(self, number: int) -> Tiny:
        self.asked.add(int(number))
        return Tiny(int(number), 2 if number % 2 else 9)


@exercise
def check_team_step(team_step: Callable) -> str:
    """Build: the step without the three mistakes."""
    import torch

    from helpers.training.losses import next_token_loss

    models, batches, clip = [tiny_model() for _ in range(2)], [Numbered(), Numbered()], 0.05
    before = torch.cat([p.detach().flatten() for p in models[0].parameters()])
    optimizers = [torch.optim.SGD(model.parameters(), lr=1.0) for model in models]
    norms = run(team_step, 2, models, optimizers, [next_token_loss] * 2, batches, [3, 3], [clip, clip])
    after = [torch.cat([p.detach().flatten() for p in model.parameters()]) for model in models]
    if all(norm is None or norm is Ellipsis for norm in norms) and after[0].equal(before):
        tried(None)
    asked = [each.asked for each in batches]
    if asked[0] == asked[1] and len(asked[0]) == 1:
        raise Wrong(
            "Both workers read the same batch: at step t, worker r reads batches[t * worker.size + worker.rank]."
        )
    if any(asked) and asked != [{6}, {7}]:
        raise Wrong(
            f"At step 3 two workers should read the batches 6 and 7, and yours read {sorted(asked[0])} and {sorted(asked[1])}."
        )
    if all(norm is None for norm in norms):
        raise Wrong("The step gives back None: return the gradient's norm, before it was clipped.")
    norms = [number(norm, "the norm of the gradient") for norm in norms]
    if after[0].equal(before):
        raise Wrong("The weights did not move: optimizer.step() comes last.")
    if not after[0].equal(after[1]):
        raise Wrong("After the step the workers have different weights: each went along a gradient of its own.")
    own = [gradient([Tiny(n, 2 if n % 2 else 9)], [1]) for n in (6, 7)]
    right = (9 * own[0] + 2 * own[1]) / 11

    def clipped(vector):
        return vector * min(1, clip / vector.norm().item())

    refuse_known(
        before - after[0],
        {
            "Clipped before the average, and means averaged: two of the mistakes are still there.": sum(
                map(clipped, own)
            )
            / 2,
            "Each worker still clips its own gradient. First the team's gradient, then the clip.": (
                (9 * clipped(own[0]) + 2 * clipped(own[1])) / 11
            ),
            "Still the mean of means: 2 targets count as much as 9. Your team_gradient weights them.": clipped(
                sum(own) / 2
            ),
            "Nothing was clipped: the gradient was longer than `clip`.": right,
        },
    )
    if not same(before - after[0], clipped(right)):
        raise Wrong("The step is not the clipped gradient of both batches together. Call team_gradient, clip, step.")
    if not all(abs(norm - right.norm().item()) < 1e-4 for norm in norms):
        raise Wrong(f"Return the norm before it was clipped, {right.norm().item():.3f} here, not {norms[0]:.3f}.")
    return "Each its own batch, weighted by targets, clipped at the end."
