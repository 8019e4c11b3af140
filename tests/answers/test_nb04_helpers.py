"""What learners build in notebook 04, on the way and in the exercises, does what the package and torch do."""

import pytest
import torch
import torch.nn.functional as F

from helpers.models import transformer_from_parts as parts
from helpers.models.attention import MultiHeadAttention, attention, causal_mask
from helpers.models.transformer import DecoderLayer, EncoderLayer
from tests.answers.solutions import run, solutions

NOTEBOOK = "04_attention_is_all_you_need"
SOLUTIONS = solutions(NOTEBOOK)


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def same_numbers(ours, theirs):
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


# --- what is built on the way -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [None, torch.rand(5, 7) < 0.6])
def test_attention_is_the_packages_and_torchs(mask):
    q, k, v = torch.randn(2, 3, 5, 8), torch.randn(2, 3, 7, 8), torch.randn(2, 3, 7, 4)
    mask = None if mask is None else mask | torch.eye(5, 7).bool()  # no row that may attend to nothing
    ours = solution("attention")(q, k, v, mask)
    for mine, theirs in zip(ours, attention(q, k, v, mask)):
        close(mine, theirs)
    close(ours[0], F.scaled_dot_product_attention(q, k, v, mask))


@pytest.mark.parametrize("length", [1, 5])
def test_the_causal_mask_is_the_packages(length):
    assert torch.equal(solution("causal_mask")(length), causal_mask(length))


@pytest.mark.parametrize("source", [None, torch.randn(2, 7, 12)])
def test_multi_head_attention_is_the_packages(source):
    ours, theirs = same_numbers(solution("MultiHeadAttention")(12, 3), MultiHeadAttention(12, 3))
    x, mask = (
        torch.randn(2, 5, 12),
        torch.arange(5 if source is None else 7) < torch.tensor([4, 3])[:, None, None, None],
    )
    close(ours(x, source, mask), theirs(x, source, mask))


def test_the_layers_are_the_packages():
    x, memory = torch.randn(2, 5, 12), torch.randn(2, 7, 12)
    ours, theirs = same_numbers(solution("EncoderLayer")(12, 3, 20), EncoderLayer(12, 3, 20))
    mask = torch.arange(5) < torch.tensor([5, 3])[:, None, None, None]
    close(ours(x, mask), theirs(x, mask))
    ours, theirs = same_numbers(solution("DecoderLayer")(12, 3, 20), DecoderLayer(12, 3, 20))
    mask = torch.arange(7) < torch.tensor([7, 3])[:, None, None, None]
    close(ours(x, memory, mask), theirs(x, memory, mask))


def test_what_stands_in_for_a_learners_layer_is_the_solution():
    heads = parts.multi_head_attention(attention)
    pairs = {
        "MultiHeadAttention": heads,
        "EncoderLayer": parts.encoder_layer(heads),
        "DecoderLayer": parts.decoder_layer(parts.encoder_layer(heads), heads, causal_mask),
    }
    x = torch.randn(2, 5, 12)
    for name, stands_in in pairs.items():
        sizes, inputs = (
            (12, 3, 20)[: 2 if name == "MultiHeadAttention" else 3],
            [x, x][: 2 if name == "DecoderLayer" else 1],
        )
        ours, theirs = same_numbers(solution(name)(*sizes), stands_in(*sizes))
        close(ours(*inputs), theirs(*inputs))


# --- the exercises ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 5])
def test_a_window_as_long_as_the_text_is_the_causal_mask(length):
    assert torch.equal(solution("window_mask")(length, length), causal_mask(length))


def test_with_a_window_of_one_a_token_gets_its_own_value():
    x = torch.randn(4, 6)
    close(attention(x, x, x, solution("window_mask")(4, 1))[0], x)


@pytest.mark.parametrize(("d_model", "d_ff"), [(8, 32), (12, 5)])
def test_layer_parameters_are_those_of_the_layer(d_model, d_ff):
    layer = EncoderLayer(d_model, 4, d_ff)
    assert solution("layer_parameters")(d_model, d_ff) == sum(p.numel() for p in layer.parameters())


def test_one_more_again_and_again_is_causal_attention():
    layer, x, cache = MultiHeadAttention(6, 1), torch.randn(1, 5, 6), None
    q, k, v = (part[0, 0] for part in layer.project(x))
    outputs = []
    for position in range(5):
        output, cache = solution("attend_with_cache")(q[position], k[position], v[position], cache)
        outputs.append(output)
    close(layer.out_proj(torch.stack(outputs)), layer(x, causal=True)[0])
