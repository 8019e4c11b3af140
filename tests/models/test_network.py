"""Hook points: activations have names, are read as they are and replaced as asked; unused, they change nothing."""

import pytest
import torch

from helpers.models.attention import causal_mask
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.rnn import CharRNN
from helpers.models.seq2seq import Seq2Seq
from helpers.models.transformer import Transformer
from tests.factories import gpt

SIZES = {"context": 24, "n_embd": 16, "n_layer": 2, "n_head": 4}
SPECIAL = {"speakers": (3, 4), "pad": 0, "end": 2}
IDS = torch.tensor([[5, 9, 7, 9, 1, 30, 12], [6, 6, 3, 8, 2, 11, 40]])
PATTERN = "blocks.1.attention.hook_pattern"


@pytest.fixture(params=["gpt2", "modern"])
def model(request):
    return gpt(50, request.param, std=0.3, **SIZES).requires_grad_(False)  # blocks that begin at zero would pass every test


def close(a, b, atol=1e-5):
    torch.testing.assert_close(a, b, atol=atol, rtol=1e-5)


def test_every_block_has_its_points_and_all_are_passed(model):
    logits, cache = model.run_with_cache(IDS)
    names = [
        "hook_resid_pre", "attention.hook_q", "attention.hook_k", "attention.hook_v", "attention.hook_pattern",
        "attention.hook_z", "hook_attn_out", "hook_resid_mid", "hook_mlp_post", "hook_mlp_out", "hook_resid_post",
    ]  # fmt: skip
    expected = {"hook_embed", "hook_normalized", *(f"blocks.{layer}.{name}" for layer in (0, 1) for name in names)}
    assert set(model.hook_names()) == set(cache) == expected
    shapes = {name.removeprefix("blocks.0."): tuple(x.shape) for name, x in cache.items()}
    assert {shapes[f"attention.hook_{part}"] for part in "qkvz"} == {(2, 4, 7, 4)}
    assert shapes["attention.hook_pattern"] == (2, 4, 7, 7) and shapes["hook_mlp_post"] == (2, 7, 64)
    assert {shape for name, shape in shapes.items() if "resid" in name or "_out" in name} == {(2, 7, 16)}
    close(logits[0], model(IDS)[0])


def test_the_stream_is_the_sum_of_what_is_added_to_it(model):
    _, cache = model.run_with_cache(IDS)
    stream = cache["hook_embed"]
    for layer in ("blocks.0.", "blocks.1."):
        close(cache[layer + "hook_resid_pre"], stream)
        close(cache[layer + "hook_resid_mid"], stream + cache[layer + "hook_attn_out"])
        stream = stream + cache[layer + "hook_attn_out"] + cache[layer + "hook_mlp_out"]
        close(cache[layer + "hook_resid_post"], stream)
    close(cache["hook_normalized"], model.norm(stream))


def test_the_pattern_is_the_softmax_of_queries_and_keys(model):
    _, cache = model.run_with_cache(IDS)
    q, k, v = (cache[f"blocks.1.attention.hook_{part}"] for part in "qkv")
    scores = (q @ k.mT / 4**0.5).masked_fill(~causal_mask(7), float("-inf"))
    close(cache[PATTERN], scores.softmax(-1))
    close(cache[PATTERN].sum(-1), torch.ones(2, 4, 7))
    close(cache["blocks.1.attention.hook_z"], cache[PATTERN] @ v)


@pytest.mark.parametrize("padding", [None, torch.tensor([2, 0])])
def test_the_readable_attention_is_the_fused_one(model, padding):
    """Also with padding, and where a text is read in two pieces."""
    every = {name: lambda x: None for name in model.hook_names()}
    whole, state = model(IDS[:, :4], None, padding)
    after, _ = model(IDS[:, 4:], state)
    with model.hooks(every):
        hooked, state = model(IDS[:, :4], None, padding)
        close(hooked, whole)
        close(model(IDS[:, 4:], state)[0], after)
        single = model(IDS[:, 4:5], state)[0]
    close(single, after[:, :1])


def test_only_the_names_asked_for_are_kept_and_the_fast_path_stays(model, monkeypatch):
    monkeypatch.setattr("helpers.models.gpt_attention.attention", None)  # the readable attention: calling it would fail
    logits, cache = model.requires_grad_(True).run_with_cache(IDS, names=["blocks.0.hook_resid_post"])
    assert list(cache) == ["blocks.0.hook_resid_post"] and not cache["blocks.0.hook_resid_post"].requires_grad
    assert logits[0].requires_grad


@pytest.mark.parametrize("name", ["hook_embed", "blocks.0.hook_resid_mid", "blocks.1.attention.hook_v", PATTERN])
def test_what_a_function_returns_takes_the_activations_place(model, name):
    before = model(IDS)[0]
    with model.hooks({name: lambda x: x * 0.5}):
        changed = model(IDS)[0]
    assert (changed - before).abs().max() > 1e-3
    assert torch.equal(model(IDS)[0], before)


