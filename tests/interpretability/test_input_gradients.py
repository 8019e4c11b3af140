"""How far a model's memory reaches: equal to finite differences and to autograd by hand, and nothing is left behind."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers.interpretability.input_gradients import gradient_by_distance, input_gradient_norms
from helpers.models.rnn import CharRNN, RNNCell

IDS = [3, 1, 4, 1, 5, 2, 0, 6]


def small(kind="lstm", **config):
    torch.manual_seed(1)
    return CharRNN(7, kind=kind, hidden_size=6, embedding_size=5, **config).double()


@pytest.mark.parametrize("position", [0, 4, 7])
def test_equals_finite_differences(position):
    model, ids = small(), torch.tensor([IDS[: position + 1]])
    target = IDS[position + 1] if position < 7 else int(model(ids)[0][0, -1].argmax())
    vectors = model.embed(ids).detach()

    def log_probability(x):
        outputs, _ = model.recurrent(x)
        return model.head(outputs)[0, -1].log_softmax(-1)[target].item()

    expected = np.zeros((position + 1, 5))
    for t, e in np.ndindex(expected.shape):
        step = torch.zeros_like(vectors)
        step[0, t, e] = 1e-5
        expected[t, e] = (log_probability(vectors + step) - log_probability(vectors - step)) / 2e-5
    reach = input_gradient_norms(model, IDS, position)
    assert reach.shape == (position + 1,) and reach.dtype == np.float64
    assert reach == pytest.approx(np.linalg.norm(expected, axis=1), rel=1e-5)


class Unrolled(nn.Module):
    """A model that reads token by token and knows nothing of hooks."""

    def __init__(self):
        super().__init__()
        self.embed, self.step, self.head = nn.Embedding(7, 5), RNNCell(5, 6), nn.Linear(6, 7)

    def forward(self, ids, state=None):
        h, logits = ids.new_zeros(len(ids), 6).to(self.head.weight.dtype), []
        for t in range(ids.shape[1]):
            h = self.step(self.embed(ids[:, t]), h)
            logits.append(self.head(h))
        return torch.stack(logits, dim=1), h


def test_equals_the_chain_rule_by_hand():
    model = Unrolled().double()
    reach = input_gradient_norms(model, IDS, 6)
    with torch.no_grad():
        hidden = [torch.zeros(1, 6, dtype=torch.float64)]
        for number in IDS[:7]:
            hidden.append(model.step(model.embed(torch.tensor([number])), hidden[-1]))
        logits = model.head(hidden[-1])[0]
        error = nn.functional.one_hot(torch.tensor(IDS[7]), 7) - logits.softmax(-1)
        back = error @ model.head.weight  # d log p / d h at the last step
        for t in reversed(range(7)):
            before_tanh = back * (1 - hidden[t + 1][0] ** 2)
            assert reach[t] == pytest.approx((model.step.W_xh @ before_tanh).norm().item())
            back = model.step.W_hh @ before_tanh


def test_nothing_after_the_next_token_matters_and_the_next_one_does():
    model = small()
    reach = input_gradient_norms(model, IDS, 3)
    assert (input_gradient_norms(model, IDS[:5] + [0, 0, 0], 3) == reach).all()
    assert (input_gradient_norms(model, IDS[:4] + [6], 3) != reach).any()


def test_the_last_position_asks_for_the_likeliest_token():
    model = small()
    likeliest = int(model(torch.tensor([IDS]))[0][0, -1].argmax())
    assert input_gradient_norms(model, IDS) == pytest.approx(input_gradient_norms(model, IDS + [likeliest], len(IDS) - 1))


def test_the_model_stays_as_it_was():
    model = small(dropout=0.5, n_layer=2)
    model.train()
    model.head.eval()  # a part in another mode stays there
    model.embed.weight.requires_grad_(False)
    model.head.weight.grad = torch.ones_like(model.head.weight)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first, second = input_gradient_norms(model, IDS), input_gradient_norms(model, IDS)
    assert (first == second).all() and (first > 0).all()  # dropout was off, and a frozen embedding is measured too
    assert model.training and model.recurrent.training and not model.head.training
    grads = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    assert list(grads) == ["head.weight"] and (grads["head.weight"] == 1).all()
    assert all((value == before[name]).all() for name, value in model.state_dict().items())
    assert not model.embed._forward_hooks and not model.embed.weight.requires_grad


def test_an_error_in_the_model_leaves_no_hook_behind():
    model = small()
    model.train()
    with pytest.raises(IndexError):
        input_gradient_norms(model, [99])
    assert model.training and not model.embed._forward_hooks


def test_works_where_gradients_are_switched_off():
    model = small()
    with torch.no_grad():
        assert (input_gradient_norms(model, IDS) > 0).all()


def test_a_token_that_is_not_read_has_no_reach():
    class Last(nn.Module):  # a bigram model: it looks at the last token only
        embed, head = nn.Embedding(7, 5), nn.Linear(5, 7)

        def forward(self, ids, state=None):
            return self.head(self.embed(ids)), None

    reach = input_gradient_norms(Last(), IDS, 4)
    assert (reach[:4] == 0).all() and reach[4] > 0


def test_by_distance_is_the_mean_over_rows_from_the_last_token_backwards():
    model, rows = small("rnn"), [IDS, IDS[::-1], [0] * 8]
    curve = gradient_by_distance(model, torch.tensor(rows, dtype=torch.int16))
    expected = np.mean([input_gradient_norms(model, row) for row in rows], axis=0)[::-1]
    assert curve == pytest.approx(expected / expected[0])
    assert curve.shape == (8,) and curve[0] == 1


def test_a_known_rate_of_vanishing():
    model = Unrolled().double()
    with torch.no_grad():  # h' = tanh(x W + 0.5 h), almost linear for small x: each step back halves the gradient
        model.step.W_hh.copy_(0.5 * torch.eye(6))
        model.step.W_xh.mul_(1e-4)
    curve = gradient_by_distance(model, [IDS])
    assert curve == pytest.approx(0.5 ** np.arange(8), rel=1e-4)


def test_wrong_input_is_answered_with_what_to_do():
    model = small()
    for position in (-1, 8):
        with pytest.raises(ValueError, match=f"no position {position} in 8 tokens; take 0 to 7"):
            input_gradient_norms(model, IDS, position)
    for ids in ([], [IDS]):
        with pytest.raises(ValueError, match="one row of at least one token"):
            input_gradient_norms(model, ids)
    with pytest.raises(ValueError, match="rows of token ids"):
        gradient_by_distance(model, IDS)
    with pytest.raises(ValueError, match="nn.Embedding called embed"):
        input_gradient_norms(nn.Linear(2, 2), IDS)
    model.head.weight.data.zero_()
    with pytest.raises(ValueError, match="the last token has no gradient"):
        gradient_by_distance(model, [IDS])
