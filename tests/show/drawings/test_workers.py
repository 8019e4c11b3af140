"""A ring all-reduce holds what the real one holds; accumulation stands beside data parallel."""

import pytest
import torch

from helpers.show.drawings.workers import data_parallel, ring_all_reduce, ring_states


@pytest.mark.parametrize("n", [2, 3, 5])
def test_every_part_grows_by_one_worker_a_step_until_all_have_all(n):
    states = ring_states(n)
    assert len(states) == 2 * (n - 1) + 1
    for step, (held, received) in enumerate(states[:n]):
        assert sorted(len(held[worker][received[worker]]) for worker in range(n)) == [step + 1] * n
    assert [sum(len(part) == n for part in row) for row in states[n - 1][0]] == [1] * n
    assert all(part == frozenset(range(n)) for row in states[-1][0] for part in row)


def test_the_order_is_that_of_the_package():
    from helpers.training.ring import ring_all_reduce as real

    class Talking:  # worker 0 of 4: notes which of its own, untouched parts it sends first
        rank, size, sent = 0, 4, None

        def exchange(self, tensor):
            self.sent = tensor.tolist() if self.sent is None else self.sent
            return torch.zeros_like(tensor)

    worker = Talking()
    real(worker, torch.arange(4.0))
    assert worker.sent == [ring_states(4)[1][1][1]]  # what worker 1 receives first


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_every_ring_and_every_step_is_legible(n, legible):
    assert f"Each sent {2 * (n - 1)} chunks of a vector that has {n}" in legible(ring_all_reduce(n))
    for step in range(1, 2 * n - 1):
        whole = max(0, step - n + 2) or "none"
        assert f"Of the {n} whole sums each now holds {whole}." in legible(ring_all_reduce(n, step))


def test_a_step_says_who_sends_what():
    assert "worker 0 sends chunk 0 to 1, worker 1 sends chunk 1 to 2" in ring_all_reduce(3, 1).words
    assert "Each keeps the sum that comes." in ring_all_reduce(3, 3).words


@pytest.mark.parametrize("n", [2, 3, 4])
def test_accumulation_stands_beside_data_parallel(n, legible):
    words = legible(data_parallel(n))
    assert f"{n} workers hold the same weights" in words and f"the same {n} batches one after another" in words
    assert f"accumulate = {n}" in data_parallel(n).svg


def test_what_cannot_be_drawn_is_said():
    for n in (1, 7):
        with pytest.raises(ValueError, match="give 2 to 6"):
            ring_all_reduce(n)
    for step in (0, 7):
        with pytest.raises(ValueError, match=f"there is no step {step}: a ring of 4 workers has 6"):
            ring_all_reduce(4, step)
    with pytest.raises(ValueError, match="give 2 to 4"):
        data_parallel(5)
