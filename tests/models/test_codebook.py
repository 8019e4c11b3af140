"""Codes: the nearest by hand, a step of k-means that never makes things worse, and scikit-learn's result from the same start."""

import pytest
import torch

from helpers.models.codebook import kmeans, kmeans_step, nearest_code


def error(vectors, codes):
    return (vectors - codes[nearest_code(vectors, codes)]).square().sum().item()


def test_the_nearest_code_by_hand():
    codes = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]])
    vectors = torch.tensor([[[1.0, 1.0], [3.0, 0.0]], [[0.0, 2.0], [2.0, 0.0]]])
    assert nearest_code(vectors, codes).tolist() == [[0, 1], [2, 0]]  # the last is as near to two: the first of them
    with pytest.raises(ValueError, match="vectors have 3 numbers and codes 2"):
        nearest_code(torch.zeros(1, 3), codes)


def test_a_code_is_nearest_to_itself_far_from_zero():
    codes = 1000 + torch.arange(64)[:, None] * torch.tensor([[0.01, 0.0]])
    assert nearest_code(codes, codes).tolist() == list(range(64))


def test_a_step_moves_each_code_to_its_mean_and_leaves_one_without_any():
    vectors = torch.tensor([[0.0], [2.0], [10.0], [13.0], [13.0]])
    assert kmeans_step(vectors, torch.tensor([[1.5], [9.0], [99.0]])).tolist() == [[1.0], [12.0], [99.0]]


def test_no_step_makes_it_worse_and_it_ends_where_scikit_learn_ends():
    cluster = pytest.importorskip("sklearn.cluster")
    vectors = torch.randn(400, 3)
    codes, before = vectors[:8].clone(), float("inf")
    for _ in range(100):
        assert error(vectors, codes) <= before + 1e-3
        before, codes = error(vectors, codes), kmeans_step(vectors, codes)
    theirs = cluster.KMeans(8, init=vectors[:8].numpy(), n_init=1, max_iter=100, tol=0).fit(vectors.numpy())
    assert torch.allclose(codes, torch.tensor(theirs.cluster_centers_), atol=1e-4)


def test_as_many_codes_as_vectors_are_the_vectors():
    vectors = torch.tensor([[0.0], [1.0], [5.0], [5.0]])
    assert kmeans(vectors, 3).flatten().sort().values.tolist() == [0, 1, 5]
    for k in (0, 4):
        with pytest.raises(ValueError, match="3 different vectors"):
            kmeans(vectors, k)


def test_it_goes_on_until_no_code_moves():
    vectors = torch.randn(300, 2)
    codes = kmeans(vectors, 6, steps=1000)
    assert torch.equal(kmeans_step(vectors, codes), codes)
    few = [kmeans(vectors, 6, steps=steps) for steps in range(4)]
    assert all(torch.equal(kmeans_step(vectors, one), other) for one, other in zip(few, few[1:]))
    assert error(vectors, codes) < error(vectors, few[3]) < error(vectors, few[0])


def test_the_seed_decides():
    vectors = torch.randn(200, 2)
    assert torch.equal(kmeans(vectors, 5, seed=1), kmeans(vectors, 5, seed=1))
    assert not torch.equal(kmeans(vectors, 5, steps=0, seed=1), kmeans(vectors, 5, steps=0, seed=2))
