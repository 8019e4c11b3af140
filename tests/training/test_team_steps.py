"""The steps of a team, worker by worker: equal to one process, to ``fit``, to a whole layer, and to a run without a kill."""

import pytest
import torch

from helpers.models.network import Network
from helpers.training import fit, next_token_loss
from helpers.training.data_parallel import gradient
from helpers.training.example_task import digest, example_batches, example_model
from helpers.training.optimizers import make_optimizer
from helpers.training.team_equalities import one_batch
from helpers.training.team_steps import parallel_mlp, sharded_step, team_gradient, team_step, train
from helpers.training.workers import in_threads


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("workers", [2, 3])
def test_the_teams_gradient_is_that_of_the_one_large_batch(workers, uneven):
    batches = example_batches(uneven)
    right, targets, _ = gradient(example_model(), one_batch(batches, range(workers)))

    def program(worker, model):
        count = team_gradient(worker, model, next_token_loss, batches[worker.rank])
        return count, torch.cat([parameter.grad.flatten() for parameter in model.parameters()])

    for count, found in in_threads(program, workers, [example_model() for _ in range(workers)]):
        assert count == targets
        torch.testing.assert_close(found, right, atol=1e-6, rtol=0)


@pytest.mark.parametrize("uneven", [False, True])
def test_two_workers_are_one_with_two_batches_a_step_bit_for_bit(uneven):
    batches = example_batches(uneven)

    def program(worker, model):
        optimizer = make_optimizer("adamw", model, 0.01)
        for step in range(5):
            team_step(worker, model, optimizer, next_token_loss, batches, step)
        return digest(model)

    alone = example_model()
    fit(alone, batches, steps=5, learning_rate=0.01, accumulate=2, warmup=0.0, schedule="constant", progress=False)
    assert in_threads(program, 2, [example_model(), example_model()]) == [digest(alone)] * 2


class Dying:
    """Batches of which one ends its worker."""

    def __init__(self, batches, number):
        self.batches, self.number = batches, number

    def __getitem__(self, number):
        if number == self.number:
            raise InterruptedError
        return self.batches[number]


@pytest.mark.parametrize("number", [0, 5, 6])
def test_a_killed_training_ends_with_the_weights_of_an_undisturbed_one(tmp_path, number):
    def program(worker, model, batches, path):
        begun = train(worker, model, make_optimizer("adamw", model, 0.01), next_token_loss, batches, 5, path)
        return begun, digest(model)

    def go(batches, name, seed=0):
        return in_threads(program, 2, [example_model(seed) for _ in range(2)], [batches] * 2, [tmp_path / name] * 2)

    right = go(example_batches(), "right")
    with pytest.raises(InterruptedError):
        go(Dying(example_batches(), number), "killed")
    seed = 0 if number == 0 else 1
    assert go(example_batches(), "killed", seed) == [(number // 2, right[0][1])] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed", "right"]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_sharded_layer_learns_as_a_whole_one(workers):
    rng = torch.Generator().manual_seed(0)
    weight, x, y = (torch.randn(*shape, generator=rng).double() for shape in ((4, 6), (8, 6), (8, 4)))
    whole = weight.clone().requires_grad_()
    ((x @ whole.T - y) ** 2).mean().backward()
    shards = in_threads(
        sharded_step, workers, weight.flatten().chunk(workers), [(4, 6)] * workers, x.chunk(workers), y.chunk(workers),
        [0.1] * workers,
    )  # fmt: skip
    assert all(len(shard) == 24 // workers for shard in shards)
    torch.testing.assert_close(torch.cat(shards).view(4, 6), weight - 0.1 * whole.grad, rtol=0, atol=1e-12)


class MLP(Network):
    def __init__(self):
        super().__init__()
        self.up, self.down = torch.nn.Linear(6, 8).double(), torch.nn.Linear(8, 6).double()

    def forward(self, x):
        return self.down(torch.relu(self.up(x)))


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_an_mlp_on_several_workers_is_the_whole_one(workers):
    torch.manual_seed(0)
    model, x = MLP(), torch.randn(5, 6).double()
    values = [model.up.weight.chunk(workers, 0), model.up.bias.chunk(workers), model.down.weight.chunk(workers, 1)]
    with torch.no_grad():
        found = in_threads(parallel_mlp, workers, [x] * workers, *values, [model.down.bias] * workers)
        for each in found:
            torch.testing.assert_close(each, model(x), rtol=0, atol=1e-12)
