"""The controls: shuffled weights keep every number and lose what the model knew; a random direction keeps the norm."""

import pytest
import torch

from helpers.interpretability.controls import random_direction, shuffled_weights
from tests import factories


def test_shuffled_weights_are_the_same_numbers_in_other_places():
    model = factories.gpt(noise=0.1)
    before = factories.parameter_vector(model)
    shuffled = shuffled_weights(model)
    assert torch.equal(factories.parameter_vector(model), before)
    for (name, old), (_, new) in zip(model.named_parameters(), shuffled.named_parameters()):
        assert old.shape == new.shape and torch.equal(old.flatten().sort().values, new.flatten().sort().values)
        assert not torch.equal(old, new), name
    assert shuffled.head.weight is shuffled.embed.weight  # tied as before
    ids = torch.arange(8)[None]
    assert (model(ids)[0] - shuffled(ids)[0]).abs().max() > 1e-3


def test_the_seed_alone_decides_the_order():
    model = factories.gpt(noise=0.1)
    torch.manual_seed(5)
    first = factories.parameter_vector(shuffled_weights(model, 1))
    assert torch.equal(first, factories.parameter_vector(shuffled_weights(model, 1)))
    assert not torch.equal(first, factories.parameter_vector(shuffled_weights(model, 2)))


def test_a_random_direction_has_the_norm_and_another_direction():
    vector = torch.randn(200) * 3
    other = random_direction(vector)
    assert other.norm().item() == pytest.approx(vector.norm().item(), rel=1e-5)
    assert abs(torch.cosine_similarity(vector, other, dim=0)) < 0.25
    assert torch.equal(other, random_direction(vector)) and not torch.equal(other, random_direction(vector, 1))
    with pytest.raises(ValueError, match=r"one vector \[D\]; this has shape \[2, 3\]"):
        random_direction(torch.ones(2, 3))
