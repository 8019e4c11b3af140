"""Stages fed with micro-batches: the schedule, its bubble, and the gradients of the whole."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from helpers.training.pipeline import bubble, gpipe_schedule, pipeline_gradients


def test_the_schedule_of_two_stages_and_three_micro_batches():
    assert gpipe_schedule(2, 3) == [
        ["F0", "F1", "F2", "", "", "B2", "B1", "B0"],
        ["", "F0", "F1", "F2", "B2", "B1", "B0", ""],
    ]


@pytest.mark.parametrize(("stages", "micro_batches"), [(1, 1), (1, 4), (4, 1), (3, 5), (4, 8)])
def test_nothing_is_computed_before_what_it_needs_and_the_idle_share_is_the_bubble(stages, micro_batches):
    table = gpipe_schedule(stages, micro_batches)
    when = [{work: tick for tick, work in enumerate(row) if work} for row in table]
    for stage, row in enumerate(when):
        assert len(row) == 2 * micro_batches
        for micro in range(micro_batches):
            if stage:
                assert (
                    row[f"F{micro}"] > when[stage - 1][f"F{micro}"] and row[f"B{micro}"] < when[stage - 1][f"B{micro}"]
                )
            assert row[f"B{micro}"] > row[f"F{micro}"]
    for row in table:
        assert row.count("") / len(row) == pytest.approx(bubble(stages, micro_batches))
    assert bubble(4, 8) == 3 / 11


@pytest.mark.parametrize("sizes", [(0, 4), (2, 0)])
def test_no_stage_and_no_micro_batch_are_refused(sizes):
    for function in (gpipe_schedule, bubble):
        with pytest.raises(
            ValueError, match=f"{sizes[0]} stages and {sizes[1]} micro-batches: give at least one of each"
        ):
            function(*sizes)


@pytest.mark.parametrize(("stages", "micro_batches"), [(1, 1), (2, 1), (2, 4), (4, 3)])
def test_the_gradients_are_those_of_the_whole_batch(stages, micro_batches):
    layers = [nn.Sequential(nn.Linear(4, 4), nn.Tanh()).double() for _ in range(stages)]
    x, y = torch.randn(12, 4).double(), torch.randn(12, 4).double()
    right = functional.mse_loss(nn.Sequential(*layers)(x), y)
    right.backward()
    expected = [value.grad.clone() for layer in layers for value in layer.parameters()]
    nn.Sequential(*layers).zero_grad()
    pairs = list(zip(x.chunk(micro_batches), y.chunk(micro_batches)))
    assert pipeline_gradients(layers, pairs, functional.mse_loss) == pytest.approx(right.item())
    for found, gradient in zip([value.grad for layer in layers for value in layer.parameters()], expected):
        torch.testing.assert_close(found, gradient)
    assert not x.requires_grad
