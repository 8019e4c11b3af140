"""Each silent mistake runs without an error, and has the symptom that notebook 13 tells of."""

import pytest
import torch

from helpers.training import next_token_loss
from helpers.training.data_parallel import relative_error
from helpers.training.example_task import example_batches, example_model
from helpers.training.silent_mistakes import MISTAKES
from helpers.training.team_steps import team_step
from helpers.training.workers import in_threads


def weights(step, uneven, steps=1, clip=1e9):
    def program(worker, model):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for number in range(steps):
            step(worker, model, optimizer, next_token_loss, example_batches(uneven), number, clip)
        return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])

    return in_threads(program, 2, [example_model(), example_model()])


def error(name, uneven, clip=1e9):
    start = torch.cat([parameter.detach().flatten() for parameter in example_model().parameters()])
    wrong, right = (weights(step, uneven, clip=clip)[0] - start for step in (MISTAKES[name], team_step))
    return relative_error(wrong, right)


@pytest.mark.parametrize(
    "name, uneven", [("same batch", False), ("mean of means", True), ("sum", True), ("no exchange", False)]
)
def test_the_step_is_wrong(name, uneven):
    assert error(name, uneven) > 0.2


def test_the_mean_of_means_is_right_with_even_batches():
    assert error("mean of means", False) < 1e-5


def test_a_sum_is_hidden_by_clipping_and_else_as_many_times_too_long():
    assert error("sum", True, clip=0.01) < 1e-4
    assert error("sum", True) == pytest.approx(1, abs=1e-3)


def test_clipping_before_the_average_is_wrong_where_something_is_clipped():
    assert error("clip before", True) < 1e-5 and error("clip before", True, clip=0.1) > 0.1


@pytest.mark.parametrize("name", MISTAKES)
def test_only_without_exchange_the_workers_drift_apart(name):
    one, other = weights(MISTAKES[name], True, steps=2)
    assert one.equal(other) == (name != "no exchange")
