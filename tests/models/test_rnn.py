"""Recurrent networks: the cells are torch's own, the memory can be handed on, and nothing looks ahead."""

import pytest
import torch

from helpers.models.rnn import KINDS, CharRNN, LSTMCell, RNNCell, torch_cell

SHAPE = {"vocab_size": 11, "hidden_size": 6, "n_layer": 2, "embedding_size": 4, "dropout": 0.3}


def ids(rows=2, length=9, device="cpu"):
    return torch.randint(11, (rows, length), device=device)


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def copied(cell, weight_ih, weight_hh, bias_ih, bias_hh):
    """Give a cell of ours the weights of torch's, which are transposed and have two biases."""
    with torch.no_grad():
        cell.W_xh.copy_(weight_ih.T)
        cell.W_hh.copy_(weight_hh.T)
        cell.b.copy_(bias_ih + bias_hh)
    return cell


def test_rnn_cell_is_torchs():
    ours = RNNCell(4, 6).double()
    x, h = torch.randn(3, 4).double(), torch.randn(3, 6).double()
    torch.testing.assert_close(ours(x, h), torch_cell(ours)(x, h), atol=1e-12, rtol=0)


def test_lstm_cell_is_torchs():
    ours = LSTMCell(4, 6).double()
    assert ours.b.tolist() == [0] * 6 + [1] * 6 + [0] * 12  # it remembers by default
    x, state = torch.randn(3, 4).double(), (torch.randn(3, 6).double(), torch.randn(3, 6).double())
    torch.testing.assert_close(ours(x, state), torch_cell(ours)(x, state), atol=1e-12, rtol=0)


def test_rnn_cell_by_hand():
    cell = RNNCell(1, 1)
    with torch.no_grad():
        cell.W_xh.fill_(2.0), cell.W_hh.fill_(-1.0), cell.b.fill_(0.5)
    assert cell(torch.tensor([[1.0]]), torch.tensor([[3.0]])).item() == pytest.approx(-0.46211716)  # tanh(2 - 3 + 0.5)


@pytest.mark.parametrize(("kind", "cell"), [("rnn", RNNCell), ("lstm", LSTMCell)])
def test_a_cell_applied_again_and_again_is_the_layer_of_the_model(kind, cell):
    model = CharRNN(11, kind, hidden_size=6, embedding_size=4).double()
    layer = model.recurrent
    ours = copied(cell(4, 6).double(), layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)
    read = ids()
    state = tuple(torch.zeros(2, 6).double() for _ in range(2)) if kind == "lstm" else torch.zeros(2, 6).double()
    shown = []
    for x in model.embed(read).unbind(1):
        state = ours(x, state)
        shown.append(parts(state)[0])
    outputs, last = model.read(read)
    torch.testing.assert_close(torch.stack(shown, 1), outputs, atol=1e-12, rtol=0)
    for mine, theirs in zip(parts(state), parts(last)):
        torch.testing.assert_close(mine, theirs[0], atol=1e-12, rtol=0)
    torch.testing.assert_close(model(read)[0], model.head(outputs), atol=1e-12, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_handed_on_is_as_good_as_reading_it_all_at_once(kind, device):
    model, read = CharRNN(kind=kind, **SHAPE).eval().double().to(device), ids(device=device)
    whole, end = model(read)
    assert whole.shape == (2, 9, 11)
    first, state = model(read[:, :4])
    rest = []
    for place in range(4, 9):
        logits, state = model(read[:, place : place + 1], state)
        rest.append(logits)
    torch.testing.assert_close(torch.cat([first, *rest], 1), whole, atol=1e-12, rtol=0)
    for mine, theirs in zip(parts(state), parts(end)):
        torch.testing.assert_close(mine, theirs, atol=1e-12, rtol=0)
    forgotten, _ = model(read[:, 4:])
    assert (forgotten - whole[:, 4:]).abs().max() > 1e-4  # without the state something is missing


@pytest.mark.parametrize("kind", KINDS)
def test_the_future_changes_nothing_and_the_past_does(kind, device):
    model, read = CharRNN(kind=kind, **SHAPE).eval().to(device), ids(device=device)
    changed = read.clone()
    changed[:, 5] = (changed[:, 5] + 1) % 11
    before, after = model(read)[0], model(changed)[0]
    torch.testing.assert_close(before[:, :5], after[:, :5], atol=1e-7, rtol=1e-6)
    assert ((before[:, 5:] - after[:, 5:]).abs().amax(-1) > 0).all()


def test_rows_do_not_mix(device):
    model, read = CharRNN(**SHAPE).eval().to(device), ids(device=device)
    torch.testing.assert_close(model(read)[0][1:], model(read[1:])[0])


def test_dropout_works_in_training_only():
    model, read = CharRNN(**SHAPE), ids()
    assert not torch.equal(model(read)[0], model(read)[0])
    model.eval()
    assert torch.equal(model(read)[0], model(read)[0])


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'elman'; known are rnn, gru, lstm"):
        CharRNN(11, "elman")


@pytest.mark.parametrize("kind", KINDS)
def test_config_makes_a_model_of_the_same_shape(kind):
    model, read = CharRNN(kind=kind, **SHAPE).eval(), ids()
    assert model.config == {"kind": kind, **SHAPE} and model.kind == kind
    other = CharRNN(**model.config).eval()
    assert not torch.equal(other(read)[0], model(read)[0])
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(read)[0], model(read)[0])


def test_parameters_by_hand():
    # Embedding 11 · 4; LSTM 4 gates of (4 + 6 + two biases) · 6, then of (6 + 6 + 2) · 6; head 6 · 11 + 11.
    assert CharRNN(**SHAPE).parameter_count() == 44 + 4 * 12 * 6 + 4 * 14 * 6 + 77


def test_an_lstm_begins_by_remembering():
    model = CharRNN(**SHAPE)
    for layer in range(2):
        bias = getattr(model.recurrent, f"bias_hh_l{layer}")
        assert torch.equal(bias[6:12], torch.ones(6))
        assert (bias[:6].abs() < 1).all() and (bias[12:].abs() < 1).all() and bias.requires_grad
        # The other bias of the gate is torch's own: small and around 0.
        assert (getattr(model.recurrent, f"bias_ih_l{layer}")[6:12].abs() <= 6**-0.5).all()


def test_one_layer_with_dropout_gives_no_warning(recwarn):
    CharRNN(11, dropout=0.5)
    assert not recwarn.list
