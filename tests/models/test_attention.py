"""Attention: by hand, equal to torch's, blind where it is masked, and the fast way equal to the readable one."""

import math

import pytest
import torch
from torch import nn

from helpers.models.attention import MultiHeadAttention, attention, causal_mask, sinusoidal_positions


def double(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=0)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def layer():
    return MultiHeadAttention(12, 3).double()


def test_attention_by_hand():
    # One query, two keys; the scores are 2·3/√4 = 3 and 0, so it looks at the first with σ(3).
    q, k = torch.tensor([[2.0, 0, 0, 0]]), torch.tensor([[3.0, 0, 0, 0], [0, 1.0, 0, 0]])
    values, weights = attention(q, k, torch.tensor([[10.0], [20.0]]))
    first = 1 / (1 + math.exp(-3))
    assert weights[0].tolist() == pytest.approx([first, 1 - first])
    assert values.item() == pytest.approx(10 * first + 20 * (1 - first))


def test_it_divides_by_the_root_of_the_width_of_the_queries_not_of_the_values():
    q = torch.ones(1, 16)
    _, weights = attention(q, torch.stack([torch.ones(16), torch.zeros(16)]), torch.ones(2, 9))
    assert weights[0, 0].item() == pytest.approx(1 / (1 + math.exp(-4)))


def test_a_masked_place_gets_no_weight_and_the_rest_is_shared():
    q, k, v = double(3, 4), double(5, 4), double(5, 2)
    mask = torch.tensor([True, False, True, True, False])
    values, weights = attention(q, k, v, mask)
    assert (weights[:, ~mask] == 0).all()
    close(values, attention(q, k[mask], v[mask])[0])


def test_a_query_that_may_look_nowhere_takes_nothing_and_poisons_nothing():
    q, k, v = (double(2, 4).requires_grad_() for _ in range(3))
    values, weights = attention(q, k, v, torch.tensor([[True, True], [False, False]]))
    assert values[1].tolist() == [0, 0, 0, 0] and weights[1].tolist() == [0, 0]
    values.sum().backward()
    assert all(torch.isfinite(part.grad).all() for part in (q, k, v))
    assert (q.grad[1] == 0).all()


@pytest.mark.parametrize("kind", ["free", "causal", "padding"])
def test_attention_is_torchs(kind):
    q, k, v = double(2, 3, 5, 4), double(2, 3, 5, 4), double(2, 3, 5, 4)
    mask = {"free": None, "causal": causal_mask(5), "padding": torch.rand(2, 1, 1, 5) < 0.7}[kind]
    if kind == "padding":
        mask[..., 0] = True
    close(attention(q, k, v, mask)[0], nn.functional.scaled_dot_product_attention(q, k, v, mask))


def test_causal_mask():
    assert causal_mask(3).int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert causal_mask(2, past=2).int().tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]


@pytest.mark.parametrize(
    ("shapes", "complaint"),
    [
        (((2, 4), (3, 5), (3, 4)), "4 wide and keys 5"),
        (((2, 4), (3, 4), (2, 4)), "3 keys and 2 values"),
        (((4,), (3, 4), (3, 4)), "tables"),
    ],
)
def test_shapes_that_do_not_fit(shapes, complaint):
    with pytest.raises(ValueError, match=complaint):
        attention(*(torch.ones(shape) for shape in shapes))


def test_a_mask_of_numbers_is_refused():
    with pytest.raises(ValueError, match=r"torch.bool, True where a query may attend"):
        attention(torch.ones(2, 4), torch.ones(2, 4), torch.ones(2, 4), torch.zeros(2, 2))


def test_positions_by_hand():
    table = sinusoidal_positions(3, 4)
    assert table[0].tolist() == [0, 1, 0, 1]
    expected = [math.sin(2), math.cos(2), math.sin(2 / 100), math.cos(2 / 100)]
    assert table[2].tolist() == pytest.approx(expected)


def test_positions_can_start_later():
    close(sinusoidal_positions(20, 8)[13:], sinusoidal_positions(7, 8, start=13))


