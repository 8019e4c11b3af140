"""Steering: the direction is a difference of means, is added once at every token, in cached generation too, and then gone."""

import pytest
import torch

from helpers.interpretability.steering import difference_of_means, steer_hook, steered
from tests import factories

NAME = "blocks.0.hook_resid_post"
IDS = torch.tensor([[2, 7, 8, 9, 3, 5]])


def test_the_difference_of_means_is_that_of_the_two_sides():
    generator = torch.Generator().manual_seed(0)
    positive, negative = torch.randn(7, 4, generator=generator), torch.randn(3, 4, generator=generator)
    assert torch.allclose(difference_of_means(positive, negative), positive.sum(0) / 7 - negative.sum(0) / 3, atol=1e-6)
    assert torch.equal(difference_of_means(negative, positive), -difference_of_means(positive, negative))


def test_it_is_added_once_at_every_token_and_afterwards_nothing_is_left():
    model, direction = factories.gpt(noise=0.2), torch.arange(16.0) / 10
    clean = model.run_with_cache(IDS, names=[NAME])[1][NAME]
    plain = model(IDS)[0]
    with steered(model, NAME, direction, 3):
        logits, cache = model.run_with_cache(IDS, names=[NAME])
        assert torch.allclose(cache[NAME], clean + 3 * direction, atol=1e-5)
        assert (logits[0] - plain).abs().max() > 0.01
    assert torch.equal(model(IDS)[0], plain)
    with pytest.raises(RuntimeError, match="halfway"), steered(model, NAME, direction):
        raise RuntimeError("halfway")
    assert torch.equal(model(IDS)[0], plain)


def test_generation_with_a_cache_is_steered_as_a_whole_text_is():
    model, direction = factories.gpt(noise=0.2), torch.randn(16)
    with steered(model, NAME, direction, 2):
        whole, (first, state) = model(IDS)[0], model(IDS[:, :4])
        second, _ = model(IDS[:, 4:], state)
    assert torch.allclose(torch.cat((first, second), dim=1), whole, atol=1e-4)


def test_a_hook_leaves_what_it_is_given():
    x = torch.ones(1, 2, 3)
    assert steer_hook(torch.ones(3), -2)(x).tolist() == [[[-1.0] * 3] * 2] and x.sum() == 6


def test_other_widths_and_empty_sides_are_refused():
    with pytest.raises(ValueError, match=r"of one width.*\[2, 3\] and \[2, 4\]"):
        difference_of_means(torch.ones(2, 3), torch.ones(2, 4))
    with pytest.raises(ValueError, match="2 activations on one side and 0 on the other"):
        difference_of_means(torch.ones(2, 3), torch.ones(0, 3))
    with (
        pytest.raises(ValueError, match="widths must be equal"),
        steered(factories.gpt(), NAME, torch.ones(5)) as model,
    ):
        model(IDS)
    with (
        pytest.raises(ValueError, match="there is no hook point"),
        steered(factories.gpt(), "blocks.9.hook_resid_post", torch.ones(16)),
    ):
        pass
