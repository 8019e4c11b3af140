"""An MLP cut by columns, then by rows: the same output; and two cuts that look right and are not."""

import pytest
import torch
from torch.nn import functional

from helpers.training.tensor_parallel import parallel_mlp, part_output, split_mlp, whole_mlp

ROOM = torch.Generator().manual_seed(0)
UP, UP_BIAS, DOWN, DOWN_BIAS, X = (
    torch.randn(shape, generator=ROOM, dtype=torch.float64) for shape in ((12, 5), (12,), (5, 12), (5,), (7, 3, 5))
)


@pytest.mark.parametrize("n", [1, 2, 3, 12])
def test_the_parts_give_the_output_of_the_whole(n):
    parts = split_mlp(UP, UP_BIAS, DOWN, n)
    assert [tuple(part.up.shape) for part in parts] == [(12 // n, 5)] * n
    torch.testing.assert_close(parallel_mlp(X, parts, DOWN_BIAS), whole_mlp(X, UP, UP_BIAS, DOWN, DOWN_BIAS))


def test_gradients_are_those_of_the_whole():
    up, down = UP.clone().requires_grad_(), DOWN.clone().requires_grad_()
    parallel_mlp(X, split_mlp(up, UP_BIAS, down, 3), DOWN_BIAS).square().sum().backward()
    found, up.grad, down_grad, down.grad = up.grad, None, down.grad, None
    whole_mlp(X, up, UP_BIAS, down, DOWN_BIAS).square().sum().backward()
    torch.testing.assert_close(found, up.grad)
    torch.testing.assert_close(down_grad, down.grad)


@pytest.mark.parametrize("n", [0, 5])
def test_units_that_cannot_be_shared_are_refused(n):
    with pytest.raises(ValueError, match=f"12 hidden units cannot be split among {n} workers"):
        split_mlp(UP, UP_BIAS, DOWN, n)


def test_a_bias_on_every_worker_counts_n_times():
    parts = split_mlp(UP, UP_BIAS, DOWN, 3)
    wrong = sum(part_output(X, part) + DOWN_BIAS for part in parts)
    torch.testing.assert_close(wrong - whole_mlp(X, UP, UP_BIAS, DOWN, DOWN_BIAS), (2 * DOWN_BIAS).expand(7, 3, 5))


def test_a_relu_before_the_sum_is_another_network():
    """The first matrix cut by its inputs: each worker has half of every hidden unit's sum, and may not bend it yet."""
    halves = [X[..., :2] @ UP[:, :2].T, X[..., 2:] @ UP[:, 2:].T]
    right = functional.relu(sum(halves))
    wrong = sum(functional.relu(half) for half in halves)
    torch.testing.assert_close(sum(halves), X @ UP.T)
    assert ((wrong - right).norm() / right.norm()).item() > 0.2