def test_the_same_step_is_the_same_turn_wherever_it_is_made():
    table = sinusoidal_positions(60, 16).double()
    products = table @ table.T  # depends on the distance only
    for distance in (1, 7):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), atol=1e-4, rtol=0)


def test_odd_width_has_no_pairs():
    with pytest.raises(ValueError, match="even number"):
        sinusoidal_positions(3, 5)


@pytest.mark.parametrize("heads", [0, 5, 24])
def test_heads_that_do_not_divide_the_width(heads):
    with pytest.raises(ValueError, match=f"{heads} heads"):
        MultiHeadAttention(12, heads)


def torchs(layer):
    """Return torch's own layer with the weights of ours: they lie in the same order."""
    theirs = nn.MultiheadAttention(layer.d_model, layer.n_head, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(layer.in_proj.weight), theirs.in_proj_bias.copy_(layer.in_proj.bias)
        theirs.out_proj.weight.copy_(layer.out_proj.weight), theirs.out_proj.bias.copy_(layer.out_proj.bias)
    return theirs


def with_weights(layer, *inputs):
    """Return the layer's output and its attention weights; computed the readable way."""
    output, cache = layer.run_with_cache(*inputs)
    return output, cache["hook_pattern"]


@pytest.mark.parametrize("readable", [True, False], ids=["readable", "fast"])
@pytest.mark.parametrize("kind", ["self", "causal", "cross", "cross, padded"])
def test_multi_head_attention_is_torchs(layer, kind, readable):
    nn.init.normal_(layer.in_proj.bias), nn.init.normal_(layer.out_proj.bias)
    x, source = double(2, 5, 12), double(2, 7, 12)
    padded = torch.tensor([[False] * 7, [False] * 4 + [True] * 3])
    ours, theirs = {
        "self": ((x,), (x, x, x)),
        "causal": ((x, None, None, True), (x, x, x, None, True, ~causal_mask(5))),
        "cross": ((x, source), (x, source, source)),
        "cross, padded": ((x, source, ~padded[:, None, None]), (x, source, source, padded)),
    }[kind]
    names = ("query", "key", "value", "key_padding_mask", "need_weights", "attn_mask")
    theirs = dict(zip(names, theirs)) | {"need_weights": True, "average_attn_weights": False}
    expected, looked = torchs(layer)(**theirs)
    if readable:
        values, weights = with_weights(layer, *ours)
        close(weights, looked)
    else:
        values = layer(*ours)
    close(values, expected)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("length", [1, 2, 5])
def test_the_fast_way_is_the_readable_way(layer, causal, masked, length):
    mask = torch.rand(2, 1, 1, length) < 0.5 if masked else None  # rows that may look nowhere are among them
    x = double(2, length, 12)
    close(layer(x, None, mask, causal), with_weights(layer, x, None, mask, causal)[0])


@pytest.fixture(params=["readable", "fast"])
def either(layer, request):
    """The layer, with a function on its weights or without."""
    with layer.hooks({"hook_pattern": lambda weights: None} if request.param == "readable" else {}):
        yield layer


def test_keys_of_before_can_be_kept(either):
    x = double(2, 6, 12)
    whole = either(x, causal=True)
    q, k, v = either.project(x)
    close(either.attend(q[:, :, 4:], k, v, causal=True), whole[:, 4:])


def test_causal_attention_does_not_see_the_future(either):
    x = double(1, 6, 12)
    changed = x.clone()
    changed[:, 4:] += 1
    before, after = (either(given, causal=True) for given in (x, changed))
    assert (before[:, :4] == after[:, :4]).all()
    assert (before[:, 4:] != after[:, 4:]).any(-1).all()


def test_without_positions_the_order_is_invisible(layer):
    x, order = double(2, 6, 12), torch.randperm(6)
    close(layer(x)[:, order], layer(x[:, order]))


def test_heads_look_for_themselves(layer):
    weights = with_weights(layer, double(1, 4, 12))[1]
    assert weights.shape == (1, 3, 4, 4)
    assert (weights[0, 0] - weights[0, 1]).abs().max() > 0.01
    close(weights.sum(-1), torch.ones(1, 3, 4).double())
