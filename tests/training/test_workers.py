"""Workers in threads: each sends to the next, an error reaches the caller, and one that waits in vain says so."""

import threading

import pytest
import torch

from helpers.training.workers import Stalled, in_threads


def ranks(workers):
    return [torch.tensor([float(rank)]) for rank in range(workers)]


def test_each_worker_gets_what_the_one_before_it_has_sent():
    assert [x.item() for x in in_threads(lambda worker, x: worker.exchange(x), 4, ranks(4))] == [3, 0, 1, 2]


def test_one_worker_alone_gets_a_copy_and_sends_nothing():
    def program(worker, x):
        return worker.exchange(x) is x, worker.sent

    assert in_threads(program, 1, [torch.ones(3)]) == [(False, 0)]


def test_what_is_sent_is_a_copy_of_any_shape_and_counted():
    def program(worker, x):
        received = worker.exchange(x.view(2, -1)[:, : worker.rank + 1])
        x.zero_()
        return received.tolist(), worker.sent

    results = in_threads(program, 2, [torch.arange(4.0), torch.arange(4.0) + 10])
    assert results == [([[10, 11], [12, 13]], 2), ([[0], [2]], 4)]


def test_an_error_of_one_worker_reaches_the_caller_and_ends_the_others():
    def program(worker, x):
        if worker.rank == 1:
            raise ZeroDivisionError("here")
        return worker.exchange(worker.exchange(x))

    before = threading.active_count()
    with pytest.raises(ZeroDivisionError, match="here"):
        in_threads(program, 3, ranks(3))
    assert threading.active_count() == before


def test_a_worker_that_waits_for_one_that_has_ended_says_so():
    with pytest.raises(Stalled, match="worker 1 waits for worker 0, which has ended"):
        in_threads(lambda worker, x: worker.exchange(x) if worker.rank else x, 2, ranks(2))


@pytest.mark.parametrize(
    "workers, lists, words", [(0, [], "workers is 0"), (2, [[1]], "argument 1 has 1 entries for 2")]
)
def test_bad_arguments_get_a_sentence(workers, lists, words):
    with pytest.raises(ValueError, match=words):
        in_threads(lambda worker, *rest: None, workers, *lists)


def test_only_tensors_are_sent():
    with pytest.raises(TypeError, match="exchange sends tensors, and this is a float"):
        in_threads(lambda worker: worker.exchange(1.0), 2)
