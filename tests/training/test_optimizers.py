"""Which parameter gets which step: groups, Muon against torch's own and against a singular value decomposition."""

import copy

import pytest
import torch
from torch import nn

from helpers.training.optimizers import (
    CombinedOptimizer,
    Muon,
    make_optimizer,
    orthogonalized,
    parameter_groups,
    step_where,
)
from tests.factories import gpt


def small(tied=False):
    return gpt(20, "gpt2", context=8, tied=tied)


def test_every_parameter_is_in_exactly_one_group():
    model = small()
    hidden, tables, vectors = parameter_groups(model)
    ids = [id(parameter) for group in (hidden, tables, vectors) for parameter in group]
    assert sorted(ids) == sorted(id(parameter) for parameter in model.parameters())
    assert {id(p) for p in tables} == {id(model.embed.weight), id(model.positions.weight), id(model.head.weight)}
    assert len(hidden) == 2 * 4 and all(parameter.ndim < 2 for parameter in vectors)


def test_a_shared_table_comes_once_and_what_is_frozen_not_at_all():
    model = small(tied=True)
    model.blocks[0].requires_grad_(False)
    hidden, tables, vectors = parameter_groups(model)
    assert len(tables) == 2 and len(hidden) == 4
    optimizer = make_optimizer("muon", model, 0.01)
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(hidden + tables + vectors)


def test_a_processor_computes_muon_in_float32():
    """torch's own computes in bfloat16, which most processors do in steps: theirs would take three times as long."""
    assert type(make_optimizer("muon", small(), 0.04).parts[0]) is Muon


def test_muon_for_matrices_adamw_for_the_rest_with_a_quarter_of_the_rate():
    optimizer = make_optimizer("muon", small(), 0.04, weight_decay=0.1)
    assert isinstance(optimizer, CombinedOptimizer)
    found = [(len(g["params"]), g["peak"], g["weight_decay"]) for g in optimizer.param_groups]
    assert found == [(8, 0.04, 0.1), (3, 0.01, 0.1), (18, 0.01, 0.0)]
    assert len(make_optimizer("adamw", small(), 0.04, 0.1).param_groups) == 2


def test_an_unknown_optimizer_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no optimizer 'lion'; known are adamw, muon, sgd"):
        make_optimizer("lion", small(), 0.1)


def test_sgd_steps_along_the_mean_of_past_gradients():
    """Two equal gradients g: the first step is rate · g, the second rate · (0.9 + 1) · g; matrices alone decay."""
    model = small()
    optimizer = make_optimizer("sgd", model, 0.5, weight_decay=0.1)
    assert [(len(g["params"]), g["peak"], g["weight_decay"]) for g in optimizer.param_groups] == [(11, 0.5, 0.1), (18, 0.5, 0.0)]
    vector = next(parameter for parameter in model.parameters() if parameter.ndim < 2)
    before = vector.detach().clone()
    for moved in (1.0, 2.9):
        vector.grad = torch.ones_like(vector)
        optimizer.step()
        assert torch.allclose(before - vector, torch.full_like(vector, 0.5 * moved))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 6, 20), (2, 20, 6)])
def test_orthogonalized_keeps_directions_and_makes_all_of_them_alike(shape):
    matrices = torch.randn(shape)
    done = orthogonalized(matrices)
    left, sizes, right = torch.linalg.svd(matrices, full_matrices=False)
    new = torch.linalg.svdvals(done)
    assert (sizes.amax(-1) / sizes.amin(-1)).min() > 1.5  # before: far from alike
    assert 0.5 < new.min() and new.max() < 1.3
    turned = left.mT @ done @ right.mT  # in the old directions it is diagonal
    assert (turned - torch.diag_embed(turned.diagonal(dim1=-2, dim2=-1))).abs().max() < 1e-3


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon of its own")
def test_our_muon_is_torchs():
    """Theirs computes in bfloat16, so the directions agree to a few per cent of a step."""
    torch.manual_seed(0)
    weights = [torch.randn(12, 30), torch.randn(30, 12), torch.randn(12, 30)]
    ours, theirs = ([nn.Parameter(weight.clone()) for weight in weights] for _ in range(2))
    a = Muon(ours, lr=0.1, weight_decay=0.1)
    b = torch.optim.Muon(theirs, lr=0.1, momentum=0.95, weight_decay=0.1)
    for _ in range(3):
        for one, other in zip(ours, theirs):
            one.grad = torch.randn_like(one)
            other.grad = one.grad.clone()
        a.step(), b.step()
    for start, one, other in zip(weights, ours, theirs):
        assert (one - other).norm() < 0.03 * (one - start).norm()


def test_muon_goes_downhill_where_gradients_are_uneven():
    """A bowl a thousand times steeper in one direction: Muon moves alike in all."""
    torch.manual_seed(0)
    scale = torch.logspace(0, 3, 8)
    weight = nn.Parameter(0.3 * torch.randn(8, 8))
    optimizer, losses = Muon([weight], lr=0.0), []
    for step in range(100):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - step / 100)  # its steps have a length of their own
        loss = 0.5 * (scale[:, None] * weight**2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 50


def test_several_optimizers_save_and_load_as_one():
    first, second = small(), small()
    optimizers = [make_optimizer("muon", model, 0.02) for model in (first, second)]
    ids = torch.randint(20, (2, 8))

    def step(model, optimizer):
        optimizer.zero_grad()
        model(ids)[0].logsumexp(-1).sum().backward()
        for group in optimizer.param_groups:
            group["lr"] = group["peak"]
        optimizer.step()

    step(first, optimizers[0])
    second.load_state_dict(first.state_dict())
    optimizers[1].load_state_dict(copy.deepcopy(optimizers[0].state_dict()))  # else both share their numbers
    for model, optimizer in zip((first, second), optimizers):
        step(model, optimizer)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_a_step_is_made_where_all_is_finite_and_nowhere_else(name):
    """The finite step is the ordinary one; the other leaves every weight as it is, though gradients are no numbers."""
    plain, guarded = small(), small()
    ids = torch.randint(20, (2, 8))
    optimizers = [make_optimizer(name, model, 0.02, 0.1) for model in (plain, guarded)]
    for model in (plain, guarded):
        model(ids)[0].square().mean().backward()
    optimizers[0].step()
    step_where(optimizers[1], torch.tensor(True))
    values = [torch.cat([value.detach().flatten() for value in model.parameters()]) for model in (plain, guarded)]
    assert torch.equal(*values) and not torch.equal(
        values[0], torch.cat([v.detach().flatten() for v in small().parameters()])
    )
    for parameter in guarded.parameters():
        parameter.grad.fill_(float("nan"))
    step_where(optimizers[1], torch.tensor(False))
    assert torch.equal(values[1], torch.cat([value.detach().flatten() for value in guarded.parameters()]))
