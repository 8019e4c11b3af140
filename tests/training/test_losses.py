"""What training makes small: surprise by hand, memory carried from batch to batch."""

import math

import pytest
import torch

from helpers.corpus.batches.base import Batch
from helpers.corpus.batches.token_stream import StreamBatches
from helpers.training import CarriedState, mean_loss, next_token_loss, reply_loss
from helpers.training.losses import map_tensors, masked_cross_entropy, terms, to_device
from tests.factories import parameter_vector as vector
from tests.factories import rnn

PATTERN = torch.tensor([2, 3, 4, 5, 6, 7, 3] * 13, dtype=torch.int16)
BATCHES = StreamBatches(PATTERN, batch_size=4, context=8)


def new(seed=0, **others):
    return rnn(seed=seed, **others)


def test_masked_cross_entropy_by_hand():
    logits = torch.tensor([[[0.0, 0.0], [9.0, 1.0]], [[math.log(3), 0.0], [0.0, 5.0]]], requires_grad=True)
    targets = torch.tensor([[0, -100], [0, -100]])  # probabilities 1/2 and 3/4
    loss = masked_cross_entropy(logits, targets)
    assert loss.item() == pytest.approx((math.log(2) + math.log(4 / 3)) / 2)
    loss.backward()
    assert not logits.grad[:, 1].any() and logits.grad[:, 0].any() and targets.min() == -100


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
    assert mean_loss(model, BATCHES, max_batches=1) == pytest.approx(next_token_loss(model, BATCHES[0]).item())


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


# --- means over tokens --------------------------------------------------------------------------------------------------


def weighted_by_hand(logits, targets):
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return losses[targets.flatten() >= 0]


@pytest.mark.parametrize("loss", [next_token_loss, None])
def test_mean_loss_weighs_every_token_the_same(loss):
    """One batch has 24 targets, one 3, one none: the mean is over 27 numbers."""
    model, ids = new().eval(), torch.randint(8, (9, 9))
    batches = [Batch(ids[row : row + 3, :-1], ids[row : row + 3, 1:].clone(), True) for row in (0, 3, 6)]
    batches[1].targets[:, 1:] = -100
    batches[2].targets[:] = -100
    by_hand = torch.cat([weighted_by_hand(model(batch.inputs)[0], batch.targets) for batch in batches])
    assert len(by_hand) == 27
    assert mean_loss(model, batches, loss=loss) == pytest.approx(by_hand.mean().item(), abs=1e-6)
    assert mean_loss(model, batches[1:], loss=loss) == pytest.approx(by_hand[24:].mean().item(), abs=1e-6)
    assert math.isnan(mean_loss(model, batches[2:], loss=loss))


def test_mean_loss_weighs_every_token_of_replies_the_same():
    from helpers.corpus.batches.base import Pair
    from helpers.corpus.batches.context_reply_pairs import batch_of
    from helpers.models.seq2seq import Seq2Seq

    model = Seq2Seq(12, hidden_size=8, embedding_size=6, speakers=(2, 3, 4), pad=0, end=1).eval()
    batches = [batch_of([Pair([1, 5], [3, 7, 8, 9, 10, 1])] * 2, 0), batch_of([Pair([1, 6], [2, 1])], 0)]
    by_hand = torch.cat([weighted_by_hand(model.read(batch), batch.targets) for batch in batches])
    assert len(by_hand) == 11
    assert mean_loss(model, batches, loss=reply_loss) == pytest.approx(by_hand.mean().item(), abs=1e-6)


def test_a_loss_over_pairs_is_weighed_by_pairs():
    from helpers.training.dpo import DPO
    from helpers.training.reward_modeling import reward_loss

    class Pairs:
        ids, targets = torch.zeros(6, 9), torch.full((6, 8), 3)

    assert terms(DPO(), Pairs) == terms(reward_loss, Pairs) == 3 and terms(next_token_loss, Pairs) == 48


# --- to another device --------------------------------------------------------------------------------------------------


def test_every_tensor_of_a_batch_goes_to_the_device():
    batch = Batch(torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.long), True)
    moved = to_device(batch, "meta")
    assert type(moved) is Batch and moved.first is True
    assert moved.inputs.device.type == moved.targets.device.type == "meta" and moved.targets.dtype == torch.long
    state = to_device((torch.zeros(1), (torch.zeros(2), None)), torch.device("meta"))
    assert state[0].device.type == state[1][0].device.type == "meta" and state[1][1] is None
    assert to_device(batch, "cpu").inputs is batch.inputs


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_what_goes_to_a_gpu_arrives_whole():
    batch = Batch(torch.randn(300, 300), torch.randint(9, (300, 300)), False)
    moved = to_device(batch, torch.device("cuda"))
    torch.cuda.synchronize()
    assert torch.equal(moved.inputs.cpu(), batch.inputs) and torch.equal(moved.targets.cpu(), batch.targets)


def test_a_state_of_any_shape_is_changed_throughout():
    state = (torch.ones(2), None, (torch.ones(1), 5))
    assert str(map_tensors(state, lambda part: part * 3)) == str(
        (torch.full((2,), 3.0), None, (torch.full((1,), 3.0), 5))
    )
