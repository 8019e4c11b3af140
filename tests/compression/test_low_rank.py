"""Low rank: the nearest product of two thin matrices, exact where the rank is full."""

import pytest
import torch

from helpers.compression.low_rank import factors, kept_energy, low_rank, low_rank_size
from tests.factories import gpt

IDS = torch.arange(2, 14)[None]


def test_a_matrix_of_that_rank_comes_back():
    weight = torch.randn(9, 2) @ torch.randn(2, 6)
    a, b = factors(weight, 2)
    assert a.shape == (9, 2) and b.shape == (2, 6) and low_rank_size((9, 6), 2) == a.numel() + b.numel()
    torch.testing.assert_close(a @ b, weight, atol=1e-5, rtol=1e-4)
    assert kept_energy(weight, 2) == pytest.approx(1)
    a, b = factors(torch.eye(4), 4)
    torch.testing.assert_close(a @ b, torch.eye(4))


def test_the_error_is_what_the_singular_values_left_out():
    weight = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    for rank in (1, 3):
        a, b = factors(weight, rank)
        lost = ((weight - a @ b).norm() / weight.norm()).item() ** 2
        assert lost == pytest.approx(1 - kept_energy(weight, rank), rel=1e-4)
        other = torch.randn(8, rank) @ torch.randn(rank, 5)
        assert (weight - a @ b).norm() < (weight - other).norm()


def test_a_model_is_copied_part_by_part():
    model = gpt(std=0.3)
    before = model(IDS)[0]
    small = low_rank(model, 3, "attention")
    assert model(IDS)[0].equal(before) and small.blocks[0].up.weight.equal(model.blocks[0].up.weight)
    assert torch.linalg.matrix_rank(small.blocks[0].attention.qkv.weight, rtol=1e-4) == 3
    torch.testing.assert_close(low_rank(model, 16, ("attention", "MLP"))(IDS)[0], before, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("rank", [0, 6, -1])
def test_a_rank_that_is_not_there_is_refused(rank):
    for action in (factors, kept_energy):
        with pytest.raises(ValueError, match=f"rank is {rank}: give 1 to 5"):
            action(torch.zeros(8, 5), rank)
