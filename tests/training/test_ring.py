"""Sums round a ring: right, the same bits on every worker, and never more than twice the numbers sent."""

import pytest
import torch

from helpers.training.ring import all_gather, reduce_scatter, ring_all_reduce
from helpers.training.workers import in_threads


def vectors(workers, length, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return [torch.randn(length, generator=rng, dtype=torch.float64) for _ in range(workers)]


@pytest.mark.parametrize("workers, length", [(1, 5), (2, 6), (3, 7), (4, 12), (5, 3), (8, 64)])
def test_the_sum_is_right_and_the_same_on_all(workers, length):
    given = vectors(workers, length)
    kept = [vector.clone() for vector in given]
    sums = in_threads(ring_all_reduce, workers, given)
    torch.testing.assert_close(sums[0], sum(kept), rtol=0, atol=1e-12)
    assert all(each.equal(sums[0]) for each in sums)
    assert all(map(torch.equal, given, kept))


@pytest.mark.parametrize("workers", [2, 3, 4, 6])
def test_each_sends_two_times_n_minus_one_parts(workers):
    program = lambda worker, vector: ring_all_reduce(worker, vector) is None or worker.sent  # noqa: E731
    assert in_threads(program, workers, vectors(workers, 12)) == [2 * (workers - 1) * 12 // workers] * workers


def test_the_halves_are_parts_of_the_sum_in_order_of_the_ranks_and_make_the_whole():
    given = vectors(4, 12)
    parts = in_threads(reduce_scatter, 4, given)
    torch.testing.assert_close(torch.cat(parts), sum(given), rtol=0, atol=1e-12)
    assert all(each.equal(torch.cat(parts)) for each in in_threads(all_gather, 4, parts))


def test_reduce_scatter_wants_equal_parts():
    with pytest.raises(ValueError, match="7 numbers cannot be cut into 2 equal parts"):
        in_threads(reduce_scatter, 2, vectors(2, 7))
