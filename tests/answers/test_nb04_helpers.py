"""What learners build in the exercises of notebook 04 does what the package and torch do."""

import pytest
import torch

from helpers.models.attention import MultiHeadAttention, attention, causal_mask
from helpers.models.transformer import EncoderLayer
from tests.answers.solutions import run, solutions

SOLUTIONS = solutions("04_attention_is_all_you_need")


def solution(name):
    return run(SOLUTIONS[name], name)


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def test_look_is_one_row_of_attention():
    queries, keys, values = torch.randn(3, 6), torch.randn(5, 6), torch.randn(5, 2)
    together, _ = attention(queries, keys, values)
    for row, query in zip(together, queries):
        close(solution("look")(query, keys, values), row)


@pytest.mark.parametrize("length", [1, 5])
def test_a_window_as_long_as_the_text_is_the_causal_mask(length):
    assert torch.equal(solution("window_mask")(length, length), causal_mask(length))


def test_with_a_window_of_one_a_token_takes_its_own_value():
    x = torch.randn(4, 6)
    close(attention(x, x, x, solution("window_mask")(4, 1))[0], x)


def test_masked_weights_are_those_of_attention():
    q, k, mask = torch.randn(4, 6), torch.randn(5, 6), torch.rand(4, 5) < 0.5
    mask[0], mask[1] = False, True
    close(solution("masked_weights")(q @ k.T / 6**0.5, mask), attention(q, k, k, mask)[1])


@pytest.mark.parametrize(("width", "hidden"), [(8, 32), (12, 5)])
def test_layer_parameters_are_those_of_the_layer(width, hidden):
    layer = EncoderLayer(width, 4, hidden)
    assert solution("layer_parameters")(width, hidden) == sum(p.numel() for p in layer.parameters())


def test_one_more_again_and_again_is_causal_attention():
    layer, x, cache = MultiHeadAttention(6, 1), torch.randn(1, 5, 6), None
    q, k, v = (part[0, 0] for part in layer.project(x))
    taken = []
    for place in range(5):
        one, cache = solution("one_more")(q[place], k[place], v[place], cache)
        taken.append(one)
    close(layer.outward(torch.stack(taken)), layer(x, causal=True)[0])
