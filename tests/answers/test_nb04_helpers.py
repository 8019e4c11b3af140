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
        close(solution("attend")(query, keys, values), row)


@pytest.mark.parametrize("length", [1, 5])
def test_a_window_as_long_as_the_text_is_the_causal_mask(length):
    assert torch.equal(solution("window_mask")(length, length), causal_mask(length))


def test_with_a_window_of_one_a_token_takes_its_own_value():
    x = torch.randn(4, 6)
    close(attention(x, x, x, solution("window_mask")(4, 1))[0], x)


def test_with_both_masks_a_layer_does_what_a_causal_layer_without_padding_does():
    layer, x = MultiHeadAttention(6, 2), torch.randn(2, 5, 6)
    is_token = torch.tensor([[True] * 5, [True, True, True, False, False]])
    taken = layer(x, mask=solution("both_masks")(is_token))
    close(taken, layer(x, mask=is_token[:, None, None], causal=True))
    close(taken[1, :3], layer(x[1:, :3], causal=True)[0])


def test_both_masks_hide_padding_before_a_text():
    layer, x = MultiHeadAttention(6, 2), torch.randn(1, 5, 6)
    is_token = torch.tensor([[False, False, True, True, True]])
    close(layer(x, mask=solution("both_masks")(is_token))[:, 2:], layer(x[:, 2:], causal=True))


@pytest.mark.parametrize(("d_model", "d_ff"), [(8, 32), (12, 5)])
def test_layer_parameters_are_those_of_the_layer(d_model, d_ff):
    layer = EncoderLayer(d_model, 4, d_ff)
    assert solution("layer_parameters")(d_model, d_ff) == sum(p.numel() for p in layer.parameters())


def test_one_more_again_and_again_is_causal_attention():
    layer, x, cache = MultiHeadAttention(6, 1), torch.randn(1, 5, 6), None
    q, k, v = (part[0, 0] for part in layer.project(x))
    taken = []
    for place in range(5):
        one, cache = solution("attend_with_cache")(q[place], k[place], v[place], cache)
        taken.append(one)
    close(layer.out_proj(torch.stack(taken)), layer(x, causal=True)[0])
