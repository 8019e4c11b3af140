"""Ablation: one head or MLP is replaced and nothing else, by zero, the mean, or another text; what isn't there is named."""

import pytest
import torch

from helpers.interpretability import ablation
from tests import factories

IDS = torch.arange(24).view(3, 8) % 13 + 2
Z, MLP = "blocks.1.attention.hook_z", "blocks.1.hook_mlp_out"


def model(**config):
    return factories.gpt(**{"noise": 0.2, **config})


@pytest.mark.parametrize(
    "value", [0.0, torch.arange(3.0), torch.arange(15.0).view(5, 3), torch.arange(30.0).view(2, 5, 3)]
)
def test_one_head_takes_the_value_and_the_others_stay(value):
    z = torch.randn(2, 4, 5, 3, generator=torch.Generator().manual_seed(0))
    before = z.clone()
    replaced = ablation.ablate_head(2, value)(z)
    assert torch.equal(replaced[:, 2], torch.zeros(2, 5, 3) + value)
    assert torch.equal(replaced[:, [0, 1, 3]], before[:, [0, 1, 3]]) and torch.equal(z, before)


def test_everything_takes_the_value():
    x = torch.ones(2, 5, 3)
    assert torch.equal(ablation.ablate_all(torch.arange(3.0))(x), torch.arange(3.0).expand(2, 5, 3))
    assert torch.equal(ablation.ablate_all(0.0)(x), torch.zeros(2, 5, 3)) and torch.equal(x, torch.ones(2, 5, 3))


@pytest.mark.parametrize("head", [None, 1])
def test_mean_is_over_rows_and_positions_and_resample_takes_the_row_before(head):
    gpt, name = model(), MLP if head is None else Z
    held = gpt.run_with_cache(IDS, names=[name])[1][name]
    held = held if head is None else held[:, head]

    def under(replacement, ids=IDS):
        with gpt.hooks(ablation.ablation(gpt, IDS, 1, head, replacement)):
            seen = gpt.run_with_cache(ids, names=[name])[1][name]
        return seen if head is None else seen[:, head]

    assert torch.equal(under("zero"), torch.zeros_like(held))
    assert torch.allclose(under("mean"), held.mean((0, 1)).expand_as(held), atol=1e-6)
    assert torch.equal(under("resample"), torch.stack((held[2], held[0], held[1])))
    assert torch.equal(under("resample", IDS[:2, :5]), torch.stack((held[2], held[0]))[:, :5])  # a shorter text


def test_costs_are_what_each_token_loses_and_ablating_with_its_own_value_costs_nothing():
    gpt = model()
    costs = ablation.head_costs(gpt, IDS, IDS[:, :-1], "zero")
    assert costs.shape == (2, 2, 3, 7) and costs.abs().max() > 1e-3
    with torch.no_grad():
        kept = gpt.blocks[1].attention.output.weight.clone()
        gpt.blocks[1].attention.output.weight[:, 8:] = 0  # what head 1 of layer 1 writes: 8 numbers a head
    without = ablation.losses(gpt, IDS)
    with torch.no_grad():
        gpt.blocks[1].attention.output.weight.copy_(kept)
    assert torch.allclose(costs[1, 1], without - ablation.losses(gpt, IDS), atol=1e-5)
    own = gpt.run_with_cache(IDS[:, :-1], names=[Z])[1][Z]
    same = ablation.losses(gpt, IDS, {Z: ablation.ablate_head(0, own[:, 0])})
    assert torch.allclose(same, ablation.losses(gpt, IDS), atol=1e-6)


@pytest.mark.parametrize("replacement", ablation.REPLACEMENTS)
def test_the_cost_of_an_mlp_is_that_of_its_layer(replacement):
    gpt = model()
    costs = ablation.mlp_costs(gpt, IDS, IDS[:, :-1], replacement)
    hooks = ablation.ablation(gpt, IDS[:, :-1], 0, None, replacement)
    assert list(hooks) == ["blocks.0.hook_mlp_out"] and costs.shape == (2, 3, 7)
    assert torch.equal(costs[0], ablation.losses(gpt, IDS, hooks) - ablation.losses(gpt, IDS))


def test_a_token_stands_for_its_own_loss():
    gpt = model()
    expected = -gpt(IDS[:1, :-1])[0][0].log_softmax(-1)[range(7), IDS[0, 1:]]
    assert torch.allclose(ablation.losses(gpt, IDS)[0], expected, atol=1e-5)


def test_the_model_measures_without_dropout_and_goes_back_to_training():
    gpt = model(dropout=0.5).train()
    assert torch.equal(ablation.losses(gpt, IDS), ablation.losses(gpt, IDS)) and gpt.training


def test_what_is_not_there_is_named():
    gpt = model()
    with pytest.raises(ValueError, match="no layer 2: this model has 2, numbered from 0 to 1"):
        ablation.ablation(gpt, IDS, 2, 0)
    with pytest.raises(ValueError, match="no layer -1"):
        ablation.mlp_point(gpt, -1)
    with pytest.raises(ValueError, match="no head 2: this model has 2"):
        ablation.head_point(gpt, 1, 2)
    with pytest.raises(ValueError, match="no head 5: this model has 4"):
        ablation.ablate_head(5, 0.0)(torch.zeros(1, 4, 2, 3))
    with pytest.raises(ValueError, match="no replacement 'noise'; known are zero, mean, resample"):
        ablation.ablation(gpt, IDS, 1, 0, "noise")
    with pytest.raises(ValueError, match="one row: to resample"):
        ablation.ablation(gpt, IDS[:1], 1, 0, "resample")
    with (
        gpt.hooks(ablation.ablation(gpt, IDS[:2], 1, 0, "resample")),
        pytest.raises(ValueError, match="2 rows of 8 tokens"),
    ):
        gpt(IDS)


def test_costs_on_the_models_device_are_those_of_the_cpu(device):
    costs = ablation.head_costs(model(), IDS, IDS[:, :-1], "resample")
    moved = ablation.head_costs(model().to(device), IDS, IDS[:, :-1], "resample")
    assert moved.device.type == device.type and torch.allclose(moved.cpu(), costs, atol=1e-4)
