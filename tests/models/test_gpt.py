"""The GPT: nothing leaks from the future, the cache changes nothing, each recipe's parts do what they say."""

import dataclasses
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from helpers.corpus.batches.base import Batch
from helpers.interpretability.input_gradients import input_gradient_norms
from helpers.models.attention import causal_mask
from helpers.models.gpt import GPT, Cache, GPTConfig, bigram_index
from helpers.models.gpt_attention import Attention, rotary_table, rotate
from helpers.models.gpt_block import Block, RMSNorm
from helpers.runtime import PRESETS
from helpers.training import fit
from tests.factories import gpt

SIZES = {"context": 24, "n_embd": 32, "n_layer": 2, "n_head": 4}
RECIPES = {
    "gpt2": GPTConfig.gpt2(50, **SIZES),
    "modern": GPTConfig.modern(50, **SIZES),
    "pairs": GPTConfig.modern(50, bigram_rows=31, tied=False, **SIZES),
    "grouped": GPTConfig.modern(50, n_kv_head=2, activation="swiglu", **SIZES),
    "one key": GPTConfig.gpt2(50, n_kv_head=1, **SIZES),
}


def new(name, spread=0.3):
    return gpt(std=spread, **dataclasses.asdict(RECIPES[name]))  # blocks that begin at zero would pass every test


@pytest.fixture(params=RECIPES)
def model(request, device):
    return new(request.param).to(device)


def test_a_later_token_changes_nothing_before_it(model, device):
    ids = torch.randint(50, (3, 20), device=device)
    other = ids.clone()
    other[:, 12:] = (other[:, 12:] + 1) % 50
    a, b = model(ids)[0], model(other)[0]
    torch.testing.assert_close(a[:, :12], b[:, :12], atol=1e-6, rtol=1e-6)
    assert (a[:, 12] != b[:, 12]).any(-1).all()  # its own place hears it


def test_an_earlier_token_is_heard(model, device):
    ids = torch.randint(50, (3, 20), device=device)
    other = ids.clone()
    other[:, 3] = (other[:, 3] + 1) % 50
    assert ((model(ids)[0][:, -1] - model(other)[0][:, -1]).abs() > 1e-5).any(-1).all()


@pytest.mark.parametrize("cuts", [(5,), (1, 2, 3), (7, 8, 19)])
def test_read_in_pieces_it_says_the_same(model, cuts, device):
    ids = torch.randint(50, (2, 20), device=device)
    whole, state, parts = model(ids)[0], None, []
    for piece in torch.tensor_split(ids, cuts, dim=1):
        logits, state = model(piece, state)
        parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-4, rtol=1e-4)
    assert state.length == 20


def test_a_state_is_not_changed_by_going_on_from_it(model, device):
    _, state = model(torch.randint(50, (1, 6), device=device))
    next_token = torch.tensor([[7]], device=device)
    first = model(next_token, state)[0]
    model(next_token + 1, state)
    assert torch.equal(model(next_token, state)[0], first) and state.length == 6


def test_a_state_cut_back_is_as_if_the_rest_was_never_read(model, device):
    ids = torch.randint(50, (2, 9), device=device)
    _, longer = model(ids)
    _, state = model(ids[:, :5])
    after = torch.tensor([[3], [8]], device=device)
    cut = longer.cut(5, ids[:, 4])
    assert cut.length == 5 and longer.length == 9 and torch.equal(cut.last, state.last)
    torch.testing.assert_close(model(after, cut)[0], model(after, state)[0], atol=1e-4, rtol=1e-4)
    if model.bigrams is not None:  # with the last token of the longer state the next pair would be another one
        assert not torch.allclose(model(after, longer.cut(5, longer.last))[0], model(after, state)[0], atol=1e-2)
    for length in (0, 10):
        with pytest.raises(ValueError, match=f"a state of 9 tokens cannot be cut to {length}"):
            longer.cut(length, ids[:, 4])
    with pytest.raises(ValueError, match=r"last has shape \[1\]: give one token for each row, \[2\]"):
        longer.cut(5, ids[:1, 4])


def test_read_with_a_mask_of_ones_own_is_the_forward_pass(model, device):
    """What is exported: the state of no token, and a mask that fits any number of tokens."""
    ids, settings = torch.randint(50, (2, 9), device=device), model.settings
    nothing = tuple(torch.zeros(2, settings.kv_heads, 0, settings.head_size, device=device) for _ in model.blocks)
    state, whole = Cache(nothing, nothing, None, ids[:, 0] * 0 + 7), model(ids)[0]
    parts = []
    for piece in ids.split((5, 1, 3), dim=1):
        logits, state = model.read(piece, state, None, causal_mask(piece.shape[1], state.length, device)[None, None])
        parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-4, rtol=1e-4)