def test_a_head_can_be_ablated_by_its_output(model):
    """Setting one head's weighted sum to zero is leaving its columns of the output matrix out."""

    def ablate(z):
        z = z.clone()
        z[:, 2] = 0
        return z

    with model.hooks({"blocks.1.attention.hook_z": ablate}):
        ablated, _ = model(IDS)
    model.blocks[1].attention.output.weight[:, 8:12] = 0
    close(ablated, model(IDS)[0])


def test_an_activation_of_another_run_can_be_patched_in(model):
    other = IDS.roll(1, 0)
    _, cache = model.run_with_cache(other)
    with model.hooks({"blocks.1.hook_resid_post": lambda x: cache["blocks.1.hook_resid_post"]}):
        close(model(IDS)[0], model(other)[0])


def test_contexts_can_be_nested_and_the_outer_functions_come_first(model):
    order = []
    with model.hooks({"hook_embed": lambda x: order.append("outer")}):
        with model.hooks({"hook_embed": lambda x: order.append("inner")}):
            model(IDS)
        model(IDS)
    assert order == ["outer", "inner", "outer"]


def test_nothing_stays_hooked_after_an_error(model):
    before = model(IDS)[0]
    with pytest.raises(ZeroDivisionError), model.hooks({PATTERN: lambda x: x * 0, "hook_embed": lambda x: 1 / 0}):
        model(IDS)
    assert torch.equal(model(IDS)[0], before)
    assert not any(part.hooked for part in model.modules() if hasattr(part, "hooked"))


def test_a_name_without_a_point_is_answered_and_nothing_is_hooked(model):
    with pytest.raises(ValueError, match=r"no hook point 'blocks.0.hook_q'; .*blocks.0.attention.hook_q"):
        with model.hooks({"hook_embed": lambda x: x, "blocks.0.hook_q": lambda x: x}):
            pass
    assert not model.hooked
    with pytest.raises(ValueError, match="this network has no hook points"):
        CharRNN(9).run_with_cache(IDS, names=["hook_embed"])


def test_gradients_reach_through_a_replaced_activation(model):
    vector = torch.zeros(16, requires_grad=True)
    with model.hooks({"blocks.0.hook_resid_post": lambda x: x + vector}):
        model(IDS)[0].logsumexp(-1).sum().backward()
    assert vector.grad.abs().min() > 0


@pytest.mark.parametrize("name", ["decoder.0.cross_attention.hook_pattern", "encoder.1.self_attention.hook_pattern"])
def test_a_transformers_weights_can_be_replaced(name):
    torch.manual_seed(0)
    network = Transformer(9, d_model=8, n_head=2, n_layer=2, **SPECIAL).eval()
    ids = torch.tensor([[2, 3, 5, 6, 7, 4, 8, 1]])
    before = network(ids)[0]
    with network.hooks({name: lambda weights: torch.full_like(weights, 0.2)}):
        assert (network(ids)[0] - before).abs().max() > 1e-3


def test_seq2seqs_weights_can_be_replaced():
    torch.manual_seed(0)
    network = Seq2Seq(9, hidden_size=8, embedding_size=6, **SPECIAL).eval()
    ids = torch.tensor([[2, 3, 5, 6, 7, 4, 8, 1]])
    first = torch.zeros(1, 5).index_fill_(1, torch.tensor([0]), 1.0)
    with network.hooks({"attention.hook_pattern": lambda weights: first}):
        (weights,) = network.attention_weights(ids)
        changed = network(ids)[0]
    assert torch.equal(weights[0], first.expand(3, 5)) and (changed - network(ids)[0]).abs().max() > 1e-3


def test_shared_parameters_count_once():
    tied, untied = (GPT(GPTConfig.gpt2(50, tied=tied, **SIZES)).parameter_count() for tied in (True, False))
    assert untied - tied == 50 * 16


# --- export ------------------------------------------------------------------------------------------------------------


def test_a_gpt_can_be_exported(model):
    exported = torch.export.export(model, (IDS,)).module()
    logits, state = exported(IDS.roll(1, 1))
    expected, cache = model(IDS.roll(1, 1))
    close(logits, expected)
    close(state.keys[1], cache.keys[1])


def test_a_gpt_can_be_exported_for_any_length(model):
    length = torch.export.Dim("length", min=2, max=24)
    shapes = {"ids": {1: length}}
    exported = torch.export.export(model, (IDS,), dynamic_shapes=shapes).module()
    for size in (2, 5, 24):
        ids = torch.randint(50, (2, size))
        close(exported(ids)[0], model(ids)[0])
