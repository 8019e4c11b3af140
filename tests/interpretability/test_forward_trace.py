"""The trace of a forward pass is the forward pass: its parts add up, its logits are the model's, for every kind of GPT."""

import pytest
import torch
from torch import nn

from helpers.interpretability.forward_trace import trace
from helpers.models.small_gpt import Attention
from tests import factories
from tests.factories import small_gpt

IDS = [3, 1, 4, 1, 5, 9, 2, 6]


MODELS = {
    "plain": small_gpt,
    "plain, with a cache": lambda: small_gpt(cached=True),
    "gpt2": lambda: factories.gpt(recipe="gpt2", std=0.3),
    "modern": lambda: factories.gpt(recipe="modern", std=0.3, bigram_rows=11),
    "shared keys and values": lambda: factories.gpt(recipe="modern", std=0.3, n_head=4, n_kv_head=2, activation="swiglu"),
    "one layer, four heads": lambda: small_gpt(n_layer=1, n_head=4),
    "float64": lambda: small_gpt().double(),
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


def test_the_parts_add_up_to_the_stream_and_the_logits_are_the_models(model):
    found = trace(model, IDS)
    with torch.no_grad():
        logits = model.eval()(torch.tensor([IDS]))[0][0]
    close = {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(found.logits, logits, **close)
    stream = found.embedded
    for block in found.blocks:
        torch.testing.assert_close(block.before, stream)
        torch.testing.assert_close(block.middle, block.before + block.attention_output, **close)
        torch.testing.assert_close(block.after, block.middle + block.mlp_output, **close)
        stream = block.after
    adds = sum(block.attention_output + block.mlp_output for block in found.blocks)
    torch.testing.assert_close(stream, found.embedded + adds, **close)
    with torch.no_grad():
        torch.testing.assert_close(found.normalized, model.norm(stream), **close)
    torch.testing.assert_close(found.probabilities.sum(-1), torch.ones_like(found.logits[:, 0]))


def test_shapes_are_as_documented(model):
    found = trace(model, torch.tensor([IDS]))
    block, (length, width) = found.blocks[-1], found.embedded.shape
    n_head, kv_heads, vocab = len(block.weights), len(block.keys), found.logits.shape[1]
    assert found.ids.tolist() == IDS and (length, vocab) == (8, 16) and len(found.blocks) == len(model.blocks)
    assert block.queries.shape == block.heads.shape == (n_head, 8, width // n_head) and n_head % kv_heads == 0
    assert block.keys.shape == block.values.shape == (kv_heads, 8, width // n_head)
    assert block.weights.shape == block.scores.shape == (n_head, 8, 8)
    assert block.hidden.shape == (8, model.blocks[0].up.out_features)
    for name in ("before", "attention_input", "attention_output", "middle", "mlp_input", "mlp_output", "after"):
        assert getattr(block, name).shape == (8, width)
    assert not any(value.requires_grad for value in vars(block).values() if isinstance(value, torch.Tensor))
    assert found.logits.dtype == next(model.parameters()).dtype


def test_attention_weights_are_the_softmax_of_the_scores_up_to_each_token(model):
    for block in trace(model, IDS).blocks:
        assert block.causal and not block.attention_note and not block.stream_note
        future = torch.ones(8, 8, dtype=torch.bool).triu(1)
        torch.testing.assert_close(block.weights, block.scores.masked_fill(future, -torch.inf).softmax(-1))
        values = block.values.repeat_interleave(len(block.heads) // len(block.values), dim=0)
        torch.testing.assert_close(block.heads, block.weights @ values)


def test_both_kinds_of_model_with_the_same_weights_have_the_same_trace():
    theirs = factories.gpt(recipe="gpt2", std=0.3)
    ours = small_gpt()
    ours.load_state_dict(theirs.state_dict())
    one, other = trace(ours, IDS), trace(theirs, IDS)
    for name in ("token_vectors", "position_vectors", "embedded", "normalized", "logits"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name))
    for mine, its in zip(one.blocks, other.blocks):
        for name, value in vars(mine).items():
            torch.testing.assert_close(value, getattr(its, name)) if isinstance(value, torch.Tensor) else None
    assert not one.embedding_note and not one.logits_note


def test_notes_say_what_is_more_than_a_sum():
    found = trace(factories.gpt(recipe="modern", std=0.3, bigram_rows=11), IDS)
    assert found.position_vectors is None
    assert "each pair of neighboring tokens is added and the result is normalized" in found.embedding_note
    assert "squeezes the logits" in found.logits_note
    assert trace(factories.gpt(recipe="gpt2", std=0.3), IDS).position_vectors is not None


class Unscaled(Attention):
    causal, scale = True, 1.0

    def forward(self, x):
        q, k, v = (part.unflatten(-1, (self.n_head, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=self.causal, scale=self.scale)
        return self.output(mixed.transpose(1, 2).flatten(2))


class Unmasked(Unscaled):
    causal, scale = False, None


def test_without_a_mask_the_weights_reach_later_tokens():
    model = small_gpt()
    model.blocks[1].attention.__class__ = Unmasked
    first, second = trace(model, IDS).blocks
    assert first.causal and not second.causal and "No mask" in second.attention_note
    assert (second.weights[:, 0, 1:] > 0).all() and (first.weights[:, 0, 1:] == 0).all()


class Bag(nn.Module):
    """No attention at all: each token gets the mean of all so far."""

    def __init__(self, config):
        super().__init__()

    def forward(self, x):
        return x.cumsum(1) / torch.arange(1, x.shape[1] + 1)[:, None]


@pytest.mark.parametrize("attention", [Unscaled, Bag])
def test_an_attention_of_another_kind_has_no_weights_and_says_so(attention):
    model = small_gpt(attention=attention)
    found = trace(model, IDS)
    block = found.blocks[0]
    assert block.weights is None and block.scores is None and block.queries is None
    assert "not the standard one" in block.attention_note
    torch.testing.assert_close(block.before + block.attention_output, block.middle)


def test_a_block_that_does_not_just_add_is_said(monkeypatch):
    model = small_gpt()
    block = model.blocks[0]
    block.forward = lambda x: block.norm_2(x + block.attention(block.norm_1(x))) + block.down(block.up(x)) * 0.5
    found = trace(model, IDS)
    assert "does not just add" in found.blocks[0].stream_note and not found.blocks[1].stream_note


def test_a_block_may_add_in_place_and_return_more():
    model, same = small_gpt(), small_gpt()
    for block in model.blocks:

        def forward(x, past=None, block=block):
            x = x.clone()
            x += block.attention(block.norm_1(x))
            x += block.down(nn.functional.gelu(block.up(block.norm_2(x)), approximate="tanh"))
            return x, past

        block.forward = forward

    def whole(ids, state=None):
        x = model.embed(ids) + model.positions(torch.arange(ids.shape[1]))
        for block in model.blocks:
            x, _ = block(x=x)
        return model.head(model.norm(x))

    model.forward = whole
    one, other = trace(model, IDS), trace(same, IDS)
    for mine, its in zip(one.blocks, other.blocks):
        torch.testing.assert_close(mine.before, its.before)
        torch.testing.assert_close(mine.middle, its.middle)
        torch.testing.assert_close(mine.after, its.after)
    torch.testing.assert_close(one.logits, other.logits)


def test_a_table_of_positions_may_be_a_parameter():
    model = small_gpt()
    table = model.positions.weight.detach().clone()
    del model.positions
    model.positions = nn.Parameter(table)

    def forward(ids):
        x = model.embed(ids) + model.positions[: ids.shape[1]]
        return model.head(model.norm(model.blocks[1](model.blocks[0](x))))

    model.forward = forward
    found = trace(model, IDS)
    torch.testing.assert_close(found.position_vectors, table[:8])
    assert not found.embedding_note


def test_the_model_is_left_as_it_was():
    for model in (small_gpt().train(), factories.gpt(recipe="modern", std=0.3, dropout=0.5).train()):
        one, other = trace(model, IDS), trace(model, IDS)
        assert model.training and torch.equal(one.logits, other.logits)
        assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
        assert not any(getattr(part, "hooked", None) for part in model.modules())


def test_what_cannot_be_read_is_refused_with_a_sentence():
    model = small_gpt()
    with pytest.raises(ValueError, match="no token to read"):
        trace(model, [])
    with pytest.raises(ValueError, match="has 33 tokens, and this model reads at most 32: shorten it"):
        trace(model, [1] * 33)
    with pytest.raises(ValueError, match="token 16 has no row in the embedding table of 16"):
        trace(model, [1, 16])
    with pytest.raises(ValueError, match="this model has no blocks: a forward pass is followed through a GPT"):
        trace(factories.rnn(), IDS)
    del model.blocks[1].up
    with pytest.raises(ValueError, match=r"this model has no blocks\[1\].up"):
        trace(model, IDS)
    model.blocks = nn.ModuleList()
    with pytest.raises(ValueError, match="no block: give it at least one layer"):
        trace(model, IDS)


@pytest.mark.parametrize("ids", [[3], torch.tensor(3), [1] * 32])
def test_one_token_and_a_full_context(ids):
    found = trace(small_gpt(), ids)
    assert found.blocks[0].weights[:, 0, 0].tolist() == [1.0, 1.0]