def test_padding_at_the_beginning_changes_nothing(model, device):
    ids = torch.randint(1, 50, (1, 9), device=device)
    padded = torch.cat([torch.full((1, 5), 13, device=device), ids], dim=1)
    alone, state = model(ids)
    beside, padded_state = model(padded, None, torch.tensor([5], device=device))
    torch.testing.assert_close(beside[:, 5:], alone, atol=1e-4, rtol=1e-4)
    after = torch.tensor([[3]], device=device)
    torch.testing.assert_close(model(after, padded_state)[0], model(after, state)[0], atol=1e-4, rtol=1e-4)


def test_more_than_the_context_is_refused(model, device):
    ids = torch.zeros(1, 25, dtype=torch.long, device=device)
    with pytest.raises(ValueError, match="sees 24 tokens at once, and 25 were given"):
        model(ids)
    _, state = model(ids[:, :24])
    with pytest.raises(ValueError, match="25 were given"):
        model(ids[:, :1], state)


def test_attention_weights_are_those_that_are_used(device):
    """The fused kernel and the weights drawn in the explorable must be the same attention."""
    model, ids = new("modern").to(device), torch.randint(50, (1, 11), device=device)
    _, cache = model.run_with_cache(ids, names=["blocks.0.attention.hook_v", "blocks.0.hook_attn_out"])
    mixed = model.attention_weights(ids)[0] @ cache["blocks.0.attention.hook_v"][0]
    by_hand = model.blocks[0].attention.output(mixed.transpose(0, 1).flatten(1))
    torch.testing.assert_close(cache["blocks.0.hook_attn_out"][0], by_hand, atol=1e-4, rtol=1e-4)


def test_attention_weights_sum_to_one_and_see_no_future(model, device):
    for layer in model.attention_weights(torch.randint(50, (1, 11), device=device)):
        assert layer.shape == (4, 11, 11) and not layer.triu(1).any()
        torch.testing.assert_close(layer.sum(-1), torch.ones(4, 11, device=device))


def test_the_gradient_reaches_every_earlier_token(model):
    reach = input_gradient_norms(model, list(range(12)), position=9)
    assert reach.shape == (10,) and (reach > 0).all()


def test_a_fresh_modern_model_expects_nothing():
    """Blocks begin at zero; the loss of a fresh model is that of the uniform guess, ln 50."""
    model = GPT(dataclasses.replace(RECIPES["modern"], tied=False)).eval()
    ids = torch.randint(50, (4, 20))
    loss = functional.cross_entropy(model(ids)[0].flatten(0, 1), torch.randint(50, (80,)))
    assert loss.item() == pytest.approx(3.912, abs=0.1)
    assert not any(block.down.weight.any() or block.attention.output.weight.any() for block in model.blocks)


def test_first_weights_are_smaller_where_many_layers_add_up():
    """GPT-2: standard deviation 0.02, and 0.02 / √(2 · 8) = 0.005 for the 2 · 8 matrices that write to the stream."""
    torch.manual_seed(0)
    model = GPT(GPTConfig.gpt2(50, context=8, n_embd=128, n_layer=8, n_head=4))
    writing = [part for block in model.blocks for part in (block.attention.output, block.down)]
    reading = [part for block in model.blocks for part in (block.attention.qkv, block.up)]
    for parts, std in ((writing, 0.005), (reading, 0.02)):
        for part in parts:  # 16,384 numbers at least: their standard deviation is within 2 % of the distribution's
            assert part.weight.std().item() == pytest.approx(std, rel=0.03) and not part.bias.any()
    assert model.embed.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_queries_and_keys_are_both_rotated():
    """One token at every position: the product of a query at m and a key at n depends on m − n alone, but does depend on it."""
    torch.manual_seed(0)
    model = GPT(GPTConfig.gpt2(9, context=16, n_embd=8, n_layer=1, n_head=1, positions="rotary"))
    nn.init.normal_(model.blocks[0].attention.qkv.weight)
    _, cache = model.run_with_cache(torch.full((1, 16), 4))
    q, k = (cache[f"blocks.0.attention.hook_{part}"][0, 0] for part in "qk")
    products = q @ k.T
    for distance in range(1, 15):
        later, earlier = products.diagonal(-distance), products.diagonal(distance)
        torch.testing.assert_close(later, later[:1].expand_as(later), atol=1e-4, rtol=0)
        torch.testing.assert_close(earlier, earlier[:1].expand_as(earlier), atol=1e-4, rtol=0)
    assert all(part.std(dim=0).max() > 0.1 for part in (q, k))  # neither stays where it is
    assert products[1:, 0].std() > 0.1


