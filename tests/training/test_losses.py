"""What training makes small: surprise by hand, memory carried from batch to batch."""

import math

import pytest
import torch

from helpers.corpus.batches.base import Batch
from helpers.corpus.batches.token_stream import StreamBatches
from helpers.models.rnn import CharRNN
from helpers.training import CarriedState, mean_loss, next_token_loss

PATTERN = torch.tensor([2, 3, 4, 5, 6, 7, 3] * 13, dtype=torch.int16)
BATCHES = StreamBatches(PATTERN, batch_size=4, context=8)


def new(seed=0, **others):
    torch.manual_seed(seed)
    return CharRNN(8, **{"width": 12, "embedding": 6, **others})


def vector(model):
    return torch.cat([value.detach().flatten() for value in model.parameters()])


@pytest.mark.parametrize("training", [True, False])
def test_mean_loss_leaves_the_model_as_it_was(training):
    model = new(dropout=0.5).train(training)
    before = vector(model)
    value = mean_loss(model, BATCHES)
    assert model.training is training and torch.equal(vector(model), before)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert mean_loss(model, BATCHES) == value  # no dropout in it


def test_mean_loss_is_that_of_reading_each_row_in_one_go():
    model = new().eval()
    inputs = torch.cat([BATCHES[number].inputs for number in range(len(BATCHES))], 1)
    targets = torch.cat([BATCHES[number].targets for number in range(len(BATCHES))], 1)
    assert mean_loss(model, BATCHES) == pytest.approx(next_token_loss(model, Batch(inputs, targets, True)).item())
    assert mean_loss(model, BATCHES, most=1) == pytest.approx(next_token_loss(model, BATCHES[0]).item())


def test_carried_state_is_handed_on_without_gradient_and_dropped_at_a_new_pass():
    model, loss = new().eval(), CarriedState()
    loss(model, BATCHES[0])
    assert not any(part.requires_grad for part in loss.state)
    first, second = BATCHES[0], BATCHES[1]
    _, state = model(first.inputs)
    logits, _ = model(second.inputs, state)
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), second.targets.flatten())
    assert loss(model, second).item() == pytest.approx(expected.item())
    assert loss(model, second._replace(first=True)).item() == pytest.approx(next_token_loss(model, second).item())


def after(model, forget, seed):
    """Return what the model shows for the second batch, row by row, when some rows begin anew."""
    loss, shown = CarriedState(forget), []
    loss(model, BATCHES[0])
    torch.manual_seed(seed)
    loss(lambda ids, state: (shown.append(model(ids, state)[0]), model(ids, state))[1], BATCHES[1])
    return shown[0]


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_rows_are_forgotten_whole_and_as_often_as_asked(kind):
    model = new(kind=kind).eval()
    carried, anew = after(model, 0.0, 0), model(BATCHES[1].inputs)[0]
    assert ((carried - anew).abs().amax((1, 2)) > 1e-3).all()
    assert torch.equal(after(model, 1.0, 0), anew)
    forgotten = 0
    for seed in range(100):
        for row, logits in enumerate(after(model, 0.2, seed)):
            began = torch.allclose(logits, anew[row], atol=1e-6)
            assert began or torch.allclose(logits, carried[row], atol=1e-6)
            forgotten += began
    assert 50 < forgotten < 110  # of 400


def test_next_token_loss_by_hand():
    logits = torch.tensor([[[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]]).log()
    batch = Batch(torch.zeros(1, 2, dtype=torch.long), torch.tensor([[1, 2]]), True)
    value = next_token_loss(lambda ids: (logits, None), batch)
    assert value.item() == pytest.approx(-(math.log(0.25) + math.log(0.8)) / 2)