def test_rotated_products_depend_on_the_distance_alone():
    """Su et al. 2021: the product of a query at place m and a key at place n is a function of m − n."""
    cos, sin = rotary_table(32, 8)
    q, k = torch.randn(8), torch.randn(8)

    def product(m, n):
        turned = [rotate(x[None, None, None], cos[at : at + 1], sin[at : at + 1]) for x, at in ((q, m), (k, n))]
        return float((turned[0] * turned[1]).sum())

    assert product(3, 1) == pytest.approx(product(30, 28), abs=1e-4) != pytest.approx(product(3, 2), abs=1e-3)
    assert product(7, 7) == pytest.approx(float(q @ k), abs=1e-4)


def test_rms_norm_by_hand():
    out = RMSNorm(2)(torch.tensor([3.0, 4.0]))  # root of the mean square: sqrt(12.5)
    torch.testing.assert_close(out, torch.tensor([3.0, 4.0]) / 12.5**0.5)


def test_qk_norm_bounds_the_scores():
    """Whatever the input, a score is at most √d: one head cannot shout all others down."""
    config = dataclasses.replace(RECIPES["modern"], logit_cap=0.0)
    model = GPT(config)
    block = model.blocks[0]
    q, k, _ = block.attention.split(1e3 * torch.randn(1, 9, 32), None)
    assert (q @ k.transpose(-2, -1) / 8**0.5).abs().max() <= 8**0.5 + 1e-3


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_grouped_query_attention_is_torchs(heads):
    """Query head h reads keys and values of head h // (4 / heads): as in torch's own grouped attention, and written out."""
    config = GPTConfig.gpt2(50, n_kv_head=heads, **SIZES)
    torch.manual_seed(0)
    layer, x = Attention(config).double(), torch.randn(3, 7, 32, dtype=torch.float64)
    assert layer.qkv.out_features == 32 + 2 * heads * 8
    q, k, v = layer.qkv(x).split([32, 8 * heads, 8 * heads], dim=-1)
    q, k, v = q.view(3, 7, 4, 8).mT, k.view(3, 7, heads, 8).mT, v.view(3, 7, heads, 8).mT  # [B, T, D, heads] so far
    q, k, v = (part.permute(0, 3, 1, 2) for part in (q, k, v))
    torchs = functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    repeated = [part.repeat_interleave(4 // heads, dim=1) for part in (k, v)]
    torch.testing.assert_close(functional.scaled_dot_product_attention(q, *repeated, is_causal=True), torchs)
    out, (keys, values) = layer(x, None, None, None)
    torch.testing.assert_close(out, layer.output(torchs.transpose(1, 2).flatten(2)))
    assert torch.equal(keys, k) and torch.equal(values, v)  # what the cache keeps: no head twice


def test_grouped_queries_by_hand():
    """Two query heads of one number read one key and value: tokens 1 and 2, with q = (x, 2x), k = x, v = 3x."""
    layer = Attention(GPTConfig.gpt2(9, context=4, n_embd=2, n_layer=1, n_head=2, n_kv_head=1, bias=False))
    layer.qkv.weight.data = torch.tensor([[1.0, 0.0], [2.0, 0.0], [1.0, 0.0], [3.0, 0.0]])
    layer.output.weight.data = torch.eye(2)
    out, (keys, values) = layer(torch.tensor([[[1.0, 5.0], [2.0, 5.0]]]), None, None, None)
    assert keys.flatten().tolist() == [1.0, 2.0] and values.flatten().tolist() == [3.0, 6.0]
    # The second token compares 2 (or 4) with keys 1 and 2: scores 2 and 4, or 4 and 8.
    second = [(3 + 6 * math.exp(gap)) / (1 + math.exp(gap)) for gap in (2, 4)]
    torch.testing.assert_close(out[0], torch.tensor([[3.0, 3.0], second]))


def test_the_cache_of_grouped_queries_keeps_their_keys_once():
    state = new("grouped")(torch.randint(50, (2, 9)))[1]
    assert {part.shape for part in (*state.keys, *state.values)} == {(2, 2, 9, 8)}


def test_hooks_of_grouped_queries_see_the_keys_once_and_the_weights_of_every_head():
    model, ids = new("grouped"), torch.randint(50, (2, 9))
    logits, cache = model.run_with_cache(ids)
    shapes = {name: tuple(cache[f"blocks.1.attention.hook_{name}"].shape) for name in ("q", "k", "v", "pattern", "z")}
    assert shapes == {"q": (2, 4, 9, 8), "k": (2, 2, 9, 8), "v": (2, 2, 9, 8), "pattern": (2, 4, 9, 9), "z": (2, 4, 9, 8)}
    torch.testing.assert_close(logits[0], model(ids)[0], atol=1e-5, rtol=1e-5)
    with model.hooks({"blocks.0.attention.hook_v": torch.zeros_like}):
        _, without = model.run_with_cache(ids, names=["blocks.0.hook_attn_out"])
    assert not without["blocks.0.hook_attn_out"].any()


def test_swiglu_by_hand():
    """One unit: silu(gate) · up = 2 · σ(2) · 3 for x = 1, gate = 2x, up = 3x (Shazeer 2020, without biases)."""
    block = Block(GPTConfig.gpt2(9, context=4, n_embd=1, n_layer=1, n_head=1, activation="swiglu", bias=False))
    for part, weight in ((block.gate, 2.0), (block.up, 3.0)):
        nn.init.constant_(part.weight, weight)
    hidden = block._hidden(torch.ones(1, 1, 1))
    torch.testing.assert_close(hidden, torch.full((1, 1, 8), 6 / (1 + math.exp(-2))))


def test_a_config_of_an_older_checkpoint_makes_the_same_model():
    """Checkpoints from before there were grouped queries do not name them; their weights fit unchanged."""
    model = new("modern")
    old = {name: value for name, value in model.config.items() if name != "n_kv_head"}
    again = GPT.from_config(old)
    again.load_state_dict(model.state_dict())
    ids = torch.randint(50, (1, 9))
    assert torch.equal(again.eval()(ids)[0], model(ids)[0])


def test_capped_scores_stay_below_the_cap():
    assert new("modern", spread=5.0)(torch.randint(50, (2, 20)))[0].abs().max() <= 15


def test_pairs_of_neighbors_are_told_apart():
    before, ids = torch.meshgrid(torch.arange(40), torch.arange(40), indexing="ij")
    rows = bigram_index(before, ids, 8191)
    assert rows.unique().numel() > 1400 and 0 <= rows.min() and rows.max() < 8191  # 1,600 pairs


def test_one_table_reads_and_scores():
    model = GPT(RECIPES["modern"])
    assert model.head.weight is model.embed.weight
    untied = GPT(dataclasses.replace(RECIPES["modern"], tied=False))
    assert untied.parameter_count() - model.parameter_count() == 50 * 32


def test_parameters_of_gpt2_are_the_published_number():
    """124,439,808: the smallest GPT-2, as Hugging Face counts it."""
    with torch.device("meta"):
        model = GPT(GPTConfig.gpt2(50_257, context=1024, n_embd=768, n_layer=12, n_head=12))
    assert model.parameter_count() == 124_439_808


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_one_batch_is_learned_by_heart(name, optimizer, device):
    torch.manual_seed(0)
    ids = torch.randint(50, (4, 17))
    model = GPT(RECIPES[name]).to(device)
    rate = 1e-2 if optimizer == "adamw" else 5e-2
    batch = Batch(ids[:, :-1], ids[:, 1:], True)
    fit(model, [batch] * 120, steps=120, learning_rate=rate, optimizer=optimizer, progress=False)
    loss = functional.cross_entropy(model(batch.inputs.to(device))[0].flatten(0, 1), batch.targets.flatten().to(device))
    assert loss < 0.05


def test_a_checkpoint_holds_a_shared_table_once(tmp_path):
    model = new("modern")
    arrays = {name: value for name, value in model.state_dict().items() if name != "head.weight"}
    again = GPT.from_config(model.config)
    again.load_state_dict(arrays)
    ids = torch.randint(50, (1, 9))
    assert torch.equal(again.eval()(ids)[0], model(ids)[0])
    with pytest.raises(RuntimeError):
        again.load_state_dict({name: value for name, value in arrays.items() if name != "embed.weight"})


def test_the_preset_of_a_gpu_makes_a_gpt_of_over_ten_million_numbers():
    sizes = {name: getattr(PRESETS["large"], name) for name in ("context", "n_embd", "n_layer")}
    with torch.device("meta"):
        assert GPT(GPTConfig.modern(2048, n_head=8, **sizes)).parameter_count() > 10e6


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_it_trains_compiled_in_bfloat16():
    model = GPT(GPTConfig.modern(256, context=64, n_embd=64, n_layer=2, n_head=4)).cuda()
    ids = torch.randint(256, (8, 65))
    batch = Batch(ids[:, :-1], ids[:, 1:], True)
    settings = {"optimizer": "muon", "learning_rate": 2e-2, "dtype": torch.bfloat16, "compile": True}
    history = fit(model, [batch] * 60, steps=60, progress=False, **settings)
    assert history.recent_loss(5) < history.rows[0][3] / 2
